"""A run out of what `bench export --format json` printed: its facts and rows. The raw samples stayed behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.errors import StoreError
from bench.records import codec
from bench.records.record import record_of
from bench.store.journal import Entry
from bench.store.runs import RunInfo

if TYPE_CHECKING:
    from collections.abc import Mapping


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
        info = codec.decode(RunInfo, document["run"])
        records = [record_of(row) for row in document["rows"]]
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        message = f"{name} is no whole export of a run ({error}); export it again as json"
        raise StoreError(message) from error
    return info, [Entry(record=record, samples=()) for record in records]
