"""Ratios of sides that were measured in turn: drift cancels, workers don't, looking again costs nothing."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.stats.sequential import (
    CONFIDENCE,
    LOOKS,
    THRESHOLD,
    PairedRatio,
    over_looks,
    ratio,
    spent,
    verdict,
)
from tests.fakes.paired import simulated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Cells = NDArray[np.float64]

LEVEL = 1 - CONFIDENCE


def decided(one: Cells, other: Cells) -> str:
    """The verdict, after as many looks as it takes."""
    said = "unsure"
    for look, rounds in enumerate(LOOKS):
        level = spent(look, last=rounds == LOOKS[-1], confidence=CONFIDENCE)
        said = verdict(ratio(one[:, :rounds], other[:, :rounds], level), THRESHOLD)
        if said != "unsure":
            break
    return said


def verdicts(effect: float, times: int) -> dict[str, float]:
    """How often each verdict is given."""
    rng = np.random.default_rng(20261123)
    found = Counter(decided(*simulated(rng, effect)) for _ in range(times))
    return {name: count / times for name, count in found.items()}


@pytest.mark.slow
def test_unchanged_code_is_called_changed_once_in_a_hundred_at_most() -> None:
    """Over all looks, with processes that differ by 1 %, rounds by 1 %, and a shared drift of 3 %."""
    found = verdicts(0.0, 1500)
    assert found.get("slower", 0) + found.get("faster", 0) <= 0.01


@pytest.mark.slow
def test_five_per_cent_more_are_found() -> None:
    """In 95 of a hundred at least, and never taken for an improvement."""
    found = verdicts(0.05, 400)
    assert found["slower"] >= 0.95
    assert "faster" not in found
    assert verdicts(-0.05, 100)["faster"] >= 0.95


@pytest.mark.slow
def test_intervals_hold_the_truth() -> None:
    """However the ratio is, at the level that was spent."""
    rng = np.random.default_rng(7)
    missed = 0
    for _ in range(400):
        found = ratio(*simulated(rng, 0.1), LEVEL)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        missed += not found.low <= 1.1 <= found.high
    assert missed <= 10  # four are expected; three standard errors more


def test_looks_spend_the_level_and_no_more() -> None:
    """Whichever of them is the last."""
    for last in range(len(LOOKS)):
        total = sum(spent(look, last=look == last, confidence=0.99) for look in range(last + 1))
        assert total == pytest.approx(0.01)
    after_all_but_one = len(LOOKS) - 1
    early = [spent(look, last=False, confidence=0.99) for look in range(after_all_but_one)]
    assert sum(early) < 0.01


@example(50, 0.0078125, 0.03125)
@given(st.integers(0, 1000), st.floats(0.0005, 0.01), st.floats(-0.05, 0.05))
def test_the_p_value_is_the_level_at_which_the_interval_touches_one(
    seed: int, level: float, effect: float
) -> None:
    """So a case is changed by the one if it is by the other."""
    cells = simulated(np.random.default_rng(seed), effect, workers=3)
    found = ratio(*cells, level)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    if abs(found.p_value - level) > 1e-9:
        assert (found.low > 1 or found.high < 1) == (found.p_value < level)
    if found.p_value < 1e-9:  # 1 less such a level is rounded too much to be undone
        return
    touching = ratio(*cells, found.p_value)
    assert touching is not None
    assert min(abs(math.log(end or 9)) for end in (touching.low, touching.high)) < 1e-6


@pytest.mark.parametrize("last", range(len(LOOKS)))
def test_over_all_looks_a_p_value_is_what_it_would_be_at_one(last: int) -> None:
    """An unchanged case has x or less with probability x at most, also at the worst: disjoint looks."""
    for x in (0.001, 0.01, 0.3):
        reached = 0.0
        for look in range(last + 1):
            level = spent(look, last=look == last, confidence=0.99)
            own = x * level / 0.01  # the p-value of this look alone that is x over all
            assert over_looks(own, level, 0.99) == pytest.approx(x)
            reached += own
        assert reached == pytest.approx(x)
    assert over_looks(0.9, spent(0, last=False, confidence=0.99), 0.99) == 1


@given(
    st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=12),
    st.floats(-1, 1),
    st.integers(2, 5),
)
def test_what_both_sides_share_cancels(drift: list[float], effect: float, workers: int) -> None:
    """However the moments move, the ratio is what it is, and its interval is no wider for it."""
    one = np.exp(np.tile(drift, (workers, 1)))
    found = ratio(one, one * math.exp(effect), LEVEL)
    assert found is not None
    assert found.value == pytest.approx(math.exp(effect))
    assert found.half_width == pytest.approx(0, abs=1e-9)


@given(st.integers(0, 1000))
def test_sides_can_be_swapped(seed: int) -> None:
    """The ratio is then the other way round, and its interval too."""
    one, other = simulated(np.random.default_rng(seed), 0.03, workers=3)
    there, back = ratio(one, other, LEVEL), ratio(other, one, LEVEL)
    assert there is not None
    assert back is not None
    assert there.value * back.value == pytest.approx(1)
    assert there.low is not None
    assert back.high is not None
    assert there.low * back.high == pytest.approx(1)


def test_workers_that_differ_widen_the_interval() -> None:
    """Since a process keeps its time in every round, more rounds don't help against that."""
    still = np.ones((4, 40))
    apart = still * np.array([[1.0], [1.02], [0.98], [1.0]])
    found = ratio(still, apart, LEVEL)
    assert found is not None
    assert found.value == pytest.approx(1, abs=1e-3)
    assert found.half_width > 0.03
    alike = ratio(still, still, LEVEL)
    assert alike is not None
    assert (alike.half_width, alike.p_value) == (0, 1)
    certain = ratio(still, 2 * still, LEVEL)
    assert certain is not None
    assert certain.p_value == 0


