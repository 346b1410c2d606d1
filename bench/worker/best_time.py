"""Best time of a call within a given duration, for peak rates, which are maxima. Clock and device are passed in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.plan.case import Call
from bench.worker.device_timing import Sampler
from bench.worker.devices import Cpu
from bench.worker.sampling import take_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.worker.device_timing import QueuedDevice
    from bench.worker.devices import Device
    from bench.worker.sampling import Clock

SAMPLE_S = 5e-4
"""Length of a sample: long beside a reading of the clock and what wakes threads, so short that many fit in a step."""


class BestTimer:
    """Takes the best time of a call on a device: the device's own time where it has a queue."""

    def __init__(self, clock: Clock, queue: QueuedDevice | None = None) -> None:
        self.clock = clock
        self.queue = queue
        self.device: Device = queue or Cpu()

    @property
    def now_s(self) -> float:
        """The time."""
        return self.clock() * 1e-9

    def best_s(self, call: Callable[[], object], seconds: float) -> float:
        """The shortest time per call that is seen within so many seconds; one sample at least."""
        end_ns = self.clock() + round(seconds * 1e9)
        sample = self._sampler(call)
        best = sample()
        while self.clock() < end_ns:
            best = min(best, sample())
        return best

    def once_s(self, call: Callable[[], object]) -> float:
        """The time of one call."""
        return take_sample(Call(call), 1, self.device, self.clock)[1] * 1e-9

    def _sampler(self, call: Callable[[], object]) -> Callable[[], float]:
        if self.queue:
            self.once_s(call)  # it loads its kernel, which would look like slow submitting
            sampler = Sampler(call, self.queue, self.clock)
            return lambda: sampler.sample().device_s or math.inf
        once_s = min(self.once_s(call), self.once_s(call))
        loops = max(1, math.ceil(SAMPLE_S / max(once_s, 1e-9)))
        return lambda: self._per_call_s(call, loops)

    def _per_call_s(self, call: Callable[[], object], loops: int) -> float:
        return max(take_sample(Call(call), loops, self.device, self.clock)[1], 1) * 1e-9 / loops
