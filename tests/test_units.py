"""Numbers are shown with the digits they deserve and the unit they fit in."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import units
from bench.errors import UnitError

finite = st.floats(allow_nan=False, allow_infinity=False)
durations = st.floats(min_value=1e-10, max_value=1e6)
digit_counts = st.integers(min_value=2, max_value=4)


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (0, 3, "0"),
        (1234.0, 3, "1230"),
        (0.012345, 3, "0.0123"),
        (9.996, 3, "10.0"),
        (-0.5, 2, "-0.50"),
        (math.inf, 3, "inf"),
        (1.7976931348623157e308, 3, "180" + "0" * 306),
    ],
)
def test_number_has_the_digits_asked_for(value: float, digits: int, shown: str) -> None:
    """Significant digits are kept or padded; what rounds up to a new digit does not gain one."""
    assert units.number(value, digits) == shown


@given(value=finite, digits=digit_counts)
def test_number_loses_no_more_than_it_says(value: float, digits: int) -> None:
    """What is printed is within half a unit of the last significant digit."""
    shown = float(units.number(value, digits))
    if value and math.isfinite(shown):
        assert abs(shown - value) <= abs(value) * 0.5 * 10 ** (1 - digits) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0.0, "0 s"),
        (0.00172, "1.72 ms"),
        (1.5e-6, "1.50 µs"),
        (2e-10, "0.200 ns"),
        (0.99996e-3, "1.00 ms"),
        (75.0, "75.0 s"),
    ],
)
def test_seconds_are_shown_in_the_unit_that_fits(value: float | None, shown: str) -> None:
    """A time has a prefix, and a missing one is a dash."""
    assert units.seconds(value) == shown


@given(value=durations, digits=digit_counts)
def test_seconds_never_show_a_thousand_where_a_larger_unit_exists(
    value: float, digits: int
) -> None:
    """999.96 µs is 1.000 ms: rounding happens before the unit is chosen."""
    number, unit = units.seconds(value, digits).split()
    assert unit == "s" or abs(float(number)) < 1000


@given(value=durations)
def test_a_time_that_is_shown_can_be_read_back(value: float) -> None:
    """`parse_seconds` understands what `seconds` prints, to the digits printed."""
    assert units.parse_seconds(units.seconds(value, 4)) == pytest.approx(value, rel=5.1e-4)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (1536, "1.50 KiB"),
        (1024**2 - 1, "1.00 MiB"),
        (3 * 2**60, "3070 PiB"),
    ],
)
def test_sizes_have_binary_prefixes(value: float | None, shown: str) -> None:
    """Memory is counted in powers of 1024, and says so."""
    assert units.size(value) == shown


@given(value=st.floats(min_value=0, max_value=2.0**59))
def test_sizes_never_show_1024_where_a_larger_unit_exists(value: float) -> None:
    """The largest number before a prefix is 1023."""
    assert float(units.size(value).split()[0]) < 1024


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0, "0 FLOP/s"),
        (2.1e11, "210 GFLOP/s"),
        (9.999e11, "1.00 TFLOP/s"),
        (5.0, "5.00 FLOP/s"),
    ],
)
def test_rates_have_decimal_prefixes(value: float | None, shown: str) -> None:
    """Rates are counted in powers of 1000."""
    assert units.rate(value, "FLOP/s") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (4096, "4096"), (9999, "9999"), (16777216, "16.8M"), (999_999, "1.00M")],
)
def test_counts_fit_an_axis(value: float, shown: str) -> None:
    """Sizes people know stay whole; long ones are shortened."""
    assert units.count(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0, "0 %"), (0.0123, "1.2 %"), (0.00012, "<0.1 %"), (2.0, "200 %")],
)
def test_shares_are_percentages(value: float | None, shown: str) -> None:
    """A share of 1 is 100 %, and a tiny one is only said to be tiny."""
    assert units.share(value) == shown


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (12.3456e-6, 12.30e-6, 12.38e-6, "12.35 µs ± 0.37 %"),
        (12.3456e-6, 11.0e-6, 13.0e-6, "12 µs ± 11 %"),
        (12.3456e-6, 1e-6, 800e-6, "12 µs ± >100 %"),
        (12.3456e-6, None, None, "12 µs ± ?"),
        (12.3456e-6, math.nan, math.nan, "12 µs ± ?"),
        (-1e-9, -2e-9, 1e-9, "-1.0 ns ± ?"),
        (None, None, None, "–"),
    ],
)
def test_a_wide_interval_takes_digits_away(
    value: float | None, low: float | None, high: float | None, shown: str
) -> None:
    """Noise is never printed as precision."""
    assert units.seconds_with_interval(value, low, high) == shown


@given(value=durations, width=st.floats(min_value=0, max_value=3))
def test_an_interval_never_brings_more_than_four_digits(value: float, width: float) -> None:
    """Nobody needs a fifth digit of a time."""
    shown = units.seconds_with_interval(value, value / (1 + width), value * (1 + width))
    digits = re.sub(r"[^0-9]", "", shown.split()[0]).strip("0")
    assert len(digits) <= 4


def test_the_half_width_is_the_larger_side() -> None:
    """An uneven interval is judged by its worse side."""
    assert units.half_width(10.0, 9.5, 12.0) == pytest.approx(0.2)
    assert units.half_width(0.0, 0.0, 1.0) == math.inf
    assert units.half_width(1.0, math.nan, math.nan) == math.inf


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.4, "0 s"),
        (59.6, "1 min 0 s"),
        (75, "1 min 15 s"),
        (3599.9, "1 h 0 min"),
        (8000, "2 h 13 min"),
    ],
)
def test_the_wall_clock_is_told_as_people_tell_it(value: float, shown: str) -> None:
    """Hours, minutes and seconds; never 60 of one of them."""
    assert units.clock(value) == shown


@given(value=finite)
def test_every_number_can_be_shown(value: float) -> None:
    """No finite number, however large, small or negative, makes a page fail."""
    for show in (units.number, units.seconds, units.size, units.count, units.share, units.clock):
        assert show(value)
    assert units.rate(value, "B/s")
    assert units.seconds_with_interval(value, value, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500ms", 0.5),
        ("0.5", 0.5),
        (".5 s", 0.5),
        ("2min", 120.0),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("10us", 1e-5),
        ("10µs", 1e-5),
        (" 3 ns ", 3e-9),
    ],
)
def test_a_duration_may_have_a_unit(text: str, value: float) -> None:
    """Bare numbers are seconds."""
    assert units.parse_seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "1 week", "five", "1e3", "9" * 400])
def test_what_is_no_duration_is_refused_with_the_rule(text: str) -> None:
    """The error repeats the text and shows how to write it."""
    with pytest.raises(UnitError, match=r"is not a stretch of time; write seconds \(0.5\)"):
        units.parse_seconds(text)


@given(text=st.text(max_size=20))
def test_any_text_is_a_positive_duration_or_refused(text: str) -> None:
    """There is no third outcome."""
    try:
        value = units.parse_seconds(text)
    except UnitError:
        return
    assert 0 < value < math.inf


def test_one_is_singular() -> None:
    """Nobody reads "1 cases" without a wince."""
    assert [units.counted(n, "case") for n in (0, 1, 2)] == ["0 cases", "1 case", "2 cases"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123, "+1.2 %"), (-0.5, "−50 %"), (0.0, "+0 %"), (-0.0001, "−<0.1 %"), (2.0, "+200 %")],
)
def test_a_change_has_its_sign(value: float, text: str) -> None:
    """Also where it is small."""
    assert units.signed(value) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("5%", 0.05), (" 2.5 % ", 0.025), ("0.05", 0.05), (".5%", 0.005), ("200%", 2.0)],
)
def test_a_share_is_written_with_a_per_cent_sign_or_below_one(text: str, value: float) -> None:
    """Shares above 1 need the sign."""
    assert units.parse_share(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "0", "0%", "-5%", "5", "1", "1.5", "nan", "5 %%", "9" * 400])
def test_what_is_no_share_is_refused_with_the_rule(text: str) -> None:
    """5 might mean 5 % or 500 %."""
    with pytest.raises(UnitError, match=r"is not a share; write 5% or 0.05"):
        units.parse_share(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (53.14, "53.1"),
        (16.0, "16"),
        (64, "64"),
        (1.0, "1"),
        (1.5, "1.50"),
        (310.4, "310"),
        (16777216.0, "16777216"),
    ],
)
def test_a_size_is_whole_where_it_is_large(value: float, text: str) -> None:
    """As people write it, and no figure of it is lost."""
    assert units.size_text(value) == text


@pytest.mark.parametrize(
    ("width", "text"),
    [(0.012, "1.2 %"), (1.0, "100 %"), (1.001, ">100 %"), (60.0, ">100 %"), (math.inf, "?")],
)
def test_beyond_its_own_value_an_interval_says_no_number(width: float, text: str) -> None:
    """Whether it is two or sixty times as wide tells nobody anything."""
    assert units.half_width_text(width) == text
