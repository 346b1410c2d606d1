"""A ratio's interval is never narrower than either row's freedom allows, and p-values agree with it."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri, stdtrit

from bench.stats import ratio as change_module
from bench.stats.ratio import CHANGED, VERDICTS, Change, Ratio, Timed, Verdict, judge
from bench.stats.sequential import PairedChange
from tests.fakes.rows import record
from tests.fakes.two_runs import timed

if TYPE_CHECKING:
    from bench.records.record import Record

SHARES = st.floats(0.001, 0.5)


def change(base: Any = None, new: Any = None) -> Change:
    """Between the headlines of two rows."""
    return Change.of(base or timed(), new or timed())


def row(time_s: float, width: float = 0.01, **values: Any) -> Record:
    """A row whose interval reaches so far to both sides, as a factor."""
    ends = {"time_lo_s": time_s / (1 + width), "time_hi_s": time_s * (1 + width)}
    return record(time_s=time_s, **{**ends, **values})


def test_half_widths_add_in_quadrature() -> None:
    """At the rows' own confidence two alike intervals make one √2 times as wide."""
    one = change()
    down, up = one.reach(0.95)
    assert down == pytest.approx(math.hypot(one.base.up, one.new.down), rel=1e-9)
    assert up == pytest.approx(math.hypot(one.base.down, one.new.up), rel=1e-9)


def test_a_ratio_has_the_interval_of_its_times() -> None:
    """In logs: 3 % and 4 % make 5 %; independent errors do not add up as they are."""
    found = Change.of(row(1.0, 0.04), row(2.0, 0.03)).ratio()
    assert found.value == 2.0
    assert found.high == pytest.approx(2.0 * 1.05, rel=2e-3)
    assert found.low == pytest.approx(2.0 / 1.05, rel=2e-3)
    assert str(found) == "2.00 (1.90 to 2.10)"


def test_an_interval_that_begins_at_nothing_leaves_a_ratio_open() -> None:
    """Divided by what may be nothing, anything may come out; but no less than it must."""
    found = Change.of(row(1.0, time_lo_s=-1.0), row(2.0)).ratio()
    assert (found.high, str(found)) == (float("inf"), "at least 1.97")
    assert Change.of(row(2.0), row(1.0, time_lo_s=0.0)).ratio().low == 0
    nothing: dict[str, Any] = {"time_lo_s": None, "time_hi_s": None, "confidence": None}
    assert Change.of(row(1.0, **nothing), row(2.0, **nothing)).ratio() == Ratio(
        value=2.0, low=0.0, high=math.inf
    )


@given(st.floats(1e-9, 1e3), st.floats(1e-9, 1e3), st.floats(1e-6, 1.0), st.floats(1e-6, 1.0))
def test_a_ratio_lies_in_its_interval_and_turns_round(
    a: float, b: float, u: float, v: float
) -> None:
    """It is never narrower than either part, never wider than both."""
    found, back = (
        Change.of(x, y).ratio() for x, y in ((row(b, v), row(a, u)), (row(a, u), row(b, v)))
    )
    assert found.low <= found.value <= found.high
    assert back.high == pytest.approx(1 / found.low)
    relative = found.high / found.value
    assert max(1 + u, 1 + v) <= relative * (1 + 1e-9)
    assert relative <= (1 + u) * (1 + v) * (1 + 1e-9)


@given(
    st.floats(1e-6, 1.0),
    st.floats(1e-6, 1.0),
    st.sampled_from([0.9, 0.95, 0.99]),
    st.sampled_from([0.9, 0.95, 0.99]),
    st.integers(2, 40),
    st.integers(2, 40),
)
def test_a_ratio_is_no_surer_than_its_parts(
    u: float, v: float, of_base: float, of_new: float, base: int, new: int
) -> None:
    """Whatever their workers and confidences: at the higher one, neither interval gets narrower."""
    found = Change.of(
        row(1.0, u, confidence=of_base, workers=base, rounds=base),
        row(1.0, v, confidence=of_new, workers=new, rounds=new),
    ).ratio()
    parts = math.hypot(math.log1p(u), math.log1p(v))
    assert math.log(found.high) >= parts * (1 - 1e-9)
    if of_base == of_new and base == new:
        assert math.log(found.high) == pytest.approx(parts)


