"""Run folders: begin one, finish one, list them, find the one that is meant. No torch, no pandas.

A folder with `run.json` is finished and never written again; one with only a journal can be resumed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import StoreError
from bench.record import SCHEMA_VERSION, STATUSES, Sample, row, sample_schema, schema
from bench.store import journal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

MANIFEST = "run.json"
CASES = "cases.parquet"
SAMPLES = "samples.parquet"
_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """Who measured, where, with what and how: the content of `run.json`."""

    run_id: str
    started_at: str
    finished_at: str | None = None
    label: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    argv: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    torch: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    devices: Sequence[str] = field(default_factory=list)
    """What cases were planned for."""
    suites: Mapping[str, str] = field(default_factory=dict)
    """Suite → SHA-256 of its file, which tells unchanged code."""
    sentinels: Mapping[str, Any] = field(default_factory=dict)
    """Device → the level of its sentinels in this run."""
    reference: Mapping[str, Any] = field(default_factory=dict)
    """Device → that level at its best, as known when the run ended."""
    roofs: Mapping[str, Any] = field(default_factory=dict)
    """Device → what it can do at most, as its rows were held against it."""
    waited_s: float = 0.0
    """How long the run waited for the machine to come back to its reference state."""
    counts: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run folder and what it says of itself; `finished` is False while there is only a journal."""

    folder: Path
    info: RunInfo
    finished: bool


def new_run_id(now: datetime) -> str:
    """An id that sorts by time; no counter, so machines and processes can't collide."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def begin(store: Path, info: RunInfo) -> Path:
    """Make the run's folder and write its header, so that a bad store fails before measuring.

    Raises:
        StoreError: the store can't be written.
    """
    folder = store / info.run_id
    try:
        folder.mkdir(parents=True)
        with journal.Journal(folder) as diary:
            diary.write_header(dataclasses.asdict(info))
    except OSError as error:
        message = (
            f"the store {store} can't be written: {error.strerror}; choose another with --store"
        )
        raise StoreError(message) from error
    return folder


def finish(folder: Path, info: RunInfo) -> StoredRun:
    """Turn the journal into Parquet files and write the manifest last; the folder is then done."""
    _, entries = journal.read(folder)
    rows = [row(entry.record) for entry in entries]
    samples = [sample for entry in entries for sample in entry.samples]
    _write(pa.Table.from_pylist(rows, schema=schema()), folder / CASES)
    columns = {f.name: [getattr(s, f.name) for s in samples] for f in dataclasses.fields(Sample)}
    _write(pa.table(columns, schema=sample_schema()), folder / SAMPLES)
    statuses = [r["status"] for r in rows]
    done = dataclasses.replace(
        info,
        counts={status: statuses.count(status) for status in STATUSES},
        files={name: _fingerprint(folder / name) for name in (CASES, SAMPLES)},
    )
    text = json.dumps(dataclasses.asdict(done), indent=1, ensure_ascii=False)
    _replace(folder / MANIFEST, (text + "\n").encode())
    (folder / journal.NAME).unlink()
    return StoredRun(folder=folder, info=done, finished=True)


def list_runs(store: Path) -> list[StoredRun]:
    """The runs of a store, oldest first; folders that are no runs are passed over.

    Raises:
        StoreError: there is no such folder.
    """
    if not store.is_dir():
        message = f"there is no store {store}; bench run makes one, or name another with --store"
        raise StoreError(message)
    found = [_read(f) for f in sorted(store.iterdir()) if _RUN_ID.fullmatch(f.name) and f.is_dir()]
    return [run for run in found if run]


def find(store: Path, word: str) -> StoredRun:
    """The one run that a word means: a path, an id's beginning, @latest, @-2, label:X, machine:X.

    Raises:
        StoreError: it means no run, or several.
    """
    by_path = _at(Path(word))
    if by_path:
        return by_path
    runs = [run for run in list_runs(store) if run.finished]
    if not runs:
        message = (
            f"the store {store} holds no finished run; make one with: bench run --store {store}"
        )
        raise StoreError(message)
    matches = _matching(runs, word)
    if len(matches) == 1:
        return matches[0]
    newest = ", ".join(run.info.run_id for run in (matches or runs)[-3:])
    if matches:
        message = f"{word!r} means {len(matches)} runs (the newest: {newest}); name one by its id"
        raise StoreError(message)
    message = (
        f"{word!r} means no run in {store}; the newest are {newest}. "
        "Write a path, an id or its beginning, @latest, @-2, label:TEXT or machine:NAME"
    )
    raise StoreError(message)


def find_unfinished(store: Path, word: str) -> StoredRun:
    """The unfinished run that a word means, in the words of `find`.

    Raises:
        StoreError: it means no unfinished run, or several.
    """
    by_path = _at(Path(word))
    if by_path and not by_path.finished:
        return by_path
    runs = [by_path] if by_path else list_runs(store)
    unfinished = [run for run in runs if not run.finished]
    matches = _matching(unfinished, word)
    if len(matches) == 1:
        return matches[0]
    if by_path or (not matches and _matching(runs, word)):
        message = f"run {word} is finished, and a finished run never changes; start a new one"
        raise StoreError(message)
    ids = ", ".join(run.info.run_id for run in unfinished) or "none"
    message = f"{word!r} means {len(matches) or 'no'} unfinished runs in {store}; unfinished: {ids}"
    raise StoreError(message)


def _at(path: Path) -> StoredRun | None:
    """The run in a folder that is named by its path."""
    known = (path / MANIFEST).is_file() or (path / journal.NAME).is_file()
    return _read(path) if known else None


def _matching(runs: list[StoredRun], word: str) -> list[StoredRun]:
    if word == "@latest":
        return runs[-1:]
    if re.fullmatch(r"@-\d+", word):
        place = int(word[2:])
        return [runs[-place]] if 1 <= place <= len(runs) else []
    kind, colon, text = word.partition(":")
    if colon and kind == "label":
        return [run for run in runs if run.info.label == text]
    if colon and kind == "machine":
        wanted = text.casefold()
        return [
            run
            for run in runs
            if wanted in str(run.info.machine.get("name", "")).casefold()
            or text == run.info.machine.get("machine_id")
        ]
    return [run for run in runs if run.info.run_id.startswith(word)]


def _read(folder: Path) -> StoredRun | None:
    """What a folder says of itself, or None where it says nothing that can be read."""
    try:
        manifest = folder / MANIFEST
        if manifest.is_file():
            facts = json.loads(manifest.read_text(encoding="utf-8"))
            return StoredRun(folder=folder, info=info_from(facts), finished=True)
        facts, _ = journal.read(folder)
        return StoredRun(folder=folder, info=info_from(facts), finished=False)
    except (OSError, ValueError, TypeError, StoreError):
        return None


def info_from(facts: Mapping[str, Any]) -> RunInfo:
    """A `RunInfo` from JSON; keys of newer versions are passed over."""
    if not isinstance(facts, dict):
        message = "a run's facts are a JSON object"
        raise TypeError(message)
    known = {f.name for f in dataclasses.fields(RunInfo)}
    return RunInfo(**{k: v for k, v in facts.items() if k in known})


def _write(table: pa.Table, path: Path) -> None:
    partial = path.with_suffix(".partial")
    pq.write_table(table, partial, compression="zstd")
    partial.replace(path)


def _replace(path: Path, data: bytes) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _fingerprint(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    rows = pq.read_metadata(path).num_rows
    return {"bytes": len(data), "rows": rows, "sha256": hashlib.sha256(data).hexdigest()}
