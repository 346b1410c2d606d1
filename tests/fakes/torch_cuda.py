"""`torch.cuda` over GPUs that are made up: what `bench.worker.devices` asks of it, and how it fails.

Torch keeps a current device and, of each, a current stream. What goes wrong in a capture leaves them as torch 2.11
and 2.13 do (`docs/gpu.md`, finding 1), so that a worker's own code is tried with it, and not a copy.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from bench.worker import devices
from tests.fakes.gpu import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pytest

    from tests.fakes.gpu import Gpu, GpuMark

_ERROR = 2
"""The sync debug mode in which calls that wait are refused."""


class Graph:
    """A CUDA graph: what replays it, once it is recorded."""

    def __init__(self) -> None:
        self.replay: Callable[[], None] = _not_recorded


def _not_recorded() -> None:
    message = "called replay without a preceding successful capture"
    raise RuntimeError(message)


class Event:
    """A CUDA event; it belongs to the device of the stream that it is recorded on."""

    def __init__(self, gpus: Mapping[str, Gpu]) -> None:
        self._gpus = gpus
        self.mark: GpuMark | None = None

    def record(self, stream: Stream) -> None:
        """Queue it."""
        self.mark = self._gpus[stream.device].mark()
        self.mark.record()

    def query(self) -> bool:
        """Whether it was reached; one that was not recorded has nothing to wait for."""
        return self.mark is None or self.mark.is_reached()

    def elapsed_time(self, later: Event) -> float:
        """In milliseconds."""
        assert self.mark is not None
        assert later.mark is not None
        return later.mark.seconds_since(self.mark) * 1e3


class TorchCuda:
    """What torch says and does about these GPUs."""

    def __init__(self, gpus: Mapping[str, Gpu]) -> None:
        self._gpus = gpus
        self._current = next(iter(gpus), "")

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put these in the place of torch's own; nothing in a process can tell."""
        devices._recording_stream.cache_clear()
        for name in (
            *("synchronize", "device", "current_stream", "set_stream", "stream", "graph"),
            *("get_sync_debug_mode", "set_sync_debug_mode"),
        ):
            monkeypatch.setattr(torch.cuda, name, getattr(self, name))
        monkeypatch.setattr(torch.cuda, "_sleep", lambda cycles: self._gpu().spin(cycles))
        monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream(str(device)))
        monkeypatch.setattr(torch.cuda, "Event", lambda **_: Event(self._gpus))
        monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)

    def _gpu(self, device: Any = None) -> Gpu:
        return self._gpus[self._current if device is None else str(device)]

    def synchronize(self, device: Any = None) -> None:
        """Wait for a device."""
        self._gpu(device).synchronize()

    @contextmanager
    def device(self, device: Any) -> Iterator[None]:
        """Make it the current one meanwhile."""
        before, self._current = self._current, str(device)
        try:
            yield
        finally:
            self._current = before

    def current_stream(self, device: Any = None) -> Stream:
        """The one that work of this process is submitted to."""
        stream = self._gpu(device).process.stream
        stream.device = stream.device or (self._current if device is None else str(device))
        return stream

    def set_stream(self, stream: Stream) -> None:
        """Submit to another, and to its device."""
        self._current = stream.device
        self._gpu().process.stream = stream

    @contextmanager
    def stream(self, stream: Stream) -> Iterator[None]:
        """Submit to it meanwhile."""
        before = self.current_stream()
        self.set_stream(stream)
        try:
            yield
        finally:
            self.set_stream(before)

    def get_sync_debug_mode(self) -> int:
        """2 where calls that wait are refused."""
        return _ERROR if self._gpu().process.waits_raise else 0

    def set_sync_debug_mode(self, mode: int | str) -> None:
        """Refuse calls that wait, or not."""
        self._gpu().process.waits_raise = mode in {"error", _ERROR}

    @contextmanager
    def graph(self, graph: Graph, *, stream: Stream) -> Iterator[None]:
        """Record on a stream; where that can't begin or end, the stream stays the current one, as with torch's."""
        before = self.current_stream()
        self.synchronize()
        self.set_stream(stream)
        self._gpu().begin_capture(stream)
        try:
            yield
        finally:
            graph.replay = self._gpu().end_capture()
            self.set_stream(before)
