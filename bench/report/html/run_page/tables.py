"""Rows as tables of text for a page: the full table, and the table twin of every figure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.analysis import rerun_command
from bench.analysis.findings import findings, footnotes
from bench.analysis.grid import title
from bench.records.memory_policy import REUSE
from bench.report.html.figure import Twin
from bench.report.html.log_axis import size_labels
from bench.report.html.run_page.figures import why_absent
from bench.report.html.view import anchor
from bench.report.text import wording
from bench.units import MISSING, number, rate, seconds, share, size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.analysis.grid import Curve
    from bench.records.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A row of the full table: what is shown, what it sorts by, and how to repeat it."""

    anchor: str
    record: Record
    title: str
    time: str
    interval: str
    width: str
    flop_rate: str
    byte_rate: str
    roof_share: str
    marks: str
    command: str
    facts: tuple[tuple[str, str], ...]


def flop_rate_of(record: Record) -> str:
    """A row's FLOP/s."""
    return rate(record.flop_per_s, "FLOP/s") if record.flop else MISSING


def byte_rate_of(record: Record) -> str:
    """A row's B/s."""
    return rate(record.bytes_per_s, "B/s") if record.bytes else MISSING


def twin(found: Sequence[Curve], cell: Callable[[Record], str]) -> Twin:
    """Lines × sizes; a dot where an op has no such size."""
    sizes = sorted({place for line in found for place, _ in line.points})

    def text(record: Record | None) -> str:
        absent = why_absent(record)
        return absent if absent or record is None else cell(record)

    return Twin(
        row_head=found[0].axis,
        head=tuple(size_labels(sizes)),
        rows=tuple(
            (f"{line.name} {line.dtype} {line.device}", tuple(text(line.at(s)) for s in sizes))
            for line in found
        ),
    )


def plain_twin(records: Sequence[Record]) -> Twin:
    """Cases off the curves: one row each, with its time, and rates and roofs where any is known."""
    columns = {
        "time": [why_absent(r) or wording.time_of(r) for r in records],
        "FLOP/s": [flop_rate_of(r) for r in records],
        "B/s": [byte_rate_of(r) for r in records],
        "of its roof": [_roof(r) or MISSING for r in records],
    }
    known = {name: cells for name, cells in columns.items() if set(cells) != {MISSING}}
    names = [f"{title(r)} {r.device}" for r in records]
    cells = zip(*known.values(), strict=True)
    return Twin(row_head="case", head=tuple(known), rows=tuple(zip(names, cells, strict=True)))


def full(
    records: Sequence[Record], known: Sequence[footnotes.Note], options: Mapping[str, Any]
) -> list[CaseRow]:
    """Every row of the run, in the order given, with all that is known of it."""
    commands = rerun_command.commands(records, options)
    return [_row(r, known, command) for r, command in zip(records, commands, strict=True)]


def _row(record: Record, known: Sequence[footnotes.Note], command: str) -> CaseRow:
    time, interval = wording.interval(wording.time_of(record))
    return CaseRow(
        anchor=anchor(record),
        record=record,
        title=title(record),
        time=time,
        interval=interval,
        width=_finite(findings.width(record)),
        flop_rate=flop_rate_of(record),
        byte_rate=byte_rate_of(record),
        roof_share=share(record.roof_share),
        marks=footnotes.marks(record, known) if record.status == "ok" else "",
        command=command,
        facts=tuple(_facts(record)),
    )


def _finite(value: float) -> str:
    return repr(value) if math.isfinite(value) else ""


def _facts(record: Record) -> list[tuple[str, str]]:
    """What the columns leave out, as far as it is known."""
    taken = [(record.samples, "samples"), (record.workers, "workers"), (record.rounds, "rounds")]
    counts = [f"{n} {name}" for n, name in taken if n is not None]
    counts += [f"{record.loops} calls per sample"] if record.loops else []
    facts = [
        ("case", record.case),
        ("device", f"{record.device}: {record.device_name}"),
        ("caches", record.cache if record.cache not in {None, "hot"} else ""),
        ("memory", record.memory_policy if record.memory_policy != REUSE else ""),
        ("interval", _interval(record)),
        ("from", ", ".join(counts)),
        ("fastest sample", seconds(record.time_best_s)),
        ("95 % no slower than", seconds(record.time_p95_s)),
        ("first call", seconds(record.first_call_s)),
        ("in fresh memory", _fresh(record)),
        ("a caller waits for the", record.bound_by or ""),
        ("at reference conditions", _at_reference(record)),
        ("two states", wording.states(record)),
        ("preempted", _preempted(record)),
        ("runs differ by", _floor(record)),
        ("compared with", record.roof or ""),
        ("inputs", size(record.input_bytes)),
        ("peak memory", size(record.peak_memory_bytes)),
        ("result", _result(record)),
        ("warnings", ", ".join(record.warnings)),
    ]
    return [(name, text) for name, text in facts if text not in {"", MISSING}]


def _interval(record: Record) -> str:
    if record.time_lo_s is None or record.time_hi_s is None:
        return ""
    level = f" at {share(record.confidence)} confidence" if record.confidence else ""
    return f"{seconds(record.time_lo_s, 4)} to {seconds(record.time_hi_s, 4)}{level}"


def _fresh(record: Record) -> str:
    return _ended(record.fresh_time_s, record.fresh_time_lo_s, record.fresh_time_hi_s, digits=3)


def _at_reference(record: Record) -> str:
    low, high = record.time_at_reference_lo_s, record.time_at_reference_hi_s
    return _ended(record.time_at_reference_s, low, high, digits=4)


def _ended(time_s: float | None, low: float | None, high: float | None, *, digits: int) -> str:
    """`13.1 ms (12.2 ms to 14 ms)`."""
    known = low is not None and high
    ends = f" ({seconds(low, digits)} to {seconds(high, digits)})" if known else ""
    return seconds(time_s, digits) + ends


def _preempted(record: Record) -> str:
    return f"in {share(record.preempted_share)} of the visits" if record.preempted_share else ""


def _floor(record: Record) -> str:
    floor = record.noise_floor_share
    return f"{share(floor)} (standard deviation of earlier runs)" if floor is not None else ""


def _roof(record: Record) -> str:
    """`62 % (DRAM bandwidth)`."""
    return f"{share(record.roof_share)} ({record.roof})" if record.roof else ""


def _result(record: Record) -> str:
    if record.vacuous:
        return f"equals its reference, but shows nothing: {record.reason}"
    if record.correct is None:
        return "not compared with a reference" if record.status == "ok" else ""
    error = (
        "" if record.max_error is None else f", largest deviation {_deviation(record.max_error)}"
    )
    return ("matches its reference" if record.correct else "differs from its reference") + error


def _deviation(value: float) -> str:
    return number(value) if value == 0 or value >= 1e-3 else f"{value:.1e}"  # noqa: PLR2004 - taste
