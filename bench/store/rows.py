"""Frames as the records they were made from: what is missing is None here, never NaN.

A frame is for sums over many rows; everything that is shown row by row reads records.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bench.records.record import LISTS, Record

if TYPE_CHECKING:
    import pandas as pd

_FIELDS = dataclasses.fields(Record)
_WHOLE = frozenset(f.name for f in _FIELDS if pa.types.is_integer(f.metadata["type"]))


def plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Every row with every column, also those this version does not know, as plain Python values."""
    rows = frame.to_dict("records")
    return [{str(k): _plain(v, whole=k in _WHOLE) for k, v in row.items()} for row in rows]


def records(frame: pd.DataFrame) -> list[Record]:
    """The rows as records, in the frame's order; columns this version does not know are left out."""
    return [_record(values) for values in plain(frame)]


def _record(values: dict[str, Any]) -> Record:
    known: dict[str, Any] = {f.name: values.get(f.name) for f in _FIELDS}
    known["params"] = dict(known["params"] or {})
    lists = {name: tuple(known[name] or ()) for name in LISTS}
    return Record(**{**known, **lists})


def _plain(value: Any, *, whole: bool = False) -> Any:
    """The value without NumPy, pandas or NaN in it; an infinite number is as unknown as a NaN."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if hasattr(value, "to_pydatetime"):
        return None if str(value) == "NaT" else value.to_pydatetime()
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if whole else value
    return value
