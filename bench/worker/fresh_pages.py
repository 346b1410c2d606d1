"""Fresh pages: how many times as long a call takes whose results lie in memory that the process has not had before.

The first write to a page is a page fault: the system finds a page, fills it with zeros and maps it. A worker that reuses
its memory makes none, a program that makes a result once makes all of them. So what was freed is handed back, the call
is timed, and then once more when it reuses memory again; a state of the machine cancels in the pair's ratio.
"""

from __future__ import annotations

import mmap
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from bench.machine.hardware import text_of
from bench.pool import protocol
from bench.worker import c_allocator
from bench.worker.devices import Cpu
from bench.worker.sampling import SampleSet, measure_cold_overhead, read_usage, take_samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan.case import Call
    from bench.worker.sampling import Clock, Usage

_PAIRS = 7
"""The least and the largest of seven hold the median in 98 % of cases (1 - 2 · 0.5⁷), however they are distributed."""
_LIMIT_NS = 1_000_000_000
"""A second is enough for results of 256 MiB; on a machine that is busy with other programs, nothing is told by then."""
_LEAST_SHARE = 0.5
"""Memory was fresh if page faults brought so much of what a call takes, and reused if they brought less: a part of a
result may never be written, and now and then a page of something else is fresh."""
_MOST_CALLS = 8
"""Calls until memory is reused: glibc was seen to take other free memory, as fresh, for up to six calls."""
_ELEMENTS_PER_THREAD = 32_768
"""Torch gives each thread so many elements of an element-wise operation."""
_HUGE_PAGES = "sys/kernel/mm/transparent_hugepage"


def largest_page_bytes(root: Path = Path("/")) -> int:
    """What a page fault brings at most: a huge page where the system gives these unasked, else a page."""
    if "[always]" in (text_of(root / _HUGE_PAGES / "enabled") or ""):
        return int(text_of(root / _HUGE_PAGES / "hpage_pmd_size") or 2**21)
    return mmap.PAGESIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMemory:
    """The memory of a process, as the C library and the system handle it: this one's, unless a test makes one up."""

    hand_back: Callable[[], None] = c_allocator.hand_back
    usage: Callable[[], Usage] = read_usage
    page_bytes: Callable[[], int] = largest_page_bytes


def time_fresh(
    call: Call,
    taken_bytes: int,
    clock: Clock,
    clock_s: float,
    memory: ProcessMemory | None = None,
) -> protocol.FreshTimed:
    """Time pairs of single calls, in fresh memory and in reused memory, after a pair that is not counted.

    Where other programs pushed this one aside, up to twice as many pairs are made and the least disturbed count.

    Args:
        call: one without a `setup`, which was made before.
        taken_bytes: what it takes beyond its inputs.
        clock: of the host.
        clock_s: what a pair of its readings costs.
        memory: that of this process by default.

    Returns:
        The median of the ratios, the least and the largest; none where page faults do not tell the two apart, or
        time was up.
    """
    memory, wake = memory or ProcessMemory(), _threads_waker()

    def before() -> None:
        memory.hand_back()
        wake()

    needed = max(1, _LEAST_SHARE * taken_bytes / memory.page_bytes())
    pairs: list[_Pair] = []
    end_ns = clock() + _LIMIT_NS
    while len(pairs) < 1 + 2 * _PAIRS and sum(not one.switches for one in pairs[1:]) < _PAIRS:
        if clock() > end_ns:
            break
        before()
        fresh = _sample(call, clock, memory)
        pairs.append(_Pair(fresh, _reused(call, clock, memory, needed)))
    counted = sorted(pairs[1:], key=lambda one: one.switches)[:_PAIRS]
    cost_s = clock_s + measure_cold_overhead(call, clock_s, clock, before).call_s
    if len(counted) < _PAIRS or not all(one.tells(needed, cost_s) for one in counted):
        return protocol.FreshTimed()
    ratios = sorted(one.ratio(cost_s) for one in counted)
    return protocol.FreshTimed(ratio=statistics.median(ratios), low=ratios[0], high=ratios[-1])


class _Pair(NamedTuple):
    """A sample in fresh memory, and one in reused memory."""

    fresh: SampleSet
    reused: SampleSet

    @property
    def switches(self) -> int:
        """How often other programs pushed this one aside."""
        return self.fresh.used.involuntary_switches + self.reused.used.involuntary_switches

    def tells(self, needed: float, cost_s: float) -> bool:
        """Whether memory was fresh in the one and not in the other, by page faults, and both took time."""
        apart = self.fresh.used.minor_faults >= needed > self.reused.used.minor_faults
        return apart and self.reused.elapsed_ns * 1e-9 > cost_s

    def ratio(self, cost_s: float) -> float:
        """How many times as long the call took in fresh memory."""
        return (self.fresh.elapsed_ns * 1e-9 - cost_s) / (self.reused.elapsed_ns * 1e-9 - cost_s)


def _reused(call: Call, clock: Clock, memory: ProcessMemory, needed: float) -> SampleSet:
    """A sample in reused memory: of the first call that makes few page faults, or the last that is tried."""
    sample = _sample(call, clock, memory)
    for _ in range(_MOST_CALLS - 1):
        if sample.used.minor_faults < needed:
            break
        sample = _sample(call, clock, memory)
    return sample


def _sample(call: Call, clock: Clock, memory: ProcessMemory) -> SampleSet:
    """A sample of one call."""
    return take_samples(call, 1, 0.0, Cpu(), clock, memory.usage)[0]


def _threads_waker() -> Callable[[], object]:
    """Gives each of torch's threads some work and takes no memory: they fall asleep while memory is handed back."""
    touched = torch.zeros(_ELEMENTS_PER_THREAD * torch.get_num_threads(), dtype=torch.uint8)
    return lambda: touched.add_(1)
