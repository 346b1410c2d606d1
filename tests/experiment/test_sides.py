"""A seat writes its side's run; one without rows leaves nothing, and a sitting finishes all of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from bench.errors import WorkerError
from bench.experiment.sides import Book, Party, Sitting
from bench.machine import hardware
from bench.plan.schedule import Schedule
from bench.pool.pool import Start
from bench.run.manifest import Options
from bench.store import runs
from tests.fakes.workers import Stage, case, entry, info, lost

if TYPE_CHECKING:
    from pathlib import Path

    from bench.run.outcome import Outcome
    from bench.store.runs import RunInfo

ONE, OTHER = (f"20260102T030405Z-{side * 6}" for side in "ab")


class Measured(Sitting):
    """Measures a case on each side, one after the other."""

    def measure(self) -> None:
        """All its rounds."""
        for seat in self._seats:
            outcome: Outcome | None = None
            for outcome in seat.begin(case()):  # noqa: B007 - the last one is kept
                pass
            assert outcome
            seat.keep(outcome)


def party(stage: Stage) -> Party:
    """A side of two workers."""
    schedule = Schedule(workers=2, rounds=4, case_budget_s=1, timeout_s=60, memory_bytes=1e9)
    known = {"seed": 7, "preset": "quick", "selection": {}, "tags": {}, "threads": 1}
    return Party(
        options=Options(schedule=schedule, **known),  # type: ignore[arg-type]
        started=Start(pool=stage.pool(2), state=hardware.read_state()),
    )


def infos(*run_ids: str) -> list[RunInfo]:
    """What runs say of themselves."""
    return [dataclasses.replace(info(), run_id=run_id) for run_id in run_ids]


def test_a_book_with_rows_is_a_finished_run(tmp_path: Path) -> None:
    """With the facts that it has when it is closed."""
    book = Book(tmp_path, info())
    assert book.write(entry(1, samples=0)) == entry(1).record
    kept = book.close()
    assert kept is not None
    assert kept.finished
    assert kept.info.finished_at
    assert [run.info.run_id for run in runs.list_runs(tmp_path)] == [info().run_id]


def test_a_book_without_rows_leaves_no_folder(tmp_path: Path) -> None:
    """Nothing was measured, so nothing is kept."""
    assert Book(tmp_path, info()).close() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("run_ids", [(ONE, OTHER), (ONE, ONE)])
def test_a_sitting_leaves_a_finished_run_for_each_that_its_sides_write(
    tmp_path: Path, run_ids: tuple[str, str]
) -> None:
    """In their order; two sides may write one, which then knows the machine as both saw it."""
    with Measured([party(Stage()), party(Stage())], infos(*run_ids), tmp_path) as sitting:
        assert sitting.runs == []
        sitting.measure()
    wanted = list(dict.fromkeys(run_ids))
    assert [run.info.run_id for run in sitting.runs] == wanted
    assert all(run.finished and run.info.sentinels["cpu"] for run in runs.list_runs(tmp_path))


def test_a_sitting_that_ends_early_is_finished_all_the_same(tmp_path: Path) -> None:
    """What was measured is whole."""
    sitting = Measured([party(Stage())], infos(ONE), tmp_path)

    def interrupted() -> None:
        with sitting:
            sitting.measure()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [run.finished for run in runs.list_runs(tmp_path)] == [True]


def test_a_sitting_with_a_side_that_is_never_ready_leaves_nothing(tmp_path: Path) -> None:
    """Nor does the side that was."""
    stages = Stage(), Stage()
    parties = [party(stage) for stage in stages]
    stages[1].processes[0].broken = lost(reason="no torch")
    with pytest.raises(WorkerError, match="no torch"):
        Sitting(parties, infos(ONE, OTHER), tmp_path)
    assert list(tmp_path.iterdir()) == []
