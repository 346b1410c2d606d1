"""What `bench selftest` found, for people and programs: one plain sentence first, then the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from bench.units import MISSING, counted, share

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bench.analyse.repeats import Agreement, Repeats

NOTHING = "No case was measured twice, so nothing can be said about this machine."
ALARM = 0.05
"""The threshold that the verdict speaks of: the usual one of a gate."""


def verdict(found: Repeats) -> str:
    """The one sentence to take home."""
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
    return f"{seen}; {alarm}; {tail}."


def selftest_table(found: Repeats, *, width: int) -> RenderableType:
    """The verdict, and what it rests on, as it is and at reference conditions."""
    parts: list[RenderableType] = [Text(verdict(found))]
    if found.headline is not None:
        parts += ["", _agreements(found.headline, found.at_reference)]
        parts += ["", *(Text(line) for line in _lines(found, found.headline))]
    return Constrain(Group(*parts), width)


def selftest_facts(found: Repeats) -> dict[str, Any]:
    """The same for `--json`; what is not known is null."""
    seen = found.intervals
    return {
        "verdict": verdict(found),
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
    }


def _facts(one: Agreement | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "cases": one.cases,
        "pairs": one.pairs,
        "changed": [{"threshold": t, "share": s} for t, s in one.changed.items()],
        "smallest_visible": one.smallest_visible,
        "spread_middle": one.spread_middle,
        "spread_worst": one.spread_worst,
        "worst_case": one.worst_case,
    }


def _agreements(headline: Agreement, at_reference: Agreement | None) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    table.add_column("", overflow="fold")
    table.add_column("headline", justify="right", no_wrap=True)
    table.add_column("at reference", justify="right", no_wrap=True)

    def add(name: str, value: str, other: str) -> None:
        table.add_row(Text(name), Text(value), Text(other))

    left, right = _cells(headline), _cells(at_reference)
    for name in left:
        add(name, left[name], right.get(name, MISSING))
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
        f"are disjoint; their half-width is {share(seen.half_width)} in the middle."
    )
    return lines
