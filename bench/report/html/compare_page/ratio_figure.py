"""Comparisons → figures of ratios: case by case, and suite by suite. Everything from data is escaped here.

A row has a dot per run, each with its interval; the shape says the verdict, the colour the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.analysis.compare.runs import concern
from bench.report.html import log_axis, plot_parts, style
from bench.report.html.figure import Drawing, Twin
from bench.report.text import ratio_text
from bench.report.text.verdict_words import word
from bench.stats.ratio import CHANGED
from bench.units import MISSING, clipped, counted, seconds, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.compare.comparison import Comparison, Mean
    from bench.analysis.compare.runs import Lined, Lineup
    from bench.analysis.compare.verdict import CaseVerdict
    from bench.report.html.figure import Figure

PAYLOAD = "verdicts-figures"
MOST_ROWS = 60
"""A reader still looks through a picture of so many rows; the table has every case."""
MOST_DOTS = 240
"""With several runs a row has several dots, so that rows are fewer."""
GREY = 5
"""The colour of the base, and of the lines that a ratio is compared with."""
MARKS: Mapping[str, tuple[str, str]] = {
    "slower": ("triangle-right", "▶"),
    "faster": ("triangle-left", "◀"),
    "unsure": ("circle-open", "○"),
    "same": ("circle", "●"),
}
"""Verdict → the marker in a figure, and the sign that stands for it in a text."""
_ROW_PX, _DOT_PX, _EDGE_PX = 22, 11, 64
"""A row's height, the distance of the dots of several runs in it, and the space above and below all rows."""
_MOST_TIMES_AWAY = 2.0
"""An interval that reaches further from its dot than by this factor leaves the picture."""
_LONGEST_NAME = 52
"""A row's name beside a figure has at most so many characters."""


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


def cases(found: Lineup, names: Sequence[str]) -> Drawing | None:
    """The ratio of each case, what concerns most on top; None where there is none."""
    rows = foremost(found)
    if not rows:
        return None
    several = len({one.device for one in found.cases}) > 1
    titles = [_title(one, several=several) for one in rows]
    dots = [
        _case_dot(row, place, verdict, found, names[place + 1])
        for row, one in enumerate(rows)
        for place, verdict in enumerate(one.said)
        if verdict
    ]
    compared = sum(one.foremost is not None for one in found.cases)
    some = f"{len(rows)} of {compared} cases: " if len(rows) < compared else ""
    signs = ", ".join(f"{sign} {word}" for word, (_, sign) in MARKS.items())
    return Drawing(
        id="ratio-cases",
        payload=PAYLOAD,
        figure=figure(dots, titles, names, found.comparisons[0].threshold),
        label=f"Ratio of times to {names[0]}, case by case, {_under(names)}: {some}slower first.",
        caption=(
            f"{some}how many times as long each takes as in {names[0]}, slower first. {signs}. Bars are "
            f"intervals at {share(found.comparisons[0].confidence)}; within the band "
            f"(±{share(found.comparisons[0].threshold)}) a change does not count."
        ),
        twin=twin("case", titles, names, dots),
    )


