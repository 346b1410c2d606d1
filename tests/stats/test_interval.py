"""Intervals hold what they promise, also when samples are not independent."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from bench.stats import interval
from bench.stats.interval import cells, estimate, quantile

Matrix = NDArray[np.float64]

TIMES = st.floats(min_value=1e-9, max_value=1e3)
SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 6))
MATRICES = arrays(np.float64, SHAPES, elements=TIMES)


def simulated(
    rng: np.random.Generator, shape: tuple[int, int], worker: float, round_: float, rest: float
) -> Matrix:
    """Times around 1 s whose logarithms have these standard deviations."""
    logs = (
        rng.normal(0, worker, (shape[0], 1))
        + rng.normal(0, round_, (1, shape[1]))
        + rng.normal(0, rest, shape)
    )
    return np.exp(logs)


def test_cells_are_the_medians_of_workers_and_rounds() -> None:
    """Samples come in any order; rows are workers, columns rounds, both sorted."""
    matrix = cells([9.0, 1.0, 2.0, 30.0, 4.0], [7, 3, 3, 3, 7], [0, 0, 0, 0, 5])
    assert matrix.tolist()[0][0] == 2.0
    assert math.isnan(matrix.tolist()[0][1])
    assert matrix.tolist()[1] == [9.0, 4.0]


@given(
    samples=st.lists(
        st.tuples(st.floats(-1e300, 1e300), st.integers(0, 3), st.integers(0, 3)),
        min_size=1,
        max_size=40,
    )
)
def test_a_cell_of_one_sample_is_that_sample(samples: list[tuple[float, int, int]]) -> None:
    """To the bit what the median of all samples of each cell is."""
    workers, rounds = (sorted({one[at] for one in samples}) for at in (1, 2))
    wanted = [
        [np.median([t for t, *place in samples if place == [w, r]] or [math.nan]) for r in rounds]
        for w in workers
    ]
    found = cells(*zip(*samples, strict=True))
    assert np.array_equal(found, wanted, equal_nan=True)


def test_cells_need_a_worker_and_a_round_for_each_sample() -> None:
    """A sample of unknown origin is an error, not a guess."""
    with pytest.raises(ValueError, match="zip"):
        cells([1.0, 2.0], [0, 0], [0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape", [(3, 5), (5, 6), (6, 10)], ids=["3 workers, 5 rounds", "5 and 6", "6 and 10"]
)
@pytest.mark.parametrize(
    ("worker", "round_", "rest"),
    [
        (0.02, 0.01, 0.01),
        (0.02, 0.02, 0.02),
        (0.02, 0.0, 0.01),
        (0.02, 0.005, 0.05),
        (0.02, 0.02, 0.002),
        (0.0, 0.02, 0.01),
        (0.0, 0.0, 0.05),
        (0.002, 0.01, 0.1),
    ],
)
@pytest.mark.parametrize("lost", [0, 2], ids=["complete", "two cells lost"])
def test_an_interval_holds_the_truth_as_often_as_it_promises(
    shape: tuple[int, int], worker: float, round_: float, rest: float, lost: int
) -> None:
    """Of 1,500 simulated cases with shifts of workers and rounds, 95 % intervals miss few enough.

    93 % is asked for: 95 % less three and a half standard errors of a share of 1,500.
    """
    rng = np.random.default_rng(20261103)
    held = 0
    for _ in range(1500):
        matrix = simulated(rng, shape, worker, round_, rest)
        matrix[-1, shape[1] - lost :] = np.nan
        found = estimate(matrix, 0.95)
        held += found.low <= 1.0 <= found.high
    assert held / 1500 >= 0.93


def test_samples_of_one_process_would_promise_too_much() -> None:
    """The simulation can fail: an interval that takes all cells for independent holds far less often.

    This is the mistake that the crossed model is there to avoid.
    """
    rng = np.random.default_rng(20261103)
    held = 0
    for _ in range(500):
        logs = np.log(simulated(rng, (3, 5), 0.02, 0.01, 0.01)).ravel()
        held += abs(logs.mean()) <= 2.14 * logs.std(ddof=1) / math.sqrt(15)  # t of 14 degrees
    assert held / 500 < 0.85


@given(matrix=MATRICES)
def test_the_centre_is_inside_its_interval(matrix: Matrix) -> None:
    """The centre is among the cells, and an interval never leaves it out."""
    found = estimate(matrix)
    assert matrix.min() <= found.centre <= matrix.max()
    if len(matrix) > 1:
        assert 0 <= found.low <= found.centre * (1 + 1e-12)
        assert found.high >= found.centre * (1 - 1e-12)


@given(matrix=MATRICES, factor=st.sampled_from([2.0**-20, 0.5, 1024.0]))
def test_the_unit_does_not_matter(matrix: Matrix, factor: float) -> None:
    """Seconds or milliseconds: the interval scales with the times."""
    one, other = estimate(matrix), estimate(matrix * factor)
    assert other.centre == pytest.approx(one.centre * factor)
    assert other.low == pytest.approx(one.low * factor, rel=1e-6, nan_ok=True)


@given(matrix=MATRICES, seed=st.integers(0, 99))
def test_the_order_of_workers_and_rounds_does_not_matter(matrix: Matrix, seed: int) -> None:
    """Numbers of workers and rounds are names; where there are several of both, they are alike."""
    rng = np.random.default_rng(seed)
    shuffled = matrix[rng.permutation(matrix.shape[0])][:, rng.permutation(matrix.shape[1])]
    one = estimate(matrix)
    others = [shuffled, matrix.T] if min(matrix.shape) > 1 else [shuffled]
    for other in map(estimate, others):
        assert other.centre == one.centre
        assert other.low == pytest.approx(one.low, rel=1e-6, nan_ok=True)
        assert other.high == pytest.approx(one.high, rel=1e-6, nan_ok=True)


@given(rounds=st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=9))
def test_one_worker_has_no_interval(rounds: list[float]) -> None:
    """Rounds of a single process say nothing of how far another process would be off."""
    found = estimate(np.array([rounds]))

    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_more_confidence_is_a_wider_interval() -> None:
    """Certainty has its price."""
    matrix = simulated(np.random.default_rng(1), (3, 5), 0.02, 0.01, 0.01)
    narrow, wide = estimate(matrix, 0.9), estimate(matrix, 0.99)
    assert wide.low < narrow.low < narrow.high < wide.high
    assert (narrow.confidence, wide.confidence) == (0.9, 0.99)


def test_the_centre_is_deaf_to_a_quarter_of_the_values() -> None:
    """Seven of thirty turns that took ten times as long move it by less than the others' own spread."""
    calm = np.linspace(0.99, 1.01, 23)

    assert interval.centre(np.append(calm, [10.0] * 7)) == pytest.approx(1.0, rel=0.01)
    assert interval.centre(np.array([1.0, 2.0])) == 1.5


