"""Prepared calls: a case's call that is built and warm in this worker, and how it is sampled.

Samples are taken with hot caches or with cold ones, and on a device with a queue by the device's own time too.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from bench.pool import protocol
from bench.pool.protocol import IDLE, QUEUED
from bench.records.cache_state import COLD
from bench.worker import garbage
from bench.worker.device_timing import Sampler, replayed_s
from bench.worker.devices import device_of
from bench.worker.drain import UNCERTAINTY_SHARE, measure_drain
from bench.worker.renewed_call import RenewedCall, warm_up_singly
from bench.worker.sampling import (
    Overhead,
    calibrate,
    measure_cold_overhead,
    measure_overhead,
    read_usage,
    take_cold_samples,
    take_sample,
    take_samples,
    warm_up,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan.case import Call
    from bench.worker.device_timing import QueuedDevice, QueueTiming
    from bench.worker.devices import Device
    from bench.worker.drain import Drain
    from bench.worker.sampling import Clock, Evict, SampleSet

_LEAD_IN_SHARE = 4
"""A step of the lead-in is a quarter of a sample's calls."""
_LEAD_IN_S = 0.01
"""A lead-in ends by then: nothing that is touched at every call falls for longer (docs/decisions/0020)."""
_LEAST_GAIN = 0.03
"""Steps of a steady call differ by so much; one that is faster by more is still falling."""
_LEAST_TRIES = 3
"""glibc before 2.38 needs some calls until what it frees of an aligned block serves the next one (its bug 14581)."""
_LONGEST_LED_IN_S = 0.1
"""A longer call has no lead-in: it would double a run, and what the first milliseconds lose is a small part of it."""
_COLD_SAMPLES = 11
_COLD_START_S = 2.0
"""A first call may take this long because libraries are loaded and threads or a GPU's context made; a longer
one is slow by itself, and need not be made again to learn that one call fills a sample."""
_CALIBRATING_SAMPLES = 3
"""All workers have the loops that one found. Where other programs had cut it short, 64 calls passed for a sample in place
of 149, and the whole side of an A/B measurement read 3 % less: a short sample has less of what comes rarely."""
_LOOP_SAMPLES = 3
"""Samples, behind spins and in a loop, of which the fastest tells what submitting takes: other programs make it longer."""
_QUEUE_SAMPLE_S = 1e-3
"""A sample on a device with a queue is at least so long: what draining the queue takes is then a hundredth,
and how far that is uncertain a third of it."""


