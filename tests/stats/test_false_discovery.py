"""Discoveries: the rule of Benjamini and Hochberg, and what follows from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from bench.stats.false_discovery import discoveries

P_VALUES = st.lists(st.floats(0, 1), max_size=30)
LEVELS = st.floats(0.001, 0.5)


@given(P_VALUES.filter(bool), LEVELS)
def test_it_is_the_known_procedure(p_values: list[float], level: float) -> None:
    """As scipy has it, but for values that are just on the line."""
    adjusted = false_discovery_control(p_values)
    if np.abs(adjusted - level).min() > 1e-9:
        assert discoveries(p_values, level) == list(adjusted <= level)


@given(st.floats(0, 1), LEVELS)
def test_one_alone_is_held_against_the_level(p_value: float, level: float) -> None:
    """So a comparison of one case is what it was."""
    assert discoveries([p_value], level) == [p_value <= level]


@given(P_VALUES, LEVELS, st.data())
def test_smaller_p_values_take_nothing_back(
    p_values: list[float], level: float, data: st.DataObject
) -> None:
    """What stands goes on to stand when others show more: nothing has to be measured again."""
    before = discoveries(p_values, level)
    factors = data.draw(st.lists(st.floats(0, 1), min_size=len(p_values), max_size=len(p_values)))
    after = discoveries([p * f for p, f in zip(p_values, factors, strict=True)], level)
    assert all(now for then, now in zip(before, after, strict=True) if then)


@pytest.mark.parametrize(("others", "stands"), [(0, True), (9, False)])
def test_what_was_tried_in_vain_counts(others: int, stands: bool) -> None:  # noqa: FBT001
    """Among ten, 0.5 % is not 1 % of one."""
    assert discoveries([0.005, *[1.0] * others], 0.01)[0] == stands


def test_nothing_tried_is_nothing_found() -> None:
    """Without an error."""
    assert discoveries([], 0.01) == []
