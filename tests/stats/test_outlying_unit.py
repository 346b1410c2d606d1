"""Outlying units: false alarms as often as said, and outliers that don't hide each other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from bench.stats import outlying_unit
from bench.stats.outlying_unit import others, p_values, scatter, scatter_freedom

VALUES = st.lists(st.floats(-1, 1).map(lambda x: round(x, 6)), min_size=2, max_size=90)


def p_of(values: list[float]) -> Any:
    """Of each value, alike in what is known of it."""
    known = np.array(values)
    return p_values(known, others(known), np.zeros(len(known))).tolist()


@given(VALUES)
def test_the_others_are_the_others(values: list[float]) -> None:
    """The median is that of all values but this one."""
    found = others(np.array(values))
    expected = [np.median(values[:i] + values[i + 1 :]) for i in range(len(values))]
    assert found.median == pytest.approx(expected, abs=1e-12)


def test_the_spread_of_many_is_that_of_their_quartiles() -> None:
    """For each value without itself."""
    values = np.random.default_rng(3).normal(size=70)
    without = np.delete(values, 5)
    low, high = np.quantile(without, [0.25, 0.75], method="median_unbiased")
    expected = (high - low) / (norm.ppf(0.75) - norm.ppf(0.25))
    assert others(values).spread[5] == pytest.approx(expected)


def test_the_spread_of_few_is_that_of_their_pairs() -> None:
    """Again without itself."""
    values = np.random.default_rng(3).normal(size=9)
    without = np.delete(values, 5)
    pairs = np.abs(np.subtract.outer(without, without))[np.triu_indices(8, 1)]
    expected = np.median(pairs) / (math.sqrt(2) * norm.ppf(0.75))
    assert others(values).spread[5] == pytest.approx(expected)


@given(VALUES, st.integers(0, 2**31))
def test_the_order_does_not_matter(values: list[float], seed: int) -> None:
    """Whoever comes first."""
    order = np.random.default_rng(seed).permutation(len(values))
    in_order = p_of(values)
    assert p_of([values[i] for i in order]) == pytest.approx([in_order[i] for i in order])


@given(VALUES, st.floats(-5, 5))
def test_a_shift_of_all_changes_nothing(values: list[float], shift: float) -> None:
    """Logarithms of times in another unit."""
    assert p_of([v + shift for v in values]) == pytest.approx(p_of(values), abs=1e-6)


@pytest.mark.parametrize("count", [6, 8, 16, 40, 64, 65, 200])
def test_chance_is_called_rare_no_more_often_than_it_is(count: int) -> None:
    """At 1 % and at one in a thousand, and not so seldom that nothing would be found."""
    rng = np.random.default_rng(count)
    fleets = max(200, 60_000 // count)
    found = np.concatenate([p_of(rng.normal(0, 0.01, count).tolist()) for _ in range(fleets)])
    assert 0.004 < (found < 0.01).mean() < 0.0115
    assert (found < 0.001).mean() < 0.0014


def test_several_outliers_do_not_hide_each_other() -> None:
    """Five of forty, by ten standard deviations: the plain rule of three sees none of them."""
    rng = np.random.default_rng(5)
    values = rng.normal(0, 0.006, 40)
    values[:5] += 0.06
    found = np.array(p_of(values.tolist()))
    assert (found[:5] < 1e-4).all()
    assert (found[5:] > 1e-2).all()
    assert ((values - values.mean()) / values.std(ddof=1) < 3).all()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_of_too_few_nothing_is_said(count: int) -> None:
    """Not even that one of two lies apart."""
    values = np.arange(count, dtype=float)
    assert p_of(values.tolist()) == [1.0] * count
    assert np.isinf(others(values).spread).all()


def test_values_that_are_all_alike_have_a_spread() -> None:
    """No time is known better than to 0.01 %, so that nothing is infinitely far off."""
    found = p_of([0.0] * 20 + [1e-4])
    assert found[-1] > 0.2
    assert p_of([0.0] * 20 + [0.01])[-1] < 1e-6


def test_what_varies_more_must_lie_further_off() -> None:
    """A unit with fewer visits."""
    values = np.random.default_rng(7).normal(0, 0.01, 40)
    values[0] = 0.05
    extra = np.where(np.arange(40) == 0, 0.03**2, 0.0)
    beside = others(values)
    sure, unsure = (p_values(values, beside, v)[0] for v in (np.zeros(40), extra))
    assert sure < 1e-3
    assert unsure > 0.05


def test_the_scatter_is_a_standard_deviation() -> None:
    """Of normal values; half of them may be anything; missing ones are left out."""
    values = np.random.default_rng(9).normal(0, 0.02, 4000)
    assert scatter(values) == pytest.approx(0.02, rel=0.05)
    disturbed = np.concatenate([values, np.full(400, 1.0), np.full(50, np.nan)])
    assert scatter(disturbed) == pytest.approx(0.02, rel=0.2)
    assert scatter(np.array([0.1, 0.2, np.nan])) is None
    assert scatter_freedom(1) == 1 < scatter_freedom(100) < 100


def test_the_errors_are_those_of_medians() -> None:
    """The median of n normal values varies by π/2 over n."""
    rng = np.random.default_rng(11)
    found = [others(rng.normal(size=101)) for _ in range(300)]
    medians = np.array([one.median[0] for one in found])
    assert np.mean([one.error[0] for one in found]) == pytest.approx(medians.std(), rel=0.15)
    assert pytest.approx(math.pi / 2) == outlying_unit.MEDIAN_VARIANCE
