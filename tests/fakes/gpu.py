"""A GPU that is made up: a queue of bounded depth, launches that cost, marks of coarse time, a clock that droops.

It moves the host's clock and its own time, nothing else; tests use it to show what naive timing gets wrong.
Processes have what CUDA gives each of its own: a context, a stream to submit to, a capture, kernels that are
loaded when they are first launched. `tests.fakes.torch_cuda` shows it as torch does.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Self

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.workers import Clock

DEVICES_UNAVAILABLE, ILLEGAL_ADDRESS = 46, 700
CAPTURE_UNSUPPORTED, CAPTURE_INVALIDATED, CAPTURE_IMPLICIT = 900, 901, 906
_WORDS = {
    DEVICES_UNAVAILABLE: "CUDA-capable device(s) is/are busy or unavailable",
    ILLEGAL_ADDRESS: "an illegal memory access was encountered",
    CAPTURE_UNSUPPORTED: "operation not permitted when stream is capturing",
    CAPTURE_INVALIDATED: "operation failed due to a previous error during capture",
    CAPTURE_IMPLICIT: "operation would make the legacy stream depend on a capturing blocking stream",
}
"""CUDA's errors by number (CUDA runtime API, `cudaError`)."""


def cuda_error(number: int) -> Exception:
    """An error of CUDA's, as torch raises it since 2.9."""
    error: Any = torch.AcceleratorError(f"CUDA error: {_WORDS[number]}\nCUDA kernel errors might …")
    error.error_code = number
    made: Exception = error
    return made


@dataclass(slots=True, kw_only=True)
class Physics:
    """How long things take on a GPU, and what it allows; all of its settings.

    Times are named as those of a CUDA runtime that is made up under torch's real CUDA build.
    """

    launch_ns: int = 5_000
    """What the host needs to submit a kernel; a replay needs twice that."""
    held_ns: int = 0
    """How much longer that takes while a spin holds the device."""
    latency_ns: int = 0
    """Between a launch and the earliest that its kernel can begin."""
    gap_ns: int = 0
    """Between two kernels of a stream, however full the queue is; none within a graph."""
    enter_ns: int = 0
    """What asking for a wait takes the host before it waits, while the device works on."""
    drain_ns: int = 0
    """What a wait for the queue takes the host, also where it is empty."""
    cold_share: float = 0.0
    """What a wait takes the host longer for each second of it: its code is out of the caches by then."""
    replay_ns: int = 0
    """What replaying a graph takes the device beside its kernels."""
    mark_ns: int = 1_000
    """What a mark takes of the device's time."""
    resolution_ns: int = 500
    jitter_ns: int = 0
    """Width of the random error of a mark's time."""
    seed: int = 1
    load_ns: int = 0
    """What the first launch of each kernel takes the host of a process longer."""
    context_ns: int = 0
    """What the first thing that a process does on it takes the host longer."""
    depth: int = 1024
    """Launches that fit in the queue; the host waits for a place in it."""
    exclusive: bool = False
    """Whether one process alone may have a context."""
    stall_ns: int = 0
    """How long the host does nothing, once in each process."""
    stall_at: int = 0
    """The launch at which it does so."""
    idle_w: float = 100.0
    kernel_w: float = 300.0
    """Power while a kernel runs, and while none does."""
    limit_w: float = math.inf
    """Above it, as an average of `lag_ns`, the clock is lowered until it is met."""
    lag_ns: int = 40_000_000
    hertz: Callable[[float], float] = lambda _: 1.5e9
    """Its clock at a time of its own, in nanoseconds, where power does not limit it."""


class Stream:
    """A stream of a device, by identity: the work of all of them is done in the order in which it is submitted."""

    def __init__(self, device: str = "") -> None:
        self.device = device

    def wait_stream(self, other: Stream) -> None:
        """It does so anyway."""


@dataclass(slots=True)
class Capture:
    """What is recorded on a stream instead of being run."""

    stream: Stream
    kernels_ns: list[float] = field(default_factory=list)
    broken: bool = False


