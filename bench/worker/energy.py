"""What a call costs in energy, by the device's own counter, which moves seldom: so a loop that lasts.

The counter is a stair whose steps take 10 to 100 ms, so a loop that is no longer than a few steps gets its
energy wrong by as much as a step. Here the loop runs from one step to another, many steps later. What the
device would use without work is included: it can't be told apart from what the calls use.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan.case import Call
    from bench.worker.devices import Device
    from bench.worker.sampling import Clock

    Counter = Callable[[], float | None]
    """Joules since some moment of the past; None where the device keeps no count."""

LOOP_S = 0.02
"""Between two looks at the counter: each waits for the device and asks its driver, 2.5 ms on an H200 in
which it idles (`docs/gpu.md`), so that short loops would tell the power of idling."""
LEAST_S = 1.0
LEAST_STEPS = 20
"""Each end is off by a step at most, or by a batch of calls where that is shorter: 5 % in all."""
LIMIT_S = 10.0
"""Steps of 100 ms take 2 s; a counter that needs five times that is of no use here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """Joules per call, idle power included, or the reason why that is not known."""

    energy_j: float | None
    reason: str = ""
    calls: int = 0
    """Calls between the two steps of the counter."""
    elapsed_s: float = 0.0
    """Time between them."""
    steps: int = 0
    """Times the counter was seen to move."""

    @property
    def power_w(self) -> float | None:
        """Of the device, between the two steps."""
        return self.energy_j * self.calls / self.elapsed_s if self.energy_j is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """The counter at a moment when it had just moved, and the calls made until then."""

    total_j: float
    at_ns: int
    calls: int


def energy_per_call(
    call: Call,
    loops: int,
    device: Device,
    counter: Counter,
    clock: Clock,
    *,
    least_s: float = LEAST_S,
    least_steps: int = LEAST_STEPS,
    limit_s: float = LIMIT_S,
) -> Energy:
    """Make calls back to back from one step of the counter to another, and divide.

    Args:
        call: one that is warm.
        loops: calls between two looks at the counter; some 20 ms of them, so that the wait for the
            device at each look does not count and a look still sees a step soon after it.
        device: waited for before each look.
        counter: the device's energy counter.
        clock: nanoseconds.
        least_s: how long the loop lasts at least between the two steps.
        least_steps: how many steps it sees at least; one or more.
        limit_s: when to give up, in all.
    """
    end_ns = clock() + round(limit_s * 1e9)
    first: _Seen | None = None
    last_j, calls, steps = counter(), 0, 0
    while last_j is not None:
        _make(call, loops, device)
        calls += loops
        now_j = counter()
        if now_j is None or now_j < last_j:
            break
        if now_j > last_j:
            last_j = now_j
            seen = _Seen(total_j=now_j, at_ns=clock(), calls=calls)
            if first is None:
                first, steps = seen, -1
            steps += 1
            if steps >= least_steps and seen.at_ns - first.at_ns >= least_s * 1e9:
                return _between(first, seen, steps)
        if clock() >= end_ns:
            reason = f"the energy counter moved {steps} times within {limit_s:g} s"
            return Energy(energy_j=None, reason=f"{reason}; {least_steps} are needed")
    if calls:
        return Energy(energy_j=None, reason="the energy counter stopped or began anew")
    return Energy(energy_j=None, reason="the device keeps no count of its energy")


def _make(call: Call, loops: int, device: Device) -> None:
    for _ in repeat(None, loops):
        call()
    device.synchronize()


def _between(first: _Seen, last: _Seen, steps: int) -> Energy:
    calls = last.calls - first.calls
    return Energy(
        energy_j=(last.total_j - first.total_j) / calls,
        calls=calls,
        elapsed_s=(last.at_ns - first.at_ns) * 1e-9,
        steps=steps,
    )