def test_lost_cells_are_passed_over() -> None:
    """A round that one side lacks counts for neither; a worker that was lost is missing."""
    one, other = simulated(np.random.default_rng(3), 0.05)
    one[:, 0] = math.nan
    other[2, 5:] = math.nan
    found = ratio(one, other, LEVEL)
    assert found is not None
    assert found.rounds == LOOKS[-1] - 1
    assert found.value == pytest.approx(1.05, rel=0.02)


@pytest.mark.parametrize(
    ("workers", "rounds"),
    [(1, 9), (4, 1)],
)
def test_too_little_has_no_interval(workers: int, rounds: int) -> None:
    """One worker, or one round, says nothing of how far they differ."""
    found = ratio(np.ones((workers, rounds)), np.full((workers, rounds), 1.1), LEVEL)
    assert found is not None
    assert found.value == pytest.approx(1.1)
    assert (found.low, found.high, found.half_width) == (None, None, math.inf)
    assert verdict(found, THRESHOLD) == "unsure"


def test_nothing_in_common_is_no_ratio() -> None:
    """Nor is a time that the overhead has eaten up."""
    empty = np.full((3, 4), math.nan)
    assert ratio(np.ones((3, 4)), empty, LEVEL) is None
    assert ratio(np.ones((3, 4)), np.zeros((3, 4)), LEVEL) is None
    assert verdict(None, THRESHOLD) == "unsure"


@pytest.mark.parametrize(
    ("low", "value", "high", "said"),
    [
        (1.01, 1.05, 1.09, "slower"),
        (0.91, 0.95, 0.99, "faster"),
        (0.99, 1.05, 1.11, "unsure"),
        (1.001, 1.01, 1.019, "same"),
        (1.001, 1.015, 1.03, "unsure"),
        (0.99, 1.0, 1.01, "same"),
        (0.97, 1.0, 1.03, "unsure"),
    ],
)
def test_a_verdict_needs_an_interval_and_a_size(
    low: float, value: float, high: float, said: str
) -> None:
    """Beyond chance and beyond the threshold, or wholly within it."""
    assert verdict(PairedRatio(value=value, low=low, high=high, rounds=9), 0.02) == said
