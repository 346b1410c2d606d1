"""One archive of all that was found, rewritten after each step and small enough to be brought home."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MOST_BYTES = 16 * 2**20
LEFT_OUT = "left-out.txt"
"""In the archive: the files that are too large for it."""
_PARTIAL = "session.tgz.partial"


def pack(folder: Path, target: Path, most_bytes: int = MOST_BYTES) -> list[str]:
    """Write a folder into an archive of at most so many bytes; gives the files that were left out.

    The largest are, and a file in the archive names them. The archive appears whole or not at all.
    """
    files = _smallest_first(folder)
    partial = folder / _PARTIAL
    left_out: list[tuple[Path, int]] = []
    while True:
        _write(partial, folder, [path for path, _ in files], left_out)
        excess = partial.stat().st_size - most_bytes
        if excess <= 0 or not files:
            break
        # What a file takes in the archive is not known, but no more than it takes outside.
        while files and excess > 0:
            left_out.append(files.pop())
            excess -= left_out[-1][1]
    partial.replace(target)
    return [_name(folder, path) for path, _ in left_out]


def _smallest_first(folder: Path) -> list[tuple[Path, int]]:
    """Files and their sizes."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != _PARTIAL)
    return sorted(((path, path.stat().st_size) for path in paths), key=lambda one: one[1])


def _write(
    target: Path, folder: Path, files: Sequence[Path], left_out: Iterable[tuple[Path, int]]
) -> None:
    note = "".join(f"{_name(folder, path)}: {size} bytes\n" for path, size in left_out).encode()
    with tarfile.open(target, "w:gz", compresslevel=6) as archive:
        for path in sorted(files):
            archive.add(path, arcname=f"{folder.name}/{_name(folder, path)}")
        if note:
            entry = tarfile.TarInfo(f"{folder.name}/{LEFT_OUT}")
            entry.size = len(note)
            archive.addfile(entry, io.BytesIO(note))


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
