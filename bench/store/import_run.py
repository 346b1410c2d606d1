"""Run import: a run from elsewhere into a store, whole or not at all.

It may come as another machine's folder, a zip, a page, an export, or a file of pytest-benchmark. Each kind of file has a reader; what it finds is written beside the store's runs and then renamed, so that
a kill leaves no half of a run. A run that is there already stays as it is.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import StoreError
from bench.records.record import record_of
from bench.store import journal, pytest_benchmark_reader, runs
from bench.store.imported_case import printable
from bench.store.journal import Entry
from bench.store.page_archive import unpack
from bench.store.runs import CASES, MANIFEST, SAMPLES, RunInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.store.runs import StoredRun

    Reader = Callable[["Path", "Path", str | None], list["ImportedRun"]]
    """(store, what to read, label) → what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRun:
    """A run that is in the store now, and whether it was not before."""

    run: StoredRun
    new: bool
    left_out: Sequence[str] = ()
    """What of a file could not be read: each with its name, and why."""


def import_runs(store: Path, place: Path, label: str | None = None) -> list[ImportedRun]:
    """Import all runs that a file or folder holds.

    Args:
        store: where to.
        place: a run's folder, a store, a zip of either, a page with runs inside, or a JSON file.
        label: what runs of other programs are to be called.

    Raises:
        StoreError: it can't be read, or holds no run; or the store can't be written.
    """
    if not place.exists():
        message = f"there is no file or folder {place}; name one that holds a run"
        raise StoreError(message)
    reader = _folder if place.is_dir() else READERS.get(place.suffix.lower())
    if reader is None:
        message = (
            f"{place} can't be imported; name a folder, .zip or page of a run, a .json of pytest-benchmark, "
            "or one of bench export --format json (a .csv lacks the facts of its run)"
        )
        raise StoreError(message)
    try:
        return reader(store, place, label)
    except OSError as error:
        message = f"{place} can't be imported: {error.strerror or error}"
        raise StoreError(message) from error


def import_folder(store: Path, folder: Path) -> ImportedRun:
    """A copy of a finished run's folder, once its files are verified.

    Raises:
        StoreError: it is no finished run, or its files are not those that it finished with.
    """
    names = [name for name in (CASES, SAMPLES, MANIFEST) if (folder / name).is_file()]
    files = {name: (folder / name).read_bytes() for name in names}
    return _kept(store, files, str(folder))


def is_export(document: Any) -> bool:
    """Whether a JSON document is what `bench export --format json` prints."""
    return isinstance(document, dict) and {"run", "rows"} <= document.keys()


def run_of_export(document: Mapping[str, Any], name: str) -> tuple[RunInfo, list[Entry]]:
    """The run that was exported: its facts and rows. The raw samples stayed behind.

    Args:
        document: what was printed.
        name: what errors call it.

    Raises:
        StoreError: it is not what an export looks like.
    """
    try:
        info = runs.info_of(document["run"])
        records = [runs.storable(record_of(row)) for row in document["rows"]]
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        message = f"{name} is no whole export of a run ({error}); export it again as json"
        raise StoreError(message) from error
    return info, [Entry(record=record, samples=()) for record in records]


def _folder(store: Path, place: Path, _: str | None) -> list[ImportedRun]:
    """A run's folder, or a store."""
    if (place / MANIFEST).is_file():
        return [import_folder(store, place)]
    found = [run for run in runs.list_runs(place) if run.finished]
    if not found:
        message = (
            f"{place} holds no finished run; name a run's folder (it has a {MANIFEST}) or a store"
        )
        raise StoreError(message)
    return [import_folder(store, run.folder) for run in found]


def _zip(store: Path, place: Path, _: str | None) -> list[ImportedRun]:
    """Runs in a zip, at whatever depth; nothing else in it is looked at."""
    try:
        with zipfile.ZipFile(place) as archive:
            names = archive.namelist()
            bases = [n.removesuffix(MANIFEST) for n in names if Path(n).name == MANIFEST]
            found = [
                {
                    name: archive.read(base + name)
                    for name in (CASES, SAMPLES, MANIFEST)
                    if base + name in names
                }
                for base in bases
            ]
    except (zipfile.BadZipFile, RuntimeError, EOFError) as error:
        message = f"{place} is torn or no zip ({error}); copy it once more"
        raise StoreError(message) from error
    if not found:
        message = f"{place} holds no run: there is no {MANIFEST} in it"
        raise StoreError(message)
    return [_kept(store, files, str(place)) for files in found]


