"""Figure of the machine's state in the course of a run: what the sentinels took, against the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.analysis.findings import sentinel_series
from bench.records.machine_state import SAME_LEVEL
from bench.report.html import log_axis, plot_parts, style
from bench.report.html.figure import Twin
from bench.units import MISSING, clock, number, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.findings.sentinel_series import SentinelReading, SentinelSeries
    from bench.report.html.figure import Figure

_HEIGHT = 340
_GREY = 5
_POINTS, _MIDDLES, _ROWS = 240, 50, 15
"""A figure has so many points in all, the line through each sentinel so many medians, and the table so many rows."""
_LEAST_GAP = 3
"""The line is broken over so many stretches without a reading; neighbours may be as far apart as two."""
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200)
_MOST_TICKS = 6
_MINUTE_S, _HOUR_S = 60, 3600
_LEAST_SPAN = 1.3
"""The axis reaches from 1 to this factor both ways, so that the band of the reference state is whole."""


def state_figure(found: Sequence[SentinelSeries]) -> Figure | None:
    """A line through the middles of each sentinel, its fastest and slowest looks as points; 1 is the reference."""
    if not found:
        return None
    end = max(look.at_s for one in found for look in one.looks)
    data = [
        plot_parts.line([0, end], [share, share], _GREY, dash=dash)
        for share, dash in ((1 / SAME_LEVEL, "dot"), (1.0, "solid"), (SAME_LEVEL, "dot"))
    ]
    for one in found:
        data += [_points(one, _POINTS // len(found)), _middle(one)]
    shares = [share for trace in data if trace["mode"] == "markers" for share in trace["y"]]
    yaxis = log_axis.ratio_axis([*shares, 1 / _LEAST_SPAN, _LEAST_SPAN], "")
    layout = style.layout(height=_HEIGHT, xaxis=_time_axis(end), yaxis=yaxis)
    return {"data": data, "layout": layout}


def twin(found: Sequence[SentinelSeries]) -> Twin:
    """The medians of each sentinel, stretch by stretch."""
    rows: dict[int, dict[str, str]] = {}
    begin = min(one.looks[0].at_s for one in found)
    end = max(one.looks[-1].at_s for one in found)
    width = max((end - begin) / _ROWS, 1.0)
    for one in found:
        for at_s, middle in one.middles(_ROWS):
            row = rows.setdefault(min(_ROWS - 1, int((at_s - begin) / width)), {})
            row[one.sentinel] = f"{seconds(middle * one.reference_s)} ({number(middle)}×)"
    names = tuple(one.sentinel for one in found)
    return Twin(
        row_head="from",
        head=names,
        rows=tuple(
            (clock(begin + place * width), tuple(row.get(name, MISSING) for name in names))
            for place, row in sorted(rows.items())
        ),
    )


def _points(one: SentinelSeries, most: int) -> dict[str, Any]:
    shown = one.shown(most)
    return {
        **_series(one),
        "mode": "markers",
        "x": [look.at_s for look in shown],
        "y": [one.share(look) for look in shown],
        "hovertext": [style.escaped(_said(one, look)) for look in shown],
        "opacity": 0.55,
    }


def _middle(one: SentinelSeries) -> dict[str, Any]:
    middles = _with_gaps(one.middles(_MIDDLES), one.looks[-1].at_s - one.looks[0].at_s)
    said = [share and f"{one.sentinel}, middle: {number(share)}×" for _, share in middles]
    return {
        **_series(one),
        "mode": "lines",
        "x": [at_s for at_s, _ in middles],
        "y": [share for _, share in middles],
        "hovertext": said,
    }


def _with_gaps(
    middles: Sequence[tuple[float, float]], span: float
) -> list[tuple[float, float | None]]:
    """Nothing is drawn across a time without readings."""
    found: list[tuple[float, float | None]] = []
    for at_s, share in middles:
        if found and at_s - found[-1][0] > _LEAST_GAP * span / _MIDDLES:
            found.append((at_s, None))
        found.append((at_s, share))
    return found


def _series(one: SentinelSeries) -> dict[str, Any]:
    place = sentinel_series.SENTINELS.index(one.sentinel)
    return {
        "type": "scatter",
        "name": one.sentinel,
        "hoverinfo": "text",
        "line": {"color": style.LIGHT[place], "width": 2, "dash": style.DASHES[place]},
        "marker": {
            "color": style.LIGHT[place],
            "symbol": style.SYMBOLS[place],
            "size": 5,
            "line": {"width": 0},
        },
        "meta": {"colour": place, "op": place},
    }


def _said(one: SentinelSeries, look: SentinelReading) -> str:
    against = "of its reference" if one.is_reference else "of its middle in this run"
    where = f"worker {look.worker}, round {look.round}, after {clock(look.at_s)}"
    return f"{one.sentinel}: {seconds(look.time_s)}, {number(one.share(look))}× {against}; {where}"


def _time_axis(end: float) -> dict[str, Any]:
    step = next((s for s in _STEPS_S if end / s <= _MOST_TICKS), _STEPS_S[-1])
    ticks = [step * place for place in range(int(end / step) + 1)]
    return {
        "range": [-0.01 * end, 1.01 * end],
        "tickvals": ticks,
        "ticktext": [_clock_text(tick, step, end) for tick in ticks],
        "title": {"text": f"{_unit(step, end)} since the run began", "standoff": 8},
        "zeroline": False,
    }


def _unit(step_s: int, end_s: float) -> str:
    if end_s < _MINUTE_S:
        return "seconds"
    return "minutes" if step_s < _HOUR_S else "hours"


def _clock_text(at_s: int, step_s: int, end_s: float) -> str:
    """`20`, `1:30`, `5`, `2`: short enough to stand side by side on a phone."""
    if end_s < _MINUTE_S:
        return str(at_s)
    if step_s < _MINUTE_S:
        return f"{at_s // _MINUTE_S}:{at_s % _MINUTE_S:02}"
    return str(at_s // (_MINUTE_S if step_s < _HOUR_S else _HOUR_S))
