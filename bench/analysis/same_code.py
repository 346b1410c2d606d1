"""Same code: whether a case was made of one code in two runs, by its fingerprint, else by its suite's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.records.record import Record
    from bench.store.runs import RunInfo

    Side = tuple[Record, RunInfo | None]
    """A case, and the run that it is of, where that is known."""


def same_code(one: Side, other: Side) -> bool | None:
    """Whether two rows of a case are of the same code; None where that can't be told.

    Files that differ say nothing: the difference may be a comment. Runs from before rows had fingerprints know
    no more than their files.
    """
    codes = [row.fingerprint for row, _ in (one, other)]
    if all(codes):
        return codes[0] == codes[1]
    files = [run.suites.get(row.suite) if run else None for row, run in (one, other)]
    return True if files[0] and files[0] == files[1] else None
