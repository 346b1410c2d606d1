"""What fresh memory costs, in sentences: the case that loses most by page faults, and how much of a GPU's lead they are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.analysis.fresh_memory import slowdown
from bench.analysis.grid import full_name
from bench.analysis.usable import FOR_OPS, unusable
from bench.units import number, seconds, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.record import Record

_NOTICED, _MOSTLY = 1.25, 2.0
"""A case is named if it takes certainly more than a quarter longer; in one that takes twice as long, page faults are
most of the time."""


def page_faults(records: Sequence[Record]) -> str | None:
    """What fresh memory costs the case that certainly loses most by it, in how many it is most of the time, and a GPU's lead.

    A case that was measured on a GPU too comes before others.
    """
    usable = [r for r in records if not unusable(r, barred=FOR_OPS)]
    tried = [(r, times) for r in usable if (times := slowdown(r))]
    sure = [(r, times) for r, times in tried if times.low > _NOTICED]
    if not sure:
        return None
    gpus = {r.case: r for r in usable if r.device.startswith("cuda")}
    record, times = max(sure, key=lambda one: (one[0].case in gpus, _lost_s(one[0])))
    fresh, reused = seconds(record.fresh_time_s, 2), seconds(record.time_s, 2)
    head = f"In fresh memory {full_name(record, records)} takes {fresh} instead of {reused}: at least {share(1 - 1 / times.low)} of that is page faults"
    most = sum(one.low > _MOSTLY for _, one in tried)
    many = f", and most of the time in {most} of {len(tried)} cases" if most and tried[1:] else ""
    gpu = gpus.get(record.case)
    return f"{head}{many}.{_lead(record, gpu) if gpu else ''}"


def _lost_s(record: Record) -> float:
    return (record.fresh_time_lo_s or 0.0) - (record.time_s or 0.0)


def _lead(cpu: Record, gpu: Record) -> str:
    """How much of a GPU's lead is page faults, if it certainly has one over a CPU with fresh memory."""
    fresh_s, reused_s, gpu_s = cpu.fresh_time_s or 0.0, cpu.time_s or 0.0, gpu.time_s or 0.0
    least_s, gpu_most_s = cpu.fresh_time_lo_s or 0.0, gpu.time_hi_s or math.inf
    if least_s <= gpu_most_s:
        return ""
    part = (least_s - reused_s) / (least_s - gpu_s)
    saved = f"at least {share(part)}" if part < 1 else "all"
    over = f"{number(fresh_s / gpu_s, 2)} times as fast as that, {number(reused_s / gpu_s, 2)} times as fast as a CPU that reuses its memory"
    return f" The GPU ({gpu.device}) is {over}: {saved} of the time that it saves is page faults."
