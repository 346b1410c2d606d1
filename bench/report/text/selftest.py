"""What `bench selftest` found, for people and programs: plain sentences first, then the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.report.text.machine_readable import fields_of
from bench.report.text.plain_table import PlainTable, below_each_other, folded, right
from bench.stats.ratio import VERDICTS
from bench.units import MISSING, counted, half_width_text, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bench.analysis.compare.repeatability import Agreement, Power, Repeats

NOTHING = "No case was measured twice, so nothing can be said about this machine."
ALARM = 0.05
"""The threshold that the verdict speaks of: the usual one of a gate."""


def verdict(found: Repeats, judged: Sequence[Power]) -> str:
    """What to take home: how far numbers move here, and what comparing makes of that."""
    headline = found.headline
    if headline is None:
        return NOTHING
    seen = (
        "On this machine, two runs of the same code differ by at most "
        f"{share(headline.smallest_visible)} in 19 of 20 comparisons"
    )
    alarms = round(headline.changed[ALARM] * headline.pairs)
    alarm = f"{alarms or 'none'} of {headline.pairs} would be a false alarm at {share(ALARM, 1)}"
    better = found.at_reference
    if better is None:
        tail = "reference conditions were not met twice by any case"
    else:
        tail = f"at reference conditions they differ by at most {share(better.smallest_visible)}"
    return " ".join([f"{seen}; {alarm}; {tail}.", *_compared(judged)])


def selftest_table(found: Repeats, judged: Sequence[Power], *, width: int) -> RenderableType:
    """The verdict, and what it rests on: numbers, as they are and at reference conditions, and verdicts."""
    parts: list[RenderableType] = [verdict(found, judged)]
    if found.headline is not None:
        parts += ["", _agreements(found.headline, found.at_reference)]
        parts += ["", _powers(judged), "", *_lines(found, found.headline)]
    return below_each_other(*parts, width=width)


def selftest_facts(found: Repeats, judged: Sequence[Power]) -> dict[str, Any]:
    """The same for `--json`; what is not known is null."""
    seen = found.intervals
    return {
        "verdict": verdict(found, judged),
        "runs": found.runs,
        "headline": _facts(found.headline),
        "at_reference": _facts(found.at_reference),
        "intervals": None
        if seen is None
        else {
            "pairs": seen.pairs,
            "disjoint": seen.disjoint,
            "half_width_middle": seen.half_width,
            "confidence": seen.confidence,
        },
        "compared": [
            {
                "slowed_by": one.by,
                **fields_of(one, "pairs", *VERDICTS, "slower_share"),
            }
            for one in judged
        ],
    }


def _compared(judged: Sequence[Power]) -> list[str]:
    """What `bench compare` says of the runs, and would say of slower ones; nothing without a pair."""
    plain = next((one for one in judged if not one.by and one.pairs), None)
    if plain is None:
        return []
    said = (
        f"bench compare called {plain.slower + plain.faster} of {plain.pairs} unchanged pairs changed "
        f"and left {plain.unsure} open"
    )
    larger_first = sorted((one for one in judged if one.by), key=lambda one: -one.by)
    seen = [f"+{share(one.by, 1)} in {share(one.slower_share)}" for one in larger_first]
    return [f"{said}; it would have seen {' and '.join(seen)} of them." if seen else f"{said}."]


def _powers(judged: Sequence[Power]) -> RenderableType:
    table = PlainTable(folded("bench compare says of pairs"), *map(right, VERDICTS))
    for one in judged:
        what = f"made slower by {share(one.by, 1)}" if one.by else "as they are"
        table.add(what, *(str(getattr(one, name)) for name in VERDICTS))
    return table


def _facts(one: Agreement | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        **fields_of(one, "cases", "pairs"),
        "changed": [{"threshold": t, "share": s} for t, s in one.changed.items()],
        **fields_of(one, "smallest_visible", "spread_middle", "spread_worst", "worst_case"),
    }


def _agreements(headline: Agreement, at_reference: Agreement | None) -> RenderableType:
    table = PlainTable(folded(), right("headline"), right("at reference"))
    controlled = _cells(at_reference)
    for name, text in _cells(headline).items():
        table.add(name, text, controlled.get(name, MISSING))
    return table


def _cells(one: Agreement | None) -> dict[str, str]:
    if one is None:
        return {}
    return {
        "pairs of runs and cases": str(one.pairs),
        **{f"unchanged, but over {100 * t:g} % apart": share(s) for t, s in one.changed.items()},
        "smallest visible effect": share(one.smallest_visible),
        "spread of a case over runs, middle": share(one.spread_middle),
        "spread of a case over runs, worst": share(one.spread_worst),
    }


def _lines(found: Repeats, headline: Agreement) -> list[str]:
    lines = [f"Widest spread: {headline.worst_case}."]
    if found.at_reference is not None:
        lines = [
            f"Widest spread: {headline.worst_case}; {found.at_reference.worst_case} at reference."
        ]
    if found.intervals is None:
        return [*lines, "No case has an interval in two runs."]
    seen = found.intervals
    level = "" if seen.confidence is None else f"{share(seen.confidence)} "
    lines.append(
        f"The {level}intervals of {share(seen.disjoint)} of {counted(seen.pairs, 'pair')} "
        f"are disjoint; their half-width is {half_width_text(seen.half_width)} in the middle."
    )
    return lines
