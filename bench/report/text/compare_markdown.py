"""A comparison as text for a pull request (Markdown) and for other programs (CSV).

Whatever comes from data is shown as it is: it can't make a column, a tag, a link or call a person. The
Markdown is short enough for a comment, and says what it left out; CSV rounds and drops nothing.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from bench.analysis.compare.left_out import counts
from bench.analysis.compare.verdict import CaseVerdict
from bench.report.text import compared_times, ratio_text, wording
from bench.report.text.machine_readable import csv_text
from bench.report.text.verdict_words import counted as counted_words
from bench.report.text.verdict_words import same_in_words, word
from bench.stats.ratio import VERDICTS
from bench.units import MISSING, clipped, counted, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.analysis.compare.comparability import Comparability
    from bench.analysis.compare.comparison import Comparison
    from bench.analysis.compare.gate import Gate
    from bench.analysis.compare.left_out import LeftOut
    from bench.store.runs import RunInfo

_CASES_LENGTH, _DIFFERENCES_LENGTH, _LOST_LENGTH, _SENTENCE_LENGTH = 32_000, 10_000, 5_000, 1_000
"""The cases, the differences, what was lost and the gate's sentence have at most so many characters: GitHub refuses a
comment of more than 65,536, and hostile data grows sixfold when it is escaped."""
_SHOWN_ROWS = 20
"""A longer table is folded: about a screen."""
_CELL_LENGTH = 200
"""A cell has at most so many characters; an error message in a reason could fill the comment alone."""
_HEAD = "| case | device | base | new | new / base | smallest visible | why |"
_RULE = "|:--|:--|--:|--:|--:|--:|:--|"
_PLAIN = re.compile(r"[\w./,=\[\]:+@()-][\w./,=\[\]:+@() -]*")
_MARKUP = str.maketrans({c: f"&#{ord(c)};" for c in "&<>|`*_~[]\\$!"} | dict.fromkeys("\r\n", " "))
_NO_BREAK = "\u200b"  # after @ or # it keeps a site from seeing a person or an issue there


def markdown(comparison: Comparison, gate: Gate | None = None) -> str:
    """A comparison for a pull request: what was lost, the counts, then what got slower; ends with a newline."""
    lines = [*_lost(comparison), _summary(comparison), ""]
    if gate is not None:
        lines += [_prose(gate.sentence, _SENTENCE_LENGTH), ""]
    lines += [*_runs(comparison), "", *_comparability(comparison), ""]
    space, marked = _CASES_LENGTH, compared_times.mixed(comparison.cases)
    if comparison.cases:
        lines += [compared_times.note(comparison.cases), ""]
    for verdict in VERDICTS:
        rows = [_row(case, marked=marked) for case in _sorted(comparison.cases, verdict)]
        kept = _fitting(rows, space)
        space -= sum(map(len, kept))
        named = same_in_words(comparison.cases) if verdict == "same" else verdict
        lines += _section(named, kept, len(rows), folded=verdict == "same")
    return "\n".join([*lines, *_missing(comparison, space)]).rstrip("\n") + "\n"


def as_csv(*comparisons: Comparison) -> str:
    """One row per case and comparison, with the ids of both runs; what is missing is empty.

    A case that can't be compared has `wrong`, `failed`, `gone` or `missing` for a verdict, and no number.
    """
    fields = [f.name for f in dataclasses.fields(CaseVerdict)]
    rows = (
        {"base_run": one.base.run_id, "new_run": one.new.run_id, **facts}
        for one in comparisons
        for facts in (*map(dataclasses.asdict, one.cases), *map(_left_out_facts, one.missing))
    )
    return csv_text(["base_run", "new_run", *fields], rows)


def _left_out_facts(one: LeftOut) -> dict[str, str]:
    facts = {"case": one.case, "device": one.device, "reason": one.why}
    return {**facts, "verdict": one.loss or "missing"}


def _summary(comparison: Comparison) -> str:
    found = comparison.summary
    words = counted_words([word(case) for case in comparison.cases])
    judged = ", ".join(f"{count} {name}" for name, count in words.items())
    mean = ratio_text.cell(found.geomean_ratio, found.geomean_lo, found.geomean_hi)
    over_all = "" if mean == MISSING else f"; geometric mean of new / base {mean}"
    return f"**{judged}** in {counted(len(comparison.cases), 'case')}{over_all}"


def _lost(comparison: Comparison) -> Iterator[str]:
    """The cases that the new run lost, and why; nothing where there are none."""
    lost = comparison.lost
    if not lost:
        return
    rows = [f"- {_code(one.case)} on {_prose(one.device)}: {_prose(one.why)}" for one in lost]
    kept = _fitting(rows, _LOST_LENGTH)
    yield from (f"**{counts(lost)}**", "", *kept, "")
    if len(kept) < len(rows):
        yield from (_left_out(len(rows) - len(kept), "lost", "json"), "")


def _runs(comparison: Comparison) -> Iterator[str]:
    yield "| | run | machine | torch | started |"
    yield "|:--|:--|:--|:--|:--|"
    for side, info in (("base", comparison.base), ("new", comparison.new)):
        cells = (_run(info), wording.machine_name(info), wording.torch_version(info))
        shown = [cells[0], *map(_prose, cells[1:]), _prose(wording.when(info.started_at))]
        yield f"| {side} | {' | '.join(shown)} |"


def _run(info: RunInfo) -> str:
    label = f"{_code(info.label)} " if info.label else ""
    return label + _code(info.run_id)


def _comparability(comparison: Comparison) -> Iterator[str]:
    known = comparison.comparable
    yield {
        "yes": "The runs are comparable.",
        "with-care": "**The runs are comparable with care**: they differ in more than what is judged.",
        "no": "**The runs are not comparable**: they differ in what decides the numbers.",
    }[known.verdict]
    if known.remedy:
        yield ""
        yield f"To make them comparable: {_code(known.remedy)}"
    if known.differences:
        yield from ("", *_differences(known))


def _differences(known: Comparability) -> Iterator[str]:
    """Open where they matter, unless they fill a screen."""
    count = len(known.differences)
    facts = [
        (f"{d.field}{d.meaning and f' ({d.meaning})'}", d.base, d.new, d.matters)
        for d in known.differences
    ]
    rows = _fitting(
        [f"| {' | '.join(map(_prose, texts))} |" for texts in facts], _DIFFERENCES_LENGTH
    )
    table = ["| differs | base | new | matters |", "|:--|:--|:--|:--|", *rows]
    aside = known.verdict == "yes" or count > _SHOWN_ROWS
    yield from _folded(counted(count, "difference"), table) if aside else table
    if len(rows) < count:
        yield from ("", _left_out(count - len(rows), "differences", "json"))


def _sorted(cases: Sequence[CaseVerdict], verdict: str) -> list[CaseVerdict]:
    """What concerns most comes first: the largest change, the worst that is still possible."""
    chosen = [case for case in cases if case.verdict == verdict]
    if verdict == "slower":
        chosen.sort(key=lambda case: -(case.ratio or 0.0))
    elif verdict == "faster":
        chosen.sort(key=lambda case: case.ratio or 0.0)
    elif verdict == "unsure":
        chosen.sort(key=lambda case: -(case.ratio_hi or float("inf")))
    return chosen


def _row(case: CaseVerdict, *, marked: bool) -> str:
    cells = (
        _code(case.case),
        _prose(case.device),
        *map(_prose, compared_times.pair(case, marked=marked)),
        ratio_text.cell(case.ratio, case.ratio_lo, case.ratio_hi),
        share(case.smallest_visible),
        _prose(case.reason) or MISSING,
    )
    return f"| {' | '.join(cells)} |"


def _section(verdict: str, rows: Sequence[str], count: int, *, folded: bool) -> Iterator[str]:
    """Nothing where there are no cases; `same` is folded, as it is what one hopes for."""
    if not count:
        return
    left_out = count - len(rows)
    shown = [] if folded else rows[:_SHOWN_ROWS]
    rest = rows[len(shown) :]
    if shown:
        yield from (f"### {count} {verdict}", "", _HEAD, _RULE, *shown, "")
    if rest:
        title = f"{len(rest)} more {verdict}" if shown else f"{count} {verdict}"
        yield from (*_folded(title, [_HEAD, _RULE, *rest]), "")
    if left_out:
        yield from (_left_out(left_out, verdict), "")


def _missing(comparison: Comparison, space: int) -> Iterator[str]:
    """The other cases that can't be compared."""
    rows = [f"- {_prose(str(one))}" for one in comparison.missing if not one.loss]
    if not rows:
        return
    kept = _fitting(rows, space)
    yield from _folded(f"{len(rows)} in one run only", kept)
    if len(kept) < len(rows):
        yield from ("", _left_out(len(rows) - len(kept), "in one run only", "json"))


def _fitting(rows: Sequence[str], space: int) -> list[str]:
    """The first rows, as many as have no more characters together than there is space."""
    kept: list[str] = []
    for row in rows:
        space -= len(row)
        if space < 0:
            break
        kept.append(row)
    return kept


def _left_out(count: int, what: str, form: str = "csv") -> str:
    return f"{count} more {what}: left out, to fit a comment; `--format {form}` has all of them."


def _folded(title: str, lines: Sequence[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", "", *lines, "", "</details>"]


def _code(text: str) -> str:
    """Data in a fixed-width font; what could end a code span, or a cell, is written as an entity."""
    text = clipped(text, _CELL_LENGTH)
    return f"`{text}`" if _PLAIN.fullmatch(text) else f"<code>{text.translate(_MARKUP)}</code>"


def _prose(text: str, longest: int = _CELL_LENGTH) -> str:
    """Data among our words, shown as it is."""
    plain = clipped(text, longest).translate(_MARKUP)
    return re.sub(r"(@|(?<!&)#|://|www\.)", rf"\1{_NO_BREAK}", plain).strip()
