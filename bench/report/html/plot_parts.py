"""Pieces that figures share: intervals as bars and bands, shaded regions, lines to compare with.

What is no curve is a trace, not a shape, so that the page's script colours it by number like everything else; it makes
a fill so thin that curves and text on it stay readable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.report.html import style

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_TIMES_AWAY = 10.0
"""An interval that reaches further from its value than by this factor may leave the figure."""
_REGION_OPACITY = 0.5
"""A region is half as strong as a band, since it lies under all of them."""


def band(
    xs: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    colour: int,
    *,
    op: int | None = None,
) -> dict[str, Any]:
    """The area between two curves; `op` is the number by which the page's controls find it."""
    return {
        **_filled(colour, 1.0, op),
        "x": [*xs, *reversed(xs)],
        "y": [*lows, *reversed(highs)],
    }


def region(
    ends: tuple[float, float], heights: Sequence[float], colour: int, *, op: int | None = None
) -> dict[str, Any]:
    """The whole height of a figure between two places; `heights` are the ends of its axis."""
    (left, right), (low, high) = ends, heights
    return {
        **_filled(colour, _REGION_OPACITY, op),
        "x": [left, right, right, left],
        "y": [low, low, high, high],
    }


def line(
    xs: Sequence[float],
    ys: Sequence[float],
    colour: int,
    *,
    dash: str = "dash",
    name: str = "",
    op: int | None = None,
) -> dict[str, Any]:
    """A line to compare with; without a name it is not in the legend."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(xs),
        "y": list(ys),
        "name": style.escaped(name),
        "showlegend": bool(name),
        "hoverinfo": "skip",
        "line": {"color": style.LIGHT[colour], "dash": dash, "width": 1.5},
        "meta": meta(colour, op),
    }


def points(
    xs: Iterable[float],
    ys: Iterable[float],
    hovers: Iterable[str],
    colour: int,
    *,
    name: str = "",
    lines: dict[str, Any] | None = None,
    **marker: Any,
) -> dict[str, Any]:
    """Points that say something when they are touched.

    Args:
        xs: their places.
        ys: their places.
        hovers: what each says, escaped already.
        colour: its number.
        name: what a legend calls them, as it is in data.
        lines: how the lines between them look; None for none.
        marker: how the points look.
    """
    paint = {"color": style.LIGHT[colour]}
    return {
        "type": "scatter",
        "mode": "markers" if lines is None else "lines+markers",
        "name": style.escaped(name),
        "x": list(xs),
        "y": list(ys),
        "hovertext": list(hovers),
        "hoverinfo": "text",
        "line": paint | (lines or {}),
        "marker": paint | marker,
        "meta": meta(colour, None),
    }


def text(
    place: tuple[float, float], words: str, colour: int, *, where: str, op: int | None = None
) -> dict[str, Any]:
    """Words at a place, in the page's ink; `where` as Plotly's textposition."""
    return {
        "type": "scatter",
        "mode": "text",
        "x": [place[0]],
        "y": [place[1]],
        "text": [style.escaped(words)],
        "textposition": where,
        "showlegend": False,
        "hoverinfo": "skip",
        "cliponaxis": False,
        "meta": meta(colour, op),
    }


def bars(ends: Iterable[tuple[float, float, float]], *, fine: bool = False) -> dict[str, Any]:
    """Intervals as bars on both sides; `ends` are value, low, high of each point.

    Args:
        ends: where a bar has no length, there is none.
        fine: thin ones, for a cloud of points.
    """
    values = list(ends)
    return {
        "type": "data",
        "symmetric": False,
        "array": [_length(high - value) for value, _, high in values],
        "arrayminus": [_length(value - low) for value, low, _ in values],
        "thickness": 1 if fine else 1.2,
        "width": 2 if fine else 3,
    }


def drawn_ends(
    value: float, low: float, high: float, times_away: float = MOST_TIMES_AWAY
) -> tuple[float, float]:
    """An interval as far as a figure makes space for it."""
    return max(low, value / times_away), min(high, value * times_away)


def _length(value: float) -> float:
    """In as many digits as a bar can show: a page has one for each end of each point."""
    return float(f"{value:.3g}")


def legend() -> dict[str, Any]:
    """A legend above the figure that only names: a click there can't be made with a keyboard."""
    return {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "y": 1.02,
        "yanchor": "bottom",
        "itemclick": False,
        "itemdoubleclick": False,
    }


def meta(colour: int, op: int | None) -> dict[str, int]:
    """By which numbers the page colours a trace, and shows or hides it."""
    return {"colour": colour} if op is None else {"op": op, "colour": colour}


def _filled(colour: int, opacity: float, op: int | None) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "fill": "toself",
        "opacity": opacity,
        "showlegend": False,
        "hoverinfo": "skip",
        "line": {"color": style.LIGHT[colour], "width": 0},
        "meta": meta(colour, op),
    }
