"""Loader: rows as records, plain values or a pandas frame, from any mix of stores, run folders, files and pages.

Only frames take pandas, and nothing takes torch. Files are read with the explicit schema: a column that an old
file lacks is null, a column that this version does not know is kept, except in records.
A file of a store that can't be read is named in a `StoreWarning` and passed over.
"""

from __future__ import annotations

import math
import warnings
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import StoreError
from bench.records import memory_policy
from bench.records.record import LISTS, MAPS, Sample, record_of, schema
from bench.store import page_archive
from bench.store.runs import CASES, MANIFEST, SAMPLES, StoreWarning, list_runs, names_of, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from bench.records.record import Record


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def load_records(*places: str | Path, columns: Sequence[str] | None = None) -> list[Record]:
    """The record of each case and device of every run in these stores, run folders, files or pages.

    Args:
        places: stores, run folders, files or pages.
        columns: those to read, with all that a record must have; None for all. The others are empty.

    Raises:
        StoreError: a place holds no results, or a file named by itself can't be read.
    """
    return [record_of(values) for values in load_values(*places, columns=columns)]


def load_values(*places: str | Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The rows as plain Python values.

    Args:
        places: stores, run folders, files or pages.
        columns: those to read; None for all, also those that this version does not know.

    Raises:
        StoreError: a place holds no results, or a file named by itself can't be read.
    """
    known = schema()
    expected = pa.schema([known.field(name) for name in columns]) if columns else known
    rows = plain(_read(places, CASES, expected, columns))
    if {"memory", "device"} <= set(expected.names):
        for row in rows:
            row["memory"] = row["memory"] or memory_policy.on(row["device"])
    return rows


def plain(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as plain Python values; None is what is missing."""
    columns = {name: _values(table[name]) for name in table.column_names}
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def load_rows(*places: str | Path) -> pd.DataFrame:
    """One row per case and device of every run in these stores, run folders, files or pages.

    Raises:
        StoreError: a place holds no results, or a file named by itself can't be read.
    """
    frame: pd.DataFrame = _read(places, CASES, schema()).to_pandas()
    for name in MAPS:
        frame[name] = frame[name].map(dict, na_action="ignore")
    for name in LISTS:
        frame[name] = frame[name].map(list, na_action="ignore")
    frame["memory"] = frame["memory"].fillna(frame["device"].map(memory_policy.on))
    return frame


def load_samples(*places: str | Path) -> pd.DataFrame:
    """Every raw sample, in the order taken; `run_id` says of which run.

    Raises:
        StoreError: a place holds no results, or a file named by itself can't be read.
    """
    full = pa.schema([pa.field("run_id", pa.string()), *schema(Sample)])
    frame: pd.DataFrame = _read(places, SAMPLES, full).to_pandas()
    return frame


def _read(
    places: Sequence[str | Path],
    name: str,
    expected: pa.Schema,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    read = partial(_table, expected=expected, columns=columns)
    tables = [table for place in places for table in _tables(Path(place), name, read)]
    # An empty table among others would change nothing, but making one imports pandas.
    return pa.concat_tables(tables or [expected.empty_table()], promote_options="default")


def _tables(place: Path, name: str, read: Callable[[Path], pa.Table]) -> Iterator[pa.Table]:
    inside = page_archive.runs_in_page(str(place))
    if inside is not None:
        for run in inside:
            yield read(_present(run.folder / name, place))
    elif place.is_file():
        yield read(place)
    elif (place / MANIFEST).is_file():
        yield read(place / name)
    else:
        runs = [run for run in list_runs(place) if run.finished]
        if not runs:
            message = f"{place} holds no finished run"
            raise StoreError(message)
        for run in runs:
            try:
                yield read(run.folder / name)
            except StoreError as error:
                warnings.warn(f"passed over: {error}", StoreWarning, stacklevel=2)


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A column as Python values; a number that is infinite or NaN is unknown, and so None."""
    if pa.types.is_timestamp(column.type):  # whose to_pylist would import pandas
        passed_us = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
        return [us if us is None else _EPOCH + timedelta(microseconds=us) for us in passed_us]
    values: list[Any] = column.to_pylist()
    if pa.types.is_floating(column.type):
        return [v if v is None or math.isfinite(v) else None for v in values]
    if pa.types.is_map(column.type):
        return [pairs if pairs is None else dict(pairs) for pairs in values]
    return values


def _present(path: Path, page: Path) -> Path:
    """The file, which a page may have left out."""
    if not path.is_file():
        message = f"{page} leaves out the raw samples, to stay small; they are in the run's folder"
        raise StoreError(message)
    return path


def _table(path: Path, expected: pa.Schema, columns: Sequence[str] | None) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:  # pq.read_table would import pandas
            return _as_expected(file.read(columns), path, expected)
    except (OSError, pa.ArrowException) as error:
        message = f"{path} can't be read: {str(error).partition(chr(10))[0]}"
        raise StoreError(message) from error


def _as_expected(table: pa.Table, path: Path, expected: pa.Schema) -> pa.Table:
    if "run_id" in expected.names and "run_id" not in table.column_names:
        run = pa.repeat(path.parent.name, len(table))  # samples leave it to their folder's name
        table = table.append_column("run_id", run)
    names = _names(table, path.parent, expected)
    columns = {}
    for field in expected:
        if field.name in table.column_names:
            columns[field.name] = table[field.name].cast(field.type)
        elif field.name in names:
            value = pa.scalar(names[field.name], field.type)
            columns[field.name] = pa.repeat(value, len(table))
        else:
            columns[field.name] = pa.nulls(len(table), field.type)
    more = {k: table[k] for k in table.column_names if k not in columns}
    return pa.table({**columns, **more})


def _names(table: pa.Table, folder: Path, expected: pa.Schema) -> dict[str, Any]:
    """What the run is called, out of its manifest, if these rows are older than the columns that say so."""
    if "label" in table.column_names or "label" not in expected.names:
        return {}
    run = read(folder)
    known = names_of(run.info) if run else {}
    maps = {name: list(known[name].items()) for name in MAPS if known.get(name)}
    return {name: value for name, value in {**known, **maps}.items() if value is not None}
