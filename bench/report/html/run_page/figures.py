"""Lines and cases → Plotly figures, one function per figure. Everything from data is escaped here.

A figure is None where there is nothing to draw; what can't be drawn is said by its caption. What is said of a
point is in the page's table of cases already, so a point carries its case's address and no text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.analysis import grid
from bench.analysis.usable import FOR_INTERVALS, NO_TIME, WRONG_RESULT, unusable
from bench.records.warning_codes import CODES
from bench.report.html import log_axis, plot_parts, style
from bench.report.html.view import anchor
from bench.report.text import wording
from bench.units import MISSING, seconds, seconds_with_interval, share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.analysis.grid import Curve
    from bench.records.record import Record
    from bench.report.html.figure import Figure
    from bench.report.html.style import Appearance

_HEAT_ROW_PX, _HEAT_COLUMN_PX = 30, 68
_DOT_ROW_PX, _DOTS_EDGE_PX, _LEAST_DOTS_PX = 26, 38, 160
"""A row's height, the space above and below all rows, and the least height of a figure of dots."""
_DOTS_TICKS, _PHONE_TICKS = 6, 3
"""So many ticks can be read beside the names of the rows, there and on a phone."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is drawn upwards: its unit, and (value, low, high) of a row; no value, no point."""

    unit: str
    of: Callable[[Record], tuple[float, float, float] | None]


def _time(record: Record) -> tuple[float, float, float] | None:
    time = record.time_s
    if not time or unusable(record, barred=FOR_INTERVALS):
        return None
    low = time if record.time_lo_s is None else record.time_lo_s
    return time, low, time if record.time_hi_s is None else record.time_hi_s


def _rate(work: Callable[[Record], float | None]) -> Callable[[Record], Any]:
    def of(record: Record) -> tuple[float, float, float] | None:
        time, amount = _time(record), work(record)
        if not time or not amount or min(time) <= 0:
            return None
        return amount / time[0], amount / time[2], amount / time[1]

    return of


TIME = Quantity("s", _time)
FLOP_RATE = Quantity("FLOP/s", _rate(lambda r: r.flop))
BYTE_RATE = Quantity("B/s", _rate(lambda r: r.bytes))


def by_size(found: Sequence[Curve], look: Appearance, quantity: Quantity) -> Figure | None:
    """A quantity against size, both logarithmic, with an interval on every point."""
    traces = [t for line in found if (t := _line_trace(line, look, quantity)) is not None]
    if not traces:
        return None
    xs = [x for trace in traces for x in trace["x"]]
    ys = [y for trace in traces for y in trace["y"]]
    layout = style.layout(
        height=400,
        xaxis=log_axis.size_axis(found[0].axis, xs),
        yaxis=log_axis.value_axis(ys, quantity.unit),
    )
    return {"data": traces, "layout": layout}


def _line_trace(line: Curve, look: Appearance, quantity: Quantity) -> dict[str, Any] | None:
    points = [(size, v, record) for size, record in line.points if (v := quantity.of(record))]
    if not points:
        return None
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": style.escaped(f"{line.name} {line.dtype} {line.device}"),
        "x": [size for size, _, _ in points],
        "y": [value[0] for _, value, _ in points],
        "error_y": plot_parts.bars([value for _, value, _ in points]),
        "customdata": [anchor(record) for _, _, record in points],
        "hoverinfo": "text",
        **look.trace(line.suite, line.name, line.dtype, line.device),
    }


def dots(records: Sequence[Record], look: Appearance) -> Figure | None:
    """Times of cases that lie on no curve, one row per op and settings, in the order given.

    What all cases have in common is left out of the rows' names, and so are dtypes and devices,
    which markers tell. The page keeps the rows that are shown, slowest first.
    """
    points = [(record, value) for record in records if (value := _time(record))]
    if not points:
        return None
    shared, axes = grid.shared(r for r, _ in points), grid.size_axes(records)
    names = [grid.name_without(record, shared) for record, _ in points]
    rows = list(dict.fromkeys(names))
    traces = []
    for name, (record, value) in zip(names, points, strict=True):
        axis = axes[record.suite, record.op]
        kind = grid.name_without(record, [axis]) if axis else record.op
        place = {"x": [value[0]], "y": [rows.index(name)], "error_x": plot_parts.bars([value])}
        said = {"mode": "markers", "customdata": [anchor(record)], "hoverinfo": "text"}
        trace = look.trace(record.suite, kind, record.dtype, record.device)
        traces.append({"type": "scatter", **place, **said, **trace})
    reach = [end for _, value in points for end in plot_parts.drawn_ends(*value)]
    return {"data": traces, "layout": _dots_layout(rows, reach)}


