"""Journal of an unfinished run: one line per finished case, safe on disk before the next batch begins.

A killed run leaves its journal; what is in it is not measured again. A torn last line is dropped.
"""

from __future__ import annotations

import dataclasses
import json
import os
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.errors import StoreError
from bench.records import codec
from bench.records.record import Record, Sample, record_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

NAME = "journal.jsonl"
LOCK = "journal.lock"
"""The file whose lock the one writer of a journal holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A finished case: its row and its samples."""

    record: Record
    samples: tuple[Sample, ...]


class Journal(ExitStack):
    """Appends entries to `journal.jsonl`, flushed to the disk before the call returns.

    Opening it cuts what a kill left of a last line, and keeps other processes from writing to it until it is
    closed.

    Raises:
        StoreError: another process is writing to it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.enter_context(_locked(folder))
        path = folder / NAME
        self._file = self.enter_context(path.open("ab"))
        data = path.read_bytes()
        os.truncate(path, data.rfind(b"\n") + 1)

    def write_header(self, header: dict[str, Any]) -> None:
        """Write what is known of the run; later headers add to earlier ones."""
        self._lines([{"run": header}])

    def write(self, *entries: Entry) -> None:
        """Write finished cases; to wait for the disk takes milliseconds, so those of a batch wait together."""
        self._lines(map(_line, entries))

    def _lines(self, values: Iterable[dict[str, Any]]) -> None:
        for value in values:
            self._file.write((json.dumps(value, ensure_ascii=False) + "\n").encode())
        self._file.flush()
        os.fsync(self._file.fileno())


def read(folder: Path) -> tuple[dict[str, Any], list[Entry]]:
    """The header and the finished cases of an unfinished run; of a case that was measured anew, what came of that.

    Raises:
        StoreError: there is no journal, or it has no header.
    """
    path = folder / NAME
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"{path} can't be read: {error.strerror}"
        raise StoreError(message) from error
    *lines, _torn = data.split(b"\n")  # what follows the last newline may end within a character
    whole = [json.loads(line) for line in lines]
    if not whole or "run" not in whole[0]:
        message = f"{path} has no header; the run was killed before it began: remove {folder}"
        raise StoreError(message)
    header: dict[str, Any] = {}
    for line in whole:
        header |= line.get("run", {})
    entries = [_entry(line) for line in whole if "row" in line]
    return header, list({(e.record.case, e.record.device): e for e in entries}.values())


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's journal; nothing is left of it."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 - 0.1 s, which listing runs need not wait for

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        message = f"run {folder.name} is being measured by another process; wait for it to end"
        raise StoreError(message) from error
    try:
        yield
    finally:
        with suppress(OSError):  # on Windows the file is removed by the release
            (folder / LOCK).unlink()
        lock.release()


def _line(entry: Entry) -> dict[str, Any]:
    columns = {
        f.name: [getattr(sample, f.name) for sample in entry.samples]
        for f in dataclasses.fields(Sample)
        if f.name not in {"case", "device"}  # the record says them
    }
    started_at = entry.record.started_at.isoformat()
    row = {**codec.facts_of(entry.record), "started_at": started_at}
    return {"row": row, "samples": columns}


def _entry(line: dict[str, Any]) -> Entry:
    record = record_of(line["row"])
    columns: dict[str, Sequence[Any]] = line["samples"]
    rows = zip(*columns.values(), strict=True)
    samples = tuple(
        Sample(case=record.case, device=record.device, **dict(zip(columns, row, strict=True)))
        for row in rows
    )
    return Entry(record=record, samples=samples)
