"""A ratio of two times with its interval: as a cell, and as a sentence.

More than 1 is slower. What is said is never more than the interval allows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.units import MISSING, number, share, signed

if TYPE_CHECKING:
    from bench.stats.crossing import RatioAt
    from bench.stats.ratio import Ratio

_LEAST_FACTOR = 2.0
"""From twice as long on, people think in factors and no more in per cent."""


def cell(value: float | None, low: float | None, high: float | None) -> str:
    """`1.083 (1.061 to 1.105)`: a ratio with its interval; `?` for one of which an end is not known."""
    if value is None:
        return MISSING
    if low is None or high is None or not math.isfinite(high):
        return f"{times(value)} (?)"
    return f"{times(value)} ({times(low)} to {times(high)})"


def of(ratio: Ratio | RatioAt) -> str:
    """The same of a ratio."""
    return cell(ratio.value, ratio.low, ratio.high)


def times(value: float) -> str:
    """A ratio by itself: `1.083`, `23.1`."""
    near_one = 0.1 <= value < 10  # noqa: PLR2004 - where thousandths are what one compares
    return f"{value:.3f}" if near_one else number(value)


def took(value: float, low: float, high: float) -> str | None:
    """`takes 1.2 % less time (0.4 to 2.0 %)`; None where the interval allows for no change."""
    if low <= 1 <= high:
        return None
    if low > 1:
        if value >= _LEAST_FACTOR:
            return f"takes {number(value)} times as long ({number(low)} to {number(high)})"
        return f"takes {share(value - 1)} more time ({_to(low - 1, high - 1)})"
    if value <= 1 / _LEAST_FACTOR:
        return f"is {number(1 / value)} times as fast ({number(1 / high)} to {number(1 / low)})"
    return f"takes {share(1 - value)} less time ({_to(1 - high, 1 - low)})"


def change(value: float, low: float, high: float) -> str:
    """`+0.4 % (−0.2 % to +1.0 %)`."""
    return f"{_signed(value)} ({_signed(low)} to {_signed(high)})"


def _signed(ratio: float) -> str:
    """`+0.4 %`; what is nothing to see has no sign."""
    text = signed(ratio - 1)
    return "0.0 %" if "<" in text else text


def _to(low: float, high: float) -> str:
    """Two shares with their unit once, where both are large enough to have it alike."""
    one, other = share(low), share(high)
    plain = one.removesuffix(" %")
    return f"{plain if not plain.startswith('<') else one} to {other}"
