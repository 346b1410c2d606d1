"""Energy per call, by the device's own counter, between two of its steps that lie many steps apart.

The counter is a stair whose steps take 10 to 100 ms, so a loop that is no longer than a few steps gets its
energy wrong by as much as a step. Here the loop runs from one step to another, many steps later. What the
device would use without work is included: it can't be told apart from what the calls use.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

from bench.pool.protocol import Metered

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan.case import Call
    from bench.worker.devices import Device
    from bench.worker.sampling import Clock

    Counter = Callable[[], float | None]
    """Joules since some time in the past; None where the device keeps no count."""

LOOP_S = 0.02
"""Calls between two readings of the counter take so long: each reading waits for the device and asks its
driver, 2.5 ms on an H200 in which it idles (`docs/gpu.md`), so that short loops would tell the power of idling."""
LEAST_S = 1.0
LEAST_STEPS = 20
"""Steps of the counter that a measurement lasts at least: each end is off by a step at most, or by a batch of
calls where that is shorter, which makes 5 % in all."""
LIMIT_S = 10.0
"""When a measurement is given up: 20 steps of 100 ms take 2 s, and a counter that needs five times that is of
no use here."""


class _CounterStep(NamedTuple):
    """The counter when it had just moved, and the calls made until then."""

    total_j: float
    at_ns: int
    calls: int


def energy_per_call(
    call: Call,
    loops: int,
    device: Device,
    counter: Counter,
    clock: Clock,
    limit_s: float = LIMIT_S,
) -> Metered:
    """Make calls back to back from one step of the counter to another, and divide; or say why that can't be done.

    Args:
        call: one that is warm.
        loops: calls between two readings of the counter; some 20 ms of them, so that the wait for the
            device at each reading does not count and a reading still sees a step soon after it.
        device: waited for before each reading.
        counter: the device's energy counter.
        clock: nanoseconds.
        limit_s: when to give up, in all.
    """
    end_ns = clock() + round(limit_s * 1e9)
    steps: list[_CounterStep] = []
    last_j, calls = counter(), 0
    while last_j is not None:
        _make(call, loops, device)
        calls += loops
        now_j = counter()
        if now_j is None or now_j < last_j:
            return Metered(energy_j=None, reason="the energy counter stopped or began anew")
        if now_j > last_j:
            last_j = now_j
            steps.append(_CounterStep(now_j, clock(), calls))
            if len(steps) > LEAST_STEPS and steps[-1].at_ns - steps[0].at_ns >= LEAST_S * 1e9:
                return _between(steps[0], steps[-1])
        if clock() >= end_ns:
            moved = f"the energy counter moved {max(0, len(steps) - 1)} times within {limit_s:g} s"
            return Metered(energy_j=None, reason=f"{moved}; {LEAST_STEPS} are needed")
    return Metered(energy_j=None, reason="the device keeps no count of its energy")


def _make(call: Call, loops: int, device: Device) -> None:
    for _ in repeat(None, loops):
        call()
    device.synchronize()


def _between(first: _CounterStep, last: _CounterStep) -> Metered:
    used_j, elapsed_s = last.total_j - first.total_j, (last.at_ns - first.at_ns) * 1e-9
    return Metered(energy_j=used_j / (last.calls - first.calls), power_w=used_j / elapsed_s)