def test_the_centre_wastes_less_than_a_median() -> None:
    """Over 2,000 simulated cases it is nearer the truth than the median, by the factor of theory.

    Under normal noise the variances are π/3 and π/2 of the mean's; 0.8 allows for chance.
    """
    rng = np.random.default_rng(3)
    cases = rng.normal(1.0, 0.02, (2000, 30))

    ours = np.var([interval.centre(values) for values in cases])
    assert ours < 0.8 * np.var(np.median(cases, axis=1))


def test_earlier_runs_widen_the_interval_and_never_narrow_it() -> None:
    """A run that is calm in itself can't know that runs differ by 3 %."""
    matrix = simulated(np.random.default_rng(1), (3, 5), 0.005, 0.005, 0.005)
    alone = estimate(matrix)
    wide = estimate(matrix, floor=interval.Spread(variance=0.03**2, freedom=9.0))
    calm = estimate(matrix, floor=interval.Spread(variance=1e-8, freedom=9.0))

    assert wide.centre == alone.centre
    assert math.log(wide.high / wide.centre) == pytest.approx(0.03 * 2.262, rel=1e-3)
    assert (calm.low, calm.high) == (alone.low, alone.high)


def test_equal_cells_have_an_interval_of_no_width() -> None:
    """No spread was seen, complete or not."""
    for matrix in (np.full((3, 5), 2.0), np.array([[2.0, 2.0], [2.0, np.nan]])):
        found = estimate(matrix)
        assert (found.low, found.centre, found.high) == pytest.approx((2.0, 2.0, 2.0))


