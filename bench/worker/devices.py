"""Devices as torch sees them: which are present, why one isn't, how to wait for one, and CUDA's queue and graphs."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, Self

import torch

from bench.errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NAME = re.compile(r"cpu|cuda(:\d+)?|xpu|mps|all")


class Device(Protocol):
    """A device that a call is timed on."""

    def synchronize(self) -> None:
        """Wait until everything submitted has been done."""


class Cpu:
    """The CPU: a call has been done when it returns."""

    def synchronize(self) -> None:
        """Nothing to wait for."""


class Cuda:
    """A CUDA device: a call returns when its kernels are queued."""

    def __init__(self, name: str) -> None:
        self._device = torch.device(name)

    def synchronize(self) -> None:
        """Wait for the device's queue to drain."""
        torch.cuda.synchronize(self._device)

    def mark(self) -> CudaMark:
        """A new mark in its queue."""
        return CudaMark(self._device)

    def spin(self, cycles: int) -> None:
        """Queue a wait of so many of its cycles: one thread that looks at the clock."""
        with torch.cuda.device(self._device):
            torch.cuda._sleep(cycles)  # type: ignore[no-untyped-call]  # noqa: SLF001 - stock, if unnamed

    def capture(
        self, build: Callable[[], Callable[[], object]], calls: int
    ) -> Callable[[], object]:
        """Build a call on a stream of its own and record so many of it there as a CUDA graph.

        Built on the recording stream, since autograd runs each backward on the stream of its forward,
        and one that belongs to another stream can't be recorded (pytorch#15623). What would wait is
        refused by torch before CUDA refuses it: an error of CUDA's would cost the process.

        Raises:
            RuntimeError: the call can't be recorded.
        """
        with torch.cuda.device(self._device):
            before = torch.cuda.current_stream()
            aside = _recording_stream(self._device)
            aside.wait_stream(before)
            graph: Any = torch.cuda.CUDAGraph()
            try:
                with torch.cuda.stream(aside):
                    call = build()
                    call()  # as torch asks for: what is made at the first call can't be recorded
                _record(graph, call, calls, aside)
            finally:  # torch leaves the recording stream current where ending a capture fails
                torch.cuda.set_stream(before)
            before.wait_stream(aside)
        return _GraphReplay(graph, call)


class _GraphReplay:
    """Replays a graph, and keeps what it reads alive."""

    def __init__(self, graph: Any, call: Callable[[], object]) -> None:
        self._graph = graph
        self._call = call

    def __call__(self) -> None:
        """Submit the graph."""
        self._graph.replay()


def _record(graph: Any, call: Callable[[], object], calls: int, stream: torch.cuda.Stream) -> None:
    """Capture calls, refusing those that wait. Beginning a capture waits itself, so not around it."""
    mode = torch.cuda.get_sync_debug_mode()
    with torch.cuda.graph(graph, stream=stream):
        torch.cuda.set_sync_debug_mode("error")
        try:
            for _ in range(calls):
                call()
        finally:
            torch.cuda.set_sync_debug_mode(mode)


@cache
def _recording_stream(device: torch.device) -> torch.cuda.Stream:
    """One a device, kept.

    Torch's own default belongs to whichever device recorded first, and cuBLAS keeps a workspace of 32 MiB
    for each stream that it has seen.
    """
    stream: Any = torch.cuda.Stream
    found: torch.cuda.Stream = stream(device)
    return found


class CudaMark:
    """A CUDA event on the stream that torch submits to."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        event: Any = torch.cuda.Event  # it carries no types
        self._event = event(enable_timing=True)

    def record(self) -> None:
        """Queue it."""
        self._event.record(torch.cuda.current_stream(self._device))

    def is_reached(self) -> bool:
        """Whether the device has come to the mark."""
        return bool(self._event.query())

    def seconds_since(self, earlier: Self) -> float:
        """The device's time between two; in milliseconds of about half a microsecond's resolution."""
        return float(earlier._event.elapsed_time(self._event)) * 1e-3


class Accelerator:
    """Any other device that torch can wait for (XPU, MPS). It has what a caller waits, and no more.

    Torch gives these no spin, so no sample of their own time could be proven to have no gap in it.
    """

    def synchronize(self) -> None:
        """Wait for the current accelerator's queue to drain."""
        torch.accelerator.synchronize()


def device_of(name: str) -> Device:
    """The device of this name, to wait for."""
    if name == "cpu":
        return Cpu()
    return queue_of(name) or Accelerator()


def queue_of(name: str) -> Cuda | None:
    """The device of this name, if it works through a queue of its own."""
    return Cuda(name) if name.startswith("cuda") else None


def spin_counts_cycles(name: str) -> bool:
    """Whether a spin on a CUDA device counts the cycles of its clock, so that it takes longer where that is slower.

    Of AMD's GPUs RDNA 3 (gfx11) does not: there torch counts a clock of constant rate (`wall_clock64` in
    `aten/src/ATen/cuda/Sleep.cu`; HIP documentation, *Timer functions*).
    """
    if torch.version.hip is None:
        return True
    facts: Any = torch.cuda.get_device_properties(torch.device(name))
    return not str(facts.gcnArchName).startswith("gfx11")


def present() -> tuple[str, ...]:
    """Every device there is: `cpu`, then `cuda`, or `cuda:0`, `cuda:1`, … where there are several.

    Then the accelerator of another kind that torch works with here: `xpu` or `mps`.
    """
    count = torch.cuda.device_count()
    gpus = ("cuda",) if count == 1 else tuple(f"cuda:{i}" for i in range(count))
    other = _other_accelerator()
    return ("cpu", *gpus, *([other] if other and _NAME.fullmatch(other) else []))


def _other_accelerator() -> str | None:
    """The kind of the current accelerator, if it is none of CUDA's."""
    current = torch.accelerator.current_accelerator(check_available=True)
    return None if current is None or current.type == "cuda" else str(current.type)


def chosen(words: Sequence[str]) -> tuple[str, ...]:
    """The devices that words on the command line stand for; all that are here if there are none.

    Raises:
        SelectionError: a word names no kind of device.
    """
    names: list[str] = []
    for word in words or ("all",):
        if not _NAME.fullmatch(word):
            message = f"--device {word!r} is no device; write cpu, cuda, cuda:1, xpu, mps or all"
            raise SelectionError(message)
        names += present() if word == "all" else (word,)
    return tuple(dict.fromkeys(names))


def is_one(name: str) -> bool:
    """Whether a word is the name of a single device, here or not."""
    return name != "all" and _NAME.fullmatch(name) is not None


def why_missing(name: str) -> str:
    """Why this machine can't measure on a device; empty where it can."""
    if name == "cpu":
        return ""
    if not name.startswith("cuda"):
        return "" if _other_accelerator() == name else f"torch finds no {name} device here"
    if torch.version.cuda is None and torch.version.hip is None:
        return f"torch {torch.__version__} is built without CUDA"
    count = torch.cuda.device_count()
    if count == 0:
        return "torch sees no CUDA device on this machine"
    index = torch.device(name).index or 0
    return "" if index < count else f"there is no {name}: torch sees {count} CUDA device(s)"


def cuda_properties() -> dict[str, Any]:
    """Device → what torch knows of it (`name`, `total_memory`), for the CUDA devices torch sees; `cuda` is the first."""
    count = torch.cuda.device_count()
    known = {f"cuda:{index}": torch.cuda.get_device_properties(index) for index in range(count)}
    return {"cuda": known["cuda:0"], **known} if known else {}
