"""Variance components as bars: how far times lie apart within a run, between visits, devices and nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.analysis.fleet.sentences import LONGEST_NAME, models
from bench.report.html import plot_parts, style
from bench.report.html.figure import Drawing, Twin
from bench.units import one_line, share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.analysis.fleet.fleet_summary import FleetSummary, Spread
    from bench.report.html.figure import Figure

COMPONENTS: Mapping[str, Callable[[Spread], float | None]] = {
    "within a run": lambda one: one.within_run,
    "visit to visit": lambda one: one.between_visits,
    "device to device": lambda one: one.between_devices,
    "node to node": lambda one: one.between_nodes,
}
MOST_ROWS = 24
"""A reader still compares so many rows; the table has every one."""
_LONGEST_MODEL, _PHONE_NAME = 24, 16
"""Characters of a model's name beside the bars, there and on a phone."""
_BAR_PX, _ROW_GAP_PX, _EDGE_PX = 11, 14, 92


def spreads(summary: FleetSummary, payload: str, *, wide: bool) -> Drawing | None:
    """The figure, as wide as what it stands beside; None where no component is known."""
    order = models(summary)
    found = sorted(
        (one for one in summary.spreads if any(of(one) is not None for of in COMPONENTS.values())),
        key=lambda one: order.index(one.model),
    )
    if not found:
        return None
    several = len({one.model for one in found}) > 1
    names = [_name(one, several=several) for one in found]
    rest = len(found) - MOST_ROWS
    more = f" {rest} more rows are in the table." if rest > 0 else ""
    return Drawing(
        id="spreads",
        payload=payload,
        figure=_figure(found[:MOST_ROWS], several=several),
        label=f"Bars: how far times of unchanged code lie apart, by where: {', '.join(COMPONENTS)}.",
        caption=(
            "How far times of the same case lie apart (standard deviation), by where the difference lies. "
            f"No bar: the visits can't tell.{more}"
        ),
        twin=Twin(
            row_head="model and group" if several else "group",
            head=tuple(COMPONENTS),
            rows=tuple(
                (name, tuple(share(of(one)) for of in COMPONENTS.values()))
                for name, one in zip(names, found, strict=True)
            ),
        ),
        wide=wide,
    )


def _name(one: Spread, *, several: bool) -> str:
    return f"{one_line(one.model, LONGEST_NAME)} · {one.group}" if several else one.group


def _figure(found: Sequence[Spread], *, several: bool) -> Figure:
    """Of several models each has a row for its name, above those of its groups."""
    rows: list[tuple[str, Spread | None]] = []
    for one in found:
        if several and (not rows or rows[-1][1] is None or rows[-1][1].model != one.model):
            rows.append((one_line(one.model, _LONGEST_MODEL), None))
        rows.append((one.group, one))
    names = [name for name, _ in rows]
    axis = style.rows_axis(names)
    layout = style.layout(
        height=_EDGE_PX + len(rows) * (_BAR_PX * len(COMPONENTS) + _ROW_GAP_PX),
        barmode="group",
        bargap=0.25,
        showlegend=True,
        legend={**plot_parts.legend(), "traceorder": "normal"},
        margin={"l": 40, "r": 16, "t": 8, "b": 44},
        xaxis={
            "rangemode": "tozero",
            "ticksuffix": " %",
            "nticks": 5,
            "title": {"text": "standard deviation of times", "standoff": 6},
        },
        yaxis={**axis, "showgrid": False},
        meta={"names": [style.escaped(one_line(name, _PHONE_NAME)) for name in names]},
    )
    known = [(y, one) for y, (_, one) in enumerate(rows) if one]
    bars = [_bars(place, label, known) for place, label in enumerate(COMPONENTS)]
    return {"data": bars, "layout": layout}


def _bars(place: int, label: str, known: Sequence[tuple[int, Spread]]) -> dict[str, Any]:
    values = [COMPONENTS[label](one) for _, one in known]
    hovers = [
        f"{_name(one, several=True)}, {label}: {share(value)}"
        for (_, one), value in zip(known, values, strict=True)
    ]
    return {
        "type": "bar",
        "orientation": "h",
        "name": label,
        "x": [None if value is None else 100 * value for value in values],
        "y": [y for y, _ in known],
        "hovertext": [style.escaped(text) for text in hovers],
        "hoverinfo": "text",
        "marker": {"color": style.LIGHT[place]},
        "meta": plot_parts.meta(place, None),
    }
