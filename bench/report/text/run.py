"""Tables for a terminal: aligned, at most as wide as asked for, no colour that carries meaning.

Imports neither pandas nor torch, so that listing runs is quick. Data is never read as markup.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from bench.analysis.findings import footnotes
from bench.analysis.findings.fresh_memory import page_faults
from bench.analysis.grid import in_reading_order, title
from bench.analysis.rerun_command import all_on_store, on_store
from bench.report.text import device_times, wording
from bench.report.text.plain_table import PlainTable, below_each_other, folded, right, whole
from bench.units import MISSING, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import RenderableType
    from rich.table import Column

    from bench.records.record import Record
    from bench.store.runs import StoredRun

_EVERY_WAY_WIDTH = 100
"""Below so many characters the ways that explain least are left out."""
_FROM_WIDTH = {"begun": 150, "tags": 72, "machine": 90, "preset": 150, "devices": 120, "torch": 120}
"""From how many characters on the list of runs has these columns; the id says when a run began, too."""
_NEVER_CUT = {"run", "begun", "cases"}
NO_DEVICE_TIMES = (
    "No case here has a time on a GPU. What there is to measure: bench list --device cuda"
)
NO_CASES = "There are no cases here. See what a run would measure with: bench list"
NO_RUNS = "There are no runs yet. Make one with: bench run --preset quick"


def run_table(rows: Sequence[Record], *, width: int, store: Path | None = None) -> RenderableType:
    """The cases of a run, suite by suite, then what was not measured, the footnotes, and what fresh memory costs."""
    found = in_reading_order(rows)
    if not found:
        return Text(NO_CASES)
    known = footnotes.notes(r for r in found if r.status == "ok")
    parts: list[RenderableType] = [_cases(found, known)]
    if memory := wording.memory(found):
        parts += ["", f"memory: {memory}"]
    if missing := footnotes.unmeasured(found):
        parts += ["", _unmeasured(missing, several_devices=_several_devices(found))]
    if known:
        parts += ["", _footnotes(known, store)]
    if said := page_faults(found):
        parts += ["", Text(said)]
    return below_each_other(*parts, width=width)


def device_table(rows: Sequence[Record], *, width: int) -> RenderableType:
    """What is known of each case's time on a GPU, told in several ways, then what each of these is."""
    found = device_times.known(in_reading_order(rows))
    if not found:
        return Text(NO_DEVICE_TIMES)
    ways = [w for w in device_times.WAYS if w.usual or width >= _EVERY_WAY_WIDTH]
    several = _several_devices(found)
    table = PlainTable(folded("case"), *_device_column(found), *(right(way.head) for way in ways))
    for record in found:
        where = [record.device] if several else []
        table.add(f"{record.suite}/{title(record)}", *where, *(seconds(w.of(record)) for w in ways))
    meanings = PlainTable(whole(), folded(), heads=False)
    for way in ways:
        meanings.add(way.head, way.meaning)
    return below_each_other(table, "", meanings, width=width)


def runs_table(
    runs: Sequence[StoredRun], *, width: int, store: Path | None = None
) -> RenderableType:
    """The runs of a store, in the order given, each on one line; texts are cut where they don't fit."""
    if not runs:
        return Text(all_on_store(NO_RUNS, store))
    facts = [_facts(run) for run in runs]
    heads = [name for name in facts[0] if width >= _FROM_WIDTH.get(name, 0)]
    table = PlainTable(*((whole if name in _NEVER_CUT else folded)(name) for name in heads))
    for fact in facts:
        table.add(*(Text(fact[name], no_wrap=True, overflow="ellipsis") for name in heads))
    return below_each_other(table, width=width)


def unfinished_note(runs: Sequence[StoredRun], store: Path) -> str | None:
    """How to go on with the newest run that is unfinished, if there is one."""
    unfinished = [run for run in runs if not run.finished]
    if not unfinished:
        return None
    others = f" ({len(unfinished)} such)" if len(unfinished) > 1 else ""
    how = on_store(f"bench run --resume {unfinished[-1].info.run_id}", store)
    return f"unfinished{others}: go on with: {how}"


def _cases(found: Sequence[Record], known: Sequence[footnotes.Note]) -> RenderableType:
    several = _several_devices(found)
    time_head = "cold time" if all(r.cache == "cold" for r in found) else "time"
    columns = (*_device_column(found), right(time_head), right("rate"), whole())
    table = PlainTable(folded("case"), *columns)
    times = _aligned(found)
    for place, (suite, members) in enumerate(groupby(found, key=lambda r: r.suite)):
        if place:
            table.add()
        table.add(Text(suite, style="bold"))
        for record in members:
            if record.status != "skipped":
                where = [record.device] if several else []
                time = times[record.case, record.device]
                shown = Padding(Text(title(record)), (0, 0, 0, 2))  # also where it is folded
                table.add(shown, *where, time, _rate(record), footnotes.marks(record, known))
    return table


def _aligned(found: Sequence[Record]) -> dict[tuple[str, str], str]:
    """(case, device) → time and interval, padded so that each aligns under its like."""
    cells: dict[tuple[str, str], tuple[str, str]] = {}
    for record in found:
        cells[record.case, record.device] = wording.interval(wording.time_of(record))
    widest = max(len(width) for _, width in cells.values())
    return {key: f"{time} {width:>{widest}}" for key, (time, width) in cells.items()}


def _rate(record: Record) -> str:
    return wording.rate_of(record) if record.status == "ok" else MISSING


def _unmeasured(groups: Sequence[footnotes.Unmeasured], *, several_devices: bool) -> RenderableType:
    table = PlainTable(whole(), folded(), heads=False)
    for group in groups:
        record = group.records[0]
        name = f"{record.suite}/{title(record)}"
        where = f" on {record.device}" if several_devices and len(group.records) == 1 else ""
        table.add(group.status, f"{wording.who(group, name)}{where}: {group.reason}")
    return table


def _footnotes(known: Sequence[footnotes.Note], store: Path | None) -> RenderableType:
    table = PlainTable(right(), folded(), heads=False)
    for note in known:
        table.add(note.mark, all_on_store(wording.footnote(note), store))
    return table


def _several_devices(found: Sequence[Record]) -> bool:
    return len({r.device for r in found}) > 1


def _device_column(found: Sequence[Record]) -> list[Column]:
    """The column that tells devices apart, where there are several."""
    return [whole("device")] if _several_devices(found) else []


def _facts(run: StoredRun) -> dict[str, str]:
    """What the list says of a run: first what it is called, none of it with a line break in it."""
    info = run.info
    tags = [f"{name}={value}" for name, value in info.tags.items()]
    known = {
        "run": info.run_id,
        "begun": wording.when(info.started_at),
        "label": info.label or MISSING,
        "tags": wording.listed(tags),
        "cases": wording.counted(info.counts, info.wrong) if run.finished else "unfinished",
        "machine": wording.machine_name(info),
        "preset": wording.preset(info),
        "devices": wording.devices(info),
        "torch": wording.torch_version(info),
    }
    return {name: " ".join(text.split()) for name, text in known.items()}
