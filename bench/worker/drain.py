"""Drain time: what waiting for a device's queue to drain adds to a sample, however many calls it has; to be subtracted.

A sample of n calls takes n times the slower of host and device, and some microseconds once: the first
kernel is not there yet or the last has not ended yet, the host notices late that it has, and the wait has
code of its own. Measured once a worker with empty kernels and with spins, and converted to a case by what bounds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.plan.case import Call
from bench.pool.protocol import QUEUED
from bench.worker.device_timing import Sampler
from bench.worker.sampling import take_sample

if TYPE_CHECKING:
    from bench.worker.device_timing import QueuedDevice, QueueTiming
    from bench.worker.sampling import Clock

UNCERTAINTY_SHARE = 0.25
"""Uncertainty of the drain, as a share of it, from call to call: a call has launched before it returns, and how many
kernels it has is not known. On an H200 6.0 µs after short kernels of one or five a call, 10.8 µs after long ones
(`docs/gpu.md`)."""
_FEW_CALLS, _REPEATS = 10, 41
_FEWEST, _WORKED_S = 9, 0.05
"""Samples of spins: for so long, so many at least and no more than of the others."""
_LEADING = 5
"""Spins ahead of the first mark."""
_SURELY = 1.02
"""The host is waited for if it takes 2 % longer; where both take as long, both ways of computing it agree."""
_SPIN_S = 2e-5
"""Several times what a launch takes, so that the device is what a sample of such spins waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """Times that the wait at the end of a sample is computed from: without calls, with empty kernels, with spins."""

    idle_s: float
    """Time of a sample without calls."""
    launched_s: float
    """Time of a sample of empty kernels beyond what submitting each of them takes the host."""
    worked_s: float
    """Time of a sample of spins beyond what each of them takes the device."""
    empty: QueueTiming
    """What an empty kernel takes device and host."""

    def after(self, work: str, seen: QueueTiming | None) -> float:
        """Seconds that a sample of a call has in it once.

        Args:
            work: what the call's work on the device is found to be.
            seen: what the call takes device and host, where its work queues up.
        """
        if work != QUEUED or seen is None:
            return self.idle_s
        if _SURELY * seen.device_s > seen.host_s:
            # The device waits for the first launch; all later ones are made while it works.
            return self.worked_s
        # The host waits for the last kernel: of a call that takes as long to submit as five empty kernels, a fifth.
        last_s = seen.device_s * min(1.0, self.empty.host_s / seen.host_s)
        return self.launched_s + max(last_s - self.empty.device_s, 0.0)


def measure_drain(device: QueuedDevice, clock: Clock, sample_s: float) -> Drain:
    """Take samples of no calls, of some and twice as many empty kernels, alternating, and of spins.

    The fastest of each tell it: other programs make samples longer only, and what is sought is a small difference.

    Args:
        device: that is waited for.
        clock: of the host.
        sample_s: how long the samples are that it is subtracted from.
    """
    empty = Call(device.spin, 1)
    sampler = Sampler(empty, device, clock)
    counts = 0, _FEW_CALLS, 2 * _FEW_CALLS
    times_s: list[list[float]] = [[] for _ in counts]
    take_sample(empty, _FEW_CALLS, device, clock)
    for _ in range(_REPEATS):
        for calls, seen in zip(counts, times_s, strict=True):
            seen.append(take_sample(empty, calls, device, clock)[1] * 1e-9)
    idle_s, few_s, many_s = map(min, times_s)
    return Drain(
        idle_s=idle_s,
        launched_s=min(max(2 * few_s - many_s, idle_s), few_s),
        worked_s=max(_worked_s(device, clock, sampler.hertz, sample_s), idle_s),
        empty=sampler.sample(),
    )


def _worked_s(device: QueuedDevice, clock: Clock, hertz: float, sample_s: float) -> float:
    """What samples of spins take beyond the spins, as long as a case's: a host leaves a long wait later than a short one.

    Marks around all spins but the first ones tell how long they took: the rate of the device's clock may change
    meanwhile. The first ones give the host time to make a mark, which takes it longest after a wait.
    """
    cycles, timed = round(_SPIN_S * hertz), max(1, round(sample_s / _SPIN_S) - _LEADING)
    first, last = device.mark(), device.mark()

    def spins() -> None:
        for _ in range(_LEADING):
            device.spin(cycles)
        first.record()
        for _ in range(timed):
            device.spin(cycles)
        last.record()

    found: list[float] = []
    for _ in range(min(max(_FEWEST, round(_WORKED_S / sample_s)), _REPEATS)):
        elapsed_s = take_sample(Call(spins), 1, device, clock)[1] * 1e-9
        found.append(elapsed_s - last.seconds_since(first) * (timed + _LEADING) / timed)
    return min(found)
