"""Serialization of reports: named fields of an object for JSON, rows for CSV.

A field's name in JSON is its name in the program wherever it can be, so that each is written once.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def fields_of(source: object, *names: str) -> dict[str, Any]:
    """Name → value of these fields, in the order given."""
    return {name: getattr(source, name) for name in names}


def csv_text(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A head, then a line per row; what a row lacks is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
