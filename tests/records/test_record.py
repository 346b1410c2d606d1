"""The row in memory, its schema and the file agree."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.records import record
from bench.records.record import Record, Sample

if TYPE_CHECKING:
    from pathlib import Path

RELIED_ON = frozenset(
    {
        "run_id",
        "machine_id",
        "machine",
        "suite",
        "op",
        "case",
        "device",
        "device_name",
        "dtype",
        "params",
        "status",
        "reason",
        "warnings",
        "time_s",
        "time_lo_s",
        "time_hi_s",
        "time_at_reference_s",
        "time_best_s",
        "time_p95_s",
        "samples",
        "workers",
        "loops",
        "host_time_s",
        "device_time_s",
        "flop",
        "bytes",
        "flop_per_s",
        "bytes_per_s",
        "roof_share",
        "peak_memory_bytes",
        "sentinel_compute_s",
        "sentinel_barrier_s",
        "sentinel_memory_s",
        "correct",
        "max_error",
        "threads",
        "cache",
        "torch_version",
        "started_at",
        "schema_version",
    }
)
"""Columns that programs outside this project read; none may go or change its meaning."""

FILLED: dict[Any, Any] = {
    pa.string(): "text",
    pa.float64(): 0.25,
    pa.int64(): 2**40,
    pa.int32(): 7,
    pa.bool_(): True,
    pa.list_(pa.string()): ("noisy", "unchecked"),
    pa.list_(pa.float64()): (1e-6, 2e-6),
    pa.map_(pa.string(), pa.string()): {"n": "16", "dtype": "float32"},
    pa.timestamp("us", tz="UTC"): datetime(2026, 11, 3, 14, 15, 16, 170_000, tzinfo=UTC),
}
"""A value for each type of column."""


def through_parquet(row: dict[str, Any], schema: pa.Schema, path: Path) -> dict[str, Any]:
    """The row after a stay in a file."""
    pq.write_table(pa.Table.from_pylist([row], schema=schema), path)
    table = pq.read_table(path)
    assert table.schema.equals(schema)
    (back,) = table.to_pylist()
    assert isinstance(back, dict)
    return back


def filled(kind: type[Any]) -> Any:
    """A record or sample with a value in every column."""
    return kind(**{f.name: FILLED[f.metadata["type"]] for f in dataclasses.fields(kind)})


def minimal() -> Record:
    """A row with what every row must have, and nothing else."""
    needed = [f for f in dataclasses.fields(Record) if f.default is dataclasses.MISSING]
    return Record(**{f.name: FILLED[f.metadata["type"]] for f in needed})


def test_the_columns_that_programs_rely_on_are_there() -> None:
    """The published set is a subset of the schema."""
    assert set(record.schema().names) >= RELIED_ON


def test_the_fields_are_the_schema() -> None:
    """Names and order come from one place."""
    assert record.schema().names == [f.name for f in dataclasses.fields(Record)]
    assert record.schema(Sample).names == [f.name for f in dataclasses.fields(Sample)]


def test_a_full_row_survives_the_file(tmp_path: Path) -> None:
    """Every column of a real Parquet file gives back what was written."""
    one: Record = filled(Record)
    row = record.row(one)
    assert through_parquet(row, record.schema(), tmp_path / "cases.parquet") == row


def test_a_row_of_nothing_but_its_identity_survives_the_file(tmp_path: Path) -> None:
    """What was not measured is null, not zero; a row without warnings has an empty list of them."""
    back = through_parquet(record.row(minimal()), record.schema(), tmp_path / "cases.parquet")
    assert back == record.row(minimal())
    assert back["time_s"] is None
    assert back["warnings"] == []
    assert back["schema_version"] == record.SCHEMA_VERSION


def test_numbers_too_large_for_a_column_survive_as_the_nearest_or_not_at_all(
    tmp_path: Path,
) -> None:
    """A work model counts 3n² bytes; of a size that was mistyped by a million, a row still says so."""
    one = dataclasses.replace(minimal(), bytes=3 * 10**15 + 10**16, flop=10**400, input_bytes=2**63)
    back = through_parquet(record.row(one), record.schema(), tmp_path / "cases.parquet")
    assert (back["bytes"], back["flop"], back["input_bytes"]) == (1.3e16, float("inf"), None)
    kept = dataclasses.replace(minimal(), input_bytes=2**63 - 1)
    assert record.row(kept)["input_bytes"] == 2**63 - 1


def test_a_sample_survives_the_file(tmp_path: Path) -> None:
    """Samples are rows too."""
    row = dataclasses.asdict(filled(Sample))
    assert through_parquet(row, record.schema(Sample), tmp_path / "samples.parquet") == row


def test_files_say_which_schema_they_have(tmp_path: Path) -> None:
    """The version is in the file's metadata, so that a reader knows it before the first row."""
    path = tmp_path / "cases.parquet"
    through_parquet(record.row(minimal()), record.schema(), path)
    assert pq.read_schema(path).metadata[b"schema_version"] == b"1"


def test_a_row_of_another_type_is_refused() -> None:
    """The schema is explicit: nothing is inferred from what a row happens to hold."""
    row = {**record.row(minimal()), "time_s": "soon"}
    with pytest.raises(pa.ArrowInvalid):
        pa.Table.from_pylist([row], schema=record.schema())


def test_a_record_can_not_be_changed() -> None:
    """Facts are values."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        minimal().status = "failed"  # type: ignore[misc]  # the mistake under test


@pytest.mark.parametrize("meanings", [record.meanings(), record.meanings(Sample)])
def test_every_column_has_a_meaning(meanings: dict[str, tuple[str, str]]) -> None:
    """The dictionary of columns is made of sentences."""
    assert meanings
    for kind, meaning in meanings.values():
        assert kind
        assert meaning.endswith((".", "…"))


def test_units_are_in_the_names() -> None:
    """A real number is a time, a rate, a size, a share, a power, a count, …; the name says which."""
    endings = (
        *("_s", "bytes", "flop", "_share", "_error", "confidence"),
        *("_hz", "_w", "_c", "_j", "_per_call"),
    )
    reals = [f.name for f in record.schema() if f.type == pa.float64()]
    assert [name for name in reals if not name.endswith(endings)] == []
