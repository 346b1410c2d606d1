"""A GPU that is made up: a queue of bounded depth, launches that cost, marks of coarse time, a clock that droops.

It moves the host's clock and its own time, nothing else; tests use it to show what naive timing gets wrong,
and a machine with such GPUs, whose workers are real but live in this process, for runs from end to end.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Self

from bench.machine.hardware import read_state
from bench.pool import protocol
from bench.pool.pool import Start, WorkerPool
from bench.run import state_monitor
from bench.worker.gauges import Gauges
from bench.worker.worker import Worker
from tests.fakes.nvml import Allocator
from tests.fakes.workers import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


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
    latency_ns: int = 0
    """Between a launch and the earliest that its kernel can begin."""
    gap_ns: int = 0
    """Between two kernels of a stream, however full the queue is; none within a graph."""
    drain_ns: int = 0
    """What a wait for the queue takes the host, also where it is empty."""
    replay_ns: int = 0
    """What replaying a graph takes the device beside its kernels."""
    hertz: Callable[[float], float] = lambda _: 1.5e9
    """Its clock at a time of its own, in nanoseconds."""
    _free_ns: float = 0.0
    _ends_ns: deque[float] = field(default_factory=deque)
    launched: int = 0
    _noted_ns: list[float] | None = None

    @classmethod
    def like_an_h200(cls, clock: Clock, **facts: Any) -> Gpu:
        """As `tests/gpu/probe.py` saw one, with torch 2.11 in a virtual machine (`docs/gpu.md`)."""
        seen: dict[str, Any] = {
            "launch_ns": 5_800,
            "mark_ns": 1_280,
            "resolution_ns": 32,
            "depth": 1022,
            "latency_ns": 1_000,
            "gap_ns": 700,
            "drain_ns": 4_200,
            "replay_ns": 700,
        }
        return cls(clock=clock, **{**seen, **facts})

    def launch(self, kernel_ns: float) -> None:
        """Submit a kernel that takes this long at 1.5 GHz."""
        if self._noted_ns is not None:
            self._noted_ns.append(kernel_ns)
            return
        self.clock.advance(self.launch_ns)
        while self._ends_ns and self._ends_ns[0] <= self.clock():
            self._ends_ns.popleft()
        if len(self._ends_ns) >= self.depth:
            self.clock.advance(int(self._ends_ns[-self.depth] - self.clock()) + 1)
        self._work(kernel_ns * 1.5e9 / self.hertz(self._free_ns) + self.gap_ns, self.latency_ns)
        self._ends_ns.append(self._free_ns)
        self.launched += 1

    def spin(self, cycles: int) -> None:
        """Submit a wait of so many cycles."""
        self.launch(cycles / 1.5)

    def mark(self) -> GpuMark:
        """A new mark."""
        return GpuMark(self)

    def capture(
        self, build: Callable[[], Callable[[], object]], calls: int
    ) -> Callable[[], object]:
        """Kernels launched meanwhile are noted, not run; replaying is one launch of them all.

        As on CUDA a replay takes the device some time of its own, and one that can't be made is torch's
        kind of error, not Python's.
        """
        call = build()
        self._noted_ns = []
        try:
            for _ in range(calls):
                call()
            whole_ns = sum(self._noted_ns)
        finally:
            self._noted_ns = None
        return lambda: self.launch(whole_ns + self.replay_ns)

    def synchronize(self) -> None:
        """The host waits until the queue is empty."""
        if self._noted_ns is not None:
            message = "called a synchronizing CUDA operation"
            raise RuntimeError(message)
        self.clock.advance(max(0, int(self._free_ns - self.clock())) + self.drain_ns)

    def _work(self, ns: float, latency_ns: int = 0) -> float:
        """Take this long, from when the device is free and the work is there; when it ends."""
        self._free_ns = max(self._free_ns, float(self.clock()) + latency_ns) + ns
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


PEAK_BYTES = 4096
"""What a kernel takes of its GPU's memory while it is submitted."""
_READING_NS = 20
"""What it takes to read the host's clock."""


@dataclass(slots=True, kw_only=True)
class Machine:
    """A host and its GPUs on one clock; suites submit work to it, workers and session run on it."""

    clock: Clock = field(default_factory=Clock)
    gpus: Mapping[str, Gpu] = field(default_factory=dict)
    allocator: Allocator = field(default_factory=Allocator)

    def submit(self, device: str, ns: float) -> float:
        """Work of so many nanoseconds: a kernel on a GPU, or the host's own. Gives back how many."""
        if device in self.gpus:
            self.allocator.take(PEAK_BYTES)
            self.gpus[device].launch(ns)
            self.allocator.take(-PEAK_BYTES)
        else:
            self.clock.advance(round(ns))
        return ns

    def started(self, workers: int) -> Start:
        """So many workers, as a run is given them."""
        return Start(pool=WorkerPool(workers, self._start), state=read_state())

    def passing(self) -> state_monitor.Clock:
        """The session's clock; sleeping moves it."""
        return state_monitor.Clock(
            now_s=lambda: self._read() * 1e-9, sleep=lambda s: self.clock.advance(round(s * 1e9))
        )

    def _start(self) -> Any:
        return InProcess(
            Worker(
                self._read,
                queue_of=self.gpus.get,
                allocator_of=lambda _: self.allocator,
                gauges=Gauges(_no_driver),
            )
        )

    def _read(self) -> int:
        self.clock.advance(_READING_NS)
        return self.clock()


class InProcess:
    """Stands for a `WorkerProcess`: a worker of this process, asked and answering in lines of text."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._hello: protocol.Hello = protocol.decode(protocol.encode(worker.hello()))

    def wait_ready(self) -> protocol.Hello:
        """Ready from the beginning."""
        return self._hello

    def ask(self, request: protocol.WorkerRequest, timeout_s: float) -> Any:
        """Its answer, however long that takes."""
        assert timeout_s > 0
        heard = protocol.decode(protocol.encode(request))
        return protocol.decode(protocol.encode(self._worker.answer(heard)))

    def dismiss(self) -> None:
        """Nobody to tell."""

    def close(self) -> None:
        """Nothing to end."""


def _no_driver() -> NoReturn:
    message = "a GPU that is made up has none"
    raise OSError(message)
