"""Devices as torch sees them: which are here, why one isn't, and how to wait for one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol, Self

import torch

from bench.errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NAME = re.compile(r"cpu|cuda(:\d+)?|xpu|mps|all")


class Device(Protocol):
    """What differs between devices when a call is timed."""

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

    def capture(self, call: Callable[[], object], calls: int) -> Callable[[], object]:
        """Record so many calls as a CUDA graph, after one on a stream of its own, as torch asks for."""
        with torch.cuda.device(self._device):
            stream: Any = torch.cuda.Stream
            aside = stream()
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                call()
            torch.cuda.current_stream().wait_stream(aside)
            graph: Any = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                for _ in range(calls):
                    call()
        replay: Callable[[], object] = graph.replay
        return replay


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
        """Whether the device has come to it."""
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


def memory_of_devices() -> dict[str, int]:
    """Device → bytes of its own memory, for the CUDA devices torch sees."""
    count = torch.cuda.device_count()
    sizes = {f"cuda:{i}": torch.cuda.get_device_properties(i).total_memory for i in range(count)}
    return {"cuda": sizes["cuda:0"], **sizes} if sizes else {}


def names_of_devices() -> dict[str, str]:
    """Device → model, for the CUDA devices torch sees."""
    count = torch.cuda.device_count()
    names = {f"cuda:{i}": torch.cuda.get_device_name(i) for i in range(count)}
    return {"cuda": names["cuda:0"], **names} if names else {}