def test_confidences_that_differ_meet_at_the_higher_one() -> None:
    """By Student's t of the row that was less sure: with two workers that is five times as wide."""
    few = row(1.0, 0.01, workers=2)
    exact = row(1.0, 0.0, confidence=0.99)
    student = float(stdtrit(1, 0.995) / stdtrit(1, 0.975))
    assert student > 5
    for found in (Change.of(few, exact).ratio(), Change.of(exact, few).ratio()):
        assert math.log(found.high) == pytest.approx(student * math.log(1.01))
        assert math.log(found.low) == pytest.approx(-student * math.log(1.01))


def test_ends_are_where_they_were() -> None:
    """Logs and back; a time without ends may be anything."""
    known = Timed.between(2.0, 1.5, 3.0, confidence=0.95, least_freedom=4)
    assert (known.low_s, known.high_s) == pytest.approx((1.5, 3.0))
    bare = Timed.between(2.0, None, None, confidence=0.95, least_freedom=4)
    assert (bare.low_s, bare.high_s) == (0.0, math.inf)


@given(st.floats(1, 1e7))
def test_quantiles_are_kept_for_few_freedoms_and_none_is_smaller(freedom: float) -> None:
    """Rounded down to within a hundredth; what is on a step but for rounding stays there."""
    kept = change_module._rounded(freedom)
    assert 0.992 * freedom <= kept <= freedom * (1 + 1e-11)
    assert change_module._rounded(kept) == kept
    assert change_module._rounded(math.inf) == math.inf


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


class Fixed(Ratio):
    """A ratio of which the interval is the same at any confidence."""

    def ratio(self, confidence: float) -> Ratio:
        """As it is."""
        assert 0.5 < confidence < 1
        return self


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
        (0.0, 1.5, math.inf, "unsure"),
    ],
)
def test_a_verdict_needs_an_interval_and_a_size(
    low: float, value: float, high: float, said: str
) -> None:
    """Beyond chance and beyond the threshold, or wholly within it."""
    assert judge(Fixed(value=value, low=low, high=high), threshold=0.02, confidence=0.99) == said


@given(st.floats(-0.1, 0.1), st.floats(1e-4, 0.05), st.sampled_from([0.8, 0.95, 0.99]))
def test_a_verdict_means_the_same_however_the_ratio_was_measured(
    log: float, error: float, confidence: float
) -> None:
    """Between two runs and in turn, at equal errors: `bench compare` and `bench ab` use one rule."""
    reach = float(ndtri(0.975)) * error
    base, new = (
        Timed(time_s=time_s, up=up, down=up, confidence=0.95, least_freedom=1e9)
        for time_s, up in ((1.0, 0.0), (math.exp(log), reach))
    )
    unpaired = Change(base=base, new=new)
    in_turn = PairedChange(log=log, error=error, freedom=1e9, rounds=40)
    for threshold in (0.02, 0.05):
        words = {
            judge(found, threshold=threshold * by, confidence=confidence)
            for found in (unpaired, in_turn)
            for by in (1 - 1e-6, 1 + 1e-6)
        }
        if abs(abs(unpaired.p_value()) - (1 - confidence)) > 1e-6:
            assert len(words) == 1 or _near_an_end(in_turn, threshold, confidence)


def _near_an_end(found: PairedChange, threshold: float, confidence: float) -> bool:
    """Whether rounding may decide: an end of an interval, or the ratio, is at the threshold."""
    inner = found.ratio(1 - 2 * max(0.05, 1 - confidence))
    ends = [abs(math.log(x)) for x in (inner.low, inner.high, inner.value)]
    return min(abs(end - math.log1p(threshold)) for end in ends) < 1e-5


def test_words_come_in_the_order_in_which_they_concern() -> None:
    """Written down once, for tables, counts and sorting."""
    assert get_args(Verdict) == VERDICTS == ("slower", "faster", "unsure", "same")
    assert CHANGED == ("slower", "faster")
