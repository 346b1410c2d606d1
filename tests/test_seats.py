"""A seat writes its side's run; one without rows leaves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.seats import Book
from bench.store import runs
from tests.fakes import entry, info

if TYPE_CHECKING:
    from pathlib import Path


def test_a_book_with_rows_is_a_finished_run(tmp_path: Path) -> None:
    """With the facts that it has when it is closed."""
    book = Book(tmp_path, info())
    assert book.write(entry(1, samples=0)) == entry(1).record
    kept = book.close()
    assert kept is not None
    assert kept.finished
    assert kept.info.finished_at
    assert [run.info.run_id for run in runs.list_runs(tmp_path)] == [info().run_id]


def test_a_book_without_rows_leaves_no_folder(tmp_path: Path) -> None:
    """Nothing was measured, so nothing is kept."""
    assert Book(tmp_path, info()).close() is None
    assert list(tmp_path.iterdir()) == []
