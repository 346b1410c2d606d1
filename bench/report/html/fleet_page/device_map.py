"""Heat map of the devices of a model: a block per group of ops, a row per node; of many nodes, several in a row.

Colour is how far a device lies from the others of its model, in practical bands. Colours are as transparent as the
deviation is small, so that they stand on the paper of either theme.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.analysis.fleet.sentences import (
    LONGEST_NAME,
    LONGEST_REASON,
    count_of,
    waits,
)
from bench.report.html import style
from bench.report.html.figure import Drawing, Twin
from bench.report.text import ratio_text
from bench.units import MISSING, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.analysis.fleet.fleet_summary import Deviation, Group
    from bench.analysis.fleet.node_coverage import CoveredNode
    from bench.report.html.figure import Figure

PAYLOAD = "devices-figures"
MOST_BANDS = 3.0
"""Deviations beyond so many practical bands have the strongest colour."""
MOST_IN_TWIN = 50
"""The table beside a map has so many devices, those that take longest."""
FAST, SLOW = (0, 114, 178), (200, 78, 0)
"""Blue and orange of the page's palette (Okabe & Ito), which colour-blind people tell apart."""
NOT_MEASURED = "rgba(128,128,128,.45)"
MARKS: Mapping[str, tuple[str, str]] = {
    "slow": ("triangle-right", "▶"),
    "fast": ("triangle-left", "◀"),
    "suspect": ("diamond", "◆"),
    "unsure": ("circle-open", "○"),
}
"""What a cell is marked by: the marker in a map, and the sign that stands for it in a text."""
_STEPS = ((1 / 3, 0.22), (2 / 3, 0.6), (1.0, 1.0))
"""Share of the strongest deviation → how opaque its colour is: little within the band."""
_UNMEASURED_Z = -MOST_BANDS - 1
_GREY_UP_TO = 0.5 / (2 * MOST_BANDS + 1)
_MOST_ROWS = 160
_LEAST_ROW_PX, _ROW_PX, _MAP_PX, _EDGE_PX = 5, 20, 840, 44
_NAME_PX = 15
"""Names beside a map are so far apart."""
_PHONE_NAME = 10
"""So many characters of a name leave space for the map on a phone."""
_FEW_MARKS, _MOST_MARKS = 100, 400
"""More marks are smaller, and still more would hide what they mark."""
_GAP = 1
"""Empty columns between the blocks of two groups."""
_DIGITS = 2
_LEAST_COLUMNS = 24
"""A map of fewer columns leaves half of the page's width to what stands beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedModel:
    """The devices of a model: the nodes that have some, and what is known of each device in each group."""

    model: str
    nodes: tuple[CoveredNode, ...]
    devices: tuple[str, ...]
    """Of a node."""
    planned: frozenset[tuple[str, str]]
    """Node and device that were to be measured."""
    found: Mapping[tuple[str, str, Group], Deviation]
    groups: tuple[Group, ...]
    """Those that something is known of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """A device in a group, and where it stands in the map."""

    x: int
    y: int
    node: CoveredNode
    device: str
    group: Group
    deviation: Deviation | None


def device_map(place: int, found: MappedModel, band: float) -> Drawing:
    """The map; `place` makes its id, `band` is the share below which a difference does not matter."""
    cells = list(_cells(found))
    units = {(cell.node.name, cell.device) for cell in cells if cell.deviation}
    marked, unmarked = _marked(cells)
    return Drawing(
        id=f"map-{place}",
        payload=PAYLOAD,
        figure=_figure(found, cells, marked, band),
        label=(
            f"Heat map of {count_of(len(units), 'device')} of {one_line(found.model, LONGEST_NAME)}: deviation "
            f"from the others of the model, by node, for {', '.join(found.groups)}."
        ),
        caption=_caption(found, len(units), unmarked),
        twin=_twin(found),
        wide=_columns(found) > _LEAST_COLUMNS * 2,
    )


def opacity_steps() -> tuple[tuple[float, float], ...]:
    """Share of the strongest deviation → opacity, for a key."""
    return ((0.0, 0.0), *_STEPS)


def mark_of(one: Deviation) -> str:
    """`slow`, `fast`, `suspect`, `unsure`, or nothing for what is ordinary."""
    if one.standing in {"slow", "fast"}:
        return one.standing
    if waits(one):
        return "suspect"
    return "unsure" if one.standing == "unsure" else ""


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """Sorts `n9` before `n10`."""
    parts = re.split(r"(\d{1,18})", text)
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts)


