"""A GPU that is made up: a queue of bounded depth, launches that cost, marks of coarse time, a clock that droops.

It moves the host's clock and its own time, nothing else; tests use it to show what naive timing gets wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes import Clock


@dataclass(slots=True, kw_only=True)
class Gpu:
    """Works through what is launched, in order, as soon as it is there."""

    clock: Clock
    launch_ns: int = 5_000
    """What the host needs to submit a kernel."""
    mark_ns: int = 1_000
    """What a mark takes of the device's time."""
    resolution_ns: int = 500
    depth: int = 1024
    """Launches that fit in the queue; the host waits for a place in it."""
    hertz: Callable[[float], float] = lambda _: 1.5e9
    """Its clock at a moment of its own time, in nanoseconds."""
    _free_ns: float = 0.0
    _ends_ns: list[float] = field(default_factory=list)
    launched: int = 0
    _noted_ns: list[float] | None = None

    def launch(self, kernel_ns: float) -> None:
        """Submit a kernel that takes this long at 1.5 GHz."""
        if self._noted_ns is not None:
            self._noted_ns.append(kernel_ns)
            return
        self.clock.advance(self.launch_ns)
        waiting = [end for end in self._ends_ns if end > self.clock()]
        if len(waiting) >= self.depth:
            self.clock.advance(int(waiting[-self.depth] - self.clock()) + 1)
        self._work(kernel_ns * 1.5e9 / self.hertz(self._free_ns))
        self._ends_ns = [*waiting, self._free_ns]
        self.launched += 1

    def spin(self, cycles: int) -> None:
        """Submit a wait of so many cycles."""
        self.launch(cycles / 1.5)

    def mark(self) -> GpuMark:
        """A new mark."""
        return GpuMark(self)

    def capture(self, call: Callable[[], object], calls: int) -> Callable[[], object]:
        """Kernels launched meanwhile are noted, not run; replaying is one launch of them all."""
        self._noted_ns = []
        try:
            for _ in range(calls):
                call()
            whole_ns = sum(self._noted_ns)
        finally:
            self._noted_ns = None
        return lambda: self.launch(whole_ns)

    def synchronize(self) -> None:
        """The host waits until the queue is empty."""
        if self._noted_ns is not None:
            message = "operation not permitted when stream is capturing"
            raise RuntimeError(message)
        self.clock.advance(max(0, int(self._free_ns - self.clock())))

    def _work(self, ns: float) -> float:
        """Take this long, from when the device is free and the work is there; when it ends."""
        self._free_ns = max(self._free_ns, float(self.clock())) + ns
        return self._free_ns


class GpuMark:
    """A mark in the queue of such a GPU."""

    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu
        self._reached_ns = float("inf")

    def record(self) -> None:
        """Its time is when the device has come to it, in steps of the resolution."""
        self._reached_ns = self._gpu._work(self._gpu.mark_ns)

    def is_reached(self) -> bool:
        """By the host's clock."""
        return self._gpu.clock() >= self._reached_ns

    def seconds_since(self, earlier: Self) -> float:
        """In whole steps of the resolution."""
        steps = round((self._reached_ns - earlier._reached_ns) / self._gpu.resolution_ns)
        return steps * self._gpu.resolution_ns * 1e-9
