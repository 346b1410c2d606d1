"""Ratios as dots in rows, one per run, each with its interval, about a line at no change.

The shape says the verdict, the colour the run. Texts are the caller's to escape, rows' names apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.report.html import log_axis, plot_parts, style
from bench.report.html.figure import Twin
from bench.units import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.report.html.figure import Figure

GREY = 5
"""The base, and the lines that a ratio is held against."""
MARKS: Mapping[str, tuple[str, str]] = {
    "slower": ("triangle-right", "▶"),
    "faster": ("triangle-left", "◀"),
    "unsure": ("circle-open", "○"),
    "same": ("circle", "●"),
}
"""Verdict → the marker in a figure, and the sign that stands for it in a text."""
_ROW, _APART = 22, 11
"""Pixels of a row, and between the dots of several runs in it."""
_EDGE = 64
_FURTHEST = 2.0
"""Times beyond the dots; an interval that reaches further leaves the picture."""
_LONGEST = 52
"""Characters of a row's name beside a figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A ratio in a row; `series` counts the runs from the one after the base."""

    row: int
    series: int
    ratio: float
    low: float | None
    high: float | None
    mark: str
    hover: str
    text: str


def colour(place: int) -> int:
    """The number of a run's colour by its place among the runs; the base is grey."""
    return GREY if not place else (place - 1) % GREY


def figure(dots: Sequence[Dot], rows: Sequence[str], names: Sequence[str], band: float) -> Figure:
    """Rows of dots on an axis of ratios to the first of these runs.

    Args:
        dots: at least one.
        rows: the names of all rows, the first on top.
        names: of all runs, the base first.
        band: a change that is smaller does not count, as a share.
    """
    series = sorted({dot.series for dot in dots})
    apart = max(_ROW, _APART * len(series) + _APART)
    reach = [1 / (1 + band), 1 + band, *(end for dot in dots for end in _reach(dot))]
    height = _EDGE + apart * len(rows)
    ends, heights = (1 / (1 + band), 1 + band), (-0.5, len(rows) - 0.5)
    traces = [plot_parts.region(ends, heights, GREY)]
    traces += [plot_parts.line([at, at], heights, GREY, dash="dot") for at in ends]
    traces += [plot_parts.line([1.0, 1.0], heights, GREY, dash="solid")]
    traces += [_trace([d for d in dots if d.series == s], s, names, apart) for s in series]
    return {
        "data": traces,
        "layout": style.layout(
            height=height,
            margin={"l": 40, "r": 12, "t": _EDGE - 16, "b": 8},
            xaxis={**log_axis.ratio_axis(reach, "← faster · slower →"), "side": "top"},
            yaxis={**style.rows_axis([_clipped(row) for row in rows]), "fixedrange": True},
            meta={"names": [style.escaped(style.shortened(row)) for row in rows]},
        ),
    }


def _reach(dot: Dot) -> tuple[float, float]:
    low, high = dot.low or dot.ratio, dot.high or dot.ratio
    return max(low, dot.ratio / _FURTHEST), min(high, dot.ratio * _FURTHEST)


def _trace(dots: Sequence[Dot], series: int, names: Sequence[str], apart: int) -> dict[str, Any]:
    """A run's dots; several runs stand beneath each other in their row."""
    count = len(names) - 1
    shift = (series - (count - 1) / 2) * _APART / apart
    number = colour(series + 1)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": style.escaped(names[series + 1]),
        "x": [dot.ratio for dot in dots],
        "y": [dot.row + shift for dot in dots],
        "error_x": plot_parts.bars((d.ratio, d.low or d.ratio, d.high or d.ratio) for d in dots),
        "marker": {
            "color": style.LIGHT[number],
            "symbol": [MARKS[dot.mark][0] for dot in dots],
            "size": 9,
            "line": {"width": 1.5},
        },
        "hovertext": [dot.hover for dot in dots],
        "hoverinfo": "text",
        "meta": {"colour": number, "device": series},
    }


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def twin(corner: str, rows: Sequence[str], names: Sequence[str], dots: Sequence[Dot]) -> Twin:
    """The same numbers: a line per row, a column per run."""
    cells = {(dot.row, dot.series): dot.text for dot in dots}
    series = range(len(names) - 1)
    return Twin(
        corner=corner,
        head=tuple(names[1:]),
        rows=tuple(
            (name, tuple(cells.get((row, place), MISSING) for place in series))
            for row, name in enumerate(rows)
        ),
    )
