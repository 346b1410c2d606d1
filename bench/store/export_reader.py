"""A run out of what `bench export --format json` printed: its facts and rows. The raw samples stayed behind."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bench.errors import StoreError
from bench.records.record import LISTS, Record
from bench.store.journal import Entry
from bench.store.runs import info_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.store.runs import RunInfo

_NAMES = frozenset(f.name for f in dataclasses.fields(Record))


def is_export(document: Any) -> bool:
    """Whether a JSON document is one of ours."""
    return isinstance(document, dict) and {"run", "rows"} <= document.keys()


def run_of(document: Mapping[str, Any], name: str) -> tuple[RunInfo, list[Entry]]:
    """The run that was exported.

    Args:
        document: what was printed.
        name: what errors call it.

    Raises:
        StoreError: it is not what an export looks like.
    """
    try:
        info = info_from(document["run"])
        records = [record_of(row) for row in document["rows"]]
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        message = f"{name} is no whole export of a run ({error}); export it again as json"
        raise StoreError(message) from error
    return info, [Entry(record=record, samples=()) for record in records]


def record_of(row: Mapping[str, Any]) -> Record:
    """The record that JSON was made from; columns that this version does not know are left out.

    Raises:
        TypeError: columns are missing.
        ValueError: its time is no time.
    """
    known = {name: value for name, value in row.items() if name in _NAMES}
    lists = {name: tuple(known.get(name) or ()) for name in LISTS}
    started_at = datetime.fromisoformat(str(known.get("started_at")))
    params = {str(axis): str(text) for axis, text in dict(known.get("params") or {}).items()}
    return Record(**{**known, **lists, "params": params, "started_at": started_at})
