"""Rows and samples as frames, from stores, folders and files of this version, older and newer ones.

`tests/golden/schema_v1` is a run as the first version of the schema wrote it, and it must be readable for
ever. A new version of the schema gets a folder of its own, made once, by its own code, with:

    python -c "import tests.store.test_load as t; t.write_golden()"
"""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import StoreError
from bench.records.record import SCHEMA_VERSION, record_of, schema
from bench.store import find, runs
from bench.store.load import load_records, load_rows, load_samples, plain
from tests.fakes.rows import WHEN, example, lost, record, stored, table
from tests.fakes.workers import begun_run, entry, finished_run, info

GOLDEN = Path(__file__).parents[1] / "golden"
OLD, NEW = "20260101T000000Z-aaaaaa", "20260102T000000Z-bbbbbb"


def write_golden() -> None:
    """Write the golden run of the present version, once: an existing one is not touched."""
    finished_run(
        GOLDEN / f"schema_v{SCHEMA_VERSION}",
        info("20260102T030405Z-abcdef", label="golden", torch={"version": "2.9.0"}),
        entry(0, warnings=("noisy", "unchecked"), time_lo_s=9e-7, time_hi_s=1.1e-6, correct=True),
        entry(1, samples=0, status="failed", reason="ValueError: µ ± “@”", time_s=None),
    )


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Path:
    """Two finished runs and one that was killed."""
    store = tmp_path / "store"
    finished_run(store, info(OLD), entry(0), entry(1, samples=3))
    finished_run(store, info(NEW), entry(0, warnings=("noisy",)))
    begun_run(store, info("20260103T000000Z-cccccc"), entry(5))
    return store


