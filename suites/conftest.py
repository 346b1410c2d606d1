"""The suites as tests: `pytest suites/ --benchmark-only` runs the quick cases of the CPU."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.report.text.pytest_benchmark_writer import extra_info
from bench.run.pytest_bridge import QUICK_CPU, PytestBridge, ReplayClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.plan.plan import Plan, PlannedCase
    from bench.records.record import Record


STORE = Path("results")
"""Where `bench run` keeps its runs: earlier ones tell the noise floor of this machine."""


@cache
def quick_plan() -> Plan:
    """The quick cases of the CPU."""
    return QUICK_CPU.plan()


@cache
def planned_cases() -> dict[str, PlannedCase]:
    """The quick cases of the CPU, by their ids."""
    return {case.id: case for case in quick_plan().cases}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per quick case, under the case's own id."""
    if "measured" in metafunc.fixturenames:
        metafunc.parametrize("case_id", list(planned_cases()))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test a clock of its own, before the benchmark fixture looks for one."""
    for item in items:
        if isinstance(item, pytest.Function) and "measured" in item.fixturenames:
            case = planned_cases()[str(item.callspec.params["case_id"])]
            group = f"{case.suite}/{case.op}"
            item.add_marker(pytest.mark.benchmark(timer=ReplayClock(), group=group), append=False)


@pytest.fixture(name="bridge", scope="session")
def _bridge() -> Iterator[PytestBridge]:
    with PytestBridge.open(QUICK_CPU, quick_plan(), STORE) as bridge:
        yield bridge


@pytest.fixture(name="measured")
def _measured(
    benchmark: Any,  # a BenchmarkFixture, whose methods carry no types
    request: pytest.FixtureRequest,
    bridge: PytestBridge,
    case_id: str,
) -> Callable[[], Record]:
    """Measure the case with our engine and hand its samples to pytest-benchmark."""

    def measure() -> Record:
        case = planned_cases()[case_id]
        entry = bridge.measure(case) if benchmark.enabled else bridge.check(case)
        if entry.record.status == "skipped":
            pytest.skip(entry.record.reason or "the op gave no reason")
        if entry.samples:
            benchmark.extra_info.update(extra_info(entry.record))
            clock = request.node.get_closest_marker("benchmark").kwargs["timer"]
            clock.load([sample.time_s for sample in entry.samples])
        benchmark.pedantic(lambda: None, rounds=max(1, len(entry.samples)))
        return entry.record

    return measure
