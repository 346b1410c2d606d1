"""The newest run, compared with the newest earlier one of its machine that can be compared with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.compare.comparability import comparability
from bench.analysis.compare.comparison import compare
from bench.analysis.usable import FOR_INTERVALS, unusable
from bench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.analysis.compare.comparison import Comparison, Summary
    from bench.records.record import Record
    from bench.store.runs import RunInfo, StoredRun

    Read = Callable[[StoredRun], Sequence[Record]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The newest run; the run it is compared with and what came of that, where there is such a run."""

    new: RunInfo
    measured: int
    """How many cases of the newest run have a time that may be used."""
    base: RunInfo | None = None
    summary: Summary | None = None


def standing(runs: Sequence[StoredRun], read: Read) -> Standing | None:
    """The standing of the newest of these runs; None if there is none.

    Args:
        runs: finished ones, of any machines, in any order.
        read: gives the rows of one; called for the newest, and for earlier ones until one will do.

    Raises:
        StoreError: the newest can't be read. Earlier ones that can't be are passed over.
    """
    ordered = sorted(runs, key=lambda run: run.info.run_id)
    if not ordered:
        return None
    newest = ordered[-1]
    rows = read(newest)
    measured = sum(not unusable(row, barred=FOR_INTERVALS) for row in rows)
    bases = (run for run in reversed(ordered[:-1]) if _may_be_base(run.info, newest.info))
    compared = (_compared(base, newest.info, rows, read) for base in bases)
    found = next(filter(None, compared), None)
    if found is None:
        return Standing(new=newest.info, measured=measured)
    return Standing(new=newest.info, measured=measured, base=found.base, summary=found.summary)


def _may_be_base(earlier: RunInfo, newest: RunInfo) -> bool:
    """Whether it is another run of a machine that is known to be the same, at comparable settings."""
    mine = newest.machine.get("machine_id")
    return (
        earlier.run_id != newest.run_id
        and mine is not None
        and earlier.machine.get("machine_id") == mine
        and comparability(earlier, newest).verdict != "no"
    )


def _compared(
    earlier: StoredRun, newest: RunInfo, rows: Sequence[Record], read: Read
) -> Comparison | None:
    """The comparison, if the two have a case in common."""
    try:
        before = read(earlier)
    except StoreError:
        return None
    found = compare(before, rows, earlier.info, newest)
    return found if found.cases else None
