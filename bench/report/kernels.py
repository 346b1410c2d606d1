"""Figure of launch-bound cases: of what a caller waits, how much the device works, and what a graph needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.analyse import grid, launches
from bench.report import theme
from bench.report.drawing import Twin
from bench.report.figures import hover
from bench.report.tables import time_of
from bench.units import seconds, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.record import Record
    from bench.report.drawing import Figure

MOST = 40
"""Rows of a figure; beyond, nobody reads them, and the table has all."""
WORKS, WAITS, GRAPH = 1, 5, 2
"""Colours: that of the GPU, grey, and one of its own."""
_ROW = 26
_EDGE = 56
_HEAD, _TAIL = 30, 33
_PART = {"type": "bar", "orientation": "h", "hoverinfo": "text"}


def waiting(records: Sequence[Record]) -> Figure | None:
    """A bar for each case, the one that waits most on top: the device's work, then its wait; a mark for the graph."""
    rows = [r for r in records if launches.waiting_share(r) is not None]
    if not rows:
        return None
    places = list(range(len(rows)))
    waits = [launches.waiting_share(r) or 0.0 for r in rows]
    said = [_said(r) for r in rows]
    works = [1 - part for part in waits]
    data = [
        {
            **_PART,
            **_bar(WORKS, ""),
            "name": "the device works",
            "x": works,
            "y": places,
            "hovertext": said,
        },
        {
            **_PART,
            **_bar(WAITS, "/"),
            "name": "it waits for the host",
            "x": waits,
            "y": places,
            "hovertext": said,
        },
    ]
    return {"data": [*data, *_graphs(rows)], "layout": _layout(rows)}


def _bar(colour: int, pattern: str) -> dict[str, Any]:
    """Told apart by a pattern as well as by colour."""
    fill = {"shape": pattern, "fillmode": "overlay", "solidity": 0.3}
    return {
        "marker": {
            "color": theme.LIGHT[colour],
            "line": {"width": 1},
            "pattern": fill,
            "opacity": 0.85,
        },
        "meta": {"colour": colour},
    }


def _graphs(rows: Sequence[Record]) -> list[dict[str, Any]]:
    known = [
        (place, r.graph_time_s / r.time_s, r)
        for place, r in enumerate(rows)
        if r.graph_time_s and r.time_s
    ]
    if not known:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "in a replayed graph",
            "x": [part for _, part, _ in known],
            "y": [place for place, _, _ in known],
            "hovertext": [_said(r) for _, _, r in known],
            "hoverinfo": "text",
            "marker": {
                "color": theme.LIGHT[GRAPH],
                "symbol": "diamond",
                "size": 10,
                "line": {"width": 0},
            },
            "meta": {"colour": GRAPH},
        }
    ]


def _layout(rows: Sequence[Record]) -> dict[str, Any]:
    names = [theme.shortened(f"{r.op} {' '.join(r.params.values())}") for r in rows]
    ticks = [0, 0.25, 0.5, 0.75, 1]
    return theme.layout(
        height=_EDGE + _ROW * max(3, len(rows)),
        barmode="stack",
        bargap=0.3,
        xaxis={
            "range": [0, 1.02],
            "tickvals": ticks,
            "ticktext": [share(tick) if tick else "0" for tick in ticks],
            "title": {"text": "of what a caller waits", "standoff": 8},
            "zeroline": False,
        },
        yaxis={**theme.rows_axis(names), "fixedrange": True},
    )


def _said(record: Record) -> str:
    parts = [
        hover(record),
        theme.escaped(f"the device works for {seconds(record.device_time_s)}"),
        theme.escaped(f"submitting it takes the host {seconds(record.host_time_s)}"),
    ]
    if record.graph_time_s is not None:
        parts.append(theme.escaped(f"in a replayed graph {seconds(record.graph_time_s)}"))
    return "<br>".join(parts)


def twin(records: Sequence[Record]) -> Twin:
    """The same cases as a table."""
    head = (
        "a caller waits",
        "device works",
        "host submits",
        "device waits",
        "in a graph",
        "less by",
    )
    rows = [
        (
            f"{r.suite}/{grid.title(r)}",
            (
                time_of(r),
                seconds(r.device_time_s),
                seconds(r.host_time_s),
                share(launches.waiting_share(r)),
                seconds(r.graph_time_s),
                share(launches.saved_share(r)),
            ),
        )
        for r in records
    ]
    return Twin(corner="case", head=head, rows=tuple(rows))


def short(name: str) -> str:
    """A kernel's name with its middle left out, where a template's arguments make it long."""
    return name if len(name) <= _HEAD + 1 + _TAIL else f"{name[:_HEAD]}…{name[-_TAIL:]}"
