"""A run as text for other programs and for documents. Nothing is rounded except in Markdown.

What is missing is empty in CSV and null in JSON; who ran it travels with the rows.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from bench.analysis.findings import footnotes
from bench.analysis.grid import in_reading_order, title
from bench.errors import SelectionError, hint
from bench.records.record import record_of, schema
from bench.report.text import wording
from bench.report.text.machine_readable import csv_text
from bench.units import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.records.record import Record
    from bench.store.runs import RunInfo


def export(rows: Sequence[Mapping[str, Any]], info: RunInfo, form: str) -> str:
    """The run in one of the forms `csv`, `json`, `markdown`; ends with a newline.

    Raises:
        SelectionError: there is no such form.
    """
    if form not in FORMS:
        message = f"there is no export form {form!r}; {hint(form, FORMS)}"
        raise SelectionError(message)
    return FORMS[form](rows, info)


def _csv(rows: Sequence[Mapping[str, Any]], _: RunInfo) -> str:
    columns = dict.fromkeys([*schema().names, *(name for row in rows[:1] for name in row)])
    return csv_text(columns, ({k: _cell(v) for k, v in row.items()} for row in rows))


def _cell(value: Any) -> Any:
    """One CSV cell: mappings as `axis=value;…`, lists joined by `;`, times in ISO form."""
    if isinstance(value, dict):
        return ";".join(f"{k}={v}" for k, v in value.items())
    if isinstance(value, list):
        return ";".join(map(str, value))
    return value.isoformat() if isinstance(value, datetime) else value


def _json(rows: Sequence[Mapping[str, Any]], info: RunInfo) -> str:
    document = {"run": dataclasses.asdict(info), "rows": rows}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False, default=_iso)
    return text + "\n"


def _iso(value: datetime) -> str:
    return value.isoformat()


def _markdown(rows: Sequence[Mapping[str, Any]], info: RunInfo) -> str:
    found = in_reading_order([record_of(row) for row in rows])
    known = footnotes.notes(r for r in found if r.status == "ok")
    head = [
        wording.machine_name(info),
        f"torch {wording.torch_version(info)}",
        wording.when(info.started_at),
    ]
    if memory := wording.memory(found):
        head.append(f"memory {memory}")
    lines = [
        f"## {wording.escaped(info.label or info.run_id)}",
        "",
        wording.escaped(" · ".join(head)),
        "",
    ]
    if not found:
        lines += ["There are no cases.", ""]
    for suite, members in groupby(found, key=lambda r: r.suite):
        lines += [f"### {wording.escaped(suite)}", "", *_markdown_table(list(members), known), ""]
    for note in known:
        lines += [f"{note.mark} {wording.escaped(wording.footnote(note))}", ""]
    return "\n".join(lines)


def _markdown_table(members: Sequence[Record], known: Sequence[footnotes.Note]) -> Iterator[str]:
    yield "| case | device | time | rate |"
    yield "|:--|:--|--:|--:|"
    for record in members:
        if record.status == "ok":
            marks = footnotes.marks(record, known)
            cells = [f"{wording.time_of(record)} {marks}".strip(), wording.rate_of(record)]
        elif record.status != "skipped":
            cells = [wording.escaped(f"{record.status}: {record.reason or 'no reason'}"), MISSING]
        else:
            continue
        yield f"| {wording.escaped(title(record))} | {wording.escaped(record.device)} | {' | '.join(cells)} |"
    for group in footnotes.unmeasured(members):
        if group.status == "skipped":
            record = group.records[0]
            what = wording.escaped(wording.who(group, title(record)))
            devices = ", ".join(dict.fromkeys(r.device for r in group.records))
            yield f"| {what} | {wording.escaped(devices)} | skipped: {wording.escaped(group.reason)} | {MISSING} |"


FORMS: Mapping[str, Callable[[Sequence[Mapping[str, Any]], RunInfo], str]] = {
    "csv": _csv,
    "json": _json,
    "markdown": _markdown,
}
