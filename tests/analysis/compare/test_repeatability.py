"""Unchanged code that did not change raises no alarm, and a known change raises a known number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.analysis.compare import repeatability

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMES = st.floats(min_value=1e-9, max_value=10)


def made_up(
    runs: Sequence[Mapping[str, float | None]], *, half_width: float = 0.01, **values: Any
) -> pd.DataFrame:
    """Rows of runs: case → time; the interval is as wide as said, on both sides."""
    rows = [
        {
            "run_id": f"run-{number}",
            "case": case,
            "device": "cpu",
            "status": "failed" if time is None else "ok",
            "time_s": time,
            "time_lo_s": None if time is None else time * (1 - half_width),
            "time_hi_s": None if time is None else time * (1 + half_width),
            "time_at_reference_s": None,
            "reference_compute_s": 1e-4,
            "reference_barrier_s": 3e-6,
            "confidence": 0.95,
            **values,
        }
        for number, run in enumerate(runs)
        for case, time in run.items()
    ]
    return pd.DataFrame(rows)


@settings(max_examples=30)  # each makes and groups tables
@given(
    times=st.dictionaries(st.text(min_size=1), TIMES, min_size=1, max_size=5),
    runs=st.integers(min_value=2, max_value=5),
)
def test_identical_runs_raise_no_alarm(times: dict[str, float], runs: int) -> None:
    """Nothing spreads, nothing is disjoint, and the smallest effect would be seen."""
    found = repeatability.repeats(made_up([times] * runs))
    assert found.runs == runs
    assert found.headline is not None
    assert found.intervals is not None
    assert found.headline.pairs == found.intervals.pairs == len(times) * runs * (runs - 1) // 2
    assert set(found.headline.changed.values()) == {0.0}
    assert found.headline.smallest_visible == 0
    assert found.headline.spread_worst == 0
    assert found.intervals.disjoint == 0
    assert found.at_reference is None


@settings(max_examples=30)  # each makes and groups tables
@given(
    times=st.dictionaries(st.text(min_size=1), TIMES, min_size=1, max_size=5),
    same=st.integers(min_value=1, max_value=4),
    shifted=st.integers(min_value=1, max_value=4),
    shift=st.sampled_from([1.07, 1 / 1.07]),
)
def test_a_known_shift_raises_a_known_rate(
    times: dict[str, float], same: int, shifted: int, shift: float
) -> None:
    """Of s + t runs of which t are 7 % off, s·t of the pairs differ: up or down, at 2 and 5 %."""
    moved = {case: time * shift for case, time in times.items()}
    found = repeatability.repeats(made_up([times] * same + [moved] * shifted))
    count = same + shifted
    rate = same * shifted / (count * (count - 1) / 2)
    assert found.headline is not None
    assert found.intervals is not None
    assert found.headline.changed == {
        0.02: pytest.approx(rate),
        0.05: pytest.approx(rate),
        0.1: 0,
    }
    assert found.intervals.disjoint == pytest.approx(rate)  # ±1 % and 7 % apart
    assert found.headline.smallest_visible == pytest.approx(0.07)


@settings(max_examples=30)  # each makes and groups tables
@given(st.lists(st.dictionaries(st.sampled_from("abc"), TIMES), min_size=1, max_size=5))
def test_shares_are_shares_whatever_was_measured(runs: list[dict[str, float]]) -> None:
    """Cases that only some runs have are compared where they can be, and nothing is NaN."""
    rows = made_up([{"a": None}, *runs], time_at_reference_s=1e-3)
    found = repeatability.repeats(rows)
    measured = [sum(case in run for run in runs) for case in "abc"]
    pairs = sum(count * (count - 1) // 2 for count in measured)
    assert (found.headline.pairs if found.headline else 0) == pairs
    if found.headline:
        alarms = list(found.headline.changed.values())
        assert alarms == sorted(alarms, reverse=True)
        assert all(0 <= part <= 1 for part in alarms)
        assert 0 <= found.headline.spread_middle <= found.headline.spread_worst < math.inf
        assert math.isfinite(found.headline.smallest_visible)


def test_the_worst_case_is_named() -> None:
    """The spread is over runs, of each case by itself; a case of one run has none."""
    runs = [{"a": 1.0, "b": 2.0}, {"a": 1.1, "b": 2.0}, {"a": 1.0, "b": 2.5, "c": 9.0}]
    found = repeatability.agreement(made_up(runs))
    assert found is not None
    assert (found.cases, found.worst_case) == (2, "b")
    assert found.spread_worst == pytest.approx(0.25)
    assert found.spread_middle == pytest.approx((0.25 + 0.1) / 2)


def test_the_smallest_visible_effect_is_what_one_pair_in_twenty_exceeds() -> None:
    """Twenty cases 1 % apart and one 50 % apart: 1 % it is."""
    first = {f"case-{n}": 1.0 for n in range(21)}
    second = {**dict.fromkeys(first, 1.01), "case-7": 1.5}
    found = repeatability.agreement(made_up([first, second]))
    assert found is not None
    assert found.smallest_visible == pytest.approx(0.01)
    assert found.worst_case == "case-7"


def test_reference_conditions_are_judged_by_themselves() -> None:
    """The headline may jump while the time at reference stays, and some rows lack the latter."""
    rows = made_up([{"a": 1.0, "b": 1.0}, {"a": 1.5, "b": 1.5}])
    rows["time_at_reference_s"] = [1.0, 1.0, 1.01, None]
    found = repeatability.repeats(rows)
    assert found.headline is not None
    assert found.at_reference is not None
    assert found.headline.changed[0.1] == 1
    assert (found.at_reference.pairs, found.at_reference.cases) == (1, 1)
    assert found.at_reference.changed == {0.02: 0, 0.05: 0, 0.1: 0}


def test_intervals_are_disjoint_by_how_much() -> None:
    """±1 % around 1 and 1.05: a gap of 3 %; one that begins at zero meets any other."""
    rows = made_up([{"a": 1.0}, {"a": 1.05}])
    gaps = repeatability.interval_gaps(rows)
    assert [repeatability.disjoint_share(gaps, by) for by in (0, 0.02, 0.05)] == [1, 1, 0]
    assert repeatability.half_width(rows) == pytest.approx(0.01)
    rows.loc[1, "time_lo_s"] = 0.0
    assert repeatability.disjoint_share(repeatability.interval_gaps(rows)) == 0


def test_intervals_at_reference_are_judged_by_their_own_ends() -> None:
    """They may meet where those of the headline don't."""
    rows = made_up([{"a": 1.0}, {"a": 1.05}])
    rows["time_at_reference_s"] = [1.0, 1.01]
    rows["time_at_reference_lo_s"] = [0.98, 0.99]
    rows["time_at_reference_hi_s"] = [1.02, 1.03]

    gaps = repeatability.interval_gaps(rows, repeatability.AT_REFERENCE)
    assert repeatability.disjoint_share(gaps) == 0
    assert repeatability.disjoint_share(repeatability.interval_gaps(rows)) == 1
    assert repeatability.half_width(rows, repeatability.AT_REFERENCE) == pytest.approx(
        0.0199, rel=0.01
    )


