"""Every case of a run: the table, what its warnings mean, and all that is known of each case by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.analysis import grid
from bench.analysis.findings import footnotes
from bench.records.record import LAUNCH
from bench.report.html.run_page import facts, tables
from bench.report.html.run_page import samples as sampled
from bench.report.html.table import Column, ColumnFilter, Listing, TableEntry, blocks, filters
from bench.report.html.view import Payload, View, columns
from bench.report.text import device_times, wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from bench.analysis.findings.footnotes import Note
    from bench.records.record import Record
    from bench.report.html.run_page.tables import CaseRow
    from bench.report.html.table import Sortable
    from bench.store.runs import RunInfo

ID = "cases"
_CASES_PER_BLOCK = 100
"""A page unpacks the details of so many cases at once, which is quick, and they still pack well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesValues:
    """What the view's template shows beside the table."""

    listing: Listing
    notes: Sequence[Note]
    told: Mapping[str, str]
    """What single rows say of a note, by its code."""
    missing: Sequence[tuple[Any, str]]


def cases_view(records: Sequence[Record], info: RunInfo, samples: pd.DataFrame | None) -> View:
    """The view of these rows, which are in reading order."""
    known = footnotes.notes(r for r in records if r.status == "ok")
    ordered = sorted(
        records, key=lambda r: r.status == "skipped"
    )  # what was not asked of the machine
    rows = tables.full(ordered, known, info.options)
    table = listing(rows)
    missing = [
        (group, wording.who(group, f"{first.suite}/{grid.title(first)}"))
        for group in footnotes.unmeasured(records)
        for first in group.records[:1]
    ]
    return View(
        id=ID,
        values=CasesValues(
            listing=table,
            notes=known,
            told={note.words.code: wording.told(note) for note in known if note.told},
            missing=missing,
        ),
        payloads=(table.payload, *details(rows, samples), _codes(known), *_ways(records)),
    )


def listing(rows: Sequence[CaseRow]) -> Listing:
    """The table: one entry per row, a column only where it tells rows apart."""
    records = [row.record for row in rows]
    several = len(grid.ranked_devices(records)) > 1
    columns = [
        Column(key="case", name="case"),
        *([Column(key="device", name="device")] if several else []),
        Column(key="time", name="time", number=True),
        Column(key="width", name="±", number=True),
        Column(key="flop", name="FLOP/s", number=True),
        Column(key="bytes", name="B/s", number=True),
        Column(key="roof", name="of roof", number=True),
        Column(key="notes", name="notes", sorts=False),
    ]
    chosen = {
        "suite": [r.suite for r in records],
        "op": [r.op for r in records],
        "dtype": grid.ranked_dtypes(records),
        "device": grid.ranked_devices(records),
        "status": [facts.outcome(r) for r in records],
    }
    codes = tuple(dict.fromkeys(code for r in records for code in r.warnings))
    warned = (ColumnFilter(name="warning", options=codes),) if codes else ()
    return Listing(
        id=ID,
        name="cases",
        columns=tuple(columns),
        filters=(*filters(chosen), *warned),
        entries=tuple(_entry(i, row, several=several) for i, row in enumerate(rows)),
    )


def _entry(place: int, row: CaseRow, *, several: bool) -> TableEntry:
    r = row.record
    measured = r.status == "ok"
    cells = [f"{r.suite}/{row.title}", *([r.device] if several else [])]
    sort: list[Sortable] = [place, *([r.device] if several else [])]
    values = (row.time, row.interval, row.flop_rate, row.byte_rate, row.roof_share)
    cells += values if measured else (r.status, "–", "–", "–", "–")
    width = float(row.width) if row.width else None
    by = (r.time_s, width, r.flop_per_s, r.bytes_per_s, r.roof_share)
    sort += by if measured else (None,) * len(by)
    bound = ["launch-bound"] if r.bound_by == LAUNCH else []
    said = f"{row.marks} {', '.join((*r.warnings, *bound))}"
    remark = said if measured else r.reason or "no reason was given"
    return TableEntry(
        id=row.anchor,
        of={
            "suite": r.suite,
            "op": r.op,
            "dtype": r.dtype,
            "device": r.device,
            "status": facts.outcome(r),
            "warning": " ".join(r.warnings),
        },
        cells=(*cells, remark.strip()),
        sort=(*sort, None),
        words=f"{r.device} {r.status}",
        badge="" if measured else r.status,
        block=place // _CASES_PER_BLOCK,
    )


def details(rows: Sequence[CaseRow], samples: pd.DataFrame | None) -> list[Payload]:
    """What a case's own view shows, in blocks."""
    taken, most = sampled.by_case(samples), sampled.most_of(len(rows))
    return [
        Payload(
            id=f"{ID}-block-{number}",
            value=columns(
                [
                    {**_detail(row), "samples": sampled.drawn(taken.get(_key(row)), most)}
                    for row in rows[block.start : block.stop]
                ]
            ),
        )
        for number, block in enumerate(blocks(len(rows), _CASES_PER_BLOCK))
    ]


def _key(row: CaseRow) -> tuple[str, str]:
    return row.record.case, row.record.device


def _detail(row: CaseRow) -> dict[str, Any]:
    """What the row's entry in the table doesn't say already."""
    r = row.record
    return {
        "command": row.command,
        "names": [name for name, _ in row.facts],
        "texts": [text for _, text in row.facts],
        "warnings": r.warnings,
        "time_s": r.time_s,
        "low_s": r.time_lo_s,
        "high_s": r.time_hi_s,
        "states_s": r.state_times_s,
        "kernels": r.kernels,
        "device_times": device_times.texts(r),
    }


def _ways(records: Sequence[Record]) -> tuple[Payload, ...]:
    """What each time on a device is called and means, if there is any."""
    ways = [[way.name, way.meaning] for way in device_times.WAYS]
    return (Payload(id="device-times", value=ways),) if device_times.known(records) else ()


def _codes(known: Sequence[Note]) -> Payload:
    """The warnings that occur, in words."""
    return Payload(
        id="codes",
        value={
            note.words.code: [note.words.seen, note.words.cause, note.words.remedy]
            for note in known
        },
    )
