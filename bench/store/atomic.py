"""Atomic writes: a file is written whole or not at all.

A kill or a full disk leaves no half of it, and a reader sees the old file until the new one is complete.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file in the folder of `path`, which takes the place of `path` unless an error is raised.

    The number of this process is in its name, so that no two processes write to the same one.

    Raises:
        OSError: it can't be written.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file; its folder is made if there is none.

    Args:
        path: the file.
        data: what it is to hold.
        durable: whether the data must outlast a power cut right after this returns.

    Raises:
        OSError: it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial, partial.open("wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
