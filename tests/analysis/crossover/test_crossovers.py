"""Crossovers in rows: which rows are held against which, and which never are."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.crossover.crossovers import crossovers, point
from tests.fakes.workers import STARTED_AT, record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.record import Record

SLOW_START = {16: 4e-6, 64: 5e-6, 256: 6e-6}
STEEP = {16: 1e-6, 64: 4e-6, 256: 16e-6}
"""Crosses the other one between 64 and 256."""


def row(n: int, time_s: float | None, **changes: Any) -> Record:
    """A row at a size, its interval ±1 %."""
    known: dict[str, Any] = {"threads": 2, "confidence": 0.95, "cache": "hot", **changes}
    if time_s is not None:
        known |= {"time_lo_s": time_s * 0.99, "time_hi_s": time_s * 1.01}
    return record(n, time_s=time_s, **known)


def rows(times: dict[int, float], **changes: Any) -> list[Record]:
    """A row for each size."""
    return [row(n, time_s, **changes) for n, time_s in times.items()]


def pairs(found: Sequence[Record]) -> list[tuple[str, str, str]]:
    """What is held against what."""
    return [(one.between, one.one, one.other) for one in crossovers(found)]


@pytest.mark.parametrize(
    ("one", "other", "names"),
    [
        ({}, {"device": "cuda"}, ("devices", "cpu", "cuda")),
        ({"threads": 1}, {"threads": 2}, ("threads", "1 thread", "2 threads")),
        ({"machine_id": "a", "machine": "A"}, {"machine_id": "b", "machine": "B"}, ("machines", "A", "B")),
    ],
)  # fmt: skip
def test_sides_are_devices_thread_counts_and_machines(
    one: dict[str, Any], other: dict[str, Any], names: tuple[str, str, str]
) -> None:
    """In whatever order the rows come."""
    both = [*rows(SLOW_START, **other), *rows(STEEP, **one)]
    (found,) = crossovers(both)
    told: tuple[str, str, str] = found.between, found.one, found.other
    assert told == names
    assert (found.found.kind, found.found.beyond) == ("at", "other")
    assert list(found.found.between or ()) == [64, 256]
    assert (found.suite, found.name, found.dtype, found.axis) == ("s", "op", "float32", "n")
    assert found.confidence == 0.95
    assert found.where == ("cpu" if names[0] == "machines" else "a machine")
    times = [{size: r.time_s for size, r in curve} for curve in found.curves]
    assert times == [STEEP, SLOW_START]


@pytest.mark.parametrize(
    "other",
    [
        {"device": "cuda", "cache": "cold"},
        {"device": "cuda", "torch_version": "3"},
        {"device": "cuda", "machine_id": "m-2"},
        {"threads": 1, "torch_version": "3"},
        {"threads": None},
        {"device": "cuda", "dtype": "float64"},
        {"device": "cuda", "op": "another"},
    ],
)
def test_sides_that_differ_in_more_are_not_compared(other: dict[str, Any]) -> None:
    """A winner would then be one for another reason."""
    assert pairs([*rows(STEEP), *rows(SLOW_START, **other)]) == []


def test_thread_counts_are_those_of_the_cpu() -> None:
    """A GPU's time hardly depends on them."""
    both = [*rows(STEEP, device="cuda", threads=1), *rows(SLOW_START, device="cuda", threads=2)]
    assert pairs(both) == []


def test_the_first_side_is_held_against_each_other_one() -> None:
    """Devices in their order, thread counts by number, not as text."""
    many = [r for n in (2, 10, 1) for r in rows(STEEP, threads=n)]
    assert pairs(many) == [
        ("threads", "1 thread", "2 threads"),
        ("threads", "1 thread", "10 threads"),
    ]
    gpus = [r for name in ("cuda:1", "cpu", "cuda:0") for r in rows(STEEP, device=name)]
    assert pairs(gpus) == [("devices", "cpu", "cuda:0"), ("devices", "cpu", "cuda:1")]


def test_a_machine_is_taken_with_most_of_its_threads() -> None:
    """The CPU that a GPU is held against is the whole one."""
    half, whole = rows(SLOW_START, threads=1), rows(STEEP, threads=2)
    found = crossovers([*whole, *half, *rows(SLOW_START, device="cuda")])
    (devices,) = [one for one in found if one.between == "devices"]
    assert devices.found.kind == "at"


def test_the_latest_row_of_a_case_counts_if_it_says_something() -> None:
    """A later failure takes nothing away."""
    later, latest = STARTED_AT + timedelta(1), STARTED_AT + timedelta(2)
    old = rows({16: 1.0, 64: 1.0, 256: 1.0})
    new = [dataclasses.replace(r, started_at=later) for r in rows(STEEP)]
    failed = [dataclasses.replace(r, started_at=latest, status="failed", time_s=None) for r in new]
    (found,) = crossovers([*failed, *new, *old, *rows(SLOW_START, device="cuda")])
    assert found.found.kind == "at"


@pytest.mark.parametrize(
    "changes",
    [{"status": "oom"}, {"time_s": None}, {"time_s": 0.0}, {"warnings": ("wrong-result",)}, {"warnings": ("below-overhead",)}],
)  # fmt: skip
def test_a_time_that_says_nothing_is_no_point(changes: dict[str, Any]) -> None:
    """What is wrong, or free, wins nothing."""
    assert point(16, dataclasses.replace(row(16, 1e-6), **changes)) is None


def test_a_row_without_an_interval_could_be_anything() -> None:
    """A warning that is about precision alone stays in."""
    found = point(16, record(16, time_s=1e-6, warnings=("noisy",)))
    assert found is not None
    assert (found.timed.low_s, found.timed.high_s) == (0, float("inf"))
