"""Sampling: the timed loop, how many calls make a sample, warm-up. The clock and the device are passed in.

A sample is `loops` calls back to back between two readings of the clock, the device drained before
each reading. What an empty call of the same shape and the clock cost is measured too, to be subtracted.
With cold caches a sample is one call, and the empty call is timed in the same way.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

from bench.plan.case import Call
from bench.worker import garbage
from bench.worker.devices import Cpu

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.worker.devices import Device

    Clock = Callable[[], int]
    """Nanoseconds on a monotonic clock."""
    Evict = Callable[[], None]
    """Empties the caches."""

MOST_LOOPS = 10_000_000
"""Most calls in a sample: ten million iterations of an empty loop take about 30 ms, and no sample is longer."""
_LONGEST_AGAIN_S = 0.1
"""A single call that took longer fills a sample, whatever other programs had of it."""
WARM_UP_LIMIT_S = 0.1
_WARM_UP_SAMPLE_S = 2e-4
_SLOW_CALL_LIMITS = 5
"""A slow call may warm up for so many times the limit, so that twenty samples of it fit."""
_KNOWN_SHARE = 5
"""The part of the limit, 20 ms of it, that a slow call warms up for where another worker has settled it."""
_WINDOW, _FALLING_PAIRS = 5, 21
_OVERHEAD_LOOPS = 2_000
_OVERHEAD_REPEATS = 9
_COLD_OVERHEAD_REPEATS = 5
"""About as many empty calls as a visit has samples: what is read again after each of many evictions comes to
survive them (it halved over twenty), so that a longer series would find too little."""
LEAST_COLD_SAMPLES = 3
"""Fewest cold samples of a visit to short calls: the median of three forgives one that was interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """Measurement overhead per call, and its uncertainty."""

    call_s: float
    uncertainty_s: float


class Usage(NamedTuple):
    """Resources that the process has used so far, as the system counts them."""

    cpu_ns: int
    minor_faults: int
    involuntary_switches: int


class SampleSet(NamedTuple):
    """A sample: when it began, how long it took, and the resources that the process used meanwhile."""

    started_ns: int
    elapsed_ns: int
    used: Usage


def read_usage() -> Usage:
    """CPU time of all threads, page faults served without a disk, and involuntary context switches."""
    if sys.platform == "win32":  # it does not count them
        return Usage(time.process_time_ns(), 0, 0)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(time.process_time_ns(), used.ru_minflt, used.ru_nivcsw)


def clock_cost_s(clock: Clock) -> float:
    """Seconds that a pair of clock readings adds to a sample."""
    pairs = []
    for _ in range(_OVERHEAD_REPEATS * 10):
        start = clock()
        pairs.append(clock() - start)
    return statistics.median(pairs) * 1e-9


def measure_overhead(call: Call, clock_s: float, clock: Clock) -> Overhead:
    """The cost of an empty call of the same shape: the loop, and handing over the arguments.

    It is the formatting of an empty text, which takes any arguments and looks at none of them:
    the cheapest function in C that does so. Its uncertainty is the distance between the quartiles.
    """
    empty, idle = Call("".format, *call.args, **call.kwargs), Cpu()
    costs = []
    for _ in range(_OVERHEAD_REPEATS):
        _, elapsed = take_sample(empty, _OVERHEAD_LOOPS, idle, clock)
        costs.append(max(elapsed * 1e-9 - clock_s, 0.0) / _OVERHEAD_LOOPS)
    return _overhead(costs)


def measure_cold_overhead(call: Call, clock_s: float, clock: Clock, evict: Evict) -> Overhead:
    """The cost of an empty call of the same shape, made once after each eviction, as samples are.

    One to three microseconds where it is 20 ns in a loop: reading the clock, beginning the loop and
    handing over the arguments find neither their code nor their data in the caches.
    """
    empty, idle = Call("".format, *call.args, **call.kwargs), Cpu()
    taken = [_take_cold_sample(empty, idle, clock, evict) for _ in range(_COLD_OVERHEAD_REPEATS)]
    return _overhead([max(sample.elapsed_ns * 1e-9 - clock_s, 0.0) for sample in taken])


def _overhead(costs: Sequence[float]) -> Overhead:
    quarters = statistics.quantiles(costs, n=4)
    return Overhead(call_s=quarters[1], uncertainty_s=quarters[2] - quarters[0])


def take_sample(call: Call, loops: int, device: Device, clock: Clock) -> tuple[int, int]:
    """One sample: when it began and how long it took, in nanoseconds. Then its garbage is collected, if it left any."""
    objects = garbage.objects()
    started, elapsed = _take_sample(call, loops, device, clock)
    garbage.collect_left(objects, loops)
    return started, elapsed


def _take_sample(call: Call, loops: int, device: Device, clock: Clock) -> tuple[int, int]:
    function, args, kwargs = call.function, call.args, call.kwargs
    iterations = repeat(None, loops)
    device.synchronize()
    if kwargs:
        start = clock()
        for _ in iterations:
            function(*args, **kwargs)
    else:  # unpacking an empty dict costs 17 ns a call, a tenth of the cheapest op
        start = clock()
        for _ in iterations:
            function(*args)
    device.synchronize()
    return start, clock() - start


