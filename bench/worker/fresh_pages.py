"""Fresh pages: what a call takes whose results lie in memory that the process has not had before.

The first write to a page is a page fault: the system finds a page, fills it with zeros and maps it. A worker that reuses
its memory makes none, a program that makes a result once makes all of them. So what was freed is handed back before
each call; that is not timed, and the data of the call stays in the caches.
"""

from __future__ import annotations

import mmap
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from bench.machine.hardware import text_of
from bench.pool import protocol
from bench.worker import c_allocator
from bench.worker.devices import Cpu
from bench.worker.sampling import measure_cold_overhead, read_usage, take_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan.case import Call
    from bench.worker.sampling import Clock, Usage

_SAMPLES = 7
"""The least and the largest of seven samples hold the median in 98 % of cases (1 - 2 · 0.5⁷), whatever their
distribution is; with five it would be 94 %."""
_LEAST_SHARE = 0.5
"""A result lies in fresh pages if these are at least so much of what a call takes: a part of a result may never be
written, and a page of the stack be fresh too."""
_ELEMENTS_PER_THREAD = 32_768
"""Torch gives each thread so many elements of an element-wise operation."""
_HUGE_PAGES = "sys/kernel/mm/transparent_hugepage"


def time_fresh(
    call: Call,
    taken_bytes: int,
    clock: Clock,
    clock_s: float,
    hand_back: Callable[[], None] = c_allocator.hand_back,
    usage: Callable[[], Usage] = read_usage,
    page_bytes: int | None = None,
) -> protocol.FreshTimed:
    """Time single calls, each after freed memory was handed back, the first one untimed.

    Args:
        call: one without a `setup`, which was made before.
        taken_bytes: what it takes beyond its inputs.
        clock: of the host.
        clock_s: what a pair of its readings costs.
        hand_back: returns freed memory to the system.
        usage: counts page faults.
        page_bytes: what one page fault brings at most; the system's by default.

    Returns:
        The median of the samples, and the least and the largest; none where memory was not fresh.
    """
    wake = _threads_waker()

    def before() -> None:
        hand_back()
        wake()

    needed = _LEAST_SHARE * taken_bytes / (page_bytes or largest_page_bytes())
    taken = [_sample(call, clock, before, usage) for _ in range(1 + _SAMPLES)][1:]
    if min(faults for _, faults in taken) < max(needed, 1):
        return protocol.FreshTimed()
    cost_s = clock_s + measure_cold_overhead(call, clock_s, clock, before).call_s
    times_s = sorted(max(ns * 1e-9 - cost_s, 0.0) for ns, _ in taken)
    return protocol.FreshTimed(
        fresh_time_s=statistics.median(times_s),
        fresh_time_lo_s=times_s[0],
        fresh_time_hi_s=times_s[-1],
    )


def largest_page_bytes(root: Path = Path("/")) -> int:
    """What one page fault brings at most: a huge page where the system gives these without being asked, else a page."""
    if "[always]" in (text_of(root / _HUGE_PAGES / "enabled") or ""):
        return int(text_of(root / _HUGE_PAGES / "hpage_pmd_size") or 2**21)
    return mmap.PAGESIZE


def _sample(
    call: Call, clock: Clock, before: Callable[[], None], usage: Callable[[], Usage]
) -> tuple[int, int]:
    """Nanoseconds of one call, and its page faults."""
    before()
    faults = usage().minor_faults
    _, elapsed_ns = take_sample(call, 1, Cpu(), clock)
    return elapsed_ns, usage().minor_faults - faults


def _threads_waker() -> Callable[[], object]:
    """Gives each of torch's threads some work and takes no memory.

    They fall asleep while memory is handed back, and calls back to back, which these times are compared with, find
    them awake.
    """
    touched = torch.zeros(_ELEMENTS_PER_THREAD * torch.get_num_threads(), dtype=torch.uint8)
    return lambda: touched.add_(1)
