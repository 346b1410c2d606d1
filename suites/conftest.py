"""The suites as tests: `pytest suites/ --benchmark-only` runs the quick cases of the CPU."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from bench.report.text.pytest_benchmark_writer import extra_info
from bench.run.pytest_bridge import QUICK_CPU, Door, ReplayClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.plan.plan import PlannedCase
    from bench.records.record import Record


@cache
def planned_cases() -> dict[str, PlannedCase]:
    """The quick cases of the CPU, by their ids."""
    return {case.id: case for case in QUICK_CPU.plan().cases}


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


@pytest.fixture(name="door", scope="session")
def _door() -> Iterator[Door]:
    with Door(QUICK_CPU, len(planned_cases())) as door:
        yield door


@pytest.fixture(name="measured")
def _measured(
    benchmark: Any,  # a BenchmarkFixture, whose methods carry no types
    request: pytest.FixtureRequest,
    door: Door,
    case_id: str,
) -> Callable[[], Record]:
    """Measure the case with our engine and hand its samples to pytest-benchmark."""

    def measure() -> Record:
        case = planned_cases()[case_id]
        entry = door.measure(case) if benchmark.enabled else door.check(case)
        if entry.record.status == "skipped":
            pytest.skip(entry.record.reason or "the op gave no reason")
        if entry.samples:
            benchmark.extra_info.update(extra_info(entry.record))
            clock = request.node.get_closest_marker("benchmark").kwargs["timer"]
            clock.load([sample.time_s for sample in entry.samples])
        benchmark.pedantic(lambda: None, rounds=max(1, len(entry.samples)))
        return entry.record

    return measure