class Instruments:
    """The instruments for timing on one device: its queue, its clock rate, its drain, and what empties its caches.

    Each is made or measured when it is first needed, once a worker; the drain once for each length of samples.
    """

    def __init__(
        self,
        device: str,
        clock: Clock,
        queue: QueuedDevice | None,
        new_evictor: Callable[[str], Evict],
    ) -> None:
        self.clock = clock
        self.queue = queue
        self.device: Device = queue or device_of(device)
        self._name = device
        self._new_evictor = new_evictor
        self._hertz: float | None = None
        self._drains: dict[float, Drain] = {}

    @cached_property
    def evict(self) -> Evict:
        """The cache flush of the device; it takes memory."""
        return self._new_evictor(self._name)

    def sampler(self, call: Call, evict: Evict | None) -> Sampler | None:
        """A sampler on the device's queue, where it has one; measuring the device's clock takes 5 ms."""
        if self.queue is None:
            return None
        sampler = _sampler(call, self.queue, self.clock, evict, self._hertz)
        self._hertz = sampler.hertz
        return sampler

    def drain(self, sample_s: float) -> Drain | None:
        """What draining the queue adds to a sample of that length; None without a queue."""
        if self.queue is None:
            return None
        if sample_s not in self._drains:
            self._drains[sample_s] = measure_drain(self.queue, self.clock, sample_s)
        return self._drains[sample_s]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCall:
    """A call, its device, the loops of a sample with hot caches, and whatever else its samples need."""

    call: Call
    device: Device
    loops: int
    call_s: float = 0.0
    """What a call took when it was prepared, here or in the worker that found the loops."""
    evict: Evict | None = None
    """Goes before each sample, which is one call: gives it fresh inputs, or empties the caches, or both."""
    sampler: Sampler | None = None
    """Tells the device's own time, where the device has a queue."""
    build: Callable[[], Call] | None = None
    """Makes the call anew, with inputs of its own."""

    @property
    def queued(self) -> Sampler | None:
        """The sampler, if the call's work queues up, so that the device's own time can be told."""
        return self.sampler if self.sampler and self.sampler.work == QUEUED else None

    @property
    def sample_loops(self) -> int:
        """Calls in a sample: one with cold caches."""
        return 1 if self.evict else self.loops

    @property
    def movable(self) -> bool:
        """Whether it can be made on the same values elsewhere: one with a `setup` has fresh inputs anyway."""
        return not isinstance(self.call, RenewedCall)

    def at(self, call: Call) -> PreparedCall:
        """The same with a call that lies in another place."""
        if call is self.call or not self.movable:
            return self
        sampler = self.sampler.of(call) if self.sampler else None
        return dataclasses.replace(self, call=call, sampler=sampler)

    def visit(self, seconds: float, clock: Clock, *, reuses: bool = False) -> protocol.Visited:
        """Samples for about so long; half of it for the device's own time, where that is told.

        Args:
            seconds: for how long.
            clock: of the host.
            reuses: whether the C library serves results from memory that was used before: samples then begin
                when it does.
        """
        begun_ns = clock()
        reused = self._lead_in(clock, reuses=reuses)
        left_s = max(seconds - (clock() - begun_ns) * 1e-9, seconds / 2)
        sampling_s = left_s / 2 if self.queued else left_s
        samples = self._samples(sampling_s, clock)
        if reused and all(s.used.minor_faults >= self.sample_loops for s in samples):
            samples = self._samples(sampling_s, clock)  # glibc took another free block
        led_in_ns = samples[0].started_ns - begun_ns
        queued = self._queued(len(samples), left_s / 2, clock)
        spent_ns = clock() - begun_ns
        return protocol.Visited(
            loops=self.sample_loops,
            started_ns=tuple(sample.started_ns for sample in samples),
            elapsed_ns=tuple(sample.elapsed_ns for sample in samples),
            cpu_ns=tuple(sample.used.cpu_ns for sample in samples),
            minor_faults=tuple(sample.used.minor_faults for sample in samples),
            involuntary_switches=tuple(sample.used.involuntary_switches for sample in samples),
            device_s=tuple(one.device_s for one in queued),
            host_s=tuple(one.host_s for one in queued),
            gapless=tuple(one.gapless for one in queued),
            aside_ns=self._aside_ns(spent_ns, led_in_ns, samples),
        )

    def _lead_in(self, clock: Clock, *, reuses: bool) -> bool:
        """Untimed calls: others have had the caches since, and the memory that results are written to.

        They go on until they get no faster and, where memory is reused, no longer write to fresh pages. Whether they
        came to reuse it.
        """
        if self.call_s > _LONGEST_LED_IN_S or (self.evict and self.loops == 1):
            return False
        calls, tries, before_ns = max(1, self.loops // _LEAD_IN_SHARE), 0, math.inf
        end_ns = clock() + round(_LEAD_IN_S * 1e9)
        while True:
            faults = read_usage().minor_faults
            _, took_ns = take_sample(self.call, calls, self.device, clock)
            tries += 1
            faulted = reuses and read_usage().minor_faults - faults >= calls
            falls = took_ns < (1 - _LEAST_GAIN) * before_ns
            late = clock() >= end_ns and not (faulted and tries < _LEAST_TRIES)
            if late or not (faulted or falls):
                return reuses and not faulted
            before_ns = took_ns

    def replay(self, clock: Clock) -> protocol.Replayed:
        """The call's time in a graph.

        Raises:
            RuntimeError: it can't be recorded, or the device has no queue.
        """
        if self.sampler is None or self.build is None or self.sampler.work == IDLE:
            message = "there is no work of a device to record"
            raise RuntimeError(message)
        if self.call.setup:
            message = "a graph replays a call on the same inputs, and this one needs fresh ones"
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
        before = _before_each(self.call, evict)
        sampler = _sampler(self.call, self.queued.device, clock, before, self.queued.hertz)
        taken = [sampler.sample() for _ in range(_COLD_SAMPLES)]
        median_s = statistics.median(one.device_s for one in taken)
        return protocol.ColdTimed(device_s=median_s if all(one.gapless for one in taken) else None)

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

    def _aside_ns(self, spent_ns: int, led_in_ns: int, samples: list[SampleSet]) -> int:
        """Time of neither samples nor the loop around them: lead-in, evictions, samples of the device's own time."""
        if not self.evict and not self.queued:
            return led_in_ns
        return spent_ns - sum(sample.elapsed_ns for sample in samples)


def prepare(
    call: Call,
    build: Callable[[], Call],
    request: protocol.Prepare,
    on: Instruments,
    clock_s: float,
) -> tuple[PreparedCall, protocol.Prepared]:
    """Warm the call up, find how many loops make a sample, and what measuring it costs.

    Args:
        call: to be timed; one with a `setup` is given fresh inputs before each sample, which is one call.
        build: makes another.
        request: which says how long a sample is, and what is in the caches.
        on: the instruments of its device.
        clock_s: what a pair of clock readings costs.
    """
    garbage.settle()
    sample_s = max(request.sample_s, _QUEUE_SAMPLE_S) if on.queue else request.sample_s
    call = RenewedCall(call) if call.setup else call
    warmed = _warmed(call, request, on, sample_s)
    evict = _before_each(call, on.evict if request.cache == COLD else None)
    sampler = on.sampler(call, evict)
    made = PreparedCall(
        call=call,
        device=on.device,
        loops=warmed.loops,
        call_s=warmed.call_s,
        evict=evict,
        sampler=sampler,
        build=build,
    )
    drain = on.drain(sample_s)
    timing = _timing(made, drain, on.clock)
    overhead = _overhead(made, timing, on.clock, clock_s)
    drain_s = drain.after(sampler.work, timing) if drain and sampler else 0.0
    drain_uncertainty_s = UNCERTAINTY_SHARE * drain_s / made.sample_loops
    return made, protocol.Prepared(
        first_call_s=warmed.first_s,
        call_s=warmed.call_s,
        loops=made.sample_loops,
        settled=warmed.settled,
        clock_s=clock_s,
        overhead_s=overhead.call_s,
        overhead_uncertainty_s=math.hypot(overhead.uncertainty_s, drain_uncertainty_s),
        drain_s=drain_s,
        work=sampler.work if sampler else "",
    )


class _Warmed(NamedTuple):
    """What warming a call up has shown: seconds of the first call and of a later one, the loops of a sample."""

    first_s: float
    call_s: float
    loops: int = 1
    settled: bool = True


def _warmed(call: Call, asked: protocol.Prepare, on: Instruments, sample_s: float) -> _Warmed:
    """Warm a call up; one whose first call takes longer than any start of a library is not made again."""
    first_s = take_sample(call, 1, on.device, on.clock)[1] * 1e-9
    if isinstance(call, RenewedCall):
        settled, call_s = warm_up_singly(call, on.device, on.clock)
        return _Warmed(first_s, call_s, settled=settled)
    if first_s > max(sample_s, _COLD_START_S):
        return _Warmed(first_s, first_s)
    settled = warm_up(call, on.device, on.clock, known_s=asked.call_s)
    loops, call_s = asked.loops, asked.call_s
    if not loops:
        loops, call_s = calibrate(
            call, sample_s, on.device, on.clock, fastest_of=_CALIBRATING_SAMPLES
        )
    return _Warmed(first_s, call_s, loops, settled)


def _sampler(
    call: Call, device: QueuedDevice, clock: Clock, before: Evict | None, hertz: float | None
) -> Sampler:
    """A sampler of the call; of one that is renewed on the inputs that it then has."""
    if isinstance(call, RenewedCall):
        return Sampler(call.submit, device, clock, before, hertz, once=True)
    return Sampler(call, device, clock, before, hertz)


def _before_each(call: Call, flush: Evict | None) -> Evict | None:
    """What is done before each sample of one call, if anything: fresh inputs, then empty caches."""
    if not isinstance(call, RenewedCall):
        return flush
    steps = [call.renew, *([flush] if flush else [])]

    def each() -> None:
        for step in steps:
            step()

    return each


def _timing(made: PreparedCall, drain: Drain | None, clock: Clock) -> QueueTiming | None:
    """What the call takes device and host, where its work queues up; the host's time as it is in a loop.

    Behind a spin a launch takes up to half as long again (8.3 against 5.8 µs on an H200, `docs/gpu.md`), so that
    the host would pass for the slower of the two where it is not. It does not matter where one call fills a sample.
    """
    if made.queued is None or drain is None:
        return None
    timing = made.queued.sample()
    if made.evict or made.loops == 1 or timing.host_s <= timing.device_s:
        return timing
    again = [made.queued.sample().host_s for _ in range(_LOOP_SAMPLES)]
    looped_ns = min(
        take_sample(made.call, made.loops, made.device, clock)[1] for _ in range(_LOOP_SAMPLES)
    )
    loop_s = max(looped_ns * 1e-9 - drain.worked_s, 0.0) / made.loops
    return timing._replace(host_s=min(timing.host_s, *again, loop_s))


def _overhead(
    made: PreparedCall, timing: QueueTiming | None, clock: Clock, clock_s: float
) -> Overhead:
    """Overhead: what an empty call of the same shape costs, timed as the samples will be.

    Of a call on a device at most what the host takes longer than the device: the loop runs while the
    device works, and no call takes less than its own work.
    """
    if made.evict and timing is None:
        return measure_cold_overhead(made.call, clock_s, clock, made.evict)
    found = measure_overhead(made.call, clock_s, clock)
    if timing is None:
        return found
    longer_s = max(timing.host_s - timing.device_s, 0.0)
    return Overhead(
        call_s=min(found.call_s, longer_s), uncertainty_s=min(found.uncertainty_s, longer_s)
    )