def test_one_cell_says_nothing_about_spread() -> None:
    """There is a centre and no interval."""
    found = estimate(np.array([[3.0]]))
    assert found.centre == 3.0
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_a_time_of_zero_has_no_interval() -> None:
    """A call below the loop's own cost can come out at or under zero; it has no logarithm."""
    found = estimate(np.array([[1e-9, 0.0], [2e-9, 3e-9]]))
    assert found.centre == pytest.approx(1.5e-9)
    assert math.isnan(found.low)


def test_a_lost_cell_does_not_narrow_the_interval() -> None:
    """Shifts of workers count whether or not a worker was stopped in its last round."""
    matrix = np.array([[1.0, 1.001, 1.0], [1.05, 1.051, 1.05], [1.1, 1.101, 1.1]])
    whole = estimate(matrix)
    matrix[2, 2] = np.nan
    lost = estimate(matrix)
    assert lost.high - lost.low > 0.9 * (whole.high - whole.low)


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 2.5), (1.0, 4.0)])
def test_a_quantile_lies_between_its_neighbours(share: float, value: float) -> None:
    """Linear between neighbours, whatever the order."""
    assert quantile([4.0, 1.0, 3.0, 2.0], share) == value


def batch(rng: np.random.Generator, hetero: float, cases: int = 50) -> list[Matrix]:
    """Cases of 4 workers and 5 rounds whose noise differs from case to case by exp(hetero)."""
    scales = np.exp(rng.normal(0, hetero, cases))
    return [simulated(rng, (4, 5), 0.02 * s, 0.005 * s, 0.005 * s) for s in scales]


@pytest.mark.parametrize("hetero", [0.0, 0.5, 1.0])
def test_intervals_with_pooled_spread_hold_the_truth_and_are_narrower(hetero: float) -> None:
    """Of 1,500 simulated cases in batches, at least 93 % hold; half the intervals are 10 % narrower."""
    rng = np.random.default_rng(7)
    held, ratios = 0, []
    for _ in range(30):
        cases = batch(rng, hetero)
        others = interval.pooled([s for s in map(interval.spread, cases) if s])
        for matrix in cases:
            alone, together = estimate(matrix), estimate(matrix, others=others)
            held += together.low <= 1.0 <= together.high
            ratios.append(math.log(together.high) / math.log(alone.high))
    assert held / 1500 >= 0.93
    assert np.median(ratios) < 0.9


def test_cases_alike_in_noise_tell_more_of_each_other_than_cases_that_differ() -> None:
    """The degrees of freedom that come of pooling fall with the differences beyond chance."""
    rng = np.random.default_rng(8)
    freedoms = []
    for hetero in (0.0, 0.5, 1.5):
        found = interval.pooled([s for s in map(interval.spread, batch(rng, hetero, 200)) if s])
        assert found is not None
        freedoms.append(found.freedom)

    assert freedoms[0] > freedoms[1] > freedoms[2] > 0


def test_few_cases_are_not_pooled() -> None:
    """Five say too little of how much cases differ."""
    spreads = [interval.Spread(variance=1e-4, freedom=3.0)] * 5

    assert interval.pooled(spreads) is None
    assert interval.pooled([*spreads, *spreads]) is not None


def test_pooling_finds_the_spread_that_all_share() -> None:
    """Cases of one spread give that spread back."""
    rng = np.random.default_rng(9)
    spreads = [
        interval.Spread(variance=4e-4 * rng.chisquare(5) / 5, freedom=5.0) for _ in range(2000)
    ]
    found = interval.pooled(spreads)

    assert found is not None
    assert found.variance == pytest.approx(4e-4, rel=0.05)
    assert found.freedom > 30


def test_a_case_without_any_spread_borrows_none() -> None:
    """Times that are all the same have an interval of no width, whatever the others do."""
    others = interval.Spread(variance=1e-2, freedom=10.0)

    found = estimate(np.ones((3, 4)), others=others)

    assert (found.low, found.high) == (1.0, 1.0)