def _json(store: Path, place: Path, label: str | None) -> list[ImportedRun]:
    """pytest-benchmark's file, or an export of ours."""
    left_out: Sequence[str] = ()
    try:
        document: Any = json.loads(place.read_bytes())  # also with the mark of UTF-8, or in UTF-16
    except (ValueError, RecursionError) as error:
        message = f"{place} is not JSON: {error}"
        raise StoreError(message) from error
    if is_export(document):
        info, entries = run_of_export(document, place.name)
    elif pytest_benchmark_reader.is_pytest_benchmark(document):
        name = printable(place.name)
        info, entries, left_out = pytest_benchmark_reader.run_of(document, name, label)
    else:
        message = (
            f"{place} is neither of pytest-benchmark nor of bench export --format json; "
            "write one with pytest --benchmark-json=FILE"
        )
        raise StoreError(message)
    return [dataclasses.replace(_written(store, info, entries), left_out=left_out)]


def _page(store: Path, place: Path, _: str | None) -> list[ImportedRun]:
    """The runs that a page carries; without their samples, if these would have made it too large."""
    return [import_folder(store, run.folder) for run in unpack(place)]


READERS: Mapping[str, Reader] = {".html": _page, ".json": _json, ".zip": _zip}
"""By a file's ending."""


def _kept(store: Path, files: Mapping[str, bytes], where: str) -> ImportedRun:
    """The files of a run as a folder of the store."""
    info = runs.verified_info(files, f"{where}: ")
    if CASES not in files:
        message = f"{where} lacks {CASES}; copy the whole folder"
        raise StoreError(message)
    there = _there(store, info.run_id)
    if there:
        return there
    with _aside(store) as aside:
        folder = aside / info.run_id
        folder.mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        return _moved(folder, store)


def _written(store: Path, info: RunInfo, entries: Sequence[Entry]) -> ImportedRun:
    """Rows and samples as a new run of the store."""
    if not runs.is_run_id(str(info.run_id)):
        message = f"{info.run_id!r} is no run id, so that it can't be a run of a store"
        raise StoreError(message)
    there = _there(store, info.run_id)
    if there:
        return there
    done = dataclasses.replace(info, finished_at=info.finished_at or info.started_at)
    with _aside(store) as aside:
        folder = runs.begin(aside, done)
        with journal.Journal(folder) as opened:
            for entry in entries:
                opened.write(_named(entry, info))
        runs.finish(folder, done)
        return _moved(folder, store)


def _named(entry: Entry, info: RunInfo) -> Entry:
    """The entry with what its run is called, as far as its row does not say so."""
    lacking = {k: v for k, v in runs.names_of(info).items() if getattr(entry.record, k) is None}
    return dataclasses.replace(entry, record=dataclasses.replace(entry.record, **lacking))


def _there(store: Path, run_id: str) -> ImportedRun | None:
    """The run, if the store has it.

    Raises:
        StoreError: it has an unfinished one of that name.
    """
    folder = store / run_id
    known = runs.read(folder) if folder.exists() else None
    if known and known.finished:
        return ImportedRun(run=known, new=False)
    if folder.exists():
        message = f"{folder} is there, and is no finished run; remove it and import again"
        raise StoreError(message)
    return None


@contextmanager
def _aside(store: Path) -> Iterator[Path]:
    """A folder in the store that no listing shows, gone in the end."""
    try:
        runs.make_store(store)
        aside = Path(tempfile.mkdtemp(prefix=".import-", dir=store))
    except OSError as error:
        message = (
            f"the store {store} can't be written: {error.strerror}; choose another with --store"
        )
        raise StoreError(message) from error
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _moved(folder: Path, store: Path) -> ImportedRun:
    try:
        folder.rename(store / folder.name)
    except OSError:
        there = _there(store, folder.name)  # another process may have been faster
        if there is None:
            raise
        return there
    found = runs.read(store / folder.name)
    if found is None:
        message = f"{store / folder.name} can't be read back"
        raise StoreError(message)
    return ImportedRun(run=found, new=True)
