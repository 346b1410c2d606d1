"""One crossover as a figure: both sides' curves with their intervals, who wins where, and where that changes.

Traces of group 0 are times with the data already on the device; traces of group 1 include copying the data there and
the result back. The page shows the first, and the second when asked to.
"""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Any

from bench.analysis.crossover.crossovers import point
from bench.report.html import log_axis, plot_parts, style
from bench.report.html.run_page import figures
from bench.units import seconds, seconds_with_interval, size_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.analysis.crossover.crossovers import Crossing
    from bench.analysis.crossover.with_copies import Moved
    from bench.report.html.figure import Figure
    from bench.stats.crossing import Crossover, Point, Winner

    Span = tuple[Winner, float, float]
    """Who wins from which size to which."""

ON_DEVICE, WITH_COPIES = 0, 1
_COLOURS = {"one": 0, "other": 1}
"""The first side is the CPU where devices are compared, and has its colour on every page."""
_NEUTRAL = 5
_NAMED_SHARE = {ON_DEVICE: 0.3, WITH_COPIES: 0.5}
"""A region that takes a smaller share of the axis is too narrow for its name on a phone."""
_HEIGHT = 340


def crossing_figure(one: Crossing, copied: Moved | None) -> Figure:
    """Time against size, both logarithmic."""
    curves = [_points(curve) for curve in one.curves]
    moved = list(copied.points) if copied else []
    every = [p for points in (*curves, moved) for p in points]
    xaxis = log_axis.size_axis(one.axis, [p.size for p in every])
    yaxis = log_axis.value_axis([end for p in every for end in _band(p)], "s")
    heights = [10**end for end in yaxis["range"]]
    plain = ON_DEVICE if copied else None
    traces = _winners(one, one.found, xaxis["range"], heights, plain)
    if copied:
        traces += _winners(one, copied.found, xaxis["range"], heights, WITH_COPIES)
    for side, name, points in (("one", one.one, curves[0]), ("other", one.other, curves[1])):
        op = plain if side == "other" else None
        rows = dict(one.curves[0 if side == "one" else 1])
        texts = [figures.hover(rows[p.size]) for p in points]
        traces += _curve(name, points, texts, _COLOURS[side], op=op)
    if copied:
        name = f"{one.other}, with copies"
        texts = [_hover_of_moved(one, p) for p in moved]
        traces += _curve(name, moved, texts, _COLOURS["other"], op=WITH_COPIES)
    layout = style.layout(
        height=_HEIGHT, xaxis=xaxis, yaxis=yaxis, showlegend=True, legend=plot_parts.legend()
    )
    return {"data": traces, "layout": layout}


def spans(found: Crossover) -> list[Span]:
    """Where someone is seen to win: between neighbouring sizes that one side won, and up to a change told."""
    told = [r for r in found.ratios if r.winner]
    runs: list[Span] = []
    for winner, members in groupby(found.ratios, key=lambda r: r.winner):
        sizes = [r.size for r in members]
        if winner:
            runs.append((winner, sizes[0], sizes[-1]))
    if found.kind == "at" and found.between and found.low and found.high and told:
        before, beyond = found.between
        runs = [
            (who, beyond_or(start, beyond, found.high), beyond_or(end, before, found.low))
            for who, start, end in runs
        ]
    return [run for run in runs if run[1] < run[2]]


def beyond_or(size: float, edge: float, told: float) -> float:
    """The end of a change where a run ends at the size that encloses it; else the size itself."""
    return told if size == edge else size


def _points(curve: Iterable[tuple[float, Any]]) -> list[Point]:
    return [p for size, record in curve if (p := point(size, record))]


def _band(one: Point) -> tuple[float, float]:
    time = one.timed
    return plot_parts.drawn_ends(time.time_s, time.low_s, time.high_s)


def _curve(
    name: str, points: Sequence[Point], texts: Sequence[str], colour: int, *, op: int | None
) -> list[dict[str, Any]]:
    xs, ends = [p.size for p in points], [_band(p) for p in points]
    with_copies = op == WITH_COPIES
    line = plot_parts.points(
        xs,
        [p.timed.time_s for p in points],
        texts,
        colour,
        name=name,
        lines={"width": 2, "dash": style.DASHES[2 if with_copies else 0]},
        symbol=style.SYMBOLS[colour] + ("-open" if with_copies else ""),
        size=7,
    )
    line["meta"] = plot_parts.meta(colour, op)
    band = plot_parts.band(xs, [low for low, _ in ends], [high for _, high in ends], colour, op=op)
    return [band, line]


def _winners(
    one: Crossing, found: Crossover, ends: Sequence[float], heights: Sequence[float], op: int | None
) -> list[dict[str, Any]]:
    """The shaded regions with their names, and the change between them with its size."""
    traces = []
    low, high = heights
    for who, left, right in spans(found):
        colour = _COLOURS[who]
        traces.append(plot_parts.region((left, right), heights, colour, op=op))
        if math.log10(right / left) >= _NAMED_SHARE[op or ON_DEVICE] * (ends[1] - ends[0]):
            place = (
                math.sqrt(left * right),
                low * (high / low) ** (0.03 + 0.08 * (op == WITH_COPIES)),
            )
            name = one.one if who == "one" else one.other
            words = f"{name} faster" if op != WITH_COPIES else f"{name} faster, with copies"
            traces.append(plot_parts.text(place, words, colour, where="top center", op=op))
    if found.kind == "at" and found.size and found.low and found.high:
        said = f"{size_text(found.size)} ({size_text(found.low)} to {size_text(found.high)})"
        left_half = math.log10(found.size) - ends[0] < (ends[1] - ends[0]) / 2
        where = "middle right" if left_half else "middle left"
        traces.append(plot_parts.line([found.size] * 2, heights, _NEUTRAL, op=op))
        top = high * (low / high) ** (0.05 + 0.08 * (op == WITH_COPIES))
        words = f" {one.axis} ≈ {said} "
        traces.append(plot_parts.text((found.size, top), words, _NEUTRAL, where=where, op=op))
    return traces


def _hover_of_moved(one: Crossing, moved: Point) -> str:
    first = style.escaped(f"{one.suite}/{one.name} {one.axis}={size_text(moved.size)} {one.dtype}")
    time = seconds_with_interval(moved.timed.time_s, moved.timed.low_s, moved.timed.high_s)
    bare = seconds(dict(one.curves[1])[moved.size].time_s)
    said = style.escaped(f"{time} on {one.other} with copies there and back")
    return f"<b>{first}</b><br>{said}<br>{style.escaped(f'{bare} without')}"