def foremost(found: Lineup) -> list[Lined]:
    """The cases worth a row: all that changed, then the least certain; in order of concern."""
    compared = [(one, first) for one in found.cases if (first := one.foremost)]
    most = min(MOST_ROWS, max(1, MOST_DOTS // len(found.comparisons)))
    if len(compared) > most:
        compared.sort(key=lambda pair: _worth(pair[1]))
        compared = compared[:most]
    return [one for one, first in sorted(compared, key=lambda pair: _place(pair[1]))]


def _worth(one: CaseVerdict) -> tuple[bool, float]:
    if one.verdict in CHANGED:
        return False, concern(one)[1]
    return True, -(one.ratio_hi / one.ratio_lo if one.ratio_lo and one.ratio_hi else float("inf"))


def _place(one: CaseVerdict) -> tuple[int, float]:
    """By verdict; within one the larger ratio first, so that a picture falls from row to row."""
    return concern(one)[0], -one.ratio


def means(found: Lineup, names: Sequence[str]) -> Drawing | None:
    """The geometric mean over all cases and suite by suite; None where there is nothing to sum up."""
    suites = list(dict.fromkeys(s for one in found.comparisons for s in one.summary.by_suite))
    rows = ["all", *suites] if len(suites) > 1 else ["all"]
    dots = [
        _mean_dot(row, place, of, f"{title}, {names[place + 1]}")
        for row, title in enumerate(rows)
        for place, one in enumerate(found.comparisons)
        if (of := _mean_of(one, title if row else None)) and of.ratio is not None
    ]
    if not dots:
        return None
    return Drawing(
        id="ratio-means",
        payload=PAYLOAD,
        figure=figure(dots, rows, names, found.comparisons[0].threshold),
        label=f"Geometric mean of the ratios to {names[0]}, over all and by suite, {_under(names)}.",
        caption=(
            "Geometric means over the cases that both runs have. Bars are intervals as if all cases erred "
            "together; the shape says nothing here."
        ),
        twin=twin("suite", rows, names, dots),
    )


def _mean_of(found: Comparison, suite: str | None) -> Mean | None:
    if suite is not None:
        return found.summary.by_suite.get(suite)
    return found.summary.over_all


def _mean_dot(row: int, series: int, of: Mean, title: str) -> Dot:
    ratio = of.ratio or 1.0
    text = ratio_text.cell(of.ratio, of.low, of.high)
    hover = f"<b>{style.escaped(title)}</b><br>{text}<br>{counted(of.cases, 'case')}"
    ends = {"low": of.low, "high": of.high}
    return Dot(row=row, series=series, ratio=ratio, **ends, mark="same", hover=hover, text=text)


def _case_dot(row: int, series: int, one: CaseVerdict, found: Lineup, name: str) -> Dot:
    ratio = ratio_text.cell(one.ratio, one.ratio_lo, one.ratio_hi)
    confidence = share(found.comparisons[series].confidence)
    plain = [
        f"{one.case} on {one.device}",
        f"{name}: {word(one)}",
        f"{ratio} times as long (interval at {confidence})",
        f"{seconds(one.base_s, 4)} → {seconds(one.new_s, 4)}, {_at(one)}",
        one.reason,
        f"smallest change it could have shown: {share(one.smallest_visible)}",
    ]
    first, *rest = (style.escaped(line) for line in plain if line)
    return Dot(
        row=row,
        series=series,
        ratio=one.ratio,
        low=one.ratio_lo,
        high=one.ratio_hi,
        mark=one.verdict,
        hover="<br>".join([f"<b>{first}</b>", *rest]),
        text=f"{ratio} {word(one)}",
    )


def _at(one: CaseVerdict) -> str:
    return "both at reference conditions" if one.at == "reference" else "headlines"


def _title(one: Lined, *, several: bool) -> str:
    device = f" {one.device}" if several else ""
    return f"{one.suite}/{one.title}{device}"


def _under(names: Sequence[str]) -> str:
    return f"for {', '.join(names[1:])}"


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
    apart = max(_ROW_PX, _DOT_PX * len(series) + _DOT_PX)
    reach = [1 / (1 + band), 1 + band, *(end for dot in dots for end in _reach(dot))]
    height = _EDGE_PX + apart * len(rows)
    ends, heights = (1 / (1 + band), 1 + band), (-0.5, len(rows) - 0.5)
    traces = [plot_parts.region(ends, heights, GREY)]
    traces += [plot_parts.line([at, at], heights, GREY, dash="dot") for at in ends]
    traces += [plot_parts.line([1.0, 1.0], heights, GREY, dash="solid")]
    traces += [_trace([d for d in dots if d.series == s], s, names, apart) for s in series]
    return {
        "data": traces,
        "layout": style.layout(
            height=height,
            margin={"l": 40, "r": 12, "t": _EDGE_PX - 16, "b": 8},
            xaxis={**log_axis.ratio_axis(reach, "← faster · slower →"), "side": "top"},
            yaxis={
                **style.rows_axis([clipped(row, _LONGEST_NAME) for row in rows]),
                "fixedrange": True,
            },
            meta={"names": [style.escaped(style.shortened(row)) for row in rows]},
        ),
    }


def _reach(dot: Dot) -> tuple[float, float]:
    ends = dot.low or dot.ratio, dot.high or dot.ratio
    return plot_parts.drawn_ends(dot.ratio, *ends, _MOST_TIMES_AWAY)


def _trace(dots: Sequence[Dot], series: int, names: Sequence[str], apart: int) -> dict[str, Any]:
    """A run's dots; several runs stand beneath each other in their row."""
    count = len(names) - 1
    shift = (series - (count - 1) / 2) * _DOT_PX / apart
    number = colour(series + 1)
    trace = plot_parts.points(
        [dot.ratio for dot in dots],
        [dot.row + shift for dot in dots],
        [dot.hover for dot in dots],
        number,
        name=names[series + 1],
        symbol=[MARKS[dot.mark][0] for dot in dots],
        size=9,
        line={"width": 1.5},
    )
    ends = ((d.ratio, d.low or d.ratio, d.high or d.ratio) for d in dots)
    meta = {"colour": number, "device": series}
    return {**trace, "error_x": plot_parts.bars(ends), "meta": meta}


def twin(row_head: str, rows: Sequence[str], names: Sequence[str], dots: Sequence[Dot]) -> Twin:
    """The same numbers: a line per row, a column per run."""
    cells = {(dot.row, dot.series): dot.text for dot in dots}
    series = range(len(names) - 1)
    return Twin(
        row_head=row_head,
        head=tuple(names[1:]),
        rows=tuple(
            (name, tuple(cells.get((row, place), MISSING) for place in series))
            for row, name in enumerate(rows)
        ),
    )
