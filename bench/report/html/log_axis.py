"""Logarithmic axis of a figure: its two ends, and round ticks in SI units.

Plotly could place and write the ticks, but leaves out the unit behind the 2 and the 5 of a decade (`dtick="D2"`) and
behind ticks at given values: `2µ 5µ 10µs`. So both are made here, for every figure in the same way.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bench.report.html import style
from bench.units import count, rate, seconds, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_TICKS = 8
_MARGIN_DECADES, _MARGIN_SHARE, _RATIO_MARGIN_SHARE = 0.12, 0.04, 0.04
"""An axis reaches beyond its values on either side, so that markers at the edge are drawn as a whole."""
_EVEN_DECADES = 0.7
"""A shorter axis has evenly spaced ticks: on a longer one they would leave the lower half bare."""
_DIGITS = ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
"""Ticks within a decade, from fine to coarse; of the first any axis that is not short has two."""
_STEPS = (1, 2, 5, 10)
"""Steps of evenly spaced ticks, times a power of ten."""
_LEAST_EVEN_TICKS = 5
"""Steps grow by up to 2.5, so that with at least so many in mind there are two."""
_RATIO_TICKS = 7
_POWERS_OF_TWO = (1, 2, 5, 10, 20)
"""From tick to tick of an axis of bytes; by ten powers of two the prefix changes each time."""


def value_axis(values: Sequence[float], unit: str, most: int = MOST_TICKS) -> dict[str, Any]:
    """An axis of times, rates or shares.

    Args:
        values: what must lie on it, all positive.
        unit: `s`, `FLOP/s`, `B/s`, `%` of shares, `×` of ratios, or nothing.
        most: how many ticks can be read side by side.
    """
    return _axis(_ends(values), unit, most)


def ratio_axis(values: Sequence[float], title: str) -> dict[str, Any]:
    """An axis of ratios, 1 among them, which may all lie near each other."""
    low, high = math.log10(min(1.0, *values)), math.log10(max(1.0, *values))
    margin = _RATIO_MARGIN_SHARE * max(high - low, 0.01)
    return _axis((low - margin, high + margin), "×", _RATIO_TICKS, title)


def size_axis(name: str, sizes: Iterable[float]) -> dict[str, Any]:
    """An axis with a tick at each size that was measured, or at some of them, the largest always."""
    places = sorted(set(sizes))
    shown = places[:: -math.ceil(len(places) / MOST_TICKS)][::-1]
    axis = _axis(_ends(places), "", MOST_TICKS, style.escaped(name))
    return {**axis, "tickvals": shown, "ticktext": size_labels(shown)}


def bytes_axis(values: Sequence[float], title: str, most: int = MOST_TICKS - 1) -> dict[str, Any]:
    """An axis of bytes with binary prefixes."""
    axis = _axis(_ends(values), "", most, title)
    low, high = (end / math.log10(2) for end in axis["range"])
    powers = range(math.ceil(low), math.floor(high) + 1)
    found = ([p for p in powers if p % step == 0] for step in _POWERS_OF_TWO)
    shown = next((one for one in found if len(one) <= most), [])
    texts = [_whole(size(2.0**p)) for p in shown]
    return {**axis, "tickvals": [2.0**p for p in shown], "ticktext": texts}


def size_labels(sizes: Sequence[float]) -> list[str]:
    """Sizes in short form, exact where the short form would make two of them the same."""
    short = [count(size) if size == int(size) else f"{size:g}" for size in sizes]
    return short if len(set(short)) == len(short) else [f"{size:.17g}" for size in sizes]


def _axis(ends: tuple[float, float], unit: str, most: int, title: str = "") -> dict[str, Any]:
    ticks = _ticks(*ends, most)
    return {
        "type": "log",
        "range": list(ends),
        "tickvals": ticks,
        "ticktext": [_text(tick, unit) for tick in ticks],
        "title": {"text": title, "standoff": 8},
        "zeroline": False,
        "automargin": True,
    }


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Round values between two powers of ten: at most so many, and at least two."""
    short = high - low < _EVEN_DECADES
    shown = _even(10**low, 10**high, most) if short else _of_decades(low, high, most)
    return shown[:: math.ceil(len(shown) / most)]


def _even(low: float, high: float, most: int) -> list[float]:
    least = (high - low) / max(most, _LEAST_EVEN_TICKS)
    power = 10.0 ** math.floor(math.log10(least))
    step = next(m * power for m in _STEPS if m * power >= least)
    return [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _of_decades(low: float, high: float, most: int) -> list[float]:
    shown: list[float] = []
    apart = math.ceil((high - low) / (most - 1))
    for digits, step in (*((digits, 1) for digits in _DIGITS), ((1,), apart)):
        powers = [p for p in range(math.floor(low), math.ceil(high) + 1) if p % step == 0]
        found = [m * 10.0**p for p in powers for m in digits if low <= p + math.log10(m) <= high]
        if len(found) < 2:  # noqa: PLR2004 - one tick alone is no scale
            break
        shown = found
        if len(shown) <= most:
            break
    return shown


def _text(value: float, unit: str) -> str:
    if unit == "s":
        return _whole(seconds(value, 4))
    if unit == "%":
        return f"{100 * value:g} %"
    return f"{value:g}{unit}" if unit in {"×", ""} else _whole(rate(value, unit))


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """Where an axis begins and ends, as powers of ten."""
    low, high = math.log10(min(values)), math.log10(max(values))
    margin = _MARGIN_DECADES + _MARGIN_SHARE * (high - low)
    return low - margin, high + margin


def _whole(text: str) -> str:
    """`16.0 KiB` as `16 KiB`."""
    number, _, unit = text.partition(" ")
    return f"{float(number):g} {unit}"
