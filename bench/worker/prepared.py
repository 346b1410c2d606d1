"""A call that is built and warm in this worker, and how it is sampled: hot, cold, and on a device's queue."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.pool import protocol
from bench.pool.protocol import IDLE, QUEUED
from bench.worker.device_timing import Sampler, replayed_s
from bench.worker.sampling import take_cold_samples, take_sample, take_samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan.case import Call
    from bench.worker.device_timing import QueueTiming
    from bench.worker.devices import Device
    from bench.worker.sampling import Clock, Evict, SampleSet

_WARM_SHARE = 8
"""A visit begins with an eighth of a sample's calls untimed: other cases have had the caches since."""
_COLD_SAMPLES = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A call, its device, the loops of a sample with hot caches, and whatever else its samples need."""

    call: Call
    device: Device
    loops: int
    evict: Evict | None = None
    """Empties the caches, where they are to be cold."""
    sampler: Sampler | None = None
    """Tells the device's own time, where the device has a queue."""
    build: Callable[[], Call] | None = None
    """Makes the call anew, with inputs of its own."""

    @property
    def queued(self) -> Sampler | None:
        """The sampler, if the call's work queues up, so that the device's own time can be told."""
        return self.sampler if self.sampler and self.sampler.work == QUEUED else None

    def visit(self, seconds: float, clock: Clock) -> protocol.Visited:
        """Samples for about so long; half of it for the device's own time, where that is told."""
        if self.loops > 1:
            take_sample(self.call, max(1, self.loops // _WARM_SHARE), self.device, clock)
        begun_ns = clock()
        samples = self._samples(seconds / 2 if self.queued else seconds, clock)
        queued = self._queued(len(samples), seconds / 2, clock)
        spent_ns = clock() - begun_ns
        return protocol.Visited(
            loops=1 if self.evict else self.loops,
            started_ns=tuple(sample.started_ns for sample in samples),
            elapsed_ns=tuple(sample.elapsed_ns for sample in samples),
            cpu_ns=tuple(sample.used.cpu_ns for sample in samples),
            minor_faults=tuple(sample.used.minor_faults for sample in samples),
            involuntary_switches=tuple(sample.used.involuntary_switches for sample in samples),
            device_s=tuple(one.device_s for one in queued),
            host_s=tuple(one.host_s for one in queued),
            gapless=tuple(one.gapless for one in queued),
            aside_ns=self._aside_ns(spent_ns, samples),
        )

    def replay(self, clock: Clock) -> protocol.Replayed:
        """The call's time in a graph.

        Raises:
            RuntimeError: it can't be recorded, or the device has no queue.
        """
        if self.sampler is None or self.build is None or self.sampler.work == IDLE:
            message = "there is no work of a device to record"
            raise RuntimeError(message)
        once_s = self.sampler.sample().device_s
        return protocol.Replayed(
            device_s=replayed_s(self.build, once_s, self.sampler.device, clock, self.sampler.hertz)
        )

    def time_cold(self, evict: Evict, clock: Clock) -> protocol.ColdTimed:
        """The device's own time of a call whose data is in no cache: the median of a few samples.

        Raises:
            RuntimeError: the call's work can't be told apart on the device's queue.
        """
        if self.queued is None:
            message = "the call's work does not queue up on a device"
            raise RuntimeError(message)
        sampler = Sampler(self.call, self.queued.device, clock, evict, self.queued.hertz)
        taken = [sampler.sample() for _ in range(_COLD_SAMPLES)]
        return protocol.ColdTimed(
            device_s=statistics.median(one.device_s for one in taken)
            if all(one.gapless for one in taken)
            else None
        )

    def _samples(self, seconds: float, clock: Clock) -> list[SampleSet]:
        if self.evict:
            return take_cold_samples(self.call, seconds, self.device, clock, self.evict)
        return take_samples(self.call, self.loops, seconds, self.device, clock)

    def _queued(self, most: int, seconds: float, clock: Clock) -> list[QueueTiming]:
        """Samples of the device's own time: one at least, and no more than there are others."""
        if self.queued is None:
            return []
        end_ns = clock() + round(seconds * 1e9)
        found = [self.queued.sample()]
        while len(found) < most and clock() < end_ns:
            found.append(self.queued.sample())
        return found

    def _aside_ns(self, spent_ns: int, samples: list[SampleSet]) -> int:
        """What was neither sample nor the loop around it: evictions, and samples of the device's own."""
        if not self.evict and not self.queued:
            return 0
        return spent_ns - sum(sample.elapsed_ns for sample in samples)
