"""Bytes per second against bytes moved, under the ladder of bandwidths that was measured.

Here stand the cases without arithmetic: copies, reads, writes, and whatever only moves bytes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bench.records import roofs
from bench.records.cache_state import COLD
from bench.report.html import log_axis, style
from bench.report.html.run_page import figures, scatter
from bench.report.html.run_page.roofline_figure import levels, said_of
from bench.report.html.run_page.scatter import ScatterPoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.record import Record
    from bench.records.roofs import Roof, Roofs
    from bench.report.html.figure import Figure
    from bench.report.html.run_page.scatter import Cloud

_HEIGHT = 400
_GREY = 5
_SPACE_ABOVE = 1.35


def places(records: Sequence[Record]) -> list[ScatterPoint]:
    """The cases that move bytes and declare no arithmetic."""
    return [
        ScatterPoint(record=r, x=r.bytes, y=y)
        for r in records
        if r.bytes and not r.flop and (y := figures.BYTE_RATE.of(r))
    ]


def by_bytes(drawn: Cloud, device: Roofs) -> Figure | None:
    """Each case a point with its interval, under the bandwidth that so many bytes may have."""
    steps = rungs(device)
    if not drawn.points or not steps:
        return None
    sizes = [*(p.x for p in drawn.points), *(step.bytes for step in steps)]
    xaxis = log_axis.bytes_axis(sizes, "bytes moved by a call")
    values = [*scatter.reach(drawn.points), *(step.value for step in steps)]
    yaxis = log_axis.value_axis([*values, max(values) * _SPACE_ABOVE], "B/s")
    lines = _lines(steps, drawn, xaxis)
    words = scatter.labels(_names(device, xaxis), "top center")
    layout = style.layout(height=_HEIGHT, xaxis=xaxis, yaxis=yaxis)
    return {"data": [*lines, *scatter.traces(drawn.points), words], "layout": layout}


def rungs(device: Roofs) -> list[Roof]:
    """The bandwidth in force from each size that was looked at."""
    sizes = sorted({one.bytes for one in device.of_kind(roofs.BANDWIDTH)})
    found = (device.bandwidth(moved_bytes) for moved_bytes in sizes)
    return [one for one in found if one]


def _lines(steps: Sequence[Roof], drawn: Cloud, xaxis: Any) -> list[dict[str, Any]]:
    """The ladder for calls that find their data in caches; that of memory for those that don't."""
    low, high = (10**end for end in xaxis["range"])
    found = []
    if any(point.record.cache != COLD for point in drawn.points):
        begins = [low, *(max(low, float(step.bytes)) for step in steps[1:])]
        ends = [*begins[1:], high]
        for step, begin, end in zip(steps, begins, ends, strict=True):
            along = [(x, step.value) for x in scatter.between(begin, max(begin, end), steps=4)]
            found.append(scatter.roof_line(along, said_of(step), colour=_GREY, dash="solid"))
    if any(point.record.cache == COLD for point in drawn.points):
        last = steps[-1]
        along = [(x, last.value) for x in scatter.between(low, high)]
        found.append(scatter.roof_line(along, f"cold: {said_of(last)}", colour=_GREY, dash="dash"))
    return found


def _names(device: Roofs, xaxis: Any) -> list[tuple[float, float, str]]:
    """The name of each level above the middle of its rungs, as far as they are in the figure."""
    low, high = (10**end for end in xaxis["range"])
    steps, named = rungs(device), {one.level for one in levels(device, pure=True)}
    found: dict[str, tuple[float, float, str]] = {}
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        begin = max(low, step.bytes if step is not steps[0] else low)
        end = min(high, after.bytes if after else high)
        if step.level in named and end > begin:
            found.setdefault(step.level, (math.sqrt(begin * end), step.value, step.level))
    apart = scatter.LINE_SHARE * math.log10(high / low)
    return scatter.joined(list(found.values()), lambda x, _: math.log10(x), apart)
