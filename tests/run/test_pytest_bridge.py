"""The pytest bridge: pytest-benchmark shows our engine's samples, and measures nothing itself."""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.plan.plan import Plan
from bench.pool import protocol
from bench.pool.pool import WorkerPool
from bench.run import session
from bench.run.listener import Listener
from bench.run.pytest_bridge import QUICK_CPU, PytestBridge, ReplayClock
from bench.run.stopping import LEAST_ROUNDS
from bench.store.load import load_rows
from tests.fakes.workers import Stage, case, settle, visited

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PLAN = Plan(cases=(case(), case(1)), skips=())
HELLO = protocol.Hello(torch={"version": "2.9.0", "threads": 3}, device_names={})


def test_a_replay_clock_gives_back_what_it_was_told() -> None:
    """Pairs of readings, each as far apart as the sample was long; never backwards."""
    clock = ReplayClock()
    clock.load([0.25, 0.5, 0.125])
    readings = [clock() for _ in range(6)]
    assert [end - start for start, end in zip(readings[::2], readings[1::2], strict=True)] == [
        0.25,
        0.5,
        0.125,
    ]
    assert readings == sorted(readings)


def test_a_replay_clock_that_was_told_nothing_stands_still() -> None:
    """A case that was only checked takes one round of no time."""
    clock = ReplayClock()
    assert clock() == clock()


@pytest.fixture(name="stage")
def _stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Fakes where the bridge would start processes."""
    stage = Stage()
    monkeypatch.setattr(WorkerPool, "of_processes", lambda count, *_: stage.pool(count))
    start = stage.start

    def greeting() -> Any:
        process = start()
        process.hello = HELLO
        return process

    monkeypatch.setattr(stage, "start", greeting)
    return stage


def test_a_bridge_measures_a_case_with_every_worker_until_it_is_precise(
    stage: Stage, tmp_path: Path
) -> None:
    """By the same engine as `bench run`, with its row and samples."""
    with PytestBridge.open(QUICK_CPU, PLAN, tmp_path) as bridge:
        assert stage.processes == []
        entry = bridge.measure(case())
        bridge.measure(case(1))
    preset = QUICK_CPU.chosen_preset
    assert entry.record.status == "ok"
    assert entry.record.time_s == pytest.approx(1e-4)
    assert entry.record.threads == 3
    assert entry.record.stopped_by == "precise"
    assert len(entry.samples) == preset.workers * LEAST_ROUNDS
    assert [process.closed for process in stage.processes] == [True] * preset.workers


def test_a_bridge_asks_for_reused_memory_and_warns_where_it_is_not(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pytest shows warnings, once, at its end."""
    told: list[object] = []

    def of_processes(count: int, *known: object) -> WorkerPool:
        told.append(known[-1])
        pool = stage.pool(count)
        stage.processes[-count].hello = dataclasses.replace(HELLO, memory_note="no allocator")
        return pool

    monkeypatch.setattr(WorkerPool, "of_processes", of_processes)
    with (
        PytestBridge.open(QUICK_CPU, PLAN, tmp_path) as bridge,
        pytest.warns(UserWarning, match="memory system, not as asked for: no allocator"),
    ):
        assert bridge.measure(case()).record.memory == "system"
    assert told == ["reuse"]


def test_a_bridge_checks_without_measuring(stage: Stage, tmp_path: Path) -> None:
    """One call in one worker."""
    with PytestBridge.open(QUICK_CPU, PLAN, tmp_path) as bridge:
        entry = bridge.check(case())
    assert (entry.record.status, entry.record.correct, entry.samples) == ("ok", True, ())
    assert [type(request) for _, request in stage.log] == [protocol.Check]
    assert len(stage.processes) == 1


@pytest.mark.parametrize(
    "ask", [PytestBridge.measure, PytestBridge.check], ids=["measure", "check"]
)
def test_a_bridge_says_why_a_case_failed(
    stage: Stage, tmp_path: Path, ask: Callable[..., Any]
) -> None:
    """In the row, as everywhere, with the warnings of the refusal."""
    stage.answer = lambda request: (
        protocol.Refused(status="failed", reason="no good", codes=("cpu-fallback",))
        if isinstance(request, protocol.Check)
        else settle(request)
    )
    with PytestBridge.open(QUICK_CPU, PLAN, tmp_path) as bridge:
        row = ask(bridge, case()).record
    assert (row.status, row.reason, row.warnings) == ("failed", "no good", ("cpu-fallback",))


