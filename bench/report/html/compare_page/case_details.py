"""What a case of a comparison's own view shows, as data for the page's script, in blocks.

Texts are made here, so that they read as everywhere; numbers go with them to draw by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.report.html.compare_page import ratio_figure
from bench.report.html.table import blocks
from bench.report.html.view import Payload
from bench.report.text import ratio_text, wording
from bench.report.text.verdict_words import word
from bench.units import seconds_with_interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.analysis.compare.runs import Interval, Lined, Lineup, Seen
    from bench.analysis.compare.verdict import CaseVerdict
    from bench.store.runs import RunInfo

ID = "cases"
_CELLS_PER_BLOCK = 400
"""A cell is a case in a run; a page unpacks so many at once, which is quick, and they still pack well."""
_FIELDS = 11
"""A cell has five texts, and two times with their ends."""
_DIGITS = 5
"""Numbers that are drawn have so many digits, which is finer than any screen."""


_AT = {"reference": "of the times at reference", "headline": "of the headlines"}
"""Which of a run's two times a ratio and a verdict are of."""


def together(runs: int) -> int:
    """Cases of so many runs that are unpacked together."""
    return max(1, _CELLS_PER_BLOCK // runs)


def said_of(one: CaseVerdict) -> str:
    """A verdict with its sign: `▶ slower`."""
    return f"{ratio_figure.MARKS[one.verdict][1]} {word(one)}"


def details(
    found: Lineup, names: Sequence[str], hrefs: Sequence[str | None]
) -> tuple[Payload, ...]:
    """What the view of a case needs: the runs, the oldest first, and in blocks what each says.

    Args:
        found: the runs and their cases.
        names: what the runs are called.
        hrefs: the page of each, None where there is none beside this one.
    """
    order = sorted(range(len(names)), key=lambda place: found.runs[place].started_at)
    runs = [_run(found.runs[place], place, names[place], hrefs[place]) for place in order]
    return (
        Payload(id="compared", value=runs),
        *(
            Payload(
                id=f"{ID}-block-{number}",
                value={"runs": [_column(found.cases[block.start : block.stop], p) for p in order]},
            )
            for number, block in enumerate(blocks(len(found.cases), together(len(names))))
        ),
    )


def _run(info: RunInfo, place: int, name: str, href: str | None) -> dict[str, Any]:
    return {
        "name": name,
        "base": not place,
        "when": wording.when(info.started_at),
        "torch": wording.torch_version(info),
        "href": href,
    }


def _column(cases: Sequence[Lined], place: int) -> list[list[Any]]:
    """The cells of a run, field by field; where it lacks a case, all of them are None."""
    cells = [_cell(one, place) or [None] * _FIELDS for one in cases]
    return [list(field) for field in zip(*cells, strict=True)]


def _cell(one: Lined, place: int) -> list[Any] | None:
    """What a run says of a case; None where it lacks it.

    Time, that at reference, ratio, sign, verdict and reason as texts, then both times with their ends.
    """
    seen = one.seen[place]
    if seen is None:
        return None
    texts = [*_times(seen), *_said(one, place)]
    return [*texts, *_numbers(seen.time), *_numbers(seen.at_reference)]


def _times(seen: Seen) -> tuple[str, str]:
    if seen.status != "ok":
        return f"{seen.status}: {seen.reason}" if seen.reason else seen.status, ""
    at = "" if seen.at_reference[0] is None else seconds_with_interval(*seen.at_reference)
    return seconds_with_interval(*seen.time), at


def _said(one: Lined, place: int) -> tuple[str, str, str]:
    """Ratio, sign with verdict, and reason; of a case that the run lost only how."""
    said, loss = (one.said[place - 1], one.losses[place - 1]) if place else (None, None)
    if said is None:
        return "", loss or "", ""
    return (
        ratio_text.cell(said.ratio, said.ratio_lo, said.ratio_hi),
        said_of(said),
        f"{said.reason} ({_AT[said.at]})",
    )


def _numbers(interval: Interval) -> Iterator[float | None]:
    return (None if value is None else float(f"{value:.{_DIGITS}g}") for value in interval)