@dataclass(slots=True)
class Process:
    """What a process has on a GPU of its own."""

    stream: Stream = field(default_factory=Stream)
    """The current one, which work is submitted to."""
    waits_raise: bool = False
    """Whether torch refuses calls that wait, before CUDA sees them (`set_sync_debug_mode("error")`)."""
    capture: Capture | None = None
    has_context: bool = False
    loaded: set[object] = field(default_factory=set)
    launched: int = 0
    error: int = 0
    """What everything ends in since the context is broken."""


@dataclass(slots=True, kw_only=True)
class Gpu(Physics):
    """Works through what is launched, in order, as soon as it is there."""

    clock: Clock
    process: Process = field(default_factory=Process)
    """The one that is at work now."""
    launched: int = 0
    _holder: Process | None = None
    _free_ns: float = 0.0
    _held_until_ns: float = 0.0
    _ends_ns: deque[float] = field(default_factory=deque)
    _power_w: float = 0.0
    _power_ns: float = 0.0
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """At rest."""
        self._power_w = self.idle_w
        self._chance = random.Random(self.seed)  # noqa: S311 - noise, not a secret

    @classmethod
    def like_an_h200(cls, clock: Clock, **facts: Any) -> Gpu:
        """As `tests/gpu/probe.py` saw one, with torch 2.11 in a virtual machine (`docs/gpu.md`)."""
        seen: dict[str, Any] = {
            "launch_ns": 5_800,
            "held_ns": 2_500,
            "mark_ns": 1_280,
            "resolution_ns": 32,
            "depth": 1022,
            "latency_ns": 1_000,
            "gap_ns": 700,
            "drain_ns": 4_200,
            "replay_ns": 700,
        }
        return cls(clock=clock, **{**seen, **facts})

    def launch(self, kernel_ns: float, stream: Stream | None = None) -> None:
        """Submit a kernel that takes this long at 1.5 GHz, to the current stream unless told otherwise.

        A kernel is known by its length.

        Raises:
            torch.AcceleratorError: there is no context, or it is broken, or a capture does not allow it.
        """
        process = self._entered()
        if process.capture:
            self._record(process.capture, kernel_ns, stream or process.stream)
            return
        process.launched += 1
        if kernel_ns not in process.loaded:
            process.loaded.add(kernel_ns)
            self.clock.advance(self.load_ns)
        if self.stall_ns and process.launched == self.stall_at:
            self.clock.advance(self.stall_ns)
        self._submit()
        self._queue(kernel_ns, self.kernel_w)

    def spin(self, cycles: int) -> None:
        """Submit a wait of so many cycles: a single thread, which takes little power."""
        self._entered()
        self._submit()
        self._queue(cycles / 1.5, (self.idle_w + self.kernel_w) / 2)
        self._held_until_ns = self._free_ns

    def mark(self) -> GpuMark:
        """A new mark."""
        return GpuMark(self)

    def synchronize(self) -> None:
        """The host waits until the queue is empty.

        Raises:
            torch.AcceleratorError: something is being captured.
        """
        capture = self._entered().capture
        if capture:
            capture.broken = True
            raise cuda_error(CAPTURE_UNSUPPORTED)
        self.clock.advance(self.enter_ns)
        wait_ns = max(0, int(self._free_ns - self.clock()))
        self.clock.advance(wait_ns + self.drain_ns + int(self.cold_share * wait_ns))

    def wait(self) -> None:
        """The host waits for a result, as `item()` does.

        Raises:
            RuntimeError: torch refuses to.
            torch.AcceleratorError: something is being captured.
        """
        if self.process.waits_raise:
            message = "called a synchronizing CUDA operation"
            raise RuntimeError(message)
        self.synchronize()

    def break_context(self) -> NoReturn:
        """Have a kernel of this process write where it must not.

        Raises:
            torch.AcceleratorError: in any case, and for whatever the process does after it.
        """
        self._entered().error = ILLEGAL_ADDRESS
        raise cuda_error(ILLEGAL_ADDRESS)

    def begin_capture(self, stream: Stream) -> None:
        """Record from now on what is submitted to this stream.

        Raises:
            RuntimeError: calls that wait are refused, and beginning to record is one (torch from 2.13 on).
        """
        self.wait()
        self.process.capture = Capture(stream)

    def end_capture(self) -> Callable[[], None]:
        """What replays all that was recorded.

        Raises:
            torch.AcceleratorError: something was not allowed.
        """
        capture, self.process.capture = self.process.capture, None
        assert capture is not None
        if capture.broken:
            raise cuda_error(CAPTURE_INVALIDATED)
        whole_ns = self.replay_ns + sum(capture.kernels_ns)

        def replay() -> None:
            self._entered()
            self.clock.advance(2 * self.launch_ns)
            self._queue(whole_ns, self.kernel_w)

        return replay

    def capture(
        self, build: Callable[[], Callable[[], object]], calls: int
    ) -> Callable[[], object]:
        """As `bench.worker.devices.Cuda` does: the call is built before, and what waits is refused by torch."""
        call = build()
        self.begin_capture(self.process.stream)
        self.process.waits_raise = True
        try:
            for _ in range(calls):
                call()
        finally:
            self.process.waits_raise = False
            replay = self.end_capture()
        return replay

    def leave(self, process: Process) -> None:
        """A process has ended."""
        if self._holder is process:
            self._holder = None

    def _entered(self) -> Process:
        """The process at work, which has a context now."""
        process = self.process
        if process.error:
            raise cuda_error(process.error)
        if self.exclusive and self._holder is not None and self._holder is not process:
            raise cuda_error(DEVICES_UNAVAILABLE)
        if not process.has_context:
            process.has_context = True
            self._holder = process
            self.clock.advance(self.context_ns)
        return process

    def _record(self, capture: Capture, kernel_ns: float, stream: Stream) -> None:
        """Note a kernel instead of running it, which takes the host as long."""
        self.clock.advance(self.launch_ns)
        if stream is not capture.stream:
            capture.broken = True
            raise cuda_error(CAPTURE_IMPLICIT)
        if capture.broken:
            raise cuda_error(CAPTURE_INVALIDATED)
        capture.kernels_ns.append(kernel_ns)

    def _submit(self) -> None:
        """What that takes the host."""
        self.clock.advance(self.launch_ns)
        if self.clock() < self._held_until_ns:
            self.clock.advance(self.held_ns)

    def _queue(self, kernel_ns: float, power_w: float) -> None:
        """Put work of so much power into the queue, once there is a place for it."""
        while self._ends_ns and self._ends_ns[0] <= self.clock():
            self._ends_ns.popleft()
        if len(self._ends_ns) >= self.depth:
            self.clock.advance(int(self._ends_ns[-self.depth] - self.clock()) + 1)
        begin_ns = max(self._free_ns + self.gap_ns, float(self.clock()) + self.latency_ns)
        share = self._clock_share(begin_ns)
        self._free_ns = begin_ns + kernel_ns * 1.5e9 / (self.hertz(begin_ns) * share)
        self._pass(self._free_ns, power_w)
        self._ends_ns.append(self._free_ns)
        self.launched += 1

    def _clock_share(self, now_ns: float) -> float:
        """The share of its clock that power leaves it; what the clock is lowered by, power is too."""
        self._pass(now_ns, self.idle_w)
        return min(1.0, self.limit_w / self._power_w)

    def _pass(self, until_ns: float, power_w: float) -> None:
        """Draw so much power until then."""
        if math.isfinite(self.limit_w) and until_ns > self._power_ns:
            kept = math.exp((self._power_ns - until_ns) / self.lag_ns)
            self._power_w = kept * self._power_w + (1 - kept) * power_w
            self._power_ns = until_ns

    def _marked(self) -> float:
        """When a mark that is put into the queue now is reached, as the device says."""
        self._free_ns = max(self._free_ns, float(self.clock())) + self.mark_ns
        return self._free_ns + self.jitter_ns * (self._chance.random() - 0.5)


class GpuMark:
    """A mark in the queue of such a GPU."""

    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu
        self._reached_ns = float("inf")

    def record(self) -> None:
        """Its time is when the device has come to it, in steps of the resolution."""
        self._reached_ns = self._gpu._marked()

    def is_reached(self) -> bool:
        """By the host's clock."""
        return self._gpu.clock() >= self._reached_ns

    def seconds_since(self, earlier: Self) -> float:
        """In whole steps of the resolution."""
        steps = round((self._reached_ns - earlier._reached_ns) / self._gpu.resolution_ns)
        return steps * self._gpu.resolution_ns * 1e-9
