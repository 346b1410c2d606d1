"""Trimmed means: what scipy has, without missing values and outliers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import trim_mean

from bench.stats.trimmed_mean import cut, trimmed_means

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30)


@given(VALUES)
def test_it_is_the_known_mean(values: list[float]) -> None:
    """As scipy has it, where that cuts off as many."""
    share = (cut(len(values)) + 1e-9) / len(values)
    expected = trim_mean(values, min(share, 0.499))
    assert trimmed_means(np.array(values)) == pytest.approx(expected, abs=1e-9)


@given(VALUES, st.integers(1, 5))
def test_missing_values_are_left_out(values: list[float], missing: int) -> None:
    """As if they had never been there."""
    padded = np.array([np.nan] * missing + values)
    assert trimmed_means(padded) == pytest.approx(trimmed_means(np.array(values)))


def test_nothing_has_no_mean() -> None:
    """Nor does it warn."""
    assert np.isnan(trimmed_means(np.full((2, 3), np.nan))).all()
    assert np.isnan(trimmed_means(np.empty((2, 0)))).all()


@pytest.mark.parametrize(("count", "off"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (10, 2)])
def test_a_fifth_is_cut_off_at_either_end(count: int, off: int) -> None:
    """So many wrong values move it no further than the others reach."""
    assert cut(count) == off
    values = np.zeros(count)
    values[:off] = 1e6
    assert trimmed_means(values) == 0
