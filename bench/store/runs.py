"""Run folders: begin one, finish one, read one, list them, verify its files. No torch, no pandas.

A folder with `run.json` is finished and never written again; one with only a journal can be resumed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import StoreError
from bench.records import codec, memory_policy
from bench.records.record import SCHEMA_VERSION, STATUSES, Sample, row, schema
from bench.store import atomic, journal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from bench.records.record import Record

MANIFEST = "run.json"
CASES = "cases.parquet"
SAMPLES = "samples.parquet"
_KINDS: Mapping[str, tuple[type, ...]] = {
    "Mapping": (dict,),
    "Sequence": (list, tuple),
    "str": (str,),
    "str | None": (str, type(None)),
    "float": (float, int),
    "int": (int,),
}
"""What a field of a manifest has to be, by the beginning of its type."""
_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


class StoreWarning(UserWarning):
    """Something in a store was passed over."""


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
    """The devices that cases were planned for."""
    suites: Mapping[str, str] = field(default_factory=dict)
    """Suite → SHA-256 of its file, which tells unchanged code where rows have no fingerprint."""
    imported: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Package of the user's own that suites import → `files`, a hash of these, and `commit`, where they are of one."""
    folder: str | None = None
    """The folder that the command was given in, to find its files again; kept until the run is finished."""
    sentinels: Mapping[str, Any] = field(default_factory=dict)
    """Device → the level of its sentinels in this run."""
    reference: Mapping[str, Any] = field(default_factory=dict)
    """Device → that level at its best, as known when the run ended."""
    roofs: Mapping[str, Any] = field(default_factory=dict)
    """Device → its roofs, with which its rows were compared."""
    memory: Mapping[str, str] = field(default_factory=dict)
    """Device → the memory policy that held on it."""
    memory_note: str = ""
    """Why that of the CPU is not the one asked for, if it is not."""
    waited_s: float = 0.0
    """How long the run waited for the machine to come back to its reference state."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Status → how many rows have it."""
    wrong: int = 0
    """Rows whose result is wrong, among those with status `ok`."""
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    def memory_on(self, device: str) -> str:
        """The memory policy of a device, also where an older version kept none."""
        return self.memory.get(device) or memory_policy.on(device)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run folder and what it says of itself; `finished` is False while there is only a journal."""

    folder: Path
    info: RunInfo
    finished: bool

    @property
    def all_skipped(self) -> bool:
        """Whether not one case of it was tried, so that it says nothing of this code on this machine."""
        counts = self.info.counts
        return counts.get("skipped", 0) == sum(counts.values()) > 0


def new_run_id(now: datetime) -> str:
    """An id that sorts by time, to a 1024th of a second: two runs of a second are in order too.

    Of the 24 bits behind the second ten tell its fraction; the others are random instead of counted, since
    machines that share a store know nothing of each other.
    """
    fraction = now.microsecond * 1024 // 1_000_000
    return f"{now:%Y%m%dT%H%M%SZ}-{fraction << 14 | secrets.randbits(14):06x}"


def is_run_id(text: str) -> bool:
    """Whether a text can be the id of a run, and so the name of its folder."""
    return bool(_RUN_ID.fullmatch(text))


def begin(store: Path, info: RunInfo) -> Path:
    """Make the run's folder and write its header, so that a bad store fails before measuring.

    Raises:
        StoreError: the store can't be written.
    """
    folder = store / info.run_id
    try:
        make_store(store)
        folder.mkdir()
        with journal.Journal(folder) as opened:
            opened.write_header(dataclasses.asdict(info))
    except OSError as error:
        message = (
            f"the store {store} can't be written: {error.strerror}; choose another with --store"
        )
        raise StoreError(message) from error
    return folder


def make_store(store: Path) -> None:
    """Make the folder of runs, if there is none.

    A new one tells git to leave it alone, as the folders of pytest, mypy and ruff do: runs of a commit would
    otherwise be changes of its tree, and no later run be one of the commit. A folder with anything in it
    stays as its owner made it.

    Raises:
        OSError: it can't be written.
    """
    try:
        store.mkdir(parents=True)
        new = True
    except FileExistsError:
        new = next(store.iterdir(), None) is None
    if new:
        (store / ".gitignore").write_text("*\n", encoding="utf-8")


def names_of(info: RunInfo) -> dict[str, Any]:
    """The columns that say in each row what its run is called: label, tags, and the commit that was measured."""
    commit = info.environment.get("git_commit")
    return {
        "label": info.label,
        "tags": {name: str(value) for name, value in info.tags.items()} or None,
        "git_commit": str(commit) if commit else None,
    }


def finish(folder: Path, info: RunInfo) -> StoredRun:
    """Turn the journal into Parquet files and write the manifest last; the folder is then done."""
    _, entries = journal.read(folder)
    rows = [row(entry.record) for entry in entries]
    samples = [sample for entry in entries for sample in entry.samples]
    write_table(pa.Table.from_pylist(rows, schema=schema()), folder / CASES)
    columns = {f.name: [getattr(s, f.name) for s in samples] for f in dataclasses.fields(Sample)}
    write_table(pa.table(columns, schema=schema(Sample)), folder / SAMPLES)
    statuses = [r["status"] for r in rows]
    done = dataclasses.replace(
        info,
        folder=None,
        counts={status: statuses.count(status) for status in STATUSES},
        wrong=sum(r["correct"] is False for r in rows),
        files={name: _fingerprint(folder / name) for name in (CASES, SAMPLES)},
    )
    text = json.dumps(dataclasses.asdict(done), indent=1, ensure_ascii=False)
    atomic.write(folder / MANIFEST, (text + "\n").encode(), durable=True)
    for left in (folder / journal.NAME, folder / journal.LOCK, *folder.glob("*.partial")):
        left.unlink(missing_ok=True)
    return StoredRun(folder=folder, info=done, finished=True)


def storable(record: Record) -> Record:
    """The record, if `cases.parquet` can hold it: rows from elsewhere may have anything in them.

    Raises:
        ValueError: a value is not of its column's kind; or the status is none.
    """
    try:
        pa.Table.from_pylist([row(record)], schema=schema())
    except (pa.ArrowException, TypeError, ArithmeticError, AttributeError) as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    if record.status not in STATUSES:
        message = f"{record.status!r} is no status"
        raise ValueError(message)
    return record


def write_table(table: pa.Table, path: Path) -> None:
    """Write a Parquet file of a run, whole or not at all."""
    with atomic.replacing(path) as partial:
        pq.write_table(table, partial, compression="zstd")


def list_runs(store: Path) -> list[StoredRun]:
    """The runs of a store, oldest first; folders that are no runs are passed over.

    Raises:
        StoreError: there is no such folder.
    """
    if not store.is_dir():
        message = f"there is no store {store}; bench run makes one, or name another (--store; in Python store=)"
        raise StoreError(message)
    found = [read(f) for f in sorted(store.iterdir()) if is_run_id(f.name) and f.is_dir()]
    return [run for run in found if run]


def read(folder: Path) -> StoredRun | None:
    """What a folder says of itself, or None where it says nothing that can be read."""
    try:
        manifest = folder / MANIFEST
        finished = manifest.is_file()
        facts = json.loads(manifest.read_bytes()) if finished else journal.read(folder)[0]
        return StoredRun(folder=folder, info=info_of(facts), finished=finished)
    except (OSError, ValueError, TypeError, StoreError):
        return None


def info_of(facts: Any) -> RunInfo:
    """What a manifest says, which may be anybody's.

    Raises:
        TypeError: it lacks the id or the time, or one of its facts is of another kind.
        ValueError: a text in it is none.
    """
    info = codec.decode(RunInfo, facts)
    json.dumps(facts, ensure_ascii=False).encode()  # half a character could not be shown
    told = [
        (one.name, getattr(info, one.name), str(one.type).partition("[")[0])
        for one in dataclasses.fields(RunInfo)
        if one.name != "run_id"  # see `is_run_id`
    ]
    counts = info.counts.items() if isinstance(info.counts, dict) else ()
    for name, value, kind in (*told, *((f"counts of {k}", v, "int") for k, v in counts)):
        if not isinstance(value, _KINDS[kind]):
            message = f"{name} can't be {value!r:.60}"
            raise TypeError(message)
    return info


def verify(run: StoredRun) -> None:
    """Compare the files in a run's folder with its manifest.

    Raises:
        StoreError: one is missing, can't be read, or is another.
    """
    for name in run.info.files:
        path = run.folder / name
        try:
            data = path.read_bytes()
        except OSError as error:
            message = f"{path} can't be read: {error.strerror}"
            raise StoreError(message) from error
        verify_files({name: data}, run.info, f"{run.folder}/")


def verified_info(files: Mapping[str, bytes], where: str) -> RunInfo:
    """What a run from elsewhere says of itself, once its files are verified.

    Args:
        files: name → content.
        where: begins the line of an error.

    Raises:
        StoreError: the manifest can't be read, or does not describe the others.
    """
    try:
        info = info_of(json.loads(files.get(MANIFEST, b"")))
    except (ValueError, TypeError, RecursionError) as error:
        message = f"{where}{MANIFEST} can't be read as what a run says of itself"
        raise StoreError(message) from error
    if not is_run_id(str(info.run_id)):
        message = f"{where}{info.run_id!r} is no run id"
        raise StoreError(message)
    verify_files({k: v for k, v in files.items() if k != MANIFEST}, info, where)
    return info


def verify_files(files: Mapping[str, bytes], info: RunInfo, where: str) -> None:
    """Compare the content of files with what a run says of them.

    Args:
        files: name → content.
        info: what the run says of itself.
        where: begins the line of an error.

    Raises:
        StoreError: a file is not what it was when the run was finished.
    """
    told = dict(info.files) if isinstance(info.files, dict) else {}  # a page may be anybody's
    for name, data in files.items():
        facts = told.get(name)
        digest = facts.get("sha256") if isinstance(facts, dict) else None
        if digest != hashlib.sha256(data).hexdigest():
            message = (
                f"{where}{name} is not the file that run {info.run_id} finished with: "
                "it was changed or torn; take it from where it came from once more"
            )
            raise StoreError(message)


def _fingerprint(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    rows = pq.read_metadata(path).num_rows
    return {"bytes": len(data), "rows": rows, "sha256": hashlib.sha256(data).hexdigest()}
