"""Units and number formats, text ⇄ base units: the only place where a number gets or loses a prefix.

Inside the program everything is seconds, bytes, FLOP and shares (1.0 = 100 %).
A value is shown with as many digits as its uncertainty supports, never more than four.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from bench.errors import UnitError

_SI = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_TIME = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_DURATION = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ns|us|µs|ms|s|min|m|h)?\s*")
_SHARE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(%)?\s*")
_DURATION_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
}
MISSING = "–"


def number(value: float, digits: int = 3) -> str:
    """`value` rounded to `digits` significant digits, in plain notation (`0.0123`, `1230`)."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    text = f"{value:.{digits - 1}e}"  # it knows when rounding carries into a new digit: 9.996 → 1.00e+01
    places = digits - 1 - int(text.partition("e")[2])
    return f"{Decimal(text):.{max(places, 0)}f}"


def _scaled(value: float, scales: tuple[tuple[float, str], ...], digits: int) -> str:
    """`value` in the first of the descending `scales` in which it is at least 1."""
    shown = float(f"{value:.{digits}g}")  # 999.96 µs at 4 digits is 1.000 ms, not 1000 µs
    size, unit = next(((s, u) for s, u in scales if abs(shown) >= s), scales[-1])
    return f"{number(value / size, digits)} {unit}"


def seconds(value: float | None, digits: int = 3) -> str:
    """`0.00172` → `1.72 ms`; nothing → `–`."""
    if value is None or math.isnan(value):
        return MISSING
    return _scaled(value, _TIME, digits) if value else "0 s"


def size(value: float | None) -> str:
    """Bytes with binary prefixes: `1536` → `1.50 KiB`."""
    if value is None or math.isnan(value):
        return MISSING
    exponent = 0
    while abs(value) >= 1023.5 and exponent < len(_BINARY) - 1:  # 1023.5 would round to 1024
        value /= 1024
        exponent += 1
    return f"{value:.0f} B" if exponent == 0 else f"{number(value)} {_BINARY[exponent]}"


def rate(value: float | None, unit: str) -> str:
    """A rate with a decimal prefix: `(2.1e11, "FLOP/s")` → `210 GFLOP/s`."""
    if value is None or math.isnan(value):
        return MISSING
    return _scaled(value, _SI, 3) + unit if value else f"0 {unit}"


def count(value: float) -> str:
    """A whole number short enough for an axis: `16777216` → `16.8M`, `4096` → `4096`."""
    if abs(value) < 10_000:
        return f"{value:.0f}"
    return _scaled(value, _SI, 3).replace(" ", "")


def size_text(value: float) -> str:
    """A size as people write it: whole where it is large."""
    whole = value >= 100 or value == int(value)
    return f"{value:.0f}" if whole else number(value).removesuffix(".0")


def counted(number_of: int, noun: str) -> str:
    """`1 case`, `2 cases`."""
    return f"{number_of} {noun}" if number_of == 1 else f"{number_of} {noun}s"


def share(value: float | None, digits: int = 2) -> str:
    """`0.0123` → `1.2 %`; shares below 0.1 % are shown as such, nobody needs more."""
    if value is None or math.isnan(value):
        return MISSING
    return "<0.1 %" if 0 < abs(value) < 0.001 else f"{number(100 * value, digits)} %"


def clipped(text: str, longest: int) -> str:
    """The text, with its end left out where it has more than so many characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def one_line(text: str, longest: int) -> str:
    """A text of somebody else as one line that a terminal shows and does not obey, clipped."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * longest])
    return clipped(" ".join(plain.split()), longest)


def half_width(value: float, low: float, high: float) -> float:
    """The interval's larger side as a share of `value`; infinite where it can't be told."""
    if value <= 0 or not (math.isfinite(low) and math.isfinite(high)):
        return math.inf
    return max(high - value, value - low) / value


def half_width_text(width: float) -> str:
    """An interval's larger side: `0.4 %`; `>100 %` beyond that, where the number says no more; `?` if not known."""
    if not math.isfinite(width):
        return "?"
    return share(width) if width <= 1 else ">100 %"


def seconds_with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """`12.34 µs ± 0.4 %`: digits follow the interval, so that noise is never printed as precision."""
    if value is None or math.isnan(value):
        return MISSING
    width = math.inf if low is None or high is None else half_width(value, low, high)
    digits = min(4, max(2, 1 + math.ceil(-math.log10(min(max(width, 1e-9), 1.0)) - 1e-9)))
    return f"{seconds(value, digits)} ± {half_width_text(width)}"


def clock(value: float) -> str:
    """A stretch of wall time for people: `75` → `1 min 15 s`, `8000` → `2 h 13 min`."""
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def parse_seconds(text: str) -> float:
    """`500ms`, `0.5`, `0.5s`, `2min` → seconds.

    Raises:
        UnitError: the text is not a positive stretch of time.
    """
    match = _DURATION.fullmatch(text)
    value = float(match[1]) * _DURATION_UNITS[match[2] or "s"] if match else 0.0
    if not (value > 0 and math.isfinite(value)):
        message = f"{text!r} is not a stretch of time; write seconds (0.5) or a unit (500ms, 2min)"
        raise UnitError(message)
    return value


def signed(value: float, digits: int = 2) -> str:
    """A share as a change: `0.0123` → `+1.2 %`, `-0.5` → `−50 %`."""
    sign = "−" if value < 0 else "+"
    return f"{sign}{share(abs(value), digits)}"


def parse_share(text: str) -> float:
    """`5%`, `2.5 %`, `0.05` → a share, more than 0.

    Without `%` it must be below 1, so that 5 is never taken for 500 %.

    Raises:
        UnitError: the text is not a share.
    """
    match = _SHARE.fullmatch(text)
    largest = math.inf if match and match[2] else 1.0
    value = float(match[1]) / (100 if match[2] else 1) if match else 0.0
    if not 0 < value < largest:
        message = f"{text!r} is not a share; write 5% or 0.05"
        raise UnitError(message)
    return value


def parse_portion(text: str, option: str, *, least: float = 0.0) -> float:
    """The share of an option, above `least` and below 1.

    Raises:
        UnitError: the text is no share, or too small or too large.
    """
    try:
        value = parse_share(text)
    except UnitError as error:
        message = f"{option}: {error}"
        raise UnitError(message) from error
    if not least < value < 1:
        message = f"{option} {text} is not above {least:.0%} and below 100%; write 5% or 0.05"
        raise UnitError(message)
    return value