def test_of_two_references_that_as_many_rows_have_the_fastest_is_the_usual() -> None:
    """Half of the runs were slow; times of both together would be neither."""
    rows = made_up([{"a": 1.0}, {"a": 1.1}, {"a": 1.2}, {"a": 1.3}])
    rows["reference_compute_s"] = [1.0, 1.0, 0.9, 0.9]
    rows["reference_barrier_s"] = [5.0, 5.0, 3.0, 3.0]

    assert list(repeatability.at_one_reference(rows)["time_s"]) == [1.2, 1.3]
    rows["reference_barrier_s"] = [5.0, 5.0, 5.0, 3.0]
    assert list(repeatability.at_one_reference(rows)["time_s"]) == [1.0, 1.1]


def test_what_is_not_known_is_none() -> None:
    """One run, failed cases, no intervals, several levels of confidence."""
    alone = repeatability.repeats(made_up([{"a": 1.0}]))
    assert alone == repeatability.Repeats(runs=1, headline=None, at_reference=None, intervals=None)
    assert repeatability.repeats(made_up([{"a": None}] * 2)).headline is None
    bare = made_up([{"a": 1.0}] * 2, time_lo_s=None, time_hi_s=None)
    assert repeatability.repeats(bare).intervals is None
    mixed = made_up([{"a": 1.0}] * 2)
    mixed["confidence"] = [0.95, 0.99]
    found = repeatability.intervals(mixed)
    assert found is not None
    assert found.confidence is None


def test_devices_are_not_mixed() -> None:
    """A case on two devices is two cases."""
    rows = made_up([{"a": 1.0}, {"a": 2.0}])
    rows["device"] = ["cpu", "cuda"]
    assert repeatability.agreement(rows) is None


@pytest.mark.parametrize("sentinel", ["reference_compute_s", "reference_barrier_s"])
def test_times_at_different_references_are_not_compared(sentinel: str) -> None:
    """A run at another reference in either sentinel, as an all-slow first one is, is left out."""
    rows = made_up([{"a": 1.8}, {"a": 1.0}, {"a": 1.0}])
    rows["time_at_reference_s"] = [1.4, 1.0, 1.01]
    rows[sentinel] = [9e-4, 1e-4, 1e-4]

    found = repeatability.repeats(rows)

    assert found.at_reference is not None
    assert found.at_reference.pairs == 1
    assert found.at_reference.spread_worst < 0.02
