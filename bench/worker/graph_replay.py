"""The device's time of a call without its launches: calls recorded once as a graph, and replayed as a whole."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from bench.worker.device_timing import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.worker.device_timing import QueuedDevice
    from bench.worker.sampling import Clock

MOST_CALLS = 20
"""In a graph; more only make it longer, since a replay is launched once."""
LONG_ENOUGH_S = 2e-3
"""Of calls in a graph: beside that, what launching the replay takes is a thousandth."""
_SAMPLES, _SAMPLES_OF_LONG = 9, 3
_LONG_S = 0.1
"""Of a call: nine replays would take seconds and say no more."""


def replayed_s(
    build: Callable[[], Callable[[], object]],
    once_s: float,
    device: QueuedDevice,
    clock: Clock,
    hertz: float | None = None,
) -> float:
    """Seconds of the device's own time per call, in a replay: the slope between some calls and twice as many.

    A replay takes the device some microseconds of its own, and random ops set up their state once a
    replay; neither is the call's, and the slope is free of both.

    Args:
        build: makes the call, which must not wait for the device, nor look at its results.
        once_s: about how long a call takes the device.
        device: that records and replays.
        clock: of the host.
        hertz: the device's clock, if it is known.

    Raises:
        RuntimeError: the call can't be recorded.
    """
    samples = _SAMPLES if once_s < _LONG_S else _SAMPLES_OF_LONG
    if once_s >= LONG_ENOUGH_S:
        return _replay_s(build, 1, samples, device, clock, hertz)
    few = max(1, min(MOST_CALLS, round(LONG_ENOUGH_S / max(once_s, 1e-9))))
    one_s, other_s = (
        _replay_s(build, calls, samples, device, clock, hertz) for calls in (few, 2 * few)
    )
    return max(other_s - one_s, 0.0) / few


def _replay_s(
    build: Callable[[], Callable[[], object]],
    calls: int,
    samples: int,
    device: QueuedDevice,
    clock: Clock,
    hertz: float | None,
) -> float:
    sampler = Sampler(device.capture(build, calls), device, clock, hertz=hertz)
    return statistics.median(sampler.sample().device_s for _ in range(samples))
