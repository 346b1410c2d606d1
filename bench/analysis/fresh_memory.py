"""Fresh memory: how many times as long a case takes whose results lie in pages that the process has not had before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.stats.ratio import Ratio

if TYPE_CHECKING:
    from bench.records.record import Record


def slowdown(record: Record) -> Ratio | None:
    """The time in fresh memory over that in reused memory; None where it was not told."""
    times = (record.fresh_time_s, record.fresh_time_lo_s, record.fresh_time_hi_s)
    value, low, high = (time / record.time_s if time and record.time_s else None for time in times)
    return Ratio(value=value, low=low, high=high) if value and low and high else None