def keys(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """(run, case) of each row."""
    return list(zip(frame["run_id"], frame["case"], strict=True))


def rewrite(path: Path, change: Any) -> None:
    """Replace a file by what a change makes of its table."""
    pq.write_table(change(pq.read_table(path)), path)


def test_a_store_is_the_rows_of_its_finished_runs(store: Path) -> None:
    """In the order of the runs, then as measured."""
    assert keys(load_rows(store)) == [
        (OLD, "s/op[n=0]"),
        (OLD, "s/op[n=1]"),
        (NEW, "s/op[n=0]"),
    ]


def test_samples_know_their_run(store: Path) -> None:
    """So that they join with the rows."""
    frame = load_samples(store)
    assert (
        keys(frame)
        == [(OLD, "s/op[n=0]")] * 2 + [(OLD, "s/op[n=1]")] * 3 + [(NEW, "s/op[n=0]")] * 2
    )
    assert frame["round"].tolist() == [0, 1, 0, 1, 2, 0, 1]


def test_places_may_be_mixed(store: Path) -> None:
    """Stores, run folders and files, in the order in which they are named."""
    frame = load_rows(store / NEW, str(store / OLD / runs.CASES), store)
    assert len(frame) == 1 + 2 + 3
    assert frame["run_id"].tolist()[0] == NEW


def test_values_are_of_the_kinds_that_python_has(store: Path) -> None:
    """Mappings, lists, dates with a zone."""
    row = load_rows(store / NEW).iloc[0]
    assert row["params"] == {"n": "0"}
    assert row["warnings"] == ["noisy"]
    assert row["started_at"] == pd.Timestamp("2026-01-02T03:04:05Z")
    assert pd.isna(row["roof_share"])


def test_stores_merge_by_copying(store: Path, tmp_path: Path) -> None:
    """The run folders of another machine become part of this store."""
    other = tmp_path / "other"
    finished_run(other, info("20251231T000000Z-999999", machine={"machine_id": "m-9"}))
    shutil.copytree(other, store, dirs_exist_ok=True)
    assert keys(load_rows(store))[0] == ("20251231T000000Z-999999", "s/op[n=0]")
    assert len(load_rows(store)) == 4


def test_a_torn_file_of_a_store_is_passed_over_with_a_warning(store: Path) -> None:
    """One broken run must not hide the others, nor be hidden itself."""
    path = store / OLD / runs.CASES
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.warns(runs.StoreWarning, match=rf"passed over: .*{OLD}.*can't be read"):
        frame = load_rows(store)
    assert keys(frame) == [(NEW, "s/op[n=0]")]


@pytest.mark.parametrize("by", ["file", "run"])
def test_a_torn_file_that_was_asked_for_is_an_error(store: Path, by: str) -> None:
    """There is nothing else to give."""
    path = store / OLD / runs.CASES
    path.write_bytes(b"")
    with pytest.raises(StoreError, match=r"cases\.parquet can't be read"):
        load_rows(path if by == "file" else path.parent)


def test_a_file_whose_columns_are_of_another_kind_is_an_error(store: Path) -> None:
    """It is a Parquet file, but not one of ours."""
    path = store / OLD / runs.CASES
    pq.write_table(pa.table({"run_id": ["r"], "time_s": ["fast"]}), path)
    with pytest.raises(StoreError, match=r"cases\.parquet can't be read"):
        load_rows(path)


@pytest.mark.parametrize("place", ["nowhere", "store/README.md", "empty"])
def test_a_place_without_results_is_an_error(store: Path, place: str) -> None:
    """An empty frame would look like a machine that measured nothing."""
    (store.parent / "empty").mkdir()
    (store / "README.md").write_text("no rows")
    with pytest.raises(StoreError, match=r"there is no store|holds no finished run|can't be read"):
        load_rows(store.parent / place)


@pytest.mark.parametrize("column", ["roof_share", "warnings", "params", "correct", "samples"])
def test_a_column_that_an_older_file_lacks_is_null(store: Path, column: str) -> None:
    """Versions only ever add columns, and old rows have nothing in them."""
    rewrite(store / OLD / runs.CASES, lambda table: table.drop_columns([column]))
    frame = load_rows(store)
    assert list(frame.columns) == schema().names
    assert frame[column][:2].isna().all()
    assert len(frame) == 3


def test_a_column_that_a_newer_file_has_more_is_kept(store: Path) -> None:
    """Whoever wrote it knows what it is good for."""
    extra = pa.array([1.5])
    rewrite(store / NEW / runs.CASES, lambda table: table.append_column("joule", extra))
    frame = load_rows(store)
    assert frame["joule"][2] == 1.5
    assert frame["joule"][:2].isna().all()


def test_older_rows_say_what_their_run_is_called(tmp_path: Path) -> None:
    """Out of its manifest; rows that are by themselves can't."""
    about = info(label="mine", tags={"a": "b"}, environment={"git_commit": "0" * 40})
    file = finished_run(tmp_path / "store", about) / runs.CASES
    older = pq.read_table(file).drop_columns(["label", "tags", "git_commit"])
    for path in (file, tmp_path / "alone.parquet"):
        pq.write_table(older, path)
    (row,) = load_records(tmp_path / "store")
    assert (row.label, row.tags, row.git_commit) == ("mine", {"a": "b"}, "0" * 40)
    frame = load_rows(tmp_path / "store")
    assert (frame["label"][0], frame["tags"][0]) == ("mine", {"a": "b"})
    (row,) = load_records(tmp_path / "alone.parquet")
    assert (row.label, row.tags, row.git_commit) == (None, None, None)


def test_records_survive_the_store(tmp_path: Path) -> None:
    """What was written is what is read, None for None and int for int."""
    run = stored(tmp_path, example())
    assert load_records(run.folder) == example()


def test_infinite_is_as_unknown_as_nan(tmp_path: Path) -> None:
    """JSON knows neither, and nobody can use either."""
    run = stored(tmp_path, [record(time_hi_s=math.inf, time_lo_s=math.nan)])
    (found,) = load_records(run.folder)
    assert found.time_hi_s is None
    assert found.time_lo_s is None


@pytest.mark.parametrize("column", ["roof_share", "warnings", "correct", "samples"])
def test_a_record_has_its_default_where_an_older_file_lacks_the_column(
    tmp_path: Path, column: str
) -> None:
    """An empty tuple of warnings, else None."""
    run = stored(tmp_path, [record()])
    rewrite(run.folder / runs.CASES, lambda table: table.drop_columns([column]))
    (found,) = load_records(run.folder)
    assert getattr(found, column) == (() if column == "warnings" else None)


def test_columns_of_newer_versions_are_kept_in_plain_values() -> None:
    """As plain Python; a record has no place for them."""
    rows = table([record(), lost("oom", None)])
    rows = rows.append_column("of_a_later_version", pa.array([1.5, math.nan]))
    rows = rows.append_column("seen_at", pa.array([WHEN, None], pa.timestamp("us", tz="UTC")))
    rows = rows.append_column("powers_w", pa.array([[1.5, 2.5], []]))
    first, second = plain(rows)
    assert first["powers_w"] == [1.5, 2.5]
    assert first["seen_at"] == WHEN
    assert first["of_a_later_version"] == 1.5
    assert second["of_a_later_version"] is None
    assert second["seen_at"] is None
    assert record_of(first) == record()


@given(st.floats(min_value=1e-12, max_value=1e6), st.integers(min_value=0, max_value=2**40))
def test_numbers_are_not_changed(time: float, samples: int) -> None:
    """No rounding on the way."""
    found, _ = plain(table([record(time_s=time, samples=samples), lost("oom", "x")]))
    assert (found["time_s"], found["samples"]) == (time, samples)


def test_records_are_read_without_pandas(tmp_path: Path) -> None:
    """What shows a run must not wait for it."""
    run = stored(tmp_path, [record()])
    code = "import sys; from bench.store.load import load_records as l; l(sys.argv[1]); assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(run.folder)], check=True)


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_every_version_of_the_schema_has_a_golden_run(version: int) -> None:
    """A new version without one could break without a sound."""
    assert (GOLDEN / f"schema_v{version}").is_dir()


def test_rows_of_version_1_stay_readable() -> None:
    """With every value that was written."""
    with warnings.catch_warnings(action="error"):
        frame = load_rows(GOLDEN / "schema_v1")
    good, bad = frame.to_dict("records")
    assert set(frame.columns) >= set(schema().names)
    assert (good["run_id"], good["case"], good["device"]) == (
        "20260102T030405Z-abcdef",
        "s/op[n=0]",
        "cpu",
    )
    assert (good["time_lo_s"], good["time_s"], good["time_hi_s"]) == (9e-7, 1e-6, 1.1e-6)
    assert (good["params"], good["warnings"]) == ({"n": "0"}, ["noisy", "unchecked"])
    assert (good["correct"], good["schema_version"]) == (True, 1)
    assert good["started_at"] == pd.Timestamp("2026-01-02T03:04:05Z")
    assert (bad["status"], bad["reason"]) == ("failed", "ValueError: µ ± “@”")
    assert pd.isna(bad["time_s"])


def test_samples_of_version_1_stay_readable() -> None:
    """Each with its place in time; columns that came later are empty."""
    first, second = load_samples(GOLDEN / "schema_v1").to_dict("records")
    assert {name: value for name, value in first.items() if pd.notna(value)} == {
        "run_id": "20260102T030405Z-abcdef",
        "case": "s/op[n=0]",
        "device": "cpu",
        "worker": 0,
        "round": 0,
        "at_s": 0.0,
        "loops": 10,
        "elapsed_s": 1e-5,
        "time_s": 1e-6,
    }
    assert (second["round"], second["at_s"]) == (1, 0.5)


def test_a_run_of_version_1_is_found() -> None:
    """Its manifest is read too."""
    found = find.find(GOLDEN / "schema_v1", "label:golden")
    assert found.info.torch == {"version": "2.9.0"}
    assert found.info.counts["failed"] == 1
