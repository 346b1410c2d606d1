"""A ratio's interval is never narrower than either row's freedom allows, and p-values agree with it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri, stdtrit

from bench.analyse.change import Change, Timed
from tests.fakes_compare import timed
from tests.fakes_report import record

SHARES = st.floats(0.001, 0.5)


def change(base: Any = None, new: Any = None) -> Change:
    """Between the headlines of two rows."""
    return Change(base=Timed.headline(base or timed()), new=Timed.headline(new or timed()))


def test_half_widths_add_in_quadrature() -> None:
    """At the rows' own confidence two alike intervals make one √2 times as wide."""
    one = change()
    down, up = one.reach(0.95)
    assert down == pytest.approx(math.hypot(one.base.up, one.new.down), rel=1e-9)
    assert up == pytest.approx(math.hypot(one.base.down, one.new.up), rel=1e-9)


def test_a_row_with_few_workers_is_scaled_by_its_own_t() -> None:
    """Where the other time is exact, the normal quantiles' ratio would understate it."""
    noisy = Timed.headline(timed(workers=6, rounds=8))
    exact = dataclasses.replace(noisy, up=0.0, down=0.0, least_freedom=1e6)
    _, up = Change(base=exact, new=noisy).reach(0.99)
    student = float(stdtrit(5, 0.995) / stdtrit(5, 0.975))
    assert up == pytest.approx(noisy.up * student, rel=1e-6)
    assert student > 1.15 * float(ndtri(0.995) / ndtri(0.975))


def test_the_interval_is_no_narrower_whatever_the_freedom_was() -> None:
    """For any freedom that the rows may have had, the interval that Welch's rule gives is within ours."""
    found = change()
    _, ours = found.reach(0.99)
    for freedom in (5, 7, 10, 20, 60, 1e9):
        s = found.new.up / float(stdtrit(freedom, 0.975))
        both = math.hypot(s, found.base.down / float(stdtrit(freedom, 0.975)))
        assert ours >= float(stdtrit(2 * freedom, 0.995)) * both * (1 - 1e-9)


@given(SHARES, SHARES, st.floats(0.5, 2.0))
def test_the_interval_holds_one_as_often_as_the_p_value_says(
    base: float, new: float, factor: float
) -> None:
    """Below 1 % where the 99 % interval leaves out 1, and nowhere else."""
    found = change(timed(width=base), timed(1e-5 * factor, width=new))
    down, up = found.reach(0.99)
    leaves_out = found.log > down or found.log < -up
    if abs(found.p_value() - 0.01) > 1e-9:
        assert leaves_out == (found.p_value() < 0.01)


@given(SHARES, SHARES, st.floats(0.2, 5.0))
def test_turned_round_it_is_the_same_change(base: float, new: float, factor: float) -> None:
    """What is slower one way is as much faster the other way."""
    one = change(timed(width=base), timed(1e-5 * factor, width=new))
    other = Change(base=one.new, new=one.base)
    assert other.log == pytest.approx(-one.log)
    assert other.reach(0.99) == pytest.approx(one.reach(0.99)[::-1])
    assert other.p_value() == pytest.approx(one.p_value())


def test_without_an_interval_nothing_is_known() -> None:
    """One worker has none."""
    found = change(timed(), record(time_lo_s=None, time_hi_s=None))
    assert not found.known
    assert found.p_value() == 1.0
    assert found.reach(0.99) == (math.inf, math.inf)


def test_a_time_at_reference_without_interval_takes_the_headlines() -> None:
    """Early versions stored none; the headline's, in proportion, stands for it."""
    old = timed(time_at_reference_s=2e-5, time_at_reference_lo_s=None, time_at_reference_hi_s=None)
    found = Timed.at_reference(old)
    assert found is not None
    assert (found.time_s, found.up) == (2e-5, Timed.headline(old).up)
    assert Timed.at_reference(timed(time_at_reference_s=None)) is None


def test_intervals_of_unchanged_times_hold_one() -> None:
    """In simulated pairs from t-based intervals of 5 degrees of freedom, 99 % of them, or more."""
    rng = np.random.default_rng(7)
    quantile = float(stdtrit(5, 0.975))
    missed = 0
    for _ in range(4000):
        logs = rng.normal(0, 0.02, 2)
        spreads = 0.02 * np.sqrt(rng.chisquare(5, 2) / 5)
        rows = [
            timed(
                math.exp(x),
                time_lo_s=math.exp(x - quantile * s),
                time_hi_s=math.exp(x + quantile * s),
                workers=6,
                rounds=6,
            )
            for x, s in zip(logs, spreads, strict=True)
        ]
        missed += change(*rows).p_value() < 0.01
    assert missed / 4000 <= 0.01
