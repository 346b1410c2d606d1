"""A file is written whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.store import atomic

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_written_and_replaced(tmp_path: Path, *, durable: bool) -> None:
    """Its folder is made, and nothing is left beside it."""
    path = tmp_path / "new" / "file"
    for data in (b"old and longer", b"new"):
        atomic.write(path, data, durable=durable)
        assert path.read_bytes() == data
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    """And not the half of a new one."""
    path = tmp_path / "file"
    atomic.write(path, b"old")

    def killed() -> None:
        with atomic.replacing(path) as partial:
            partial.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_can_not_be_written_is_an_error(tmp_path: Path) -> None:
    """For the caller to put into words."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        atomic.write(tmp_path / "file" / "below", b"x")
