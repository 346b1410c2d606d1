"""Energy per call, by the device's own counter, between two of its steps that lie many steps apart.

The counter is a stair whose steps take 10 to 100 ms, so a loop that is no longer than a few steps gets its
energy wrong by as much as a step. Here the loop runs from one step to another, many steps later. What the
device would use without work is included: it can't be told apart from what the calls use.
"""

from __future__ import annotations

import math
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

from bench.pool.protocol import Metered
from bench.worker import garbage

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan.case import Call
    from bench.worker.devices import Device
    from bench.worker.sampling import Clock

    Counter = Callable[[], float | None]
    """Joules since some time in the past; None where the device keeps no count."""

LOOP_S = 0.02
"""Calls between two readings of the counter take so long: a reading must see a step soon after it."""
LEAST_S = 1.0
LEAST_STEPS = 20
"""Steps of the counter that a measurement lasts at least: each end is off by a step at most, or by a batch of
calls where that is shorter, which makes 5 % in all."""
LIMIT_S = 10.0
"""When a measurement is given up: 20 steps of 100 ms take 2 s, and a counter that needs five times that is of
no use here."""


_STOPPED = "the energy counter stopped or began anew"
_NO_COUNT = "the device keeps no count of its energy"


class _UnknownEnergyError(Exception):
    """Why the energy of a call can't be told."""


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

    The counter is read near both ends only. A reading waits for the device and asks its driver, 2.5 ms on an
    H200 (`docs/gpu.md`) in which the device idles: after every batch of 20 ms that would be 11 % of the time.

    Args:
        call: one that is warm.
        loops: calls between two readings of the counter; some 20 ms of them.
        device: waited for before each reading.
        counter: the device's energy counter.
        clock: nanoseconds.
        limit_s: when to give up, in all.
    """
    loop = _Loop(call, loops, device, counter, clock, clock() + round(limit_s * 1e9))
    try:
        earlier, first = loop.until_step(), loop.until_step()
        step_ns = first.at_ns - earlier.at_ns
        loop.until(first.at_ns + max(round(LEAST_S * 1e9), LEAST_STEPS * step_ns) - step_ns)
        last = loop.until_step()
    except _UnknownEnergyError as why:
        return Metered(energy_j=None, reason=str(why))
    used_j, elapsed_s = last.total_j - first.total_j, (last.at_ns - first.at_ns) * 1e-9
    return Metered(energy_j=used_j / (last.calls - first.calls), power_w=used_j / elapsed_s)


class _Loop:
    """Calls in batches, with the device's energy counter read only where that is asked for."""

    def __init__(
        self,
        call: Call,
        loops: int,
        device: Device,
        counter: Counter,
        clock: Clock,
        end_ns: int,
    ) -> None:
        self._call, self._loops, self._device = call, loops, device
        self._counter, self._clock, self._end_ns = counter, clock, end_ns
        self._limit_s = (end_ns - clock()) * 1e-9
        self._calls = 0
        self._last_j = -math.inf

    def until_step(self) -> _CounterStep:
        """Go on until the counter is seen to have moved."""
        before_j = self._read()
        while True:
            self._make()
            now_j = self._read()
            if now_j > before_j:
                return _CounterStep(now_j, self._clock(), self._calls)

    def until(self, time_ns: int) -> None:
        """Go on until then, without reading."""
        if time_ns > self._end_ns:
            message = f"the energy counter moves too seldom: {LEAST_STEPS} steps do not fit into {self._limit_s:g} s"
            raise _UnknownEnergyError(message)
        while self._clock() < time_ns:
            self._make()

    def _make(self) -> None:
        objects = garbage.objects()
        for _ in repeat(None, self._loops):
            self._call()
        self._device.synchronize()
        garbage.collect_left(objects, self._loops)
        self._calls += self._loops
        if self._clock() >= self._end_ns:
            message = f"the energy counter did not move as needed within {self._limit_s:g} s"
            raise _UnknownEnergyError(message)

    def _read(self) -> float:
        found_j = self._counter()
        if found_j is None and not self._calls:
            raise _UnknownEnergyError(_NO_COUNT)
        if found_j is None or found_j < self._last_j:
            raise _UnknownEnergyError(_STOPPED)
        self._last_j = found_j
        return found_j
