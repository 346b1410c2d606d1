"""A trend follows one kind of time under one kind of conditions, and says which."""

from __future__ import annotations

import dataclasses
import itertools
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.trend.trend import LEAST_STEP, trend
from tests.fakes.rows import WHEN, info, record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.record import Record

WOBBLE = itertools.cycle((1.0, 1.004, 0.997, 1.002, 0.999))


def rows(*times: float, **values: Any) -> list[Record]:
    """A row a day."""
    return [
        record(
            **{
                "run_id": f"run-{day}",
                "started_at": WHEN + timedelta(days=day),
                "time_s": time_s,
                **values,
            }
        )
        for day, time_s in enumerate(times)
    ]


def referred(found: Sequence[Record], scale: float = 1.0, compute_s: float = 1e-4) -> list[Record]:
    """The rows with a time at reference, which is their headline times a factor."""
    return [
        dataclasses.replace(
            r,
            time_at_reference_s=scale * (r.time_s or 0),
            time_at_reference_lo_s=scale * (r.time_lo_s or 0),
            time_at_reference_hi_s=scale * (r.time_hi_s or 0),
            reference_compute_s=compute_s,
            reference_barrier_s=3e-6,
        )
        for r in found
    ]


UP = (1.0, 1.01, 0.99, 1.0, 1.3, 1.31, 1.29, 1.3)


def test_a_step_has_the_two_runs_around_it_and_its_size() -> None:
    """With what the runs say of themselves."""
    infos = {
        f"run-{day}": info(environment={"git_commit": f"c{day}", "git_dirty": day == 4})
        for day in range(8)
    }
    found = trend(rows(*UP), infos)
    (step,) = found.steps
    assert (step.before.run_id, step.after.run_id) == ("run-3", "run-4")
    assert (step.before.git_commit, step.after.git_commit) == ("c3", "c4")
    assert (step.before.git_dirty, step.after.git_dirty) == (False, True)
    assert (step.runs_before, step.runs_after) == (4, 4)
    assert step.ratio.value == pytest.approx(1.3, rel=0.001)
    assert 1.25 < step.ratio.low < 1.3 < step.ratio.high < 1.35
    assert (found.at, found.newest, found.floor_share) == ("headline", None, LEAST_STEP)


def test_times_at_reference_are_followed_where_most_runs_have_them() -> None:
    """The headline may step meanwhile: it was the machine."""
    steady = [
        dataclasses.replace(r, time_at_reference_s=next(WOBBLE), time_at_reference_lo_s=0.99)
        for r in referred(rows(*UP))
    ]
    found = trend(steady, {})
    assert (found.at, found.steps, len(found.counting)) == ("reference", (), 8)
    assert [one.time_s for one in found.points] == [r.time_at_reference_s for r in steady]
    assert [one.low_s for one in found.points] == [0.99] * 8
    few = [*rows(*UP)[:5], *steady[5:]]
    assert trend(few, {}).at == "headline"
    minority = [*rows(*UP)[:5], *steady[4:]]
    assert trend(minority, {}).at == "headline"
    assert trend(minority[1:], {}).at == "reference"
    assert trend(steady[:3], {}).at == "headline"


def test_times_at_another_reference_do_not_count() -> None:
    """Between states, ops differ in how much slower they are."""
    found = rows(*UP)
    mixed = [*referred(found[:2], compute_s=2e-4), *referred(found[2:])]
    told = trend(mixed, {})
    assert [one.why_not for one in told.points] == ["not at this reference"] * 2 + [""] * 6
    assert told.points[0].time_s is None
    assert len(told.counting) == 6


def test_rows_under_other_conditions_are_left_out() -> None:
    """Other threads or caches would look like a step."""
    found = [*rows(*UP[:4], threads=1), *rows(*UP[:4], cache="cold"), *rows(*UP[4:])]
    told = trend(found, {})
    assert (told.left_out, len(told.points), told.steps) == (8, 4, ())
    assert told.threads == 2


def test_rows_without_a_time_that_means_something_do_not_count() -> None:
    """They are told with the reason."""
    found = rows(*UP)
    found[1] = dataclasses.replace(found[1], status="oom", time_s=None)
    found[2] = dataclasses.replace(found[2], warnings=("wrong-result",))
    told = trend(found, {})
    assert [one.why_not for one in told.points[:4]] == ["", "oom", "wrong-result", ""]
    assert len(told.counting) == 6


def test_the_noise_floor_of_the_rows_is_a_floor() -> None:
    """Unchanged code has moved as much before."""
    found = trend(rows(*UP, noise_floor_share=0.4), {})
    assert (found.floor_share, found.steps) == (0.4, ())
    assert trend(rows(*UP, noise_floor_share=0.001), {}).floor_share == LEAST_STEP


def test_wide_intervals_weigh_less() -> None:
    """Two runs that knew nothing move no level."""
    found = rows(1.0, 1.01, 0.99, 1.0, 1.3, 1.3)
    assert trend(found, {}).steps
    vague = [dataclasses.replace(r, time_lo_s=0.5, time_hi_s=3.4) for r in found[4:]]
    assert trend([*found[:4], *vague], {}).steps == ()


def test_the_sentinels_say_whether_the_machine_moved() -> None:
    """The middle of those after the step over that of those before it."""
    found = [
        dataclasses.replace(r, sentinel_compute_s=1e-4 if day < 4 else 1.5e-4)
        for day, r in enumerate(rows(*UP))
    ]
    (step,) = trend(found, {}).steps
    assert step.sentinel_ratio == pytest.approx(1.5)
    assert trend(rows(*UP), {}).steps[0].sentinel_ratio is None


def test_the_newest_run_alone_is_told() -> None:
    """It may be a disturbance."""
    found = trend(rows(*UP[:5]), {})
    assert found.steps == ()
    assert found.newest is not None
    assert found.newest.value == pytest.approx(1.3, rel=0.01)
    assert found.newest.low > 1 + LEAST_STEP


@pytest.mark.parametrize("values", [{"time_lo_s": None, "time_hi_s": None}, {"confidence": 1.0}])
def test_intervals_that_say_nothing_do_no_harm(values: dict[str, Any]) -> None:
    """The scatter of the runs says it then."""
    found = trend(rows(*UP, **values), {})
    assert [step.after.run_id for step in found.steps] == ["run-4"]
    assert math.isfinite(found.steps[0].ratio.high)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"warnings": ("unchecked", "below-overhead"), "correct": None}, "below-overhead"),
        ({"warnings": ("noisy", "wrong-result"), "correct": False}, "wrong-result"),
        ({"correct": False}, "wrong-result"),
        ({"warnings": ("noisy",), "time_s": None}, "no time"),
        ({"status": "oom", "time_s": None, "warnings": ("noisy",)}, "oom"),
    ],
)
def test_a_point_that_does_not_count_says_what_bars_it(changes: dict[str, Any], why: str) -> None:
    """Not whichever warning comes first in its row."""
    found = trend([*rows(1.0, 1.01), dataclasses.replace(rows(1.0)[0], **changes)], {})
    assert [(one.time_s, one.why_not) for one in found.points][-1] == (None, why)
