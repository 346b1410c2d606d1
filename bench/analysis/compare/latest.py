"""The newest run, compared with the newest earlier one of its machine that can be compared with it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.compare.comparability import comparability
from bench.analysis.compare.comparison import compare
from bench.analysis.compare.left_out import loss_of
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
    wrong: int = 0
    """How many of its results are wrong, …"""
    failed: int = 0
    """… and how many of its cases failed, whatever an earlier run says of them."""
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
    losses = [loss_of(row) for row in rows]
    alone = Standing(
        new=newest.info,
        measured=sum(not unusable(row, barred=FOR_INTERVALS) for row in rows),
        wrong=losses.count("wrong"),
        failed=losses.count("failed"),
    )
    bases = (run for run in reversed(ordered[:-1]) if _may_be_base(run.info, newest.info))
    compared = (_compared(base, newest.info, rows, read) for base in bases)
    found = next(filter(None, compared), None)
    if found is None:
        return alone
    return dataclasses.replace(alone, base=found.base, summary=found.summary)


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
    """The comparison, if the earlier run measured a case that the newest has too, whatever became of it."""
    try:
        before = read(earlier)
    except StoreError:
        return None
    found = compare(before, rows, earlier.info, newest)
    broken = any(one.base is None and one.loss in {"wrong", "failed"} for one in found.missing)
    return found if found.cases or broken else None
