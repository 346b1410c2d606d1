"""The catalogue of ops as people and programs read it: a line per suite, or per op that was searched for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from bench import units
from bench.plan.case_id import written
from bench.report.text.plain_table import PlainTable, below_each_other, folded, right, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from bench.plan.catalogue import CatalogueEntry
    from bench.plan.plan import Plan

_FEW = 8
"""Labels of an axis that a document names; of more, the ends."""


def suites_table(
    entries: Sequence[CatalogueEntry], plan: Plan, estimate_s: float
) -> RenderableType:
    """A line per suite: how many ops it has, how many cases are planned of it, what it answers."""
    ops = Counter(one.subject.suite for one in entries)
    cases = Counter(case.suite for case in plan.cases)
    table = PlainTable(whole("suite"), right("ops"), right("cases"), folded("what it answers"))
    for subject in dict.fromkeys(one.subject for one in entries):
        said = subject.question or subject.what
        table.add(subject.suite, str(ops[subject.suite]), str(cases[subject.suite]), said)
    total = (
        f"{units.counted(len(ops), 'suite')}, {units.counted(len(entries), 'op')}, "
        f"{units.counted(len(plan.cases), 'case')} in this preset, about {units.clock(estimate_s)}"
    )
    return below_each_other(table, total)


def suites_facts(
    entries: Sequence[CatalogueEntry], plan: Plan, estimate_s: float
) -> dict[str, Any]:
    """The same for `--json`."""
    ops = Counter(one.subject.suite for one in entries)
    cases = Counter(case.suite for case in plan.cases)
    skips = Counter(skip.case.suite for skip in plan.skips)
    return {
        "suites": [
            {
                "suite": subject.suite,
                "what": subject.what,
                "question": subject.question,
                "ops": ops[subject.suite],
                "cases": cases[subject.suite],
                "skips": skips[subject.suite],
            }
            for subject in dict.fromkeys(one.subject for one in entries)
        ],
        "estimated_s": estimate_s,
    }


def found_table(found: Sequence[CatalogueEntry]) -> RenderableType:
    """A line per op, and how they are measured."""
    table = PlainTable(whole("op"), folded("what one call is"))
    for one in found:
        table.add(one.op_id, one.call)
    names = [one.op_id for one in found]
    shown = " ".join(names[:_FEW]) + (" …" if names[_FEW:] else "")
    return below_each_other(
        table, f"{units.counted(len(found), 'op')}; to measure: bench run {shown}"
    )


def found_facts(found: Sequence[CatalogueEntry]) -> dict[str, Any]:
    """The same for `--json`."""
    return {
        "ops": [
            {
                "op": one.op_id,
                "call": one.call,
                "quick": one.quick,
                "axes": {axis: list(texts) for axis, texts in one.axes.items()},
            }
            for one in found
        ]
    }


def catalogue_markdown(entries: Sequence[CatalogueEntry]) -> str:
    """All ops as a document: a section per suite with its question, a line per op with its axes."""
    lines: list[str] = []
    for subject in dict.fromkeys(one.subject for one in entries):
        said = [f"- {what}. {question}" for what, question in subject.files]
        lines += [f"## {subject.suite}", "", *said, ""]
        lines += ["| op | one call is | axes |", "|:--|:--|:--|"]
        for one in entries:
            if one.subject == subject:
                mark = " ¹" if one.quick else ""
                lines.append(f"| `{one.op}`{mark} | {_cell(one.call)} | {_cell(_axes(one.axes))} |")
        lines.append("")
    return "\n".join(lines)


def _axes(axes: Mapping[str, tuple[str, ...]]) -> str:
    return ", ".join(f"{axis} {_labels(texts)}" for axis, texts in axes.items())


def _labels(texts: Sequence[str]) -> str:
    if len(texts) > _FEW:
        return f"{written(texts[0])} … {written(texts[-1])} ({len(texts)})"
    return " ".join(map(written, texts))


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
