"""The device's own time of a call, told from samples that no launch gap can lie in; and what submitting costs.

Work is queued behind a spin of the device, so that all of it is there when the device comes to it. Each
sample proves that: its first mark is not reached when its last has been queued. Clock and device are
passed in.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from bench.pool.protocol import IDLE, QUEUED, WAITS
from bench.worker.devices import Device

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.worker.sampling import Clock

LONG_ENOUGH_S = 1e-4
"""Marks resolve 0.5 µs (CUDA runtime API, cudaEventElapsedTime): half a percent of this."""
MOST_CALLS = 256
"""A queue holds about a thousand launches; a call may need several, and it is called twice as often."""
_FIRST_SPIN_S = 2e-4
LONGEST_SPIN_S = 0.05
"""Submitting what takes longer than that is no queue's business: the call waits for the device itself."""
_MARGIN = 2.0
_MOST_TRIES = 4
"""Each behind a spin of twice what submitting just took: a call that waits for the device fails at all of
them, one that the host was slow to submit once does not."""
NO_KERNEL_S = 1e-7
"""The shortest kernel occupies its stream for about a microsecond (1.6 µs on an H200, `docs/gpu.md`), so a slope
below a tenth of that is the noise of marks: nothing ran."""
_KNOWN_CYCLES = 1_000_000
_REPEATS = 5
_TRIES = 8
"""Calls that a first guess of the call's time is made from."""


class Mark(Protocol):
    """A place in the device's queue, and the moment when the device came to it."""

    def record(self) -> None:
        """Put it at the end of the queue."""

    def is_reached(self) -> bool:
        """Whether the device has come to it, without waiting."""

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


class Pair(NamedTuple):
    """Calls between two marks: the device's time and the host's, and whether no gap was between them."""

    device_s: float
    host_s: float
    gapless: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """One sample, per call."""

    device_s: float
    host_s: float
    gapless: bool


def cycles_per_second(device: QueuedDevice) -> float:
    """The device's clock: cycles of a spin over the time between marks around it."""
    took = [spin_s(device) for _ in range(_REPEATS)]
    return _KNOWN_CYCLES / statistics.median(took)


def spin_s(device: QueuedDevice) -> float:
    """What a spin of known cycles takes, behind another, so that marks and spin are there in time."""
    device.synchronize()
    device.spin(_KNOWN_CYCLES)
    before, after = device.mark(), device.mark()
    before.record()
    device.spin(_KNOWN_CYCLES)
    after.record()
    device.synchronize()
    return after.seconds_since(before)


def take_pair(
    call: Callable[[], object],
    calls: int,
    cycles: int,
    device: QueuedDevice,
    clock: Clock,
    before: Callable[[], object] | None = None,
) -> Pair:
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
    return Pair(device_s=last.seconds_since(first), host_s=submitted_ns * 1e-9, gapless=gapless)


class Sampler:
    """Takes samples of one call; it learns how many calls a sample needs, and how long a spin.

    `work` says whether there is anything to sample: only what is `queued` has a device time of its own.
    """

    def __init__(
        self,
        call: Callable[[], object],
        device: QueuedDevice,
        clock: Clock,
        evict: Callable[[], object] | None = None,
        hertz: float | None = None,
    ) -> None:
        self._call = call
        self.device = device
        self._clock = clock
        self.hertz = hertz or cycles_per_second(device)
        """The device's clock, for the length of spins alone: it may be that of some time ago."""
        self._spins_s: dict[int, float] = {}
        self._evict = evict
        self.calls, self.work = self._learnt()

    def sample(self) -> Queued:
        """One sample: the slope between few calls and twice as many, which is free of the marks' cost.

        A call that is long enough by itself is made once, and the few are none; so it is with cold caches,
        which only the first call finds.
        """
        few = 0 if self.calls == 1 or self._evict else self.calls
        many = 2 * self.calls if few else 1
        one, other = self._pair(few), self._pair(many)
        return Queued(
            device_s=max(other.device_s - one.device_s, 0.0) / (many - few),
            host_s=other.host_s / many,
            gapless=one.gapless and other.gapless,
        )

    def _learnt(self) -> tuple[int, str]:
        """How many calls are long enough to be told, and what their work is.

        A call that is long by itself is made only once to see.
        """
        first = self._pair(1)
        if not first.gapless:
            return 1, WAITS
        if first.device_s >= 2 * LONG_ENOUGH_S:
            return 1, QUEUED
        once_s = (self._pair(_TRIES).device_s - self._pair(0).device_s) / _TRIES
        calls = min(max(1, math.ceil(LONG_ENOUGH_S / max(once_s, 1e-9))), MOST_CALLS)
        if calls < MOST_CALLS:
            return calls, QUEUED
        slope_s = (self._pair(2 * calls).device_s - self._pair(calls).device_s) / calls
        return calls, QUEUED if slope_s >= NO_KERNEL_S else IDLE

    def _pair(self, calls: int) -> Pair:
        """A pair without a gap, behind a spin as long as that needs; with one, if no spin is.

        The spin follows what submitting took the last time, down as well as up: one stall of the host
        must not make every later sample wait.
        """
        spin_s = self._spins_s.get(calls, _FIRST_SPIN_S)
        pair = self._behind(spin_s, calls)
        for _ in range(_MOST_TRIES - 1):
            if pair.gapless or spin_s >= LONGEST_SPIN_S:
                break
            spin_s = min(_MARGIN * max(spin_s, pair.host_s), LONGEST_SPIN_S)
            pair = self._behind(spin_s, calls)
        self._spins_s[calls] = min(max(_FIRST_SPIN_S, _MARGIN * pair.host_s), LONGEST_SPIN_S)
        return pair

    def _behind(self, spin_s: float, calls: int) -> Pair:
        cycles = round(spin_s * self.hertz)
        return take_pair(self._call, calls, cycles, self.device, self._clock, self._evict)
