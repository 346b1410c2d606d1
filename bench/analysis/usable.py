"""Usable rows: the one rule that says why a row's time may not be used.

A case that was not measured, or whose result is wrong, has no time that may be used anywhere. What else bars
a time depends on what it is used for, so that each caller names it: `FOR_INTERVALS`, `FOR_OPS`, `FOR_ROOFS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.records.record import FAILED
from bench.records.roofs import IMPLAUSIBLE

if TYPE_CHECKING:
    from bench.records.record import Record

WRONG_RESULT, BELOW_OVERHEAD, NO_TIME = "wrong-result", "below-overhead", "no time"
FOR_INTERVALS: frozenset[str] = frozenset()
"""No other warning bars a time that is compared by its interval: below the cost of the measuring loop, the
interval is as wide as that cost is unsure."""
FOR_OPS = frozenset({BELOW_OVERHEAD})
"""Warnings that bar a time which must say something of the op alone: below the cost of the measuring loop, it
says something of that loop."""
FOR_ROOFS = FOR_OPS | {IMPLAUSIBLE}
"""Warnings that bar a rate or a share of a roof: beyond what the machine can do, work or roof are miscounted."""


def unusable(record: Record, *, barred: frozenset[str]) -> str | None:
    """Why a row's time may not be used: its status, the code of a warning, or `no time`; None if it may be.

    Args:
        record: the row.
        barred: the warnings that bar a time for this use, besides a wrong result.
    """
    if record.status != "ok":
        return record.status
    codes = (code for code in record.warnings if code in barred)
    return failure(record) or next(codes, None) or (None if has_time(record) else NO_TIME)


def failure(record: Record) -> str | None:
    """How a row failed: its status, or that its result is wrong; None where it was measured, or skipped."""
    if record.status in FAILED:
        return record.status
    wrong = record.correct is False or WRONG_RESULT in record.warnings
    return WRONG_RESULT if wrong else None


def has_time(record: Record) -> bool:
    """Whether a time was measured that is more than nothing."""
    return record.time_s is not None and record.time_s > 0