class Scattering:
    """Stages on which a sample follows from the case, the worker and how often that worker saw the case."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scale = 1.0
        monkeypatch.setattr(WorkerPool, "of_processes", lambda count, *_: self.pool(count))

    def pool(self, count: int) -> WorkerPool:
        """Workers of a stage of their own."""
        stage, visits = Stage(), Counter[tuple[int, str]]()

        def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
            if not isinstance(request, protocol.VisitRequest):
                return settle(request)
            worker = stage.log[-1][0]
            visits[worker, request.case.id] += 1
            number = int(request.case.labels["n"])
            place = 7 * worker + 3 * visits[worker, request.case.id] + 5 * number
            return visited(round(1_000_000 * self.scale * (1 + (1 + number) * (place % 11) / 9000)))

        stage.answer = answer
        made = stage.pool(count)
        for process in stage.processes:
            process.hello = HELLO
        return made


def test_an_interval_is_that_of_bench_run_for_the_same_samples(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Both know the spread that cases have in common, and how far earlier runs of the machine lay apart."""
    stages = Scattering(monkeypatch)
    cases = tuple(case(number, fingerprint="the same code in every run") for number in range(3))
    plan, store = Plan(cases=cases, skips=()), tmp_path / "store"
    options = QUICK_CPU.options(len(plan.cases), label=None, tags={}, argv=())
    options = dataclasses.replace(options, roofs=False)
    for stages.scale in (1.0, 1.03, 0.98):
        session.run(plan, options, store, Listener())
    stages.scale = 1.01
    with PytestBridge.open(QUICK_CPU, plan, store) as bridge:
        rows = [bridge.measure(one).record for one in plan.cases]
    run = session.run(plan, options, store, Listener())
    wanted = load_rows(run.folder).set_index("case")
    for row in rows:
        assert row.time_s == pytest.approx(wanted["time_s"][row.case])
        assert row.noise_floor_share == pytest.approx(wanted["noise_floor_share"][row.case])
    last = wanted.loc[rows[-1].case]  # the first ones can't know what those after them share
    assert (rows[-1].time_lo_s, rows[-1].time_hi_s) == pytest.approx(
        (last["time_lo_s"], last["time_hi_s"])
    )
    assert rows[-1].time_at_reference_hi_s == pytest.approx(last["time_at_reference_hi_s"])


def run_pytest(*words: str) -> str:
    """What pytest prints in this checkout."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words],
        cwd=ROOT,
        # Beside other tests pytest-benchmark refuses to measure; this one is by itself.
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_XDIST_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_pytest_benchmark_reports_our_numbers(tmp_path: Path) -> None:
    """Test id, statistics and extra facts of one real case; `=` has no place in pytest's -k."""
    path = tmp_path / "out.json"
    only = "view/t[n and 64"
    run_pytest("suites", "--benchmark-only", "-k", only, f"--benchmark-json={path}")
    (told,) = json.loads(path.read_text())["benchmarks"]
    extra, data = told["extra_info"], told["stats"]["data"]
    assert extra["case"].startswith("view/t[n=64")
    assert told["name"] == f"test_quick[{extra['case']}]"
    assert told["group"] == "view/t"
    assert told["params"] == {"case_id": extra["case"]}
    assert len(data) == told["stats"]["rounds"] == extra["samples"]
    assert told["stats"]["median"] == pytest.approx(statistics.median(data))
    assert min(data) == pytest.approx(extra["time_best_s"])
    assert min(data) <= extra["time_s"] <= max(data)
    assert extra["status"] == "ok"


@pytest.mark.slow
def test_pytest_can_check_the_suites_without_measuring() -> None:
    """`--benchmark-disable` is how to see whether an op still works."""
    out = run_pytest("suites", "--benchmark-disable", "-k", "view/t[n and 64")
    assert "1 passed" in out
    assert "benchmark:" not in out
