"""Device timing: a call's own time on a device with a queue, and the host's time to submit it.

Work is queued behind a spin of the device, so that all of it is in the queue when the device comes to it. Each
sample proves that: its first mark is not reached when its last has been queued. A CUDA graph gives the same
time in a second way: calls are recorded once and replayed as a whole. Clock and device are passed in.
"""

from __future__ import annotations

import copy
import math
import statistics
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from bench.pool.protocol import IDLE, QUEUED, WAITS
from bench.worker import garbage
from bench.worker.devices import Device

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.worker.sampling import Clock

SAMPLE_S = 1e-4
"""A sample's calls take the device at least so long: marks resolve 0.5 µs, which is half a percent of it
(CUDA runtime API, cudaEventElapsedTime)."""
MOST_CALLS = 256
"""Most calls of a sample: a queue holds about a thousand launches, a call may need several, and it is called
twice as often in the longer half of a sample."""
_FIRST_SPIN_S = 2e-4
LONGEST_SPIN_S = 0.05
"""A call that can't be submitted within this time waits for the device itself."""
_SPIN_MARGIN = 2.0
_MOST_SPINS = 4
"""Tries at a sample without a gap, each behind a spin of twice what submitting just took: a call that waits for
the device fails at all of them, one that the host was slow to submit once does not."""
SHORTEST_KERNEL_S = 1e-7
"""A slope below this is the noise of marks, and no kernel ran: the shortest kernel occupies its stream for
about ten times as long (1.6 µs on an H200, `docs/gpu.md`)."""
_SHORTEST_SINGLE_S = 5e-7
"""The same for one call between two marks: a pair of them differs by up to 0.3 µs (H200, `docs/gpu.md`)."""
_SPIN_CYCLES = 1_000_000
_SPINS = 5
_SUBMISSIONS, _SUBMITTED_S = 8, 0.01
"""A long call is submitted so often in a sample, if that takes the device no longer than 10 ms: the first submission after
a wait takes the host two to three times what the others take it, whose code is in its caches."""
_FIRST_CALLS = 8
"""Calls that a first estimate of the call's time is made from."""
MOST_CALLS_IN_GRAPH = 20
"""More calls only make a graph longer, since a replay is launched once."""
GRAPH_S = 2e-3
"""The calls of a graph take the device at least so long: launching the replay is a thousandth of it."""
_REPLAYS, _REPLAYS_OF_LONG_CALL = 9, 3
_LONG_CALL_S = 0.1
"""Nine replays of a longer call would take seconds and say no more than three."""


class Mark(Protocol):
    """A mark in the device's queue (a CUDA event): a place there, and the time when the device came to it."""

    def record(self) -> None:
        """Put it at the end of the queue."""

    def is_reached(self) -> bool:
        """Whether the device has come to the mark, without waiting."""

    def seconds_since(self, earlier: Self) -> float:
        """The device's time between two marks; both must have been reached."""


class QueuedDevice(Device, Protocol):
    """A device that works through a queue while the host goes on."""

    def mark(self) -> Mark:
        """A new mark."""

    def spin(self, cycles: int) -> None:
        """Queue a wait of so many of the device's cycles."""

    def capture(
        self, build: Callable[[], Callable[[], object]], calls: int
    ) -> Callable[[], object]:
        """Build a call where it is recorded, and record so many of it as one graph; gives what replays them."""


class QueueTiming(NamedTuple):
    """Device time and host time of calls on a queue: all of those between two marks, or per call."""

    device_s: float
    host_s: float
    gapless: bool
    """Whether it is proven that no launch gap is in the device's time."""


def cycles_per_second(device: QueuedDevice) -> float:
    """The device's clock: cycles of a spin over the time between marks around it."""
    return _SPIN_CYCLES / statistics.median(spin_s(device) for _ in range(_SPINS))


def spin_s(device: QueuedDevice) -> float:
    """The time of a spin of known cycles, behind another spin, so that it is queued in time with its marks."""
    device.synchronize()
    device.spin(_SPIN_CYCLES)
    before, after = device.mark(), device.mark()
    before.record()
    device.spin(_SPIN_CYCLES)
    after.record()
    device.synchronize()
    return after.seconds_since(before)


def time_behind_spin(
    call: Callable[[], object],
    calls: int,
    cycles: int,
    device: QueuedDevice,
    clock: Clock,
    before: Callable[[], object] | None = None,
) -> QueueTiming:
    """So many calls behind a spin of so many cycles, between two marks.

    Args:
        call: submits the work.
        calls: how often; 0 gives what a pair of marks takes by itself.
        cycles: of the spin that holds the device back.
        device: that the work is for.
        clock: of the host.
        before: queued ahead of the first mark, as what empties the caches.
    """
    first, last = device.mark(), device.mark()
    objects = garbage.objects()
    device.synchronize()
    device.spin(cycles)
    if before:
        before()
    first.record()
    begun_ns = clock()
    for _ in range(calls):
        call()
    submitted_ns = clock() - begun_ns
    last.record()
    gapless = not first.is_reached()
    device.synchronize()
    garbage.collect_left(objects, max(calls, 1))
    return QueueTiming(last.seconds_since(first), submitted_ns * 1e-9, gapless)