def calibrate(
    call: Call, sample_s: float, device: Device, clock: Clock, *, fastest_of: int = 1
) -> tuple[int, float]:
    """Loops that make a sample of about `sample_s`, and seconds per call; warms up on the way.

    Loops grow by what the last try suggests, at most eightfold, since a first try may be cold, and to no more
    than may leave their garbage together.

    Args:
        call: to be made.
        sample_s: seconds that a sample should take; it takes four fifths at least.
        device: that the call works on.
        clock: of the host.
        fastest_of: tries that a sample is judged by, the fastest of them; with several it takes `sample_s` as
            closely as calls are whole.
    """
    loops = 1
    while True:
        elapsed_s, most = _tried(call, loops, device, clock)
        if elapsed_s >= 0.8 * sample_s and (loops > 1 or elapsed_s < _LONGEST_AGAIN_S):
            again = (_tried(call, loops, device, clock)[0] for _ in range(fastest_of - 1))
            elapsed_s = min([elapsed_s, *again])
        if elapsed_s >= 0.8 * sample_s or loops >= most:
            break
        growth = min(8.0, 1.1 * sample_s / elapsed_s)
        loops = min(max(loops + 1, round(loops * growth)), round(most))
    fitting = min(max(1, round(loops * sample_s / elapsed_s)), round(most))
    return fitting if fastest_of > 1 else loops, elapsed_s / loops


def _tried(call: Call, loops: int, device: Device, clock: Clock) -> tuple[float, float]:
    """Seconds that so many calls take, and the most that a sample may have, by the garbage that they left."""
    held_bytes, objects = garbage.held_bytes(), garbage.objects()
    _, elapsed = _take_sample(call, loops, device, clock)
    most = min(garbage.most_calls(objects, held_bytes, loops), MOST_LOOPS)
    garbage.collect_left(objects, loops)
    return max(elapsed, 1) * 1e-9, most


def warm_up(
    call: Call,
    device: Device,
    clock: Clock,
    limit_s: float = WARM_UP_LIMIT_S,
    *,
    known_s: float = 0.0,
) -> bool:
    """Make calls until they no longer get faster, or for `limit_s`; whether they have settled.

    A slow call has five times as long, for twenty; where not even ten fit, it is not judged. Where another worker
    found what a call takes (`known_s`), a slow one has a fifth of the limit: what it waits for, such as a library,
    is loaded by the first calls, and whether it settles is known from the other.
    """
    begun, limit_ns = clock(), round(limit_s * 1e9)
    longest_ns = _SLOW_CALL_LIMITS * limit_ns
    if known_s >= _WARM_UP_SAMPLE_S:
        loops, longest_ns = 1, limit_ns // _KNOWN_SHARE
    elif known_s:
        loops = round(_WARM_UP_SAMPLE_S / known_s)
    else:
        loops, _ = calibrate(call, _WARM_UP_SAMPLE_S, device, clock)
    times: list[int] = []
    while not settled(times):
        spent_ns = clock() - begun
        if spent_ns >= limit_ns and len(times) >= 4 * _WINDOW:
            return False
        if spent_ns >= longest_ns:
            return len(times) < 2 * _WINDOW
        times.append(take_sample(call, loops, device, clock)[1])
    return True


def settled(times: Sequence[int]) -> bool:
    """Whether the last ten times show no fall: a rank test of the older five against the newer.

    Of 25 pairs, 21 or more with the older one slower happen by chance in less than 5 % of cases
    (Mann & Whitney 1947, table for 5 and 5).
    """
    if len(times) < 2 * _WINDOW:
        return False
    older, newer = times[-2 * _WINDOW : -_WINDOW], times[-_WINDOW:]
    return sum(a > b for a in older for b in newer) < _FALLING_PAIRS


def take_samples(
    call: Call,
    loops: int,
    seconds: float,
    device: Device,
    clock: Clock,
    usage: Callable[[], Usage] = read_usage,
) -> list[SampleSet]:
    """Samples for about `seconds`, at least one; it stops where another would overrun by half."""
    end = clock() + round(seconds * 1e9)
    before = usage()
    samples: list[SampleSet] = []
    while not samples or clock() + samples[-1].elapsed_ns // 2 < end:
        started, elapsed = take_sample(call, loops, device, clock)
        after = usage()
        samples.append(SampleSet(started, elapsed, _used(before, after)))
        before = after
    return samples


def _used(before: Usage, after: Usage) -> Usage:
    return Usage(*(b - a for a, b in zip(before, after, strict=True)))


def take_cold_samples(
    call: Call,
    seconds: float,
    device: Device,
    clock: Clock,
    evict: Evict,
    usage: Callable[[], Usage] = read_usage,
) -> list[SampleSet]:
    """Samples of one call each, the caches emptied before it, for about `seconds` of wall time.

    Evictions count, or a visit to a short call would take a thousand times as long as it was given;
    but there are three samples at least, unless the calls alone take `seconds`.
    """
    begun, given_ns = clock(), round(seconds * 1e9)
    samples: list[SampleSet] = []
    while _another(samples, given_ns, clock() - begun):
        samples.append(_take_cold_sample(call, device, clock, evict, usage))
    return samples


def _another(samples: Sequence[SampleSet], given_ns: int, spent_ns: int) -> bool:
    """Whether another cold sample is due: too few so far, or it overruns the time given by half of it at most."""
    if not samples:
        return True
    if len(samples) < LEAST_COLD_SAMPLES and sum(s.elapsed_ns for s in samples) < given_ns:
        return True
    return spent_ns + spent_ns // len(samples) // 2 < given_ns


def _take_cold_sample(
    call: Call,
    device: Device,
    clock: Clock,
    evict: Evict,
    usage: Callable[[], Usage] = read_usage,
) -> SampleSet:
    evict()
    before = usage()  # after the eviction, whose CPU time is not the call's
    started, elapsed = take_sample(call, 1, device, clock)
    return SampleSet(started, elapsed, _used(before, usage()))
