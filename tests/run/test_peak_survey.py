"""Roofs are measured once for a machine, its threads and torch; a run's rows are compared with them."""

from __future__ import annotations

import dataclasses
from functools import partial

from bench.pool import protocol
from bench.records.roofs import FLOP, Roof
from bench.run import peak_survey
from bench.run.peak_survey import RoofOwner, RunRoofs
from tests.fakes.workers import HELLO, Stage, case, entry, info, lost, settle

PEAK = Roof(kind=FLOP, value=100e9, dtype="float32", how="8×8 by 8×8")
INFO = info(options={"threads": 2}, torch={"version": "2.9.0"}, devices=["cpu"])
PLACE = RoofOwner(machine_id="m-1", threads=2, torch="2.9.0")


def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
    """One roof, and whatever else is asked."""
    if isinstance(request, protocol.Survey):
        return protocol.Surveyed(roofs=(PEAK,))
    return settle(request)


class Told:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.devices: list[str] = []

    def __call__(self, device: str, seconds: float) -> None:
        """A device is measured."""
        assert seconds == peak_survey.SURVEY_S
        self.devices.append(device)


def test_roofs_are_measured_once() -> None:
    """The second run finds them; another number of threads, or another torch, has its own."""
    stage, told = Stage(answer), Told()
    pool = stage.pool(2)
    others = (
        dataclasses.replace(INFO, options={"threads": 1}),
        dataclasses.replace(INFO, torch={"version": "2.10.0"}),
    )
    found = [RunRoofs.of(pool, one, told) for one in (INFO, INFO, *others)]
    assert told.devices == ["cpu"] * 3
    assert all(one.of_device["cpu"].roofs == (PEAK,) for one in found)
    assert peak_survey.known(PLACE, ["cpu", "cuda"]) == {}  # the newer torch has taken its place


def says_hello(ready: set[int], number: int) -> protocol.Hello:
    """A worker that is waited for."""
    ready.add(number)
    return HELLO


def test_no_worker_is_still_starting_when_roofs_are_measured() -> None:
    """While others import torch, a roof is too low."""
    stage = Stage()
    ready: set[int] = set()

    def surveyed(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        assert ready == {0, 1, 2}
        return answer(request)

    stage.answer = surveyed
    pool = stage.pool(3)
    for number, process in enumerate(stage.processes):
        process.wait_ready = partial(says_hello, ready, number)  # type: ignore[method-assign]
    assert set(peak_survey.measured(pool, PLACE, ["cpu"], Told())) == {"cpu"}


def test_asking_again_measures_again() -> None:
    """Whatever is kept."""
    stage, told = Stage(answer), Told()
    pool = stage.pool(1)
    for _ in range(2):
        peak_survey.measured(pool, PLACE, ["cpu"], told)
    assert told.devices == ["cpu", "cpu"]
    assert peak_survey.known(PLACE, ["cpu"])["cpu"].roofs == (PEAK,)


def test_a_device_that_can_not_be_measured_has_none() -> None:
    """A worker that refuses, or is lost over it, costs the roofs and not the run."""

    def fails(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.Survey) and request.device == "cuda":
            raise lost()
        return answer(request)

    both = dataclasses.replace(INFO, devices=["cpu", "cuda"])
    found = RunRoofs.of(Stage(fails).pool(1), both, Told())
    assert set(found.of_device) == {"cpu"}
    assert peak_survey.known(PLACE, ["cpu", "cuda"]).keys() == {"cpu"}


def test_whoever_measured_roofs_times_nothing_else() -> None:
    """It is not fresh any more: another takes its place before the first case."""
    stage = Stage(answer)
    pool = stage.pool(2)
    RunRoofs.of(pool, INFO, Told())
    pool.forget()
    pool.check(0, case(), 5)
    pool.check(1, case(), 5)
    assert [number for number, _ in stage.asked(protocol.Check)] == [2, 1]


def test_a_batch_raises_its_roof_before_it_is_compared_with_it() -> None:
    """Then none of its correct rows is above it, and later runs know."""
    ceilings = RunRoofs.of(Stage(answer).pool(1), INFO, Told())
    rows = [entry(0, flop=105e3, correct=True), entry(1, flop=21e3, correct=True)]
    shares = [one.record.roof_share for one in ceilings.compared(rows)]
    assert [round(share or 0, 9) for share in shares] == [1.0, 0.2]
    kept = peak_survey.known(PLACE, ["cpu"])["cpu"]
    assert kept == ceilings.of_device["cpu"]
    assert [round(one.value) for one in kept.roofs] == [105_000_000_000]


def test_rows_of_a_device_without_roofs_stay_as_they_are() -> None:
    """And none have any where none are wanted."""
    rows = [entry(0, flop=1e3)]
    assert RunRoofs().compared(rows) == rows
    assert RunRoofs().noted(INFO).roofs == {}


def test_the_run_says_what_its_rows_were_compared_with() -> None:
    """In plain values, as its manifest has them."""
    noted = RunRoofs.of(Stage(answer).pool(1), INFO, Told()).noted(INFO)
    assert noted.roofs["cpu"]["roofs"] == (dataclasses.asdict(PEAK),)
