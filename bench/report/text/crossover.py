"""Crossovers for people and programs: a sentence that says who wins from where on, then what it rests on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.text import Text

from bench.analysis import memory_mix
from bench.analysis.rerun_command import all_on_store
from bench.analysis.usable import failure
from bench.report.text import ratio_text, wording
from bench.report.text.machine_readable import fields_of
from bench.report.text.plain_table import PlainTable, below_each_other, folded, right, whole
from bench.units import MISSING, counted, number, size_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from bench.analysis.crossover.crossovers import Crossing
    from bench.experiment.crossover_search import Search, SearchStep
    from bench.records.record import Record
    from bench.stats.crossing import Crossover, RatioAt, Winner
    from bench.store.runs import StoredRun

NOTHING = "No op was measured on two sides at a common size. Measure one with: bench crossover matmul/square"
_MOST_LISTED = 4
_WIDE_GAP = 1.5
"""A gap between sizes of a larger factor may hide a step, so that it is said where the line was drawn."""

_NARROWER = "; a longer --step or a calmer machine narrows the intervals"
_ENDED = {
    "tight": "the interval is as tight as asked for",
    "finest": "sizes in between lie closer than --tolerance asks for",
    "settled": "no other size would tell more",
    "budget": "the time was up; --budget with more seconds goes on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossoverNames:
    """What the axis and the two sides are called."""

    axis: str
    one: str
    other: str

    def of(self, winner: Winner) -> str:
        """The name of a side."""
        return self.one if winner == "one" else self.other

    def wins(self, winner: Winner) -> str:
        """`2 threads win`, `cuda wins`."""
        name = self.of(winner)
        return f"{name} {'win' if name.endswith(' threads') else 'wins'}"


def answer(found: Crossover, names: CrossoverNames) -> str:
    """The one sentence to take home."""
    if found.kind == "at" and found.size and found.low and found.high and found.beyond:
        said = f"{names.wins(found.beyond)} {_from(found, names)}"
        if found.changes > 1:
            said += f"; below that the winner changes {counted(found.changes - 1, 'time')} more"
        return f"{said}{_untold(found, names)}."
    if found.beyond and found.kind in {"always", "never"}:
        factors = [r.value if found.beyond == "other" else 1 / r.value for r in found.ratios]
        ends = dict.fromkeys((number(min(factors)), number(max(factors))))
        how = f"{' to '.join(ends)} times as fast"
        return f"{names.wins(found.beyond)} at every size measured, {_ends(found, names)}: {how}."
    if len(found.ratios) == 1:
        return _at_one_size(found.ratios[0], names)
    return f"Unsure where the winner changes: {_why(found, names)}."


def _from(found: Crossover, names: CrossoverNames) -> str:
    """`from n ≈ 98.3 on (88.1 to 117 on a straight line from 64 to 256)`."""
    size = size_text(found.size or 0.0)
    if found.between and not found.located:
        ends = " and ".join(map(size_text, found.between))
        return f"from some {names.axis} between {ends} on (on a straight line, from {size})"
    sure = f"{size_text(found.low or 0.0)} to {size_text(found.high or 0.0)}{_line(found)}"
    return f"from {names.axis} ≈ {size} on ({sure})"


def _at_one_size(ratio: RatioAt, names: CrossoverNames) -> str:
    """Who wins at the only size that both have, which tells nothing of others."""
    where = f"at {names.axis} = {size_text(ratio.size)}, the only size measured on both sides"
    if ratio.winner is None:
        return f"Unsure who wins {where}."
    ends = (ratio.low, ratio.high) if ratio.winner == "other" else (1 / ratio.high, 1 / ratio.low)
    least, most = map(number, ends)
    return f"{names.wins(ratio.winner)} {where}: {least} to {most} times as fast."


def _why(found: Crossover, names: CrossoverNames) -> str:
    """Why there is no answer, with what can be said all the same."""
    if len(found.ratios) < 2:  # noqa: PLR2004 - a change needs two sizes
        return f"{counted(len(found.ratios), 'size')} could be measured on both sides"
    winner = next((r.winner for r in reversed(found.ratios) if r.winner), None)
    if winner is None or found.between is None:
        return f"at no size measured, {_ends(found, names)}, do the intervals tell them apart"
    low, high = map(size_text, found.between)
    where = f"from {names.axis} = {high} on" if found.beyond else f"up to {names.axis} = {low}"
    return f"{names.wins(winner)} {where}{_untold(found, names)}"


def _line(found: Crossover) -> str:
    """Between which sizes a straight line was trusted, if they lie far apart."""
    if found.between is None or found.gap <= _WIDE_GAP:
        return ""
    low, high = map(size_text, found.between)
    return f" on a straight line from {low} to {high}"


def _untold(found: Crossover, names: CrossoverNames) -> str:
    """The sizes at which no one wins, if there are any."""
    sizes = [size_text(size) for size in found.untold]
    if not sizes:
        return ""
    shown = sizes if len(sizes) <= _MOST_LISTED else [*sizes[: _MOST_LISTED - 1], "…", sizes[-1]]
    return f"; at {names.axis} = {', '.join(shown)} the winner is unsure"


def _ends(found: Crossover, names: CrossoverNames) -> str:
    first, last = (size_text(found.ratios[place].size) for place in (0, -1))
    return f"{names.axis} = {first} to {last}"


def crossings_table(
    found: Sequence[Crossing], *, width: int, store: Path | None = None
) -> RenderableType:
    """Every crossover of stored rows, in words."""
    if not found:
        return Text(all_on_store(NOTHING, store))
    sides = map(folded, ("one", "other", "who wins"))
    table = PlainTable(folded("op"), whole("dtype"), *sides)
    for one in found:
        said = answer(one.found, names_of(one))
        table.add(f"{one.suite}/{one.name}", one.dtype, one.one, one.other, said)
    where = wording.listed(list(dict.fromkeys(one.where for one in found)))
    levels = {one.confidence for one in found}
    notes = dict.fromkeys(filter(None, (memory_mix.sentence(one.rows) for one in found)))
    ended = f"On {where}. {level(levels)}".strip()
    return below_each_other(table, "", ended, *notes, width=width)


def names_of(one: Crossing) -> CrossoverNames:
    """What its axis and sides are called."""
    return CrossoverNames(axis=one.axis, one=one.one, other=one.other)


def crossings_facts(found: Sequence[Crossing]) -> dict[str, Any]:
    """The same for `--json`."""
    return {
        "crossovers": [
            {
                "suite": one.suite,
                "op": one.name,
                **fields_of(one, "dtype", "axis", "between", "one", "other", "where", "confidence"),
                "memory": [curve[-1][1].memory_policy for curve in one.curves],
                **facts(one.found, names_of(one)),
            }
            for one in found
        ]
    }


def facts(found: Crossover, names: CrossoverNames) -> dict[str, Any]:
    """A crossover for `--json`, the sentence first; what is not known is null."""
    return {
        "answer": answer(found, names),
        "kind": found.kind,
        "winner_beyond": names.of(found.beyond) if found.beyond else None,
        "size": found.size,
        "size_lo": found.low,
        "size_hi": found.high,
        "between_sizes": list(found.between) if found.between else None,
        "changes": found.changes,
        "ratios": [
            {
                "size": r.size,
                "ratio": r.value,
                "ratio_lo": r.low,
                "ratio_hi": _finite(r.high),
            }
            for r in found.ratios
        ],
    }


def _finite(value: float) -> float | None:
    """An upper end that isn't known is null: JSON has no infinity."""
    return value if value < float("inf") else None


