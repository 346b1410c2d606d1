"""Run folders: begun, finished once, read, listed in order."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import StoreError
from bench.records import codec
from bench.records.record import Sample, schema
from bench.store import find, journal, runs
from bench.store.runs import RunInfo
from tests.fakes.workers import STARTED_AT, begun_run, entry, finished_run, info

if TYPE_CHECKING:
    from pathlib import Path

OLD, MIDDLE, NEW = (
    "20260101T000000Z-aaaaaa",
    "20260102T000000Z-bbbbbb",
    "20260103T000000Z-cccccc",
)
BROKEN = "20260104T000000Z-dddddd"


def filled(store: Path) -> Path:
    """The store with three finished runs of two machines, one that was killed, and things that are no runs."""
    other = {"machine_id": "m-2", "name": "the Other one"}
    finished_run(store, info(NEW, label="after"), entry(0), entry(1, status="failed"))
    finished_run(store, info(OLD, label="before"))
    finished_run(store, info(MIDDLE, label="before", machine=other))
    begun_run(store, info(BROKEN, label="killed"), entry())
    (store / "README.md").write_text("no run")
    (store / "20260105T000000Z-eeeeee").mkdir()
    (store / "notes").mkdir()
    return store


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Path:
    return filled(tmp_path / "store")


def test_a_run_folder_holds_three_files_and_no_journal(store: Path) -> None:
    """The manifest is written last, so whoever sees it sees all."""
    names = {path.name for path in (store / NEW).iterdir()}
    assert names == {runs.MANIFEST, runs.CASES, runs.SAMPLES}
    assert pq.read_schema(store / NEW / runs.CASES).equals(schema())
    assert pq.read_schema(store / NEW / runs.SAMPLES).equals(schema(Sample))


def test_the_manifest_counts_cases_and_vouches_for_the_files(store: Path) -> None:
    """How many of which status, how many rows, and what the bytes hash to."""
    manifest = json.loads((store / NEW / runs.MANIFEST).read_text(encoding="utf-8"))
    assert manifest["counts"] == {"ok": 1, "failed": 1, "timeout": 0, "oom": 0, "skipped": 0}
    for name, rows in ((runs.CASES, 2), (runs.SAMPLES, 4)):
        data = (store / NEW / name).read_bytes()
        facts = {"bytes": len(data), "rows": rows, "sha256": hashlib.sha256(data).hexdigest()}
        assert manifest["files"][name] == facts


def test_a_new_store_is_left_alone_by_git(tmp_path: Path) -> None:
    """The first run of a commit does not change its tree, so that the second is one of the commit as well."""
    runs.begin(tmp_path / "store", info())
    runs.begin(tmp_path / "store", info(NEW))
    assert (tmp_path / "store" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("name", [".gitignore", "README.md", "20250101T000000Z-aaaaaa"])
def test_a_store_that_somebody_has_made_stays_as_it_is(tmp_path: Path, name: str) -> None:
    """Its runs may well be kept in git."""
    (tmp_path / name).write_text("mine")
    runs.begin(tmp_path, info())
    assert {one.name for one in tmp_path.iterdir()} == {name, info().run_id}
    assert (tmp_path / name).read_text() == "mine"


def test_only_a_run_of_skips_alone_has_all_skipped(tmp_path: Path) -> None:
    """What was tried in vain was tried, and an early version did not count."""
    skipped = entry(0, status="skipped", samples=0)
    folders = [
        finished_run(tmp_path, info(OLD), skipped),
        finished_run(tmp_path, info(MIDDLE), skipped, entry(1, status="failed")),
        begun_run(tmp_path, info(NEW)),
    ]
    assert [run.all_skipped for run in map(runs.read, folders) if run] == [True, False, False]


def test_a_run_without_a_sample_can_be_finished(tmp_path: Path) -> None:
    """On a machine without the device all cases are skipped."""
    folder = finished_run(tmp_path, info(), entry(samples=0, status="skipped", time_s=None))
    assert pq.read_table(folder / runs.SAMPLES).num_rows == 0
    assert pq.read_table(folder / runs.CASES).num_rows == 1


def test_a_run_that_was_killed_while_it_finished_can_be_finished_again(tmp_path: Path) -> None:
    """Until the manifest is there the journal is, and half-written files are replaced."""
    folder = begun_run(tmp_path, info(), entry())
    (folder / runs.CASES).write_bytes(b"torn")
    (folder / "cases.parquet.1.partial").write_bytes(b"torn")
    runs.finish(folder, info())
    assert {path.name for path in folder.iterdir()} == {runs.MANIFEST, runs.CASES, runs.SAMPLES}
    assert pq.read_table(folder / runs.CASES).num_rows == 1


def test_what_a_run_says_of_itself_is_read_as_it_was_written(store: Path) -> None:
    """Label, tags, options and all."""
    (found,) = [run for run in runs.list_runs(store) if run.info.run_id == MIDDLE]
    written = info(MIDDLE, label="before", machine={"machine_id": "m-2", "name": "the Other one"})
    again = dataclasses.replace(found.info, counts={}, files={}, argv=tuple(found.info.argv))
    assert again == written


def test_facts_of_a_newer_version_are_passed_over() -> None:
    """A manifest may say more than this version knows."""
    facts = {**dataclasses.asdict(info()), "weather": "mild"}
    assert codec.decode(RunInfo, facts) == info()


def test_runs_are_listed_oldest_first(store: Path) -> None:
    """Whenever they were copied here, and unfinished ones among them."""
    listed = [(run.info.run_id, run.finished) for run in runs.list_runs(store)]
    assert listed == [(OLD, True), (MIDDLE, True), (NEW, True), (BROKEN, False)]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"started_at": 3}'])
def test_a_manifest_that_can_not_be_read_is_no_run(store: Path, text: str) -> None:
    """One broken folder does not hide the others."""
    (store / OLD / runs.MANIFEST).write_text(text)
    assert [run.info.run_id for run in runs.list_runs(store)] == [MIDDLE, NEW, BROKEN]


@given(
    when=st.datetimes(datetime(1000, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    later_ms=st.integers(1, 2000) | st.integers(1, 10**9),
)
def test_run_ids_sort_by_time(when: datetime, later_ms: int) -> None:
    """As text, so that a folder's listing is a history, also of runs that began within a second."""
    later = when + timedelta(milliseconds=later_ms)
    assert runs.is_run_id(runs.new_run_id(when))
    assert runs.new_run_id(when) < runs.new_run_id(later)


