"""Claims and their answers, for people and programs: verdict, sentence, numbers, sources, what to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from bench.analysis.claims.claim import ANSWERED, measuring_command
from bench.analysis.findings.footnotes import superscript
from bench.analysis.rerun_command import on_store
from bench.report.text.plain_table import PlainTable, below_each_other, folded, whole
from bench.units import count, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from bench.analysis.claims.claim import Claim, ClaimAnswer

_WORDS = {
    "holds": "holds",
    "does-not-hold": "does not hold here",
    "cant-tell": "unsure",
    "not-measured": "not measured",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """A claim as it is shown: its verdict, its sentence, and what speaks for it beneath."""

    id: str
    kind: str
    verdict: str
    sentence: str
    beneath: str
    sources: tuple[tuple[str, str], ...]


def rows(answers: Sequence[ClaimAnswer], store: Path | None = None) -> list[ClaimRow]:
    """Each claim in words; the run is named where answers rest on several."""
    runs = _runs(answers)
    return [
        ClaimRow(
            id=one.claim.id,
            kind=one.verdict.kind,
            verdict=verdict(one),
            sentence=one.claim.sentence,
            beneath=_beneath(one, store, several_runs=len(runs) > 1),
            sources=tuple((source.text.title, source.place) for source in one.claim.sources),
        )
        for one in answers
    ]


def verdict(answer: ClaimAnswer) -> str:
    """The verdict in words: `holds from n=256 on`."""
    found = answer.verdict
    if found.kind == "holds-from" and found.size is not None:
        return f"holds from {found.axis}={count(found.size)} on"
    if found.kind == "not-measured" and answer.claim.needs_gpu:
        return "needs a GPU"
    return _WORDS[found.kind]


def claims_table(
    answers: Sequence[ClaimAnswer], *, width: int, store: Path | None = None
) -> RenderableType:
    """The claims in their order, then how many are answered, and the texts that the marks stand for."""
    texts = {s.text.title: s.text for one in answers for s in one.claim.sources}
    numbered = enumerate(sorted(texts.values(), key=lambda text: text.file), start=1)
    marks = {text.title: superscript(number) for number, text in numbered}
    table = PlainTable(whole("verdict"), folded("claim"))
    for row in rows(answers, store):
        named = {title for title, _ in row.sources}
        marked = " ".join(mark for title, mark in marks.items() if title in named)
        cell: list[RenderableType] = [Text(f"{row.sentence} {marked}")]
        if row.beneath:
            cell.append(Padding(Text(row.beneath, style="dim"), (0, 0, 0, 2)))
        table.add(Text(row.verdict, style="bold"), Group(*cell))
    named_texts = [f"{mark} {title} ({texts[title].origin})" for title, mark in marks.items()]
    return below_each_other(table, "", summary(answers), "", *named_texts, width=width)


def answered(answers: Sequence[ClaimAnswer]) -> bool:
    """Whether any claim is."""
    return any(one.verdict.kind in ANSWERED for one in answers)


def summary(answers: Sequence[ClaimAnswer]) -> str:
    """How many claims are answered, by which runs."""
    answered = sum(one.verdict.kind in ANSWERED for one in answers)
    runs = _runs(answers)
    where = f", by run {runs[0]}" if len(runs) == 1 else f", by {len(runs)} runs" if runs else ""
    return f"{answered} of {counted(len(answers), 'claim')} answered{where}."


def next_steps(
    answers: Sequence[ClaimAnswer], *, gpu: bool, store: Path | None = None
) -> list[str]:
    """The commands that measure what is still missing; what needs a GPU apart where there is none."""
    here = [one.claim for one in answers if _lacks(one) and (gpu or not one.claim.needs_gpu)]
    there = [one.claim for one in answers if _lacks(one) and one.claim.needs_gpu and not gpu]
    steps = []
    if measure := _measuring(here, store):
        steps.append(f"to measure what is missing: {measure}")
    if measure := _measuring(there, store):
        claims = counted(len(there), "claim")
        steps.append(f"to answer {claims} on a machine with a GPU: {measure}")
    return steps


def claims_facts(
    answers: Sequence[ClaimAnswer], *, gpu: bool, store: Path | None = None
) -> dict[str, Any]:
    """The same for `--json`."""
    lacking = [one.claim for one in answers if _lacks(one)]
    return {
        "runs": _runs(answers),
        "claims": [{**_facts(one), "measure": _measuring([one.claim], store)} for one in answers],
        "answered": sum(one.verdict.kind in ANSWERED for one in answers),
        "missing": _measuring((c for c in lacking if gpu or not c.needs_gpu), store),
        "missing_gpu": _measuring((c for c in lacking if c.needs_gpu and not gpu), store),
    }


def _facts(one: ClaimAnswer) -> dict[str, Any]:
    return {
        "id": one.claim.id,
        "claim": one.claim.sentence,
        "sources": [
            {"text": s.text.file, "title": s.text.title, "place": s.place}
            for s in one.claim.sources
        ],
        "verdict": one.verdict.kind,
        "axis": one.verdict.axis,
        "size": one.verdict.size,
        "numbers": one.verdict.numbers or None,
        "run": one.run_id,
        "cases": [{"case": r.case, "device": r.device} for r in one.records],
        "needs": list(dict.fromkeys(cases.op for cases in one.claim.needs)),
        "needs_gpu": one.claim.needs_gpu,
    }


def _measuring(claims: Iterable[Claim], store: Path | None) -> str | None:
    """The command that measures what claims need, into this store."""
    command = measuring_command(claims)
    return command and " && ".join(on_store(part, store) for part in command.split(" && "))


def _lacks(one: ClaimAnswer) -> bool:
    return one.verdict.kind == "not-measured"


def _runs(answers: Sequence[ClaimAnswer]) -> list[str]:
    """The runs that answers rest on, newest first."""
    return sorted({one.run_id for one in answers if one.run_id}, reverse=True)


def _beneath(one: ClaimAnswer, store: Path | None, *, several_runs: bool) -> str:
    if _lacks(one):
        return "" if one.claim.needs_gpu else _measuring([one.claim], store) or ""
    return f"{one.verdict.numbers}; run {one.run_id}" if several_runs else one.verdict.numbers
