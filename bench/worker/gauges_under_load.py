"""What a GPU says of itself while it works on one call again and again: its clock then is the call's own.

Read after the work, or while a sentinel spins, it would be another clock: a large product is held to its
power limit while it runs, and a single thread that waits is not.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.machine.gpu_readings import Telemetry
    from bench.plan.case import Call
    from bench.worker.devices import Device
    from bench.worker.sampling import Clock

LOOK_EVERY_S = 5e-3
"""What is asked of the driver takes a fifth of that (an H200's: 0.8 ms, `docs/gpu.md`)."""
LASTS_S = 0.06
"""The power limit takes effect within tens of milliseconds."""


def looks_under_load(
    call: Call,
    loops: int,
    device: Device,
    read: Callable[[], Telemetry],
    clock: Clock,
    lasts_s: float = LASTS_S,
) -> tuple[Telemetry, ...]:
    """Looks at the gauges while calls are in the device's queue, one at least.

    Args:
        call: one that is warm.
        loops: calls between two looks.
        device: waited for after each look, so that its queue never fills.
        read: asks the driver.
        clock: of the host.
        lasts_s: for how long, in all.
    """
    end_ns = clock() + round(lasts_s * 1e9)
    looks: list[Telemetry] = []
    while not looks or clock() < end_ns:
        for _ in repeat(None, loops):
            call()
        looks.append(read())
        device.synchronize()
    return tuple(looks)