def test_runs_of_one_instant_have_different_ids() -> None:
    """Machines and processes don't have to agree on a counter; two of 16,384 are the same by chance."""
    assert len({runs.new_run_id(STARTED_AT) for _ in range(20)}) > 15


def test_a_store_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """It names the option that names another."""
    with pytest.raises(StoreError, match=r"there is no store .*--store"):
        runs.list_runs(tmp_path / "nowhere")


def test_a_store_that_can_not_be_written_is_an_error(tmp_path: Path) -> None:
    """Before anything is measured."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"can't be written: .*; choose another with --store"):
        runs.begin(tmp_path / "file" / "store", info())


def test_a_run_is_begun_once(tmp_path: Path) -> None:
    """Two writers never share a folder."""
    runs.begin(tmp_path, info())
    with pytest.raises(StoreError, match="can't be written: File exists"):
        runs.begin(tmp_path, info())


def test_a_run_that_has_begun_says_who_it_is(tmp_path: Path) -> None:
    """Its journal has the whole header before the first case."""
    about = info(label="mine", options={"seed": 3})
    header: dict[str, Any] = journal.read(runs.begin(tmp_path, about))[0]
    assert codec.decode(RunInfo, {**header, "argv": tuple(header["argv"])}) == about


def finished(tmp_path: Path) -> runs.StoredRun:
    """A run as it was finished."""
    return find.find(tmp_path, str(finished_run(tmp_path, info())))


def test_a_run_that_nobody_touched_is_whole(tmp_path: Path) -> None:
    """Its manifest vouches for its files."""
    run = finished(tmp_path)
    assert set(run.info.files) == {runs.CASES, runs.SAMPLES}
    runs.verify(run)


@pytest.mark.parametrize("name", [runs.CASES, runs.SAMPLES])
def test_a_torn_or_changed_file_is_named(tmp_path: Path, name: str) -> None:
    """Cut short, or with another byte in it."""
    run = finished(tmp_path)
    path = run.folder / name
    data = path.read_bytes()
    for other in (data[:-1], data[:-1] + b"?", b""):
        path.write_bytes(other)
        with pytest.raises(StoreError, match=rf"{name} is not the file that run .* finished with"):
            runs.verify(run)
    path.unlink()
    with pytest.raises(StoreError, match=rf"{name} can't be read: No such file"):
        runs.verify(run)


@pytest.mark.parametrize(
    "files", [{}, [], None, {"cases.parquet": "f00"}, {"cases.parquet": {"sha256": None}}]
)
def test_a_manifest_that_does_not_vouch_is_not_believed(files: Any) -> None:
    """One from elsewhere may hold anything."""
    with pytest.raises(StoreError, match=r"^x/cases\.parquet is not the file"):
        runs.verify_files({runs.CASES: b"rows"}, info(files=files), "x/")


def test_files_from_elsewhere_say_what_run_they_are(tmp_path: Path) -> None:
    """If they hold a manifest that can be read, of a run, which vouches for the others."""
    run = finished(tmp_path)
    names = (runs.MANIFEST, runs.CASES, runs.SAMPLES)
    files = {name: (run.folder / name).read_bytes() for name in names}
    assert runs.verified_info(files, "x/") == run.info
    torn = {**files, runs.SAMPLES: b"?"}
    with pytest.raises(StoreError, match=r"^x/samples\.parquet is not the file"):
        runs.verified_info(torn, "x/")
    with pytest.raises(StoreError, match=r"^x/run\.json can't be read"):
        runs.verified_info({}, "x/")
