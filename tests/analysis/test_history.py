"""What earlier runs say: from runs on disk that differ in one thing at a time."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis import history
from bench.analysis.history import FEWEST_RUNS, MOST_RUNS, History, Past
from bench.records.machine_state import Conditions
from bench.store.machine_cache import Reference
from bench.store.runs import CASES
from tests.fakes.workers import case, entry, finished_run, info

if TYPE_CHECKING:
    from pathlib import Path

    from bench.store.runs import RunInfo

CALM = Conditions(compute_s=1e-4, barrier_s=3e-6)
SLOW = Conditions(compute_s=1.8e-4, barrier_s=3e-6)
HERE = (case(0).id, "cpu")
NOW: dict[tuple[str, str], str | None] = {HERE: None}
"""The case that is asked for, of which no fingerprint is known."""
METHOD = {"threads": 2, "workers": 6, "rounds": 5, "budget_s": 0.5}


def about(number: int, **changes: Any) -> RunInfo:
    """A run of this machine, torch, method and suite file."""
    known = info(
        f"20260102T0304{number:02}Z-abcdef",
        options=METHOD,
        torch={"version": "2.9.0"},
        suites={"s": "a hash"},
        devices=("cpu",),
    )
    return dataclasses.replace(known, **changes)


def keep(store: Path, number: int, time_s: float, cases: int = 1, **changes: Any) -> Path:
    """A finished run in which each case took this long."""
    at = changes.pop("at", CALM)
    row = {
        "time_s": time_s,
        "time_at_reference_s": 2 * time_s,
        "torch_version": "2.9.0",
        "reference_compute_s": at.compute_s,
        "reference_barrier_s": at.barrier_s,
        "warnings": changes.pop("warnings", ()),
        "fingerprint": changes.pop("fingerprint", None),
        "memory": changes.pop("memory", None),
    }
    return finished_run(
        store, about(number, **changes), *(entry(place, **row) for place in range(cases))
    )


def past(*times_s: float, at: Conditions = CALM) -> tuple[Past, ...]:
    """Headlines of one case."""
    return tuple(
        Past(key=HERE, time_s=time_s, at_reference_s=None, reference=at) for time_s in times_s
    )


def test_a_new_store_knows_nothing(tmp_path: Path) -> None:
    """No reference, no floor."""
    found = history.read(tmp_path, about(0))

    assert found == History()
    assert found.floors(SLOW, NOW) == {}


def test_three_runs_of_unchanged_code_give_a_floor(tmp_path: Path) -> None:
    """The standard deviation of the logarithms, with as many degrees of freedom as runs less one."""
    keep(tmp_path, 0, 1e-6)
    keep(tmp_path, 1, 1.02e-6)
    assert FEWEST_RUNS == 3
    assert history.read(tmp_path, about(9)).floors(CALM, NOW) == {}

    keep(tmp_path, 2, 1.04e-6)
    found = history.read(tmp_path, about(9)).floors(CALM, NOW)
    converted = history.read(tmp_path, about(9)).floors(CALM, NOW, at_reference=True)
    assert found == converted  # the keeper made these twice as long, and logarithms don't mind
    assert found[HERE].freedom == 2
    assert math.sqrt(found[HERE].variance) == pytest.approx(0.0196, rel=0.01)


@pytest.mark.parametrize(
    "changes",
    [
        {"machine": {"machine_id": "m-2"}},
        {"options": {**METHOD, "threads": 1}},
        {"options": {**METHOD, "budget_s": 0.05}},
        {"options": {**METHOD, "cache": "cold"}},
        {"suites": {"s": "another hash"}},
        {"suites": {}},
        {"warnings": ("noisy", "other-state")},
        {"at": SLOW},
    ],
    ids=[
        "machine",
        "threads",
        "budget",
        "cache",
        "code",
        "unknown code",
        "another state",
        "another reference",
    ],
)
def test_runs_that_differ_in_more_than_the_time_are_not_asked(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    """What changed there may be what moved the time."""
    for number in range(3):
        keep(tmp_path, number, 1e-6 + number * 1e-8, **changes)

    assert history.read(tmp_path, about(9)).floors(CALM, NOW) == {}


@pytest.mark.parametrize(
    ("before", "now", "asked"),
    [(None, "system", True), (None, "reuse", False), ("reuse", "reuse", True), ("fresh", "reuse", False)],
)  # fmt: skip
def test_headlines_of_another_memory_policy_are_no_repeats(
    tmp_path: Path, before: str | None, now: str, *, asked: bool
) -> None:
    """Row by row, as each says of itself; one of an older version was as the system did."""
    for number in range(3):
        keep(tmp_path, number, 1e-6 + number * 1e-8, memory=before)
    found = history.read(tmp_path, about(9, memory={"cpu": now})).floors(CALM, NOW)
    assert bool(found) == asked


def test_another_torch_is_another_code(tmp_path: Path) -> None:
    """An upgrade is what one wants to see, not what one wants to allow for."""
    for number in range(3):
        keep(tmp_path, number, 1e-6)
    assert history.read(tmp_path, about(9)).floors(CALM, NOW)
    assert not history.read(tmp_path, about(9, torch={"version": "3.0"})).floors(CALM, NOW)


def test_the_reference_is_the_machine_s_own(tmp_path: Path) -> None:
    """Whatever the store; another device or number of threads has another."""
    assert history.read(tmp_path, about(0)).references == {}

    known = Reference(conditions=CALM, missed=2)
    history.keep_reference(about(0), "cpu", known)
    assert history.read(tmp_path, about(1)).references == {"cpu": known}
    assert history.read(tmp_path, about(1, devices=("cuda",))).references == {}
    one_thread = about(1, options={**METHOD, "threads": 1})
    assert history.read(tmp_path, one_thread).references == {}


def test_without_it_the_store_s_latest_run_here_tells(tmp_path: Path) -> None:
    """In another home or container; runs of other machines, or without sentinels, are passed over."""
    slow, calm = (dataclasses.asdict(conditions) for conditions in (SLOW, CALM))
    keep(tmp_path, 0, 1e-6, reference={"cpu": slow, "cuda": slow})
    keep(tmp_path, 1, 1e-6, reference={"cpu": calm})
    keep(tmp_path, 2, 1e-6, reference={"cpu": {"compute_s": 1.0}}, machine={"machine_id": "m-2"})
    keep(tmp_path, 3, 1e-6)
    keep(tmp_path, 4, 1e-6, reference={"compute_s": 1.0, "cpu": {"from": "a later version"}})

    assert history.read(tmp_path, about(9)).references == {
        "cpu": Reference(conditions=CALM),
        "cuda": Reference(conditions=SLOW),
    }


def test_only_the_newest_runs_are_asked(tmp_path: Path) -> None:
    """Twenty; the first, which was three times as slow, is forgotten."""
    keep(tmp_path, 0, 3e-6)
    for number in range(1, MOST_RUNS + 1):
        keep(tmp_path, number, 1e-6)

    assert history.read(tmp_path, about(59)).floors(CALM, NOW)[HERE].variance == 0


def test_a_run_whose_rows_can_not_be_read_is_passed_over(tmp_path: Path) -> None:
    """A torn file, or one from before these columns, is no reason not to measure."""
    folders = [keep(tmp_path, number, 1e-6) for number in range(4)]
    (folders[-1] / CASES).write_bytes(b"torn")

    assert history.read(tmp_path, about(9)).floors(CALM, NOW)[HERE].freedom == 2


def test_cases_lend_each_other_what_they_have_in_common() -> None:
    """Eight cases that moved alike: each floor stands on more than its own three runs.

    It is wider, too: three runs are as likely to have shown too little as too much.
    """
    keys = [(case(number).id, "cpu") for number in range(8)]
    many = tuple(
        Past(
            key=key,
            time_s=time_s * (1 + 1e-3 * place),
            at_reference_s=None,
            reference=CALM,
        )
        for place, key in enumerate(keys)
        for time_s in (1.0, 1.01, 1.02)
    )
    alone = History(past=past(1.0, 1.01, 1.02)).floors(CALM, NOW)[HERE]
    together = History(past=many).floors(CALM, NOW)[HERE]

    assert alone.freedom == 2
    assert together.freedom > 10
    assert alone.variance < together.variance < 2 * alone.variance


def test_a_floor_is_of_one_reference() -> None:
    """Headlines converted to another state are no repeats of these."""
    found = History(past=(*past(1.0, 1.01, 1.02), *past(1.8, 1.9, at=SLOW)))

    assert found.floors(CALM, NOW)[HERE].freedom == 2
    assert found.floors(SLOW, NOW) == {}
    assert found.floors(None, NOW) == {}


def test_another_code_of_the_op_tells_nothing_and_another_file_does(tmp_path: Path) -> None:
    """An edit elsewhere in the suite loses no history; rows of before fingerprints stand by their file."""
    for number in range(3):
        keep(tmp_path, number, 1e-6 + number * 1e-8, fingerprint="aa", suites={"s": f"h{number}"})
    found = history.read(tmp_path, about(9))
    assert found.floors(CALM, {HERE: "aa"})[HERE].freedom == 2
    assert found.floors(CALM, {HERE: "bb"}) == {}

    for number in range(3, 6):
        keep(tmp_path, number, 1e-6 + number * 1e-8)
    found = history.read(tmp_path, about(9))
    assert found.floors(CALM, {HERE: "aa"})[HERE].freedom == 5
    assert found.floors(CALM, {HERE: "bb"})[HERE].freedom >= 2
    other = history.read(tmp_path, about(9, suites={"s": "another hash"}))
    assert other.floors(CALM, {HERE: "bb"}) == {}
    assert other.floors(CALM, {HERE: "aa"})[HERE].freedom == 2
