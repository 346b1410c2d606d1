"""Drain time: what waiting for a device's queue to drain adds to a sample, whatever its length; to be subtracted.

A sample of n calls takes n times the slower of host and device, and some microseconds once: the first
kernel is not there yet or the last has not ended yet, the host notices late that it has, and the wait has
code of its own. Measured once a worker with empty kernels, and converted to a case by what bounds it.
"""

from __future__ import annotations

import statistics
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
"""Uncertainty of the drain, as a share of it, from call to call: a call has launched before it returns, and of several
kernels only the last is waited for. On an H200 6.0 µs after short kernels of one or five a call, 10.8 µs
after long ones, where this reckons with 10.3 (`docs/gpu.md`)."""
_FEW_CALLS, _REPEATS = 10, 41


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """Times that the wait at the end of a sample is computed from: without calls, and with empty kernels."""

    idle_s: float
    """Time of a sample without calls."""
    launched_s: float
    """Time of a sample of empty kernels beyond what submitting each of them takes the host."""
    kernel_s: float
    """Time that an empty kernel takes the device."""

    def after(self, work: str, seen: QueueTiming | None) -> float:
        """Seconds that a sample of a call has in it once.

        Args:
            work: what the call's work on the device is found to be.
            seen: what the call takes device and host, where its work queues up.
        """
        if work != QUEUED or seen is None:
            return self.idle_s
        if seen.device_s <= seen.host_s:
            return self.launched_s
        # The device waits for the first launch, and all later ones are made while it works.
        return self.launched_s - self.kernel_s + seen.host_s


def measure_drain(device: QueuedDevice, clock: Clock) -> Drain:
    """Take samples of no, of some, and of twice as many empty kernels, alternating."""
    empty = Call(device.spin, 1)
    times_s: dict[int, list[float]] = {0: [], _FEW_CALLS: [], 2 * _FEW_CALLS: []}
    take_sample(empty, _FEW_CALLS, device, clock)
    for _ in range(_REPEATS):
        for calls, seen in times_s.items():
            seen.append(take_sample(empty, calls, device, clock)[1] * 1e-9)
    idle_s, few_s, many_s = (statistics.median(seen) for seen in times_s.values())
    return Drain(
        idle_s=idle_s,
        launched_s=max(2 * few_s - many_s, idle_s),
        kernel_s=Sampler(empty, device, clock).sample().device_s,
    )
