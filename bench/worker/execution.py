"""Execution: the call of a case as its mode has it. Compiled, recorded as a CUDA graph, or under autocast.

A suite's op builds the call as it is written; only the function that is called is replaced here.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch

from bench.plan.case import Call, Skip
from bench.plan.mode import AUTOCAST, COMPILE, GRAPH, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.worker.device_timing import QueuedDevice
    from bench.worker.sampling import Clock


def executed(build: Callable[[], Any], mode: str, device: str, queue: QueuedDevice | None) -> Any:
    """The call that an op builds, in this mode, on the same inputs; what is no call is handed on.

    Args:
        build: makes the call as it is written.
        mode: of those in `bench.plan.mode`.
        device: on which it runs.
        queue: of the device, where it has one: it records graphs.

    Raises:
        Skip: it can't be had in this mode.
    """
    kind, option = kind_of(mode)
    if kind == GRAPH:
        return _recorded(build, queue)
    call = build()
    if not isinstance(call, Call) or kind not in {COMPILE, AUTOCAST}:
        return call
    if kind == COMPILE:
        return _calling(torch.compile(call.function, mode=option or None), call)
    return _calling(_under_autocast(call.function, device, option), call)


def _under_autocast(
    function: Callable[..., Any], device: str, dtype_name: str
) -> Callable[..., Any]:
    """The function under autocast, which is entered anew at each call, as a training loop does."""
    kind = torch.device(device).type
    dtype = getattr(torch, dtype_name) if dtype_name else None

    @functools.wraps(function, updated=())
    def called(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast(kind, dtype=dtype):
            return function(*args, **kwargs)

    return called


def _recorded(build: Callable[[], Any], queue: QueuedDevice | None) -> Call:
    """The call as a graph that is replayed on the same inputs; the tensors that it gives are the same each time."""
    if queue is None:
        message = "this device records no graphs"
        raise Skip(message)
    made: list[Call] = []
    results: list[Any] = []

    def built() -> Callable[[], object]:
        made.append(build())
        if made[0].setup:
            message = "a graph replays a call on the same inputs, and this one needs fresh ones"
            raise Skip(message)
        return lambda: results.append(made[0]())

    try:
        replay = queue.capture(built, 1)
    except RuntimeError as error:
        message = f"it can't be recorded as a graph: {str(error).partition(chr(10))[0]}"
        raise Skip(message) from error
    result = results[-1]  # of the call that was recorded; the one before it was made to warm up
    results.clear()

    def replayed(*_: Any, **__: Any) -> Any:
        replay()
        return result

    return _calling(replayed, made[0])


def _calling(function: Callable[..., Any], call: Call) -> Call:
    """A call of another function with the same arguments."""
    return Call(function, *call.args, setup=call.setup, **call.kwargs)


class TimedCall(Call):
    """A call that notes how long it took when it was last made: compiling is in the first time."""

    __slots__ = ("_clock", "took_s")
    took_s: float
    _clock: Clock

    def __init__(self, call: Call, clock: Clock) -> None:
        super().__init__(call.function, *call.args, **call.kwargs)
        object.__setattr__(self, "_clock", clock)
        object.__setattr__(self, "took_s", 0.0)

    def __call__(self) -> Any:
        """Make the call once."""
        begun_ns = self._clock()
        result = self.function(*self.args, **self.kwargs)
        object.__setattr__(self, "took_s", (self._clock() - begun_ns) * 1e-9)
        return result
