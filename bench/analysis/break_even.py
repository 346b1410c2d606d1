"""Break-even of compiling: after how many calls the time that compiling took is earned by faster calls. Pure.

Compile time over what a call saves: C / (t_eager - t_compiled). Its interval is that of the ratio of the two times, as
it is compared everywhere (`bench.stats.ratio`); compile time was measured once and counts as exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.analysis.usable import FOR_OPS, unusable
from bench.plan.mode import AXIS, is_compiled, is_eager
from bench.records.warning_codes import NOT_COMPILED
from bench.stats.ratio import Change

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from bench.records.record import Record

    Outcome = Literal["pays", "never", "cant-tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """Whether compiling pays, and after how many calls; `cached_calls` where the compiled code was cached before."""

    outcome: Outcome
    calls: float | None = None
    low: float | None = None
    high: float | None = None
    cached_calls: float | None = None


def break_even(eager: Record, compiled: Record) -> BreakEven | None:
    """The break-even of a case against itself as it is written; None where one says nothing, or compiled nothing."""
    if compiled.compile_s is None or NOT_COMPILED in compiled.warnings:
        return None
    if any(unusable(r, barred=FOR_OPS) for r in (eager, compiled)):
        return None
    times = Change.of(eager, compiled).ratio()
    if times.low >= 1:
        return BreakEven(outcome="never")
    if times.high >= 1:
        return BreakEven(outcome="cant-tell")
    eager_s = eager.time_s or math.nan
    saved_s = eager_s * (1 - times.value)
    return BreakEven(
        outcome="pays",
        calls=compiled.compile_s / saved_s,
        low=compiled.compile_s / (eager_s * (1 - times.low)),
        high=compiled.compile_s / (eager_s * (1 - times.high)),
        cached_calls=None
        if compiled.compile_cached_s is None
        else compiled.compile_cached_s / saved_s,
    )


def twins(records: Iterable[Record]) -> list[tuple[Record, Record]]:
    """The compiled rows of a run, each with the eager row of the same case beside it."""
    rows = list(records)
    eager = {_case_of(row): row for row in rows if is_eager(row.mode)}
    compiled = ((_case_of(row), row) for row in rows if row.mode and is_compiled(row.mode))
    return [(eager[case], row) for case, row in compiled if case in eager]


def _case_of(record: Record) -> tuple[Hashable, ...]:
    """The case without its mode, in its run and on its device."""
    params = record.params.items()
    axes = {(name, text) for name, text in params if is_eager(record.mode) or name != AXIS}
    return record.run_id, record.device, record.op_id, frozenset(axes)
