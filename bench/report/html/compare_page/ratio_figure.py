"""Comparisons → figures of ratios: case by case, and suite by suite. Everything from data is escaped here.

A row has a dot per run, each with its interval; the shape says the verdict, the colour the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.compare.runs import concern
from bench.report.html import style
from bench.report.html.compare_page.ratio_dots import MARKS, Dot, figure, twin
from bench.report.html.figure import Drawing
from bench.report.text import ratio_text
from bench.stats.ratio import CHANGED
from bench.units import counted, seconds, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.compare.comparison import Comparison, Mean
    from bench.analysis.compare.runs import Lined, Lineup
    from bench.analysis.compare.verdict import CaseVerdict

PAYLOAD = "verdicts-figures"
MOST_ROWS = 60
"""Of a picture that one still looks through; the table has every case."""
MOST_DOTS = 240
"""With several runs, rows are fewer: so many dots in all."""
WORDS: Mapping[str, str] = {"unsure": "can't be told"}


def said(one: CaseVerdict) -> str:
    """`slower`, `can't be told`."""
    return WORDS.get(one.verdict, one.verdict)


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
    held = sum(one.foremost is not None for one in found.cases)
    some = f"{len(rows)} of {held} cases: " if len(rows) < held else ""
    signs = ", ".join(f"{sign} {WORDS.get(word, word)}" for word, (_, sign) in MARKS.items())
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
        wide=True,
    )


def foremost(found: Lineup) -> list[Lined]:
    """The cases worth a row: all that changed, then the least certain; in order of concern."""
    held = [(one, first) for one in found.cases if (first := one.foremost)]
    room = min(MOST_ROWS, max(1, MOST_DOTS // len(found.comparisons)))
    if len(held) > room:
        held.sort(key=lambda pair: _worth(pair[1]))
        held = held[:room]
    return [one for one, first in sorted(held, key=lambda pair: _place(pair[1]))]


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
        wide=True,
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
        f"{name}: {said(one)}",
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
        text=f"{ratio} {said(one)}",
    )


def _at(one: CaseVerdict) -> str:
    return "both at reference conditions" if one.at == "reference" else "headlines"


def _title(one: Lined, *, several: bool) -> str:
    device = f" {one.device}" if several else ""
    return f"{one.suite}/{one.title}{device}"


def _under(names: Sequence[str]) -> str:
    return f"for {', '.join(names[1:])}"
