"""A run's files are those that it finished with, or the one that is not is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import StoreError
from bench.store import find, integrity, runs
from tests.fakes.workers import finished_run, info

if TYPE_CHECKING:
    from pathlib import Path


def finished(tmp_path: Path) -> runs.StoredRun:
    """A run as it was finished."""
    return find.find(tmp_path, str(finished_run(tmp_path, info())))


def test_a_run_that_nobody_touched_is_whole(tmp_path: Path) -> None:
    """Its manifest vouches for its files."""
    integrity.check(finished(tmp_path))


@pytest.mark.parametrize("name", [runs.CASES, runs.SAMPLES])
def test_a_torn_or_changed_file_is_named(tmp_path: Path, name: str) -> None:
    """Cut short, or with another byte in it."""
    run = finished(tmp_path)
    path = run.folder / name
    data = path.read_bytes()
    for other in (data[:-1], data[:-1] + b"?", b""):
        path.write_bytes(other)
        with pytest.raises(StoreError, match=rf"{name} is not the file that run .* finished with"):
            integrity.check(run)
    path.unlink()
    with pytest.raises(StoreError, match=rf"{name} can't be read: No such file"):
        integrity.check(run)


@pytest.mark.parametrize(
    "files", [{}, [], None, {"cases.parquet": "f00"}, {"cases.parquet": {"sha256": None}}]
)
def test_a_manifest_that_does_not_vouch_is_not_believed(files: Any) -> None:
    """One from elsewhere may hold anything."""
    with pytest.raises(StoreError, match=r"^x/cases\.parquet is not the file"):
        integrity.check_files({runs.CASES: b"rows"}, info(files=files), "x/")


def test_files_from_elsewhere_say_what_run_they_are(tmp_path: Path) -> None:
    """If they hold a manifest that can be read, of a run, which vouches for the others."""
    run = finished(tmp_path)
    names = (runs.MANIFEST, runs.CASES, runs.SAMPLES)
    files = {name: (run.folder / name).read_bytes() for name in names}
    assert integrity.info_of(files, "x/") == run.info
    torn = {**files, runs.SAMPLES: b"?"}
    with pytest.raises(StoreError, match=r"^x/samples\.parquet is not the file"):
        integrity.info_of(torn, "x/")
    with pytest.raises(StoreError, match=r"^x/run\.json can't be read"):
        integrity.info_of({}, "x/")