def _dots_layout(names: Sequence[str], times: Sequence[float]) -> dict[str, Any]:
    narrow = log_axis.value_axis(times, "s", _PHONE_TICKS)
    return style.layout(
        height=max(_LEAST_DOTS_PX, _DOTS_EDGE_PX + _DOT_ROW_PX * len(names)),
        margin={"l": 40, "r": 24, "t": 8, "b": _DOTS_EDGE_PX - 8},
        xaxis=log_axis.value_axis(times, "s", _DOTS_TICKS),
        yaxis={**style.rows_axis(names), "fixedrange": True},
        meta={
            "row": _DOT_ROW_PX,
            "edge": _DOTS_EDGE_PX,
            "least": _LEAST_DOTS_PX,
            "phone": {
                "names": [style.escaped(style.shortened(name)) for name in names],
                "ticks": {key: narrow[key] for key in ("tickvals", "ticktext")},
            },
        },
    )


def heat(found: Sequence[Curve], look: Appearance) -> Figure | None:
    """Times as a grid of lines × sizes: the darker, the slower; what is missing says why."""
    sizes = sorted({size for line in found for size, _ in line.points})
    cells = [[line.at(size) for size in sizes] for line in found]
    times = [[_time(r) if r else None for r in row] for row in cells]
    known = [math.log10(time[0]) for row in times for time in row if time]
    if not known:
        return None
    names = [f"{line.name} {line.dtype} {line.device}" for line in found]
    columns = [style.escaped(text) for text in log_axis.size_labels(sizes)]
    trace = {
        "type": "heatmap",
        "x": columns,
        "y": list(range(len(names))),
        "z": [[math.log10(time[0]) if time else None for time in row] for row in times],
        "text": [[seconds(time[0], 2) if time else "" for time in row] for row in times],
        "texttemplate": "%{text}",
        "textfont": {"color": style.HEAT_INK},
        "customdata": [[anchor(r) if r else "" for r in row] for row in cells],
        "hoverinfo": "text",
        "hoverongaps": False,
        "colorscale": [[i / (len(style.HEAT) - 1), c] for i, c in enumerate(style.HEAT)],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "meta": {
            "heat": [look.numbers(n.suite, n.name, n.dtype, n.device) for n in found],
            "column": _HEAT_COLUMN_PX,
            "row": _HEAT_ROW_PX,
            "low": min(known),
            "high": max(known),
        },
    }
    layout = _heat_layout(names, columns, _absent(cells, times), found[0].axis)
    return {"data": [trace], "layout": layout}


def _absent(cells: Sequence[Sequence[Record | None]], times: Sequence[Any]) -> list[dict[str, Any]]:
    """Why there is no time, in each cell without one."""
    return [
        {"x": x, "y": y, "text": why_absent(record), "showarrow": False, "opacity": 0.7}
        for y, row in enumerate(cells)
        for x, record in enumerate(row)
        if not times[y][x]
    ]


def _heat_layout(
    names: Sequence[str], columns: Sequence[str], absent: Sequence[Any], axis: str
) -> dict[str, Any]:
    return style.layout(
        height=64 + _HEAT_ROW_PX * len(names),
        annotations=list(absent),
        xaxis={
            "type": "category",
            "categoryarray": list(columns),
            "categoryorder": "array",
            "range": [-0.5, len(columns) - 0.5],
            "title": {"text": style.escaped(axis), "standoff": 6},
            "showgrid": False,
        },
        yaxis={**style.rows_axis(names), "showgrid": False},
    )


def why_absent(record: Record | None) -> str:
    """What stands where there is no time to show: how it failed, or a dot where there is no such case."""
    if record is None:
        return "·"
    why = unusable(record, barred=FOR_INTERVALS)
    return {None: "", NO_TIME: MISSING, WRONG_RESULT: "wrong"}.get(why, why or "")


def hover(record: Record) -> str:
    """Everything about a point, in lines."""
    level = f" ({share(record.confidence)} interval)" if record.confidence else ""
    roof = f"{share(record.roof_share)} of its roof, {record.roof}" if record.roof else ""
    time = seconds_with_interval(record.time_s, record.time_lo_s, record.time_hi_s)
    taken = [(record.samples, "samples"), (record.workers, "workers"), (record.rounds, "rounds")]
    plain = [
        f"{record.suite}/{grid.title(record)}",
        f"{time}{level}" if record.status == "ok" else f"{record.status}: {record.reason}",
        f"on {record.device}: {record.device_name}",
        ", ".join(f"{number} {name}" for number, name in taken if number is not None),
        wording.rates_of(record),
        roof,
        wording.states(record),
        *(f"{c}: {CODES[c].seen if c in CODES else '?'}" for c in record.warnings),
    ]
    first, *rest = (style.escaped(line) for line in plain if line)
    return "<br>".join([f"<b>{first}</b>", *rest])
