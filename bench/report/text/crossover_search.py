"""A search for a crossover, for people and programs: the answer, every size that was measured, why it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.report.text.crossover import answer, facts, level
from bench.report.text.plain_table import PlainTable, below_each_other, right
from bench.units import MISSING, counted, number, seconds_with_interval, size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bench.experiment.crossover_search import Search, SearchStep
    from bench.records.record import Record
    from bench.report.text.crossover import CrossoverNames
    from bench.stats.ratio import Ratio
    from bench.store.runs import StoredRun

_NARROWER = "; a longer --step or a calmer machine narrows the intervals"
_ENDED = {
    "tight": "the interval is as tight as asked for",
    "finest": "sizes in between lie closer than --tolerance asks for",
    "settled": "no other size would tell more",
    "budget": "the time was up; --budget with more seconds goes on",
}


def step_line(step: SearchStep, names: CrossoverNames) -> str:
    """A size as it is measured, on one line."""
    times = f"{names.one} {_time(step.one)}, {names.other} {_time(step.other)}"
    return f"{names.axis}={size_text(step.size)}: {times}"


def search_table(
    title: str, found: Search, names: CrossoverNames, kept: Sequence[StoredRun], *, width: int
) -> RenderableType:
    """The answer, each size that was measured, why no more was, and where the rows are."""
    ratios = {r.size: r for r in found.found.ratios}
    heads = (names.axis, names.one, names.other, f"{names.one} / {names.other}")
    table = PlainTable(*map(right, heads))
    for step in sorted(found.steps, key=lambda s: s.size):
        ratio = ratios.get(step.size)
        times = _time(step.one), _time(step.other)
        table.add(size_text(step.size), *times, _ratio(ratio) if ratio else MISSING)
    levels = {row.confidence for step in found.steps for row in (step.one, step.other)}
    sizes = counted(len(found.steps), "size")
    why = _ENDED[found.ended] + _NARROWER * (found.found.kind == "cant-tell")
    ended = f"Measured {sizes} in {found.took_s:.0f} s: {why}. {level(levels)}"
    first = f"{title}: {answer(found.found, names)}"
    reasons = [line for step in found.steps for line in _failures(step, names)]
    where = [f"run {run.info.run_id} is in {run.folder}" for run in kept]
    return below_each_other(first, "", table, "", ended.strip(), *reasons, *where, width=width)


def search_facts(
    title: str, found: Search, names: CrossoverNames, kept: Sequence[StoredRun]
) -> dict[str, Any]:
    """The same for `--json`."""
    return {
        "op": title,
        "axis": names.axis,
        "one": names.one,
        "other": names.other,
        **facts(found.found, names),
        "steps": [
            {"size": s.size, "one": _row(s.one), "other": _row(s.other)} for s in found.steps
        ],
        "ended": found.ended,
        "took_s": found.took_s,
        "runs": [{"run": run.info.run_id, "path": str(run.folder)} for run in kept],
    }


def _row(record: Record) -> dict[str, Any]:
    return {
        "case": record.case,
        "device": record.device,
        "threads": record.threads,
        "status": record.status,
        "reason": record.reason,
        "time_s": record.time_s,
        "time_lo_s": record.time_lo_s,
        "time_hi_s": record.time_hi_s,
        "warnings": list(record.warnings),
    }


def _failures(step: SearchStep, names: CrossoverNames) -> list[str]:
    rows = ((names.one, step.one), (names.other, step.other))
    where = f"{names.axis}={size_text(step.size)}"
    return [
        f"{row.status}: {where}, {name}: {row.reason}" for name, row in rows if row.status != "ok"
    ]


def _time(record: Record) -> str:
    if record.status != "ok":
        return record.status
    return seconds_with_interval(record.time_s, record.time_lo_s, record.time_hi_s)


def _ratio(ratio: Ratio) -> str:
    """`1.94 (1.90 to 1.98)`."""
    return f"{number(ratio.value)} ({number(ratio.low)} to {number(ratio.high)})"
