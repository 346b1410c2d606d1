"""A ratio of two times with its interval: as a cell, as a sentence, and as an axis.

More than 1 is slower. What is said is never more than the interval allows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bench.units import MISSING, number, share, signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FACTOR = 2.0
"""From twice as long on, people think in factors and no more in per cent."""
_AIR = 0.04
"""Of the axis on either side, so that markers at the edge are whole."""
_HAIR = 1e-9
"""Of a logarithm: what rounding may take from a tick at the end."""
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_DECADES = ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
_MOST_TICKS = 7
_NEAR = 4.0
"""Of ends that are further apart than this, evenly spaced ticks would leave the lower half bare."""


def cell(value: float | None, low: float | None, high: float | None) -> str:
    """`1.083 (1.061 to 1.105)`: from what to what, in words."""
    if value is None:
        return MISSING
    ends = "?" if low is None or high is None else f"{times(low)} to {times(high)}"
    return f"{times(value)} ({ends})"


def times(value: float) -> str:
    """A ratio by itself: `1.083`, `23.1`."""
    near_one = 0.1 <= value < 10  # noqa: PLR2004 - where thousandths are what one compares
    return f"{value:.3f}" if near_one else number(value)


def took(value: float, low: float, high: float) -> str | None:
    """`takes 1.2 % less time (0.4 to 2.0 %)`; None where the interval has room for no change."""
    if low <= 1 <= high:
        return None
    if low > 1:
        if value >= _FACTOR:
            return f"takes {number(value)} times as long ({number(low)} to {number(high)})"
        return f"takes {share(value - 1)} more time ({_to(low - 1, high - 1)})"
    if value <= 1 / _FACTOR:
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


def axis(values: Sequence[float]) -> dict[str, Any]:
    """A logarithmic axis that has room for these, which are positive, and for 1."""
    low, high = math.log10(min(1.0, *values)), math.log10(max(1.0, *values))
    air = _AIR * max(high - low, 0.01)
    ticks = _ticks(10 ** (low - _HAIR), 10 ** (high + _HAIR))
    return {
        "type": "log",
        "range": [low - air, high + air],
        "tickvals": ticks,
        "ticktext": [f"{tick:.4g}×" for tick in ticks],
        "title": {"text": "← faster · slower →", "standoff": 8},
        "zeroline": False,
    }


def _ticks(low: float, high: float) -> list[float]:
    """Round ratios within the ends: as many as can be read, 1 among them."""
    for found in _scales(low, high):
        if len(found) <= _MOST_TICKS:
            return found
    return [1.0]


def _scales(low: float, high: float) -> Iterator[list[float]]:
    """Evenly spaced ones where all are near 1, then those of decades, from fine to coarse."""
    for step in _STEPS if high < _NEAR * low else ():
        first, last = math.ceil((low - 1) / step - 1e-9), math.floor((high - 1) / step + 1e-9)
        if last - first < 2 * _MOST_TICKS:
            yield [round(1 + step * k, 6) for k in range(first, last + 1) if 1 + step * k > 0]
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for within in _DECADES:
        yield [v for p in powers for m in within if low <= (v := float(f"{m}e{p}")) <= high]
    yield [10.0**p for p in powers if low <= 10.0**p <= high and not p % 3]