def _per_row(found: MappedModel) -> int:
    return max(1, math.ceil(len(found.nodes) / _MOST_ROWS))


def _block(found: MappedModel) -> int:
    """Columns of a group."""
    return _per_row(found) * len(found.devices)


def _columns(found: MappedModel) -> int:
    return len(found.groups) * (_block(found) + _GAP) - _GAP


def _cells(found: MappedModel) -> Iterator[_Cell]:
    """Of all devices that were to be measured, or were."""
    per_row, block = _per_row(found), _block(found)
    for at, node in enumerate(found.nodes):
        y, nth = divmod(at, per_row)
        for column, device in enumerate(found.devices):
            known = [found.found.get((node.name, device, group)) for group in found.groups]
            if not any(known) and (node.name, device) not in found.planned:
                continue
            x = nth * len(found.devices) + column
            for number, (group, one) in enumerate(zip(found.groups, known, strict=True)):
                yield _Cell(
                    x=x + number * (block + _GAP),
                    y=y,
                    node=node,
                    device=device,
                    group=group,
                    deviation=one,
                )


def _figure(
    found: MappedModel, cells: Sequence[_Cell], marked: Sequence[tuple[str, _Cell]], band: float
) -> Figure:
    rows, columns = math.ceil(len(found.nodes) / _per_row(found)), _columns(found)
    row_px = min(_ROW_PX, max(_LEAST_ROW_PX, _MAP_PX // max(rows, 1)))
    z: list[list[float | None]] = [[None] * columns for _ in range(rows)]
    said = [[""] * columns for _ in range(rows)]
    for cell in cells:
        z[cell.y][cell.x] = _bands(cell.deviation, band)
        said[cell.y][cell.x] = _hover(cell)
    trace = {
        "type": "heatmap",
        "z": z,
        "hovertext": said,
        "hoverinfo": "text",
        "hoverongaps": False,
        "zmin": _UNMEASURED_Z,
        "zmax": MOST_BANDS,
        "colorscale": _colours(),
        "showscale": False,
        "xgap": 1 if columns <= _LEAST_COLUMNS * 3 else 0,
        "ygap": 1 if row_px > _LEAST_ROW_PX * 2 else 0,
    }
    return {"data": [trace, *_marks(marked)], "layout": _layout(found, rows, columns, row_px)}


def _bands(one: Deviation | None, band: float) -> float:
    """How many practical bands a device is away, as far as colours go."""
    if one is None or not one.ratio > 0:
        return _UNMEASURED_Z
    away = math.log(one.ratio) / math.log1p(max(band, 1e-6))
    return round(min(max(away, -MOST_BANDS), MOST_BANDS), _DIGITS)


def _colours() -> list[list[float | str]]:
    """Grey for what was not measured, then from fast over nothing to slow."""
    start = 1 / (2 * MOST_BANDS + 1)
    half = (1 - start) / 2
    stops = [(0.0, NOT_MEASURED), (_GREY_UP_TO, NOT_MEASURED), (_GREY_UP_TO, _rgba(FAST, 1.0))]
    stops += [(start + half * (1 - at), _rgba(FAST, opaque)) for at, opaque in reversed(_STEPS)]
    stops += [(start + half, _rgba(colour, 0.0)) for colour in (FAST, SLOW)]
    stops += [(start + half * (1 + at), _rgba(SLOW, opaque)) for at, opaque in _STEPS]
    stops[-1] = (1.0, stops[-1][1])  # sums of floats may miss the end, which Plotly wants
    return [list(stop) for stop in stops]


def _rgba(colour: tuple[int, int, int], opacity: float) -> str:
    return f"rgba({','.join(map(str, colour))},{opacity})"


def _hover(cell: _Cell) -> str:
    named = f"{one_line(cell.node.name, LONGEST_NAME)} {one_line(cell.device, LONGEST_NAME)}"
    head = f"{named}, {cell.group}: "
    one = cell.deviation
    if one is None:
        return style.escaped(head + _why_not(cell))
    if not (word := mark_of(one)):
        return style.escaped(f"{head}{ratio_text.change(one.ratio, one.ratio_lo, one.ratio_hi)}")
    size = ratio_text.change(one.ratio, one.ratio_lo, one.ratio_hi)
    lines = [f"{head}{word}", size, *(one_line(why, LONGEST_REASON) for why in one.reasons)]
    return "<br>".join(map(style.escaped, lines))


def _why_not(cell: _Cell) -> str:
    node = cell.node
    if node.done:
        return "not measured"
    reason = one_line(node.reason, LONGEST_REASON)
    return f"not measured, {node.state}{f': {reason}' if reason else ''}"


def _marked(cells: Sequence[_Cell]) -> tuple[list[tuple[str, _Cell]], int]:
    """What is marked and by what, and how many are not, since marks would hide the map."""
    found = [(word, cell) for cell in cells if cell.deviation and (word := mark_of(cell.deviation))]
    if len(found) <= _MOST_MARKS:
        return found, 0
    urgent = [(word, cell) for word, cell in found if word != "unsure"][:_MOST_MARKS]
    return urgent, len(found) - len(urgent)


def _marks(marked: Sequence[tuple[str, _Cell]]) -> list[dict[str, Any]]:
    """A trace for each kind; white with a dark edge shows on every colour, in both themes."""
    unsure_px = 5 if len(marked) <= _FEW_MARKS else 3
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [cell.x for word, cell in marked if word == kind],
            "y": [cell.y for word, cell in marked if word == kind],
            "hoverinfo": "skip",
            "cliponaxis": False,
            "marker": {
                "symbol": symbol,
                "size": unsure_px if kind == "unsure" else 9,
                "color": style.LIGHT[-1] if kind == "unsure" else "#ffffff",
                "line": {"color": style.HEAT_INK, "width": 1.5},
            },
            **({"meta": {"colour": len(style.LIGHT) - 1}} if kind == "unsure" else {}),
        }
        for kind, (symbol, _) in MARKS.items()
        if any(word == kind for word, _ in marked)
    ]


