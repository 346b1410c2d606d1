"""Rows and samples as pandas frames, from any mix of stores, run folders and files. No torch.

Read with the explicit schema: columns that an old file lacks are null, columns it has more are kept.
A file of a store that can't be read is named in a `StoreWarning` and passed over.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import StoreError
from bench.records.record import LISTS, sample_schema, schema
from bench.store import page_lookup
from bench.store.runs import CASES, MANIFEST, SAMPLES, list_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd


class StoreWarning(UserWarning):
    """Something in a store was passed over."""


def load_rows(*places: str | Path) -> pd.DataFrame:
    """One row per case and device of every run in these stores, run folders, files or pages.

    Raises:
        StoreError: a place holds no results, or a file named by itself can't be read.
    """
    frame: pd.DataFrame = _read(places, CASES, schema()).to_pandas()
    frame["params"] = frame["params"].map(dict, na_action="ignore")
    for name in LISTS:
        frame[name] = frame[name].map(list, na_action="ignore")
    return frame


def load_samples(*places: str | Path) -> pd.DataFrame:
    """Every raw sample, in the order taken; `run_id` says of which run.

    Raises:
        StoreError: a place holds no results, or a file named by itself can't be read.
    """
    full = pa.schema([pa.field("run_id", pa.string()), *sample_schema()])
    frame: pd.DataFrame = _read(places, SAMPLES, full).to_pandas()
    return frame


def _read(places: tuple[str | Path, ...], name: str, expected: pa.Schema) -> pa.Table:
    tables = [table for place in places for table in _tables(Path(place), name, expected)]
    return pa.concat_tables([expected.empty_table(), *tables], promote_options="default")


def _tables(place: Path, name: str, expected: pa.Schema) -> Iterator[pa.Table]:
    inside = page_lookup.runs_in(str(place))
    if inside is not None:
        for run in inside:
            yield _table(_present(run.folder / name, place), expected)
    elif place.is_file():
        yield _table(place, expected)
    elif (place / MANIFEST).is_file():
        yield _table(place / name, expected)
    else:
        runs = [run for run in list_runs(place) if run.finished]
        if not runs:
            message = f"{place} holds no finished run"
            raise StoreError(message)
        for run in runs:
            try:
                yield _table(run.folder / name, expected)
            except StoreError as error:
                warnings.warn(f"passed over: {error}", StoreWarning, stacklevel=2)


def _present(path: Path, page: Path) -> Path:
    """The file, which a page may have left out."""
    if not path.is_file():
        message = f"{page} leaves out the raw samples, to stay small; they are in the run's folder"
        raise StoreError(message)
    return path


def _table(path: Path, expected: pa.Schema) -> pa.Table:
    try:
        return _as_expected(pq.read_table(path), path, expected)
    except (OSError, pa.ArrowException) as error:
        message = f"{path} can't be read: {str(error).partition(chr(10))[0]}"
        raise StoreError(message) from error


def _as_expected(table: pa.Table, path: Path, expected: pa.Schema) -> pa.Table:
    if "run_id" not in table.column_names:  # samples leave it to their folder's name
        run = pa.array([path.parent.name] * len(table), pa.string())
        table = table.append_column("run_id", run)
    columns = {}
    for field in expected:
        have = field.name in table.column_names
        columns[field.name] = (
            table[field.name].cast(field.type) if have else pa.nulls(len(table), field.type)
        )
    more = {k: table[k] for k in table.column_names if k not in columns}
    return pa.table({**columns, **more})
