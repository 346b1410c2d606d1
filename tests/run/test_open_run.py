"""An open run writes the rows of its workers; a new run is finished when it is left, and one without rows is not kept."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from bench.errors import WorkerError
from bench.plan.schedule import Schedule
from bench.run.listener import Listener
from bench.run.manifest import Options
from bench.run.open_run import OpenRun, written
from bench.store import journal, runs
from tests.fakes.workers import HELLO, Stage, case, entry, info, lost

if TYPE_CHECKING:
    from pathlib import Path

    from bench.run.open_run import RunWriter

ABOUT = dataclasses.replace(info(), options={"threads": 1})


def opened(writer: RunWriter, store: Path, stage: Stage) -> OpenRun:
    """Two workers."""
    schedule = Schedule(workers=2, rounds=4, case_budget_s=1, timeout_s=60, memory_bytes=1e9)
    options = Options(schedule=schedule, threads=1, seed=7, preset="quick", selection={})
    return OpenRun(writer, options, stage.pool(2), store)


def measure(run: OpenRun, number: int = 0) -> None:
    """All rounds of a case."""
    ((outcome,),) = run.scheduler.measure([case(number)])
    run.keep(outcome)


def test_a_run_with_rows_is_finished_when_it_is_left(tmp_path: Path) -> None:
    """With the facts that it has then."""
    with written(tmp_path, ABOUT) as writer:
        writer.write(entry(1, samples=0))
    assert writer.run is not None
    assert writer.run.finished
    assert writer.run.info.finished_at
    assert [run.info.run_id for run in runs.list_runs(tmp_path)] == [ABOUT.run_id]


def test_a_run_without_rows_leaves_no_folder(tmp_path: Path) -> None:
    """Nothing was measured, so nothing is kept."""
    with written(tmp_path, ABOUT) as writer:
        pass
    assert writer.run is None
    assert [one.name for one in tmp_path.iterdir()] == [".gitignore"]


def test_a_run_that_ends_early_is_finished_all_the_same(tmp_path: Path) -> None:
    """What was measured is whole."""

    def interrupted() -> None:
        with written(tmp_path, ABOUT) as writer:
            measure(opened(writer, tmp_path, Stage()))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [run.finished for run in runs.list_runs(tmp_path)] == [True]


class Told(Listener):
    """Remembers why memory is not as it was asked for."""

    def __init__(self) -> None:
        self.why: list[str] = []

    def memory_differs(self, why: str) -> None:
        """It is not."""
        self.why.append(why)


@pytest.mark.parametrize(
    ("device", "said"), [("cpu", {"cpu": "system"}), ("cuda", {"cuda": "reuse"})]
)
def test_rows_have_the_memory_policy_that_held_in_the_workers(
    tmp_path: Path, device: str, said: dict[str, str]
) -> None:
    """Not the one asked for; a GPU's rows are reused, and for them nobody need be told."""
    stage, told = Stage(), Told()
    about = dataclasses.replace(ABOUT, devices=[device], memory={device: "fresh"})
    schedule = Schedule(
        workers=1, rounds=4, case_budget_s=1, timeout_s=60, memory_bytes=1e9, memory="fresh"
    )
    options = Options(schedule=schedule, threads=1, seed=7, preset="quick", selection={})
    with written(tmp_path, about) as writer:
        pool = stage.pool(1)
        stage.processes[0].hello = dataclasses.replace(HELLO, memory_note="no such allocator")
        run = OpenRun(writer, options, pool, tmp_path, listener=told)
        ((outcome,),) = run.scheduler.measure([case(0, device=device)])
        row = run.keep(outcome).record
    kept = runs.list_runs(tmp_path)[0].info
    assert (row.memory, kept.memory, kept.memory_note) == (
        said[device],
        said,
        "no such allocator",
    )
    assert told.why == (["no such allocator"] if device == "cpu" else [])


def test_two_pools_may_write_one_run(tmp_path: Path) -> None:
    """Each notes what it has seen of the machine, and rows of both are there."""
    with written(tmp_path, ABOUT) as writer:
        both = [opened(writer, tmp_path, Stage()) for _ in range(2)]
        for number, run in enumerate(both):
            measure(run, number)
            assert writer.info.sentinels == {}
        for run in both:
            run.close()
    assert writer.rows == 2
    assert writer.info.torch == HELLO.torch
    assert writer.info.sentinels["cpu"]
    assert writer.info.reference["cpu"]
    assert not (tmp_path / ABOUT.run_id / journal.NAME).exists()


def test_a_worker_that_is_never_ready_leaves_nothing(tmp_path: Path) -> None:
    """The folder was begun, and goes."""
    stage = Stage()
    start = stage.start

    def broken() -> object:
        process = start()
        process.broken = lost(reason="no torch")
        return process

    stage.start = broken  # type: ignore[method-assign]  # the pool asks for it by name
    with pytest.raises(WorkerError, match="no torch"), written(tmp_path, ABOUT) as writer:
        opened(writer, tmp_path, stage)
    assert [one.name for one in tmp_path.iterdir()] == [".gitignore"]
