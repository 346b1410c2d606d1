"""Views of a comparison: verdicts, every case, trends, machines, method.

A view without anything to show is not made; what is heavy is in payloads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.report.html.compare_page import (
    case_details,
    cases,
    machines,
    ratio_figure,
    trend,
)
from bench.report.html.compare_page.sentences import sentences
from bench.report.html.figure import payload as drawn
from bench.report.html.view import View
from bench.report.text import ratio_text, wording
from bench.units import MISSING, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.compare.comparability import Difference
    from bench.analysis.compare.comparison import Comparison
    from bench.analysis.compare.runs import Lineup
    from bench.report.html.figure import Drawing
    from bench.store.runs import RunInfo

_COMPARABLE: Mapping[str, str] = {
    "yes": "comparable",
    "with-care": "comparable with care",
    "no": "not comparable",
}
_COMMIT = 7
"""Characters of a commit's hash, as git shortens it."""
_MOST_MISSING = 50
"""So many of the cases that were left out are named; the table has all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """A line of the runs compared."""

    name: str
    href: str | None
    colour: int
    facts: tuple[str, ...]
    """When it began, torch, commit, and the machine where all runs are of one: else it is in their names."""
    counts: tuple[int, ...]
    """Cases that are lost, slower, faster, the same, unsure, not compared; none for the base."""
    mean: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Whether a run may be compared with the base: in a word, what differs, what would mend it."""

    name: str
    word: str
    mattering: tuple[Difference, ...]
    others: tuple[Difference, ...]
    remedy: str
    missing: tuple[str, ...]
    missing_more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendEntry:
    """A run's dots, and the button that hides them."""

    number: int
    colour: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictsValues:
    """What the first view shows."""

    sentences: tuple[str, ...]
    runs: tuple[ComparedRun, ...]
    weighed: tuple[Weighed, ...]
    legend: tuple[LegendEntry, ...]
    drawings: tuple[Drawing, ...]


def views(found: Lineup, names: Sequence[str], hrefs: Sequence[str | None]) -> list[View]:
    """The views, in their order.

    Args:
        found: the runs.
        names: what they are called, in the same order.
        hrefs: the page of each, None where there is none beside this one.
    """
    made = [
        _verdicts(found, names, hrefs),
        _cases(found, names, hrefs),
        _trend(found, names),
        _machines(found, names),
        _method(found),
    ]
    return [one for one in made if one]


def _verdicts(found: Lineup, names: Sequence[str], hrefs: Sequence[str | None]) -> View:
    figures = [ratio_figure.cases(found, names), ratio_figure.means(found, names)]
    if _several_machines(found):  # then nearly every case differs, and what they come to says more
        figures.reverse()
    drawings = tuple(one for one in figures if one)
    return View(
        id="verdicts",
        values=VerdictsValues(
            sentences=tuple(sentences(found, names)),
            runs=tuple(_runs(found, names, hrefs)),
            weighed=tuple(
                _weighed(*pair) for pair in zip(found.comparisons, names[1:], strict=True)
            ),
            legend=_legend(names) if len(names) > 2 else (),  # noqa: PLR2004 - two need no legend
            drawings=drawings,
        ),
        payloads=(drawn(ratio_figure.PAYLOAD, drawings),),
    )


def _runs(found: Lineup, names: Sequence[str], hrefs: Sequence[str | None]) -> list[ComparedRun]:
    several = _several_machines(found)
    sums = [((), ""), *((_counts(one), _mean(one)) for one in found.comparisons)]
    return [
        ComparedRun(
            name=name,
            href=href,
            colour=ratio_figure.colour(place),
            facts=_facts(info, several=several),
            counts=counts,
            mean=mean,
        )
        for place, (name, href, info, (counts, mean)) in enumerate(
            zip(names, hrefs, found.runs, sums, strict=True)
        )
    ]


def _facts(info: RunInfo, *, several: bool) -> tuple[str, ...]:
    commit = str(info.environment.get("git_commit") or MISSING)[:_COMMIT]
    dirty = "+" if info.environment.get("git_dirty") else ""
    when = wording.when(info.started_at)
    machine = () if several else (wording.machine_name(info),)
    return when, wording.torch_version(info), commit + dirty, *machine


def _several_machines(found: Lineup) -> bool:
    return len({run.machine.get("machine_id") for run in found.runs}) > 1


def _counts(one: Comparison) -> tuple[int, ...]:
    s = one.summary
    lost = len(one.lost)
    return lost, s.slower, s.faster, s.same, s.unsure, s.missing - lost


def _mean(one: Comparison) -> str:
    s = one.summary
    return ratio_text.cell(s.geomean_ratio, s.geomean_lo, s.geomean_hi)


def _weighed(one: Comparison, name: str) -> Weighed:
    known = one.comparable
    return Weighed(
        name=name,
        word=_COMPARABLE[known.verdict],
        mattering=tuple(d for d in known.differences if d.matters != "no"),
        others=tuple(d for d in known.differences if d.matters == "no"),
        remedy=known.remedy,
        missing=tuple(map(str, one.missing[:_MOST_MISSING])),
        missing_more=max(0, len(one.missing) - _MOST_MISSING),
    )


def _legend(names: Sequence[str]) -> tuple[LegendEntry, ...]:
    return tuple(
        LegendEntry(number=place, colour=ratio_figure.colour(place + 1), name=name)
        for place, name in enumerate(names[1:])
    )


def _cases(found: Lineup, names: Sequence[str], hrefs: Sequence[str | None]) -> View:
    listing = cases.listing(found, names)
    return View(
        id="cases",
        values=listing,
        payloads=(listing.payload, *case_details.details(found, names, hrefs)),
    )


def _trend(found: Lineup, names: Sequence[str]) -> View | None:
    """Not made where no machine has runs enough."""
    if found.followed is None or not found.followed.cases:
        return None
    called = {run.run_id: name for run, name in zip(found.runs, names, strict=True)}
    shown = trend.trend_values(found.followed, called)
    return View(
        id="trend",
        values=shown,
        payloads=(drawn(trend.PAYLOAD, shown.drawings),),
    )


def _machines(found: Lineup, names: Sequence[str]) -> View:
    known = [d for one in found.comparisons for d in one.comparable.differences]
    return View(
        id="machines",
        values={"names": names, "sides": machines.sides(found.runs, known)},
    )


def _method(found: Lineup) -> View:
    first = found.comparisons[0]
    values: dict[str, Any] = {
        "threshold": share(first.threshold),
        "confidence": share(first.confidence),
        "wrong": share(1 - first.confidence),
    }
    return View(id="method", values=values)
