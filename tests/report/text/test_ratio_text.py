"""Ratios are said no more strongly than their interval allows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.text import ratio_text

POSITIVE = st.floats(1e-6, 1e6)


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((1.05, 1.02, 1.08), "takes 5.0 % more time (2.0 to 8.0 %)"),
        ((0.988, 0.98, 0.996), "takes 1.2 % less time (0.40 to 2.0 %)"),
        ((2.5, 2.0, 3.1), "takes 2.50 times as long (2.00 to 3.10)"),
        ((0.2, 0.16, 0.25), "is 5.00 times as fast (4.00 to 6.25)"),
        ((1.02, 1.0004, 1.04), "takes 2.0 % more time (<0.1 % to 4.0 %)"),
        ((1.3, 0.99, 1.7), None),
        ((0.9, 0.8, 1.0), None),
    ],
)
def test_a_change_is_told_in_words_if_it_is_one(
    ends: tuple[float, float, float], text: str | None
) -> None:
    """Per cent near 1, factors from two on; nothing where the interval includes no change."""
    assert ratio_text.took(*ends) == text


@given(POSITIVE, POSITIVE, POSITIVE)
def test_more_is_said_only_of_intervals_above_1(one: float, other: float, third: float) -> None:
    """And less only of those below."""
    low, value, high = sorted((one, other, third))
    said = ratio_text.took(value, low, high) or ""
    assert ("more" in said or "as long" in said) == (low > 1)
    assert ("less" in said or "as fast" in said) == (high < 1)


def test_a_cell_names_its_ends() -> None:
    """A missing end is a question mark, never a narrow interval."""
    assert ratio_text.cell(1.0834, 1.061, 1.105) == "1.083 (1.061 to 1.105)"
    assert ratio_text.cell(23.14, 20.0, None) == "23.1 (?)"
    assert ratio_text.cell(23.14, 20.0, float("inf")) == "23.1 (?)"
    assert ratio_text.cell(None, None, None) == "–"
    assert ratio_text.change(1.004, 0.998, 1.01) == "+0.40 % (−0.20 % to +1.0 %)"
    assert ratio_text.change(1.0001, 0.99, 1.01) == "0.0 % (−1.0 % to +1.0 %)"
