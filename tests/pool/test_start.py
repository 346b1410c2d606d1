"""Workers that are started early are ended whatever becomes of the plan."""

from __future__ import annotations

from typing import Any

import pytest

from bench import cli
from bench.machine.hardware import read_state
from bench.pool import start
from bench.pool.pool import WorkerPool
from tests.fakes.workers import Stage


@pytest.fixture(name="stage")
def _stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Fakes where processes would be started."""
    stage = Stage()
    monkeypatch.setattr(WorkerPool, "of_processes", lambda count, *_: stage.pool(count))
    return stage


def test_the_machine_is_looked_at_before_workers_keep_it_busy(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their start is not what a run should say of the machine."""
    there: list[int] = []

    def look() -> Any:
        there.append(len(stage.processes))
        return read_state()

    monkeypatch.setattr("bench.machine.hardware.read_state", look)
    with start.start(2, 1):
        assert (there, len(stage.processes)) == ([0], 2)


@pytest.mark.parametrize(
    "words",
    ["run matmull", "run matmul --device gpu", "run matmul -k zebra", "run matmul -k ("],
    ids=["suite", "device", "keyword", "expression"],
)
def test_a_mistake_in_the_plan_leaves_no_worker(
    stage: Stage, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """They were started before the mistake was found."""
    assert cli.main(words.split()) == 2
    assert capsys.readouterr().err
    assert [process.closed for process in stage.processes] == [True] * len(stage.processes)
    assert stage.processes


def test_a_mistake_that_is_seen_at_once_starts_none(stage: Stage) -> None:
    """The preset says how many workers there are."""
    assert cli.main(["run", "matmul", "--preset", "quik"]) == 2
    assert stage.processes == []
