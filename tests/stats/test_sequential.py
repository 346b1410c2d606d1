"""Ratios of sides that were measured in turn: drift cancels, workers don't, looking again costs nothing."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.stats.ratio import CONFIDENCE, PAIRED_THRESHOLD, Ratio
from bench.stats.sequential import LOOKS, PairedChange, over_looks, paired, spent, verdict
from tests.fakes.paired import simulated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Cells = NDArray[np.float64]

LEVEL = 1 - CONFIDENCE


def ratio(one: Cells, other: Cells, level: float) -> Ratio | None:
    """The ratio at a look, with the interval that this level has."""
    found = paired(one, other)
    return found.ratio(1 - level) if found else None


def judged(one: Cells, other: Cells, level: float = LEVEL) -> str:
    """The verdict of a look that spends this level."""
    return verdict(
        paired(one, other), threshold=PAIRED_THRESHOLD, level=level, confidence=CONFIDENCE
    )


def decided(one: Cells, other: Cells) -> str:
    """The verdict, after as many looks as it takes."""
    said = "unsure"
    for look, rounds in enumerate(LOOKS):
        level = spent(look, last=rounds == LOOKS[-1], confidence=CONFIDENCE)
        said = judged(one[:, :rounds], other[:, :rounds], level)
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
    change = paired(*cells)
    assert change is not None
    found, p_value = change.ratio(1 - level), change.p_value()
    if abs(p_value - level) > 1e-9:
        assert (found.low > 1 or found.high < 1) == (p_value < level)
    if p_value < 1e-9:  # 1 less such a level is rounded too much to be undone
        return
    touching = change.ratio(1 - p_value)
    assert min(abs(math.log(end)) for end in (touching.low, touching.high)) < 1e-6


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
    """However the machine drifts from visit to visit, the ratio is what it is, and its interval is no wider for it."""
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
    assert there.low * back.high == pytest.approx(1)


def test_workers_that_differ_widen_the_interval() -> None:
    """Since a process keeps its time in every round, more rounds don't help against that."""
    still = np.ones((4, 40))
    apart = still * np.array([[1.0], [1.02], [0.98], [1.0]])
    found = ratio(still, apart, LEVEL)
    assert found is not None
    assert found.value == pytest.approx(1, abs=1e-3)
    assert found.half_width > 0.03
    alike, certain = paired(still, still), paired(still, 2 * still)
    assert alike is not None
    assert certain is not None
    assert (alike.ratio(CONFIDENCE).half_width, alike.p_value()) == (0, 1)
    assert certain.p_value() == 0


def test_lost_cells_are_passed_over() -> None:
    """A round that one side lacks counts for neither; a worker that was lost is missing."""
    one, other = simulated(np.random.default_rng(3), 0.05)
    one[:, 0] = math.nan
    other[2, 5:] = math.nan
    found = paired(one, other)
    assert found is not None
    assert found.rounds == LOOKS[-1] - 1
    assert found.ratio(CONFIDENCE).value == pytest.approx(1.05, rel=0.02)


@pytest.mark.parametrize(
    ("workers", "rounds"),
    [(1, 9), (4, 1)],
)
def test_too_little_has_no_interval(workers: int, rounds: int) -> None:
    """One worker, or one round, says nothing of how far they differ."""
    one, other = np.ones((workers, rounds)), np.full((workers, rounds), 1.1)
    found = ratio(one, other, LEVEL)
    assert found is not None
    assert found.value == pytest.approx(1.1)
    assert (found.low, found.high, found.half_width) == (0, math.inf, math.inf)
    assert judged(one, other) == "unsure"


def test_nothing_in_common_is_no_ratio() -> None:
    """Nor is a time that the overhead has eaten up."""
    empty = np.full((3, 4), math.nan)
    assert ratio(np.ones((3, 4)), empty, LEVEL) is None
    assert ratio(np.ones((3, 4)), np.zeros((3, 4)), LEVEL) is None
    assert judged(np.ones((3, 4)), empty) == "unsure"


@pytest.mark.parametrize(
    ("error", "level", "said"),
    [(0.008, LEVEL, "same"), (0.008, LEVEL / 8, "unsure"), (0.012, LEVEL, "unsure")],
)
def test_same_is_an_equivalence_test_whose_level_is_spent_as_well(
    error: float, level: float, said: str
) -> None:
    """At the whole level the interval at 90 % decides; an early look has an eighth of both levels."""
    still = PairedChange(log=0.0, error=error, freedom=60, rounds=9)
    how = {"threshold": PAIRED_THRESHOLD, "confidence": CONFIDENCE}
    assert verdict(still, level=level, **how) == said


@pytest.mark.slow
def test_a_change_as_large_as_the_threshold_is_called_none_once_in_twenty_at_most() -> None:
    """Over all looks, as the level of the test of equivalence says."""
    assert verdicts(PAIRED_THRESHOLD, 600).get("same", 0) <= 0.05
