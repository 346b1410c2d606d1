"""The timed loop, and how many turns of it make a sample. The clock and the device are passed in.

A sample is `loops` calls back to back between two readings of the clock, the device drained before
each reading. What the loop and the clock cost is measured here, once per worker, to be subtracted.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.case import Call
    from bench.measure.devices import Device

    Clock = Callable[[], int]
    """Nanoseconds on a monotonic clock."""

MOST_LOOPS = 10_000_000
"""Ten million turns of an empty loop take about 30 ms: no sample needs more."""
_OVERHEAD_LOOPS = 20_000
_OVERHEAD_REPEATS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """What measuring costs: a pair of clock readings, one turn of the loop, and how sure that is."""

    clock_s: float
    loop_s: float
    loop_uncertainty_s: float


def measure_overhead(clock: Clock) -> Overhead:
    """Time the loop without a call in it, and the clock without a loop."""
    pairs, turns = [], []
    for _ in range(_OVERHEAD_REPEATS):
        start = clock()
        pairs.append(clock() - start)
        start = clock()
        for _ in repeat(None, _OVERHEAD_LOOPS):
            pass
        turns.append(clock() - start)
    reading = statistics.median(pairs)
    per_turn = [max(t - reading, 0) / _OVERHEAD_LOOPS * 1e-9 for t in turns]
    quarters = statistics.quantiles(per_turn, n=4)
    return Overhead(
        clock_s=reading * 1e-9,
        loop_s=statistics.median(per_turn),
        loop_uncertainty_s=quarters[2] - quarters[0],
    )


def take_sample(call: Call, loops: int, device: Device, clock: Clock) -> tuple[int, int]:
    """One sample: when it began and how long it took, in nanoseconds."""
    function, args, kwargs = call.function, call.args, call.kwargs
    turns = repeat(None, loops)
    device.synchronize()
    if kwargs:
        start = clock()
        for _ in turns:
            function(*args, **kwargs)
    else:  # unpacking an empty dict costs 17 ns a call, a tenth of the cheapest op
        start = clock()
        for _ in turns:
            function(*args)
    device.synchronize()
    return start, clock() - start


def calibrate(call: Call, sample_s: float, device: Device, clock: Clock) -> tuple[int, float]:
    """Loops that make a sample of at least `sample_s`, and seconds per call; warms up on the way.

    Loops grow by what the last try suggests, at most eightfold, since a first try may be cold.
    """
    loops = 1
    while True:
        _, elapsed = take_sample(call, loops, device, clock)
        elapsed_s = max(elapsed, 1) * 1e-9
        if elapsed_s >= 0.8 * sample_s or loops >= MOST_LOOPS:
            return loops, elapsed_s / loops
        growth = min(8.0, 1.1 * sample_s / elapsed_s)
        loops = min(max(loops + 1, round(loops * growth)), MOST_LOOPS)


def take_samples(
    call: Call, loops: int, seconds: float, device: Device, clock: Clock
) -> list[tuple[int, int]]:
    """Samples for about `seconds`, at least one; it stops where another would overrun by half."""
    end = clock() + round(seconds * 1e9)
    samples = [take_sample(call, loops, device, clock)]
    while clock() + samples[-1][1] // 2 < end:
        samples.append(take_sample(call, loops, device, clock))
    return samples
