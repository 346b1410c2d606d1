"""The other door: pytest-benchmark shows our engine's samples, and measures nothing itself."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.pool import protocol
from bench.pool.pool import WorkerPool
from bench.run.pytest_bridge import QUICK_CPU, Door, ReplayClock
from bench.run.stopping import LEAST_ROUNDS
from tests.fakes.workers import Stage, case, settle

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


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
    """Fakes where the door would start processes."""
    stage = Stage()
    monkeypatch.setattr(WorkerPool, "of_processes", lambda count, *_: stage.pool(count))
    start = stage.start

    def greeting() -> Any:
        process = start()
        process.hello = protocol.Hello(
            torch={"version": "2.9.0", "threads": 3},
            device_names={},
        )
        return process

    monkeypatch.setattr(stage, "start", greeting)
    return stage


def test_a_door_measures_a_case_with_every_worker_until_it_is_precise(stage: Stage) -> None:
    """By the same engine as `bench run`, with its row and samples."""
    with Door(QUICK_CPU, 10) as door:
        assert stage.processes == []
        entry = door.measure(case())
        door.measure(case(1))
    preset = QUICK_CPU.chosen_preset
    assert entry.record.status == "ok"
    assert entry.record.time_s == pytest.approx(1e-4)
    assert entry.record.threads == 3
    assert entry.record.stopped_by == "precise"
    assert len(entry.samples) == preset.workers * LEAST_ROUNDS
    assert [process.closed for process in stage.processes] == [True] * preset.workers


def test_a_door_checks_without_measuring(stage: Stage) -> None:
    """One call in one worker."""
    with Door(QUICK_CPU, 10) as door:
        entry = door.check(case())
    assert (entry.record.status, entry.record.correct, entry.samples) == ("ok", True, ())
    assert [type(request) for _, request in stage.log] == [protocol.Check]


@pytest.mark.parametrize("ask", [Door.measure, Door.check], ids=["measure", "check"])
def test_a_door_says_why_a_case_failed(stage: Stage, ask: Callable[..., Any]) -> None:
    """In the row, as everywhere."""
    stage.answer = lambda request: (
        protocol.Refused(status="failed", reason="no good")
        if isinstance(request, protocol.Check)
        else settle(request)
    )
    with Door(QUICK_CPU, 10) as door:
        row = ask(door, case()).record
    assert (row.status, row.reason) == ("failed", "no good")


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
