"""Reference of a fleet: the times of each case over all units of a model, in a Parquet file that a repository can hold.

What sites otherwise type in by hand, with limits by feeling, is measured here, with how many units it is from.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from bench.analysis.fleet.fleet_summary import Percentiles
from bench.errors import StoreError
from bench.store import atomic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_KINDS = {
    str: pa.string(),
    float: pa.float64(),
    int: pa.int64(),
    str | None: pa.string(),
    int | None: pa.int64(),
    float | None: pa.float64(),
}
_MOST_ROWS = 1_000_000
VERSION = b"1"
_VERSION_KEY = b"tensorbench_reference"


def schema() -> pa.Schema:
    """Its columns: the fields of `Percentiles`."""
    hints = get_type_hints(Percentiles)
    return pa.schema([(f.name, _KINDS[hints[f.name]]) for f in dataclasses.fields(Percentiles)])


def write(path: Path, rows: Sequence[Percentiles], facts: Mapping[str, str]) -> None:
    """Write a reference.

    Args:
        path: of the file, which is replaced.
        rows: of it.
        facts: of the campaign, which stand beside the columns.

    Raises:
        StoreError: there is nothing to write, or it can't be written.
    """
    if not rows:
        message = "no case was measured, so that there is nothing to refer to"
        raise StoreError(message)
    kept = {_VERSION_KEY: VERSION, **{k.encode(): v.encode() for k, v in facts.items()}}
    columns = schema().with_metadata(kept)
    table = pa.Table.from_pylist([dataclasses.asdict(row) for row in rows], schema=columns)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic.replacing(path) as partial:
            pq.write_table(table, partial, compression="zstd")
    except OSError as error:
        message = f"{path} can't be written: {error.strerror}; name another file with --out"
        raise StoreError(message) from error


def read(path: Path) -> tuple[Percentiles, ...]:
    """The rows of a reference, which may be anybody's.

    Raises:
        StoreError: it can't be read as one.
    """
    try:
        with pq.ParquetFile(path) as file:
            found = file.schema_arrow
            if (found.metadata or {}).get(_VERSION_KEY) != VERSION:
                message = f"{path} is no reference; make one with: bench fleet reference"
                raise StoreError(message)
            if file.metadata.num_rows > _MOST_ROWS:
                message = f"{path} has {file.metadata.num_rows} rows, which no reference has"
                raise StoreError(message)
            rows = file.read(schema().names).cast(schema()).to_pylist()
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        said = str(error).partition("\n")[0]
        message = f"{path} can't be read as a reference: {said}"
        raise StoreError(message) from error
    needed = {"model", "case", "torch", "units", "p1_s", "p5_s", "p50_s", "p95_s", "p99_s"}
    return tuple(
        Percentiles(**row) for row in rows if all(row[name] is not None for name in needed)
    )
