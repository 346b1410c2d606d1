"""Sentinels: small known calls whose time tells in what state the machine is, apart from any op under test.

One is bound by a single core's arithmetic, one by two threads waiting for each other. Both take a few
milliseconds, so that every visit to a worker can begin with them.
"""

from __future__ import annotations

import os
import statistics
from typing import TYPE_CHECKING

import torch

from bench.plan.case import Call
from bench.pool.protocol import Sensed
from bench.worker.device_timing import spin_s, time_behind_spin
from bench.worker.devices import Cpu
from bench.worker.sampling import take_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.machine.gpu_readings import Telemetry
    from bench.worker.device_timing import QueuedDevice
    from bench.worker.sampling import Clock

_SAMPLES = 3
_COMPUTE_SIDE, _COMPUTE_LOOPS = 256, 4
"""65,536 random numbers: 140 µs of integer arithmetic in one thread, however many there are."""
_BARRIER_SIZE, _BARRIER_LOOPS = 40_000, 150
"""Torch splits element-wise work from 32,768 elements on: 3 µs, most of it the threads' meeting."""
_READING_CYCLES = 5_000_000
"""Spin of some 3 ms, in which the driver answers."""
_LAUNCHES, _HOLD_CYCLES = 100, 2_000_000
"""A hundred launches of 5 µs fit behind a spin of a millisecond, so that none of them waits."""


class Sentinels:
    """The sentinels of a worker, ready to be timed."""

    def __init__(self, threads: int) -> None:
        self._compute = Call(torch.rand, _COMPUTE_SIDE, _COMPUTE_SIDE)
        self._barrier: Call | None = None
        if threads > 1:
            a, b = torch.ones(_BARRIER_SIZE), torch.ones(_BARRIER_SIZE)
            self._barrier = Call(torch.add, a, b)

    def sense(self, clock: Clock) -> Sensed:
        """Time them now: each the median of three samples, after one that is not counted.

        Beside them, the load that the system reports; Windows reports none.
        """
        barrier = None
        if self._barrier is not None:
            barrier = _timed(self._barrier, _BARRIER_LOOPS, clock)
        return Sensed(
            compute_s=_timed(self._compute, _COMPUTE_LOOPS, clock),
            barrier_s=barrier,
            load_1m=_load_1m(),
        )


def sense_queue(
    queue: QueuedDevice, clock: Clock, gauges: Callable[[], Telemetry] | None = None
) -> Sensed:
    """The sentinels of a device with a queue: a spin of known cycles, and what a launch costs the host.

    Args:
        queue: the device's.
        clock: of the host.
        gauges: what the device says of itself; read while it spins, since at rest it lowers its clocks.
    """
    spins = [spin_s(queue) for _ in range(_SAMPLES)]
    launches = [
        time_behind_spin(lambda: queue.spin(1), _LAUNCHES, _HOLD_CYCLES, queue, clock).host_s
        / _LAUNCHES
        for _ in range(_SAMPLES)
    ]
    queue.spin(_READING_CYCLES)
    seen = (gauges(),) if gauges else ()
    queue.synchronize()
    return Sensed(
        compute_s=statistics.median(spins),
        barrier_s=None,
        launch_s=statistics.median(launches),
        gauges=seen,
        load_1m=_load_1m(),
    )


def _load_1m() -> float | None:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _timed(call: Call, loops: int, clock: Clock) -> float:
    take_sample(call, max(1, loops // _SAMPLES), Cpu(), clock)
    samples = [take_sample(call, loops, Cpu(), clock)[1] for _ in range(_SAMPLES)]
    return statistics.median(samples) / loops * 1e-9
