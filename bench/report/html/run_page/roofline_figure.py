"""The roofline of a device: FLOP/s against FLOP per byte, under the roofs that were measured.

Only cases that declare arithmetic and bytes have a place; the others are compared with bandwidth alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bench.records import roofs
from bench.report.html import log_axis, style
from bench.report.html.run_page import figures, scatter
from bench.report.html.run_page.scatter import ScatterPoint
from bench.units import rate, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.record import Record
    from bench.records.roofs import Roof, Roofs
    from bench.report.html.figure import Figure
    from bench.report.html.run_page.scatter import Cloud

_HEIGHT = 460
_GREY = 5
_MOST_TICKS = 6
"""So many ticks can be read side by side on a phone."""
_SPACE_ABOVE = 2.5
"""The axis reaches beyond the highest roof by this factor, for two lines of words: products, and levels over them."""


def places(records: Sequence[Record]) -> list[ScatterPoint]:
    """The cases that have a place."""
    return [
        ScatterPoint(record=r, x=r.flop / r.bytes, y=y)
        for r in records
        if r.flop and r.bytes and (y := figures.FLOP_RATE.of(r))
    ]


def by_intensity(drawn: Cloud, device: Roofs) -> Figure | None:
    """Each case a point with its interval, under bandwidths (slopes) and products (horizontals)."""
    peaks, named = _peaks(drawn, device), levels(device, pure=True)
    if not drawn.points or not (peaks or named):
        return None
    ridges = [peak.value / level.value for peak in peaks for level in named]
    xaxis = log_axis.value_axis([*(p.x for p in drawn.points), *ridges], "", _MOST_TICKS)
    top = [peak.value * _SPACE_ABOVE for peak in peaks]
    yaxis = log_axis.value_axis([*scatter.reach(drawn.points), *top], "FLOP/s")
    title = {"text": "FLOP per byte", "standoff": 8}
    lines = [*_slopes(levels(device), peaks, xaxis), *_horizontals(peaks, named, xaxis)]
    words = _words(named, peaks, (xaxis, yaxis))
    layout = style.layout(height=_HEIGHT, xaxis={**xaxis, "title": title}, yaxis=yaxis)
    return {"data": [*lines, *scatter.traces(drawn.points), *words], "layout": layout}


def _peaks(drawn: Cloud, device: Roofs) -> list[Roof]:
    """The products of dtypes that occur, and those that a case was compared with."""
    records = [point.record for point in drawn.points]
    wanted = {r.dtype for r in records}, {r.roof for r in records}
    return [p for p in device.of_kind(roofs.FLOP) if p.dtype in wanted[0] or p.name in wanted[1]]


def levels(device: Roofs, *, pure: bool = False) -> list[Roof]:
    """The bandwidth in force at each level, from the least size at which it was looked at.

    Args:
        device: whose levels.
        pure: leave out those that a faster one holds a part of, unless there are no others.
    """
    seen = sorted(device.of_kind(roofs.BANDWIDTH), key=lambda one: one.bytes)
    wanted = [one for one in seen if "+" not in one.level] if pure else seen
    first: dict[str, int] = {}
    for one in wanted or seen:
        first.setdefault(one.level, one.bytes)
    found = (device.bandwidth(moved_bytes) for moved_bytes in first.values())
    return [one for one in found if one]


def said_of(roof: Roof) -> str:
    """A roof in words."""
    if roof.kind == roofs.FLOP:
        return f"{roof.name}: {rate(roof.value, 'FLOP/s')} ({roof.how})"
    return f"{roof.name} from {size(roof.bytes)}: {rate(roof.value, 'B/s')} ({roof.how})"


def _slopes(found: Sequence[Roof], peaks: Sequence[Roof], xaxis: Any) -> list[dict[str, Any]]:
    low, high = _ends(xaxis)
    top = max((peak.value for peak in peaks), default=math.inf)
    drawn = []
    for level in found:
        along = scatter.between(low, max(low, min(high, top / level.value)))
        line = [(x, x * level.value) for x in along]
        drawn.append(scatter.roof_line(line, said_of(level), colour=_GREY, dash="solid"))
    return drawn


def _horizontals(peaks: Sequence[Roof], found: Sequence[Roof], xaxis: Any) -> list[dict[str, Any]]:
    low, high = _ends(xaxis)
    widest = max((level.value for level in found), default=math.inf)
    drawn = []
    for peak in peaks:
        along = scatter.between(min(high, max(low, peak.value / widest)), high)
        colour = scatter.kind(peak.dtype)
        line = [(x, peak.value) for x in along]
        drawn.append(scatter.roof_line(line, said_of(peak), colour=colour, dash="dash"))
    return drawn


def _words(
    found: Sequence[Roof], peaks: Sequence[Roof], axes: tuple[Any, Any]
) -> list[dict[str, Any]]:
    """Names of levels where their slopes end, names of products at the right end."""
    (low, high), (bottom, ceiling) = map(_ends, axes)
    top = max((peak.value for peak in peaks), default=ceiling)
    slopes = [(min(high, top / level.value), level) for level in found]
    ends = [(x, x * level.value, level.level) for x, level in slopes if x > low]
    wide, tall = math.log10(high / low), math.log10(ceiling / bottom)
    beside = scatter.joined(ends, lambda x, _: math.log10(x), scatter.WORD_SHARE * wide)
    raised = 10 ** (scatter.LINE_SHARE * tall) if peaks else 1.0
    over = [(x, y * raised, text) for x, y, text in beside]
    flat = [(high, peak.value, peak.dtype) for peak in peaks]
    above = scatter.joined(flat, lambda _, y: math.log10(y), scatter.LINE_SHARE * tall)
    return [scatter.labels(of, "top left") for of in (over, above) if of]


def _ends(axis: Any) -> tuple[float, float]:
    low, high = axis["range"]
    return 10**low, 10**high
