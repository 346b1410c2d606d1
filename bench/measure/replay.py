"""The device's time of a call without its launches: calls recorded once as a graph, and replayed as a whole."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from bench.measure.queued import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.measure.queued import QueuedDevice
    from bench.measure.sampling import Clock

MOST_CALLS = 20
"""In a graph; more only make it longer, since a replay is launched once."""
_SAMPLES = 9


def replayed_s(call: Callable[[], object], calls: int, device: QueuedDevice, clock: Clock) -> float:
    """Seconds of the device's own time per call, in a replay of some of them.

    Args:
        call: what is recorded; it must not wait for the device, nor look at its results.
        calls: how many would fill a sample; no more than twenty are recorded.
        device: that records and replays.
        clock: of the host.

    Raises:
        RuntimeError: the call can't be recorded.
    """
    recorded = min(calls, MOST_CALLS)
    sampler = Sampler(device.capture(call, recorded), device, clock)
    return statistics.median(sampler.sample().device_s for _ in range(_SAMPLES)) / recorded