def level(levels: set[float | None]) -> str:
    """At which confidence, if all agree."""
    known = levels - {None}
    return f"Intervals: {number(100 * (known.pop() or 0), 2)} %." if len(known) == 1 else ""


def step_line(step: SearchStep, names: CrossoverNames) -> str:
    """A size as it is measured, on one line."""
    times = f"{names.one} {wording.time_of(step.one)}, {names.other} {wording.time_of(step.other)}"
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
        times = wording.time_of(step.one), wording.time_of(step.other)
        table.add(size_text(step.size), *times, ratio_text.of(ratio) if ratio else MISSING)
    levels = {row.confidence for step in found.steps for row in (step.one, step.other)}
    sizes = counted(len(found.steps), "size")
    why = _ENDED[found.ended] + _NARROWER * (found.found.kind == "cant-tell")
    ended = f"Measured {sizes} in {found.took_s:.0f} s: {why}. {level(levels)}"
    first = f"{title}: {answer(found.found, names)}"
    reasons = [line for step in found.steps for line in _failures(step, names)]
    note = memory_mix.sentence(row for step in found.steps for row in (step.one, step.other))
    where = [f"run {run.info.run_id} is in {run.folder}" for run in kept]
    ends = (ended.strip(), *filter(None, [note]), *reasons, *where)
    return below_each_other(first, "", table, "", *ends, width=width)


def search_facts(
    title: str, found: Search, names: CrossoverNames, kept: Sequence[StoredRun]
) -> dict[str, Any]:
    """The same for `--json`."""
    return {
        "op": title,
        **asdict(names),
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
        **fields_of(record, "case", "device", "threads", "memory", "status", "reason"),
        **fields_of(record, "time_s", "time_lo_s", "time_hi_s"),
        "warnings": list(record.warnings),
    }


def _failures(step: SearchStep, names: CrossoverNames) -> list[str]:
    rows = ((names.one, step.one), (names.other, step.other))
    where = f"{names.axis}={size_text(step.size)}"
    found = [(name, row, failure(row) or row.status) for name, row in rows]
    return [
        f"{how.replace('-', ' ')}: {where}, {name}: {row.reason or MISSING}"
        for name, row, how in found
        if how != "ok"
    ]