class Sampler:
    """Takes samples of one call's device time; it learns how many calls a sample needs, and how long a spin.

    `work` says what there is to sample: only what is `queued` has a device time of its own.
    """

    def __init__(
        self,
        call: Callable[[], object],
        device: QueuedDevice,
        clock: Clock,
        evict: Callable[[], object] | None = None,
        hertz: float | None = None,
        *,
        once: bool = False,
    ) -> None:
        """Learn how to sample the call; `once` says that each must have `evict` before it, to be given fresh inputs."""
        self._call = call
        self.device = device
        self._clock = clock
        self.hertz = hertz or cycles_per_second(device)
        """The device's clock, for the length of spins alone: it may have been measured some time ago."""
        self._spins_s: dict[int, float] = {}
        self._evict = evict
        (self._few, self._many), self.work = self._learnt_singly() if once else self._learnt()

    def of(self, call: Callable[[], object]) -> Sampler:
        """The same for a call on the same values in another place, which takes as long."""
        other = copy.copy(self)
        other._call = call  # noqa: SLF001 - a copy of this one
        return other

    def sample(self) -> QueueTiming:
        """One sample, per call: the slope between few calls and twice as many, free of the marks' cost.

        Of a call that is long enough by itself the few are none; so it is with cold caches, which only the
        first call finds.
        """
        few, many = (0, 1) if self._evict else (self._few, self._many)
        shorter, longer = self._timed(few), self._timed(many)
        return QueueTiming(
            device_s=max(longer.device_s - shorter.device_s, 0.0) / (many - few),
            host_s=longer.host_s / many,
            gapless=shorter.gapless and longer.gapless,
        )

    def _learnt_singly(self) -> tuple[tuple[int, int], str]:
        """The same of a call that can be made only once between two marks: how long it takes beside none."""
        first = self._timed(1)
        if not first.gapless:
            return (0, 1), WAITS
        call_s = statistics.median(
            self._timed(1).device_s - self._timed(0).device_s for _ in range(_SPINS)
        )
        return (0, 1), QUEUED if call_s >= _SHORTEST_SINGLE_S else IDLE

    def _learnt(self) -> tuple[tuple[int, int], str]:
        """How many calls the two halves of a sample make, and what the call's work is.

        A call that is long by itself is made only once to see.
        """
        first = self._timed(1)
        if not first.gapless:
            return (0, 1), WAITS
        if first.device_s >= 2 * SAMPLE_S:
            return (0, min(max(1, int(_SUBMITTED_S / first.device_s)), _SUBMISSIONS)), QUEUED
        call_s = (self._timed(_FIRST_CALLS).device_s - self._timed(0).device_s) / _FIRST_CALLS
        calls = min(max(1, math.ceil(SAMPLE_S / max(call_s, 1e-9))), MOST_CALLS)
        if calls < MOST_CALLS:
            return (calls, 2 * calls), QUEUED
        slope_s = (self._timed(2 * calls).device_s - self._timed(calls).device_s) / calls
        return (calls, 2 * calls), QUEUED if slope_s >= SHORTEST_KERNEL_S else IDLE

    def _timed(self, calls: int) -> QueueTiming:
        """So many calls without a gap, behind a spin as long as that needs; with a gap if no spin is long enough.

        The spin follows what submitting took the last time, down as well as up: one stall of the host
        must not make every later sample wait.
        """
        spin_s = self._spins_s.get(calls, _FIRST_SPIN_S)
        timing = self._timed_behind(spin_s, calls)
        for _ in range(_MOST_SPINS - 1):
            if timing.gapless or spin_s >= LONGEST_SPIN_S:
                break
            spin_s = min(_SPIN_MARGIN * max(spin_s, timing.host_s), LONGEST_SPIN_S)
            timing = self._timed_behind(spin_s, calls)
        self._spins_s[calls] = min(max(_FIRST_SPIN_S, _SPIN_MARGIN * timing.host_s), LONGEST_SPIN_S)
        return timing

    def _timed_behind(self, spin_s: float, calls: int) -> QueueTiming:
        cycles = round(spin_s * self.hertz)
        return time_behind_spin(self._call, calls, cycles, self.device, self._clock, self._evict)


def replayed_s(
    build: Callable[[], Callable[[], object]],
    once_s: float,
    device: QueuedDevice,
    clock: Clock,
    hertz: float | None = None,
) -> float:
    """Graph time: the device's time per call in a replayed graph, the slope between some calls and twice as many.

    A replay takes the device some microseconds of its own, and random ops set up their state once a
    replay; neither is the call's, and the slope is free of both.

    Args:
        build: makes the call, which must not wait for the device, nor look at its results.
        once_s: about how long a call takes the device.
        device: that records and replays.
        clock: of the host.
        hertz: the device's clock, if it is known.

    Raises:
        RuntimeError: the call can't be recorded, or the host was too slow to launch replays without gaps.
    """
    replays = _REPLAYS if once_s < _LONG_CALL_S else _REPLAYS_OF_LONG_CALL

    def graph_s(calls: int) -> float:
        sampler = Sampler(device.capture(build, calls), device, clock, hertz=hertz)
        taken = [sampler.sample() for _ in range(replays)]
        proven = [one.device_s for one in taken if one.gapless]
        if not proven:
            message = "no replay is proven to have no gap before it"
            raise RuntimeError(message)
        return statistics.median(proven)

    if once_s >= GRAPH_S:
        return graph_s(1)
    few = max(1, min(MOST_CALLS_IN_GRAPH, round(GRAPH_S / max(once_s, 1e-9))))
    shorter_s, longer_s = graph_s(few), graph_s(2 * few)
    return max(longer_s - shorter_s, 0.0) / few
