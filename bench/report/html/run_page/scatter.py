"""Cases as points between two logarithmic axes: colour and marker by dtype, filled hot and open cold.

A dtype has the same colour and marker in every run. Where there are more points than a browser draws at
once, those that lie all but on another are left out, and it is known how near they are.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from bench.records.cache_state import COLD
from bench.report.html import plot_parts, style
from bench.report.html.view import anchor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.records.record import Record

    Ends = tuple[float, float, float]
    """A value, and the lower and upper end of its interval."""

KINDS = ("float32", "float64", "bfloat16", "float16", "whole numbers", "others")
"""As many as there are colours; what a run has of others shares one."""
_WHOLE = ("int", "uint", "bool")
MOST = 600
"""Points with an interval; Chromium draws as many in less than a tenth of a second."""
_FINEST_DECADES = 0.01
"""A pixel or two, where two points are one to the eye."""
LINE_SHARE, WORD_SHARE = 0.06, 0.15
"""A line of text takes this share of an axis's height, and a short word that share of its width on a phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScatterPoint:
    """A case at its place."""

    record: Record
    x: float
    y: Ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """The points to draw, how many there are in all, and how near those left out lie (a share)."""

    points: tuple[ScatterPoint, ...]
    of: int
    within: float

    @property
    def caption(self) -> str:
        """What a reader must know of points that are not drawn."""
        if len(self.points) == self.of:
            return ""
        near = f"{100 * self.within:.0f} %"
        return f" {len(self.points)} of {self.of} are drawn; the others lie within {near} of one of these."


def kind(dtype: str) -> int:
    """Which of the kinds a dtype is of."""
    if dtype in KINDS:
        return KINDS.index(dtype)
    return KINDS.index("whole numbers" if dtype.startswith(_WHOLE) else "others")


def cloud(points: Sequence[ScatterPoint], most: int = MOST) -> Cloud:
    """The points, thinned until there are no more than `most`: one is kept of each cell of a grid.

    Kinds and caches are thinned apart, and what is kept is the first of its cell.
    """
    kept, cell = list(points), 0.0
    while len(kept) > most:
        cell = max(_FINEST_DECADES, 2 * cell)
        cells = {_cell(point, cell): point for point in reversed(points)}
        kept = list(reversed(cells.values()))
    return Cloud(points=tuple(kept), of=len(points), within=10**cell - 1)


def _cell(point: ScatterPoint, cell: float) -> tuple[object, ...]:
    x, y = math.log10(point.x), math.log10(point.y[0])
    cold = point.record.cache == COLD
    return kind(point.record.dtype), cold, math.floor(x / cell), math.floor(y / cell)


def traces(points: Iterable[ScatterPoint]) -> list[dict[str, Any]]:
    """One trace for each kind of dtype and state of the caches."""
    groups: dict[tuple[int, bool], list[ScatterPoint]] = {}
    for point in points:
        group = kind(point.record.dtype), point.record.cache == COLD
        groups.setdefault(group, []).append(point)
    return [
        _trace(number, group, cold=cold)
        for (number, cold), group in sorted(groups.items(), key=itemgetter(0))
    ]


def _trace(number: int, points: Sequence[ScatterPoint], *, cold: bool) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{KINDS[number]}, cold" if cold else KINDS[number],
        "x": [point.x for point in points],
        "y": [point.y[0] for point in points],
        "error_y": plot_parts.bars((point.y for point in points), fine=True),
        "customdata": [anchor(point.record) for point in points],
        "hoverinfo": "text",
        "line": {"color": style.LIGHT[number]},
        "marker": {
            "color": style.LIGHT[number],
            "symbol": style.SYMBOLS[number] + ("-open" if cold else ""),
            "size": 7,
            "line": {"width": 2 if cold else 0},
        },
        "meta": {"colour": number, "dtype": number},
    }


def reach(points: Iterable[ScatterPoint]) -> list[float]:
    """What an axis must hold of the points' intervals."""
    return [end for point in points for end in plot_parts.drawn_ends(*point.y)]


def roof_line(
    places: Sequence[tuple[float, float]],
    said: str,
    *,
    colour: int,
    dash: str,
    shape: str = "linear",
) -> dict[str, Any]:
    """A roof: a line without markers, which says what it is wherever it is touched."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": style.escaped(said),
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "hovertext": [style.escaped(said)] * len(places),
        "hoverinfo": "text",
        "line": {"color": style.LIGHT[colour], "width": 1.5, "dash": dash, "shape": shape},
        "meta": {"colour": colour},
    }


def labels(places: Sequence[tuple[float, float, str]], position: str) -> dict[str, Any]:
    """Words beside roofs, in the colour of text."""
    return {
        "type": "scatter",
        "mode": "text",
        "x": [x for x, _, _ in places],
        "y": [y for _, y, _ in places],
        "text": [style.escaped(text) for _, _, text in places],
        "textposition": position,
        "hoverinfo": "skip",
        "cliponaxis": False,
        "meta": {"colour": KINDS.index("others")},
    }


def joined(
    places: Sequence[tuple[float, float, str]], along: Callable[[float, float], float], apart: float
) -> list[tuple[float, float, str]]:
    """Labels of which none stands on another: those too near each other are written as one.

    Args:
        places: x, y and the words.
        along: the coordinate that counts, a power of ten.
        apart: how far from each other they must be, in decades.
    """
    ranked = sorted(places, key=lambda place: along(place[0], place[1]))
    groups: list[list[tuple[float, float, str]]] = []
    for one, before in zip(ranked, [None, *ranked], strict=False):
        near = before and along(*one[:2]) - along(*before[:2]) < apart
        groups = [*groups[:-1], [*groups[-1], one]] if near else [*groups, [one]]
    return [(*group[-1][:2], ", ".join(text for _, _, text in group)) for group in groups]


def between(low: float, high: float, steps: int = 12) -> list[float]:
    """Places along a logarithmic axis, both ends among them; lines can be touched at these."""
    if low == high:
        return [low]
    ratio = (high / low) ** (1 / steps)
    return [
        *itertools.islice(
            itertools.accumulate(itertools.repeat(ratio), float.__mul__, initial=low), steps
        ),
        high,
    ]
