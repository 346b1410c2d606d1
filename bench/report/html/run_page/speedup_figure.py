"""How many times as fast one side is as the other, against size: a curve and its band for each op."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bench.analysis import memory_mix
from bench.analysis.findings.gpu_speedup import by_weight
from bench.report.html import log_axis, plot_parts, style
from bench.report.html.figure import Drawing, Twin
from bench.report.text import ratio_text
from bench.units import counted, seconds, share, size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.crossover.crossovers import Crossing
    from bench.report.html.figure import Figure
    from bench.stats.crossing import RatioAt

_MOST_OPS = 5
"""Each has a colour of its own; more curves are not told apart at a glance."""
_MOST_SIZES = 12
"""The table beside the figure has so many columns; the view of crossovers has every size."""
_NEUTRAL = 5
_LEAST_REACH = 1.2
"""The axis reaches beyond 1 by this factor also where no ratio is near."""


def speedups(id_: str, payload: str, found: Sequence[Crossing]) -> Drawing:
    """The figure of the ops for which it matters most, of one axis, one dtype and the same two sides."""
    first = by_weight(found)[0]
    alike = [c for c in found if (c.one, c.other, c.axis) == (first.one, first.other, first.axis)]
    ranked = by_weight(alike)
    shown = [c for c in ranked if c.dtype == first.dtype][:_MOST_OPS]
    sides = f"time on {first.one} over time on {first.other}"
    rest = len(found) - len(shown)
    more = f" {counted(rest, 'more curve')} in the view Crossover." if rest else ""
    names = ", ".join(_op(c) for c in shown)
    mix = memory_mix.sentence(row for c in shown for row in c.rows) or ""
    return Drawing(
        id=id_,
        payload=payload,
        figure=_speedup_figure(shown),
        label=f"Speedup, {sides}, against {first.axis}: {names}.",
        caption=(
            f"Speedup: {sides}, data already on the device, in {first.dtype}; bands are intervals"
            f"{_level(shown)}. Above 1, {first.other} is faster.{mix and f' {mix}'}{more}"
        ),
        twin=_speedup_twin(shown),
    )


def _speedup_figure(shown: Sequence[Crossing]) -> Figure:
    sizes = [r.size for c in shown for r in c.found.ratios]
    ends = [e for c in shown for r in c.found.ratios for e in (*_band(r), 1.0)]
    ends += [_LEAST_REACH, 1 / _LEAST_REACH]
    traces = [t for place, one in enumerate(shown) for t in _speedup_traces(place, one)]
    xaxis = log_axis.size_axis(shown[0].axis, sizes)
    line = plot_parts.line(
        [10**end for end in xaxis["range"]], [1.0, 1.0], _NEUTRAL, name="equally fast"
    )
    yaxis = log_axis.value_axis(ends, "×")
    layout = style.layout(
        height=380,
        xaxis=xaxis,
        yaxis=yaxis,
        showlegend=True,
        legend=plot_parts.legend(),
        margin={"l": 50, "r": 12, "t": 8, "b": 44},
    )
    return {"data": [line, *traces], "layout": layout}


def _speedup_traces(place: int, one: Crossing) -> list[dict[str, Any]]:
    ratios = one.found.ratios
    xs = [r.size for r in ratios]
    ends = [_band(r) for r in ratios]
    colour = place % _NEUTRAL
    line = plot_parts.points(
        xs,
        [r.value for r in ratios],
        [_hover(one, place) for place in range(len(ratios))],
        colour,
        name=_op(one),
        lines={"width": 2},
        symbol=style.SYMBOLS[place],
        size=8,
    )
    return [plot_parts.band(xs, [low for low, _ in ends], [high for _, high in ends], colour), line]


def _band(ratio: RatioAt) -> tuple[float, float]:
    return plot_parts.drawn_ends(ratio.value, ratio.low, ratio.high)


def _hover(one: Crossing, place: int) -> str:
    ratio = one.found.ratios[place]
    times = [dict(curve)[ratio.size].time_s for curve in one.curves]
    first = style.escaped(f"{one.suite}/{one.name} {one.axis}={size_text(ratio.size)} {one.dtype}")
    who = {"one": f"{one.one} is faster", "other": f"{one.other} is faster"}
    lines = [
        f"<b>{first}</b>",
        style.escaped(ratio_text.of(ratio)),
        style.escaped(f"{one.one} {seconds(times[0])}, {one.other} {seconds(times[1])}"),
        style.escaped(who.get(ratio.winner or "", "unsure which is faster")),
    ]
    return "<br>".join(lines)


def _speedup_twin(shown: Sequence[Crossing]) -> Twin:
    every = sorted({r.size for c in shown for r in c.found.ratios})
    sizes = every[:: math.ceil(len(every) / _MOST_SIZES)]
    rows = []
    for one in shown:
        known = {r.size: ratio_text.of(r) for r in one.found.ratios}
        rows.append((f"{_op(one)} {one.dtype}", tuple(known.get(s, "·") for s in sizes)))
    return Twin(row_head=shown[0].axis, head=tuple(log_axis.size_labels(sizes)), rows=tuple(rows))


def _op(one: Crossing) -> str:
    return f"{one.suite}/{one.name}"


def _level(shown: Sequence[Crossing]) -> str:
    levels = {c.confidence for c in shown}
    known = levels.pop() if len(levels) == 1 else None
    return f" at {share(known)}" if known else ""