def _layout(found: MappedModel, rows: int, columns: int, row_px: int) -> dict[str, Any]:
    block = _block(found)
    middles = [n * (block + _GAP) + (block - 1) / 2 for n in range(len(found.groups))]
    names = [one_line(text, LONGEST_NAME) for text in _row_names(found, rows)]
    named = list(range(0, rows, math.ceil(_NAME_PX / row_px)))
    shown = [style.escaped(style.shortened(names[at])) for at in named]
    plain = {"showgrid": False, "zeroline": False, "ticks": ""}
    return style.layout(
        height=_EDGE_PX + row_px * rows,
        margin={"l": 40, "r": 8, "t": 28, "b": 12},
        xaxis={
            **plain,
            "side": "top",
            "range": [-0.5, columns - 0.5],
            "tickvals": middles,
            "tickangle": 0,
            "ticktext": list(found.groups),
        },
        yaxis={
            **plain,
            "range": [rows - 0.5, -0.5],
            "tickvals": named,
            "ticktext": shown,
            "automargin": True,
        },
        meta={"names": [style.escaped(one_line(names[at], _PHONE_NAME)) for at in named]},
    )


def _row_names(found: MappedModel, rows: int) -> list[str]:
    """The first node of each row."""
    return [found.nodes[at * _per_row(found)].name for at in range(rows)]


def _caption(found: MappedModel, units: int, unmarked: int) -> str:
    per_row = _per_row(found)
    devices = ", ".join(one_line(one, LONGEST_NAME) for one in found.devices)
    within = f"within a block, {devices} from left to right" if len(found.devices) > 1 else devices
    row = "a row is a node" if per_row == 1 else f"a row is {per_row} nodes, named by its first"
    twin = (
        f" The table has the {MOST_IN_TWIN} of {units:,} devices that take longest."
        if units > MOST_IN_TWIN
        else ""
    )
    left_out = f" {unmarked:,} marks are left out, which would hide the map." if unmarked else ""
    return f"{one_line(found.model, LONGEST_NAME)}: {row}; {within}.{left_out}{twin}"


def _twin(found: MappedModel) -> Twin:
    """The devices that take longest in any group."""
    worst: dict[tuple[str, str], float] = {}
    for (node, device, _), one in found.found.items():
        worst[node, device] = max(one.ratio, worst.get((node, device), 0.0))
    units = sorted(worst, key=lambda unit: -worst[unit])[:MOST_IN_TWIN]
    rows = [
        (
            f"{one_line(node, LONGEST_NAME)} {one_line(device, LONGEST_NAME)}",
            tuple(_text(found.found.get((node, device, group))) for group in found.groups),
        )
        for node, device in units
    ]
    return Twin(row_head="device", head=found.groups, rows=tuple(rows))


def _text(one: Deviation | None) -> str:
    if one is None:
        return MISSING
    sign = MARKS[word][1] + " " if (word := mark_of(one)) else ""
    return sign + ratio_text.change(one.ratio, one.ratio_lo, one.ratio_hi)
