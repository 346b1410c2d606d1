"""One dot per case on a strip per suite: how near each comes to its roof, or else how long it takes."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.analysis.findings.roofline import MIN_ROOF_TIME_S, telling
from bench.analysis.grid import title
from bench.analysis.usable import FOR_INTERVALS, unusable
from bench.report.html import log_axis, plot_parts, style
from bench.report.html.figure import Drawing, Twin
from bench.units import counted, seconds, share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.records.record import Record
    from bench.report.html.figure import Figure

_DOTS_PER_DECADE = 25
"""Nearer dots would lie on each other, so that one stands for all of them."""
_MOST_NAMED = 3
_MOST_TICKS = 6
_STRIP_PX, _EDGE_PX = 24, 64
"""A strip's height, and the space above and below all strips."""
_CASE, _MIDDLE = 0, 1
_NEUTRAL = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Strip:
    """A suite's cases, lowest value first."""

    name: str
    cases: tuple[tuple[float, Record], ...]

    @property
    def middle(self) -> float:
        """The median of its values."""
        return statistics.median(value for value, _ in self.cases)


def shares(id_: str, payload: str, records: Sequence[Record]) -> Drawing | None:
    """How near cases come to their roofs, where that says something; None where it does so for none."""
    found = _strips(telling(records), lambda r: r.roof_share or 0.0)
    if not found:
        return None
    far, near = _ends(found)
    values = [value for strip in found for value, _ in strip.cases]
    axis = log_axis.value_axis([*values, 1.0], "%", _MOST_TICKS)
    roof = plot_parts.line([1.0, 1.0], [-0.5, len(found) - 0.5], _NEUTRAL, name="the roof")
    return Drawing(
        id=id_,
        payload=payload,
        figure=_figure(found, axis, share, [roof]),
        label=f"How near {_cases(found)} come to their roofs, by suite: {far} to {near}.",
        caption=(
            "Share of its roof that a case reaches, logarithmic: a dot for each, or for those that would "
            "lie on each other; a bar at each suite's median, nearest suite on top. Left out is what would "
            f"take less than {seconds(MIN_ROOF_TIME_S, 2)} at its roof, where calling costs more than computing, "
            "what waits for launches, and what declares no work."
        ),
        twin=_twin(found, share, ("farthest", "nearest")),
    )


def times(id_: str, payload: str, records: Sequence[Record]) -> Drawing | None:
    """How long cases take; None where none has a time."""
    found = _strips(
        [r for r in records if not unusable(r, barred=FOR_INTERVALS)], lambda r: r.time_s or 0.0
    )
    if not found:
        return None
    low, high = _ends(found, seconds)
    values = [value for strip in found for value, _ in strip.cases]
    return Drawing(
        id=id_,
        payload=payload,
        figure=_figure(found, log_axis.value_axis(values, "s", _MOST_TICKS), seconds, []),
        label=f"Time per call of {_cases(found)}, by suite: {low} to {high}.",
        caption=(
            "Time per call, logarithmic: a dot for each case, or for those that would lie on each other; a "
            "bar at each suite's median, slowest suite on top. No case could be compared with a roof."
        ),
        twin=_twin(found, seconds, ("shortest", "longest")),
    )


def _strips(records: Sequence[Record], of: Callable[[Record], float]) -> list[_Strip]:
    """A strip per suite, the highest median first."""
    suites: dict[str, list[tuple[float, Record]]] = {}
    for record in records:
        suites.setdefault(record.suite, []).append((of(record), record))
    found = [
        _Strip(name=name, cases=tuple(sorted(cases, key=lambda case: case[0])))
        for name, cases in suites.items()
    ]
    return sorted(found, key=lambda strip: -strip.middle)


def _ends(found: Sequence[_Strip], write: Callable[[float], str] = share) -> tuple[str, str]:
    return (
        write(min(s.cases[0][0] for s in found)),
        write(max(s.cases[-1][0] for s in found)),
    )


def _cases(found: Sequence[_Strip]) -> str:
    return counted(sum(len(strip.cases) for strip in found), "case")


def _figure(
    found: Sequence[_Strip],
    axis: dict[str, Any],
    write: Callable[[float], str],
    more: Sequence[dict[str, Any]],
) -> Figure:
    dots = [dot for y, strip in enumerate(found) for dot in _dots(y, strip, write)]
    xs, ys, texts = zip(*dots, strict=True)
    cases = plot_parts.points(xs, ys, texts, _CASE, name="a case", size=8, opacity=0.65)
    said = [
        f"<b>{style.escaped(s.name)}</b><br>median {write(s.middle)} of {_cases([s])}"
        for s in found
    ]
    medians = [strip.middle for strip in found]
    middles = plot_parts.points(
        medians,
        range(len(found)),
        said,
        _MIDDLE,
        name="median of the suite",
        symbol="line-ns-open",
        size=16,
        line={"width": 3},
    )
    layout = style.layout(
        height=_EDGE_PX + _STRIP_PX * max(2, len(found)),
        xaxis=axis,
        yaxis={**style.rows_axis([s.name for s in found]), "fixedrange": True},
        showlegend=True,
        legend=plot_parts.legend(),
        margin={"l": 40, "r": 16, "t": 8, "b": 32},
    )
    return {"data": [*more, cases, middles], "layout": layout}


def _dots(y: int, strip: _Strip, write: Callable[[float], str]) -> list[tuple[float, int, str]]:
    """(value, row, what it says) of each dot; of cases that would lie on each other, the middle one's."""
    bins: dict[int, list[tuple[float, Record]]] = {}
    for value, record in strip.cases:
        bins.setdefault(round(_DOTS_PER_DECADE * math.log10(value)), []).append((value, record))
    return [(members[len(members) // 2][0], y, _hover(members, write)) for members in bins.values()]


def _hover(members: Sequence[tuple[float, Record]], write: Callable[[float], str]) -> str:
    lines = [
        f"{_named(record)}: {write(value)}{f' of {record.roof}' if write is share else ''}"
        for value, record in members[:_MOST_NAMED]
    ]
    if members[_MOST_NAMED:]:
        lines.append(f"and {len(members) - _MOST_NAMED} more here")
    return "<br>".join(map(style.escaped, lines))


def _twin(found: Sequence[_Strip], write: Callable[[float], str], ends: tuple[str, str]) -> Twin:
    rows = []
    for strip in found:
        (low, first), (high, last) = strip.cases[0], strip.cases[-1]
        cells = (str(len(strip.cases)), write(strip.middle))
        extremes = (f"{write(low)}: {_named(first)}", f"{write(high)}: {_named(last)}")
        rows.append((strip.name, (*cells, *extremes)))
    return Twin(row_head="suite", head=("cases", "median", *ends), rows=tuple(rows))


def _named(record: Record) -> str:
    return f"{title(record)} {record.device}"
