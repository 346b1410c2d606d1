"""The timed loop, on a clock that only moves when a call moves it."""

from __future__ import annotations

import dataclasses
import itertools
import random
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.plan.case import Call
from bench.run.visit import net_time_s
from bench.worker import sampling
from bench.worker.sampling import (
    Usage,
    calibrate,
    clock_cost_s,
    measure_cold_overhead,
    measure_overhead,
    read_usage,
    settled,
    take_cold_samples,
    take_sample,
    take_samples,
    warm_up,
)
from tests.fakes.workers import PREPARED, Clock, Device, Evictor


class Op:
    """A function that costs what it is told, and counts how often and with what it was called."""

    def __init__(self, clock: Clock, cost_ns: int) -> None:
        self._clock = clock
        self._cost_ns = cost_ns
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Cost time."""
        self.calls.append((args, kwargs))
        self._clock.advance(self._cost_ns)


def ticking(*steps_ns: int) -> Clock:
    """A clock that moves by these steps at its readings, over and over."""
    steps = itertools.cycle(steps_ns)

    class Ticking(Clock):
        def __call__(self) -> int:
            self.advance(next(steps))
            return self.now_ns

    return Ticking()


def overhead_of(pair_ns: int, loops_ns: list[int]) -> sampling.Overhead:
    """What is found where a pair of readings and each try of the empty call take this long."""
    steps = itertools.chain.from_iterable((0, pair_ns + loop_ns) for loop_ns in loops_ns)
    return measure_overhead(Call(abs, 1, key=2), pair_ns * 1e-9, ticking(*steps))


def test_a_sample_is_what_its_calls_took() -> None:
    """Five calls of 100 ns are a sample of 500 ns that began when the clock said so."""
    clock = Clock()
    clock.advance(7)
    assert take_sample(Call(Op(clock, 100)), 5, Device(clock), clock) == (7, 500)


def test_the_device_is_drained_before_each_reading() -> None:
    """Earlier work on the device is not counted; the calls' own work is, to its end."""
    clock = Clock()
    device = Device(clock)
    device.queue_ns = 1_000_000

    def submit() -> None:
        clock.advance(10)
        device.queue_ns += 100

    assert take_sample(Call(submit), 5, device, clock) == (1_000_000, 5 * 10 + 5 * 100)
    assert device.synchronized == 2


@pytest.mark.parametrize("kwargs", [{}, {"dim": 1}], ids=["without", "with"])
def test_a_call_is_made_with_its_arguments(kwargs: dict[str, Any]) -> None:
    """With and without keywords the loop makes the same calls."""
    clock = Clock()
    op = Op(clock, 100)
    elapsed = take_sample(Call(op, 1, "two", **kwargs), 3, Device(clock), clock)[1]
    assert op.calls == [((1, "two"), kwargs)] * 3
    assert elapsed == 300


@given(cost_ns=st.integers(500, 10**9), sample_us=st.integers(10, 1000))
def test_calibration_ends_with_samples_of_the_wanted_length(cost_ns: int, sample_us: int) -> None:
    """A sample takes at least 80 % of what was wanted, and calls are timed by what they cost."""
    clock = Clock()
    loops, call_s = calibrate(Call(Op(clock, cost_ns)), sample_us * 1e-6, Device(clock), clock)
    took, wanted = 10 * loops * cost_ns, sample_us * 1000  # whole numbers: 0.8 * 768 is not
    assert took >= 8 * wanted
    assert loops == 1 or took - 10 * cost_ns <= 12 * wanted
    assert call_s == pytest.approx(cost_ns * 1e-9)


def test_loops_grow_at_most_eightfold(monkeypatch: pytest.MonkeyPatch) -> None:
    """From one try to the next, however fast the first was: it may have been a fluke."""
    tried = []

    def watched(call: Call, loops: int, device: Device, clock: Clock) -> tuple[int, int]:
        tried.append(loops)
        return take(call, loops, device, clock)

    take = sampling._take_sample
    clock = Clock()
    monkeypatch.setattr(sampling, "_take_sample", watched)
    calibrate(Call(Op(clock, 10)), 1e-5, Device(clock), clock)
    assert tried == [1, 8, 64, 512, 1100]


@dataclass
class Disturbed:
    """A call of 10 µs on a machine whose other programs take the core for some calls."""

    clock: Clock
    slow_calls: range
    slow_ns: int
    calls: int = 0

    def __call__(self) -> None:
        """Take the time."""
        self.clock.advance(self.slow_ns if self.calls in self.slow_calls else 10_000)
        self.calls += 1


@pytest.mark.parametrize(
    ("slow_calls", "slow_ns"),
    [
        (range(0), 0),
        (range(1), 4_000_000),
        (range(9, 73), 60_000),
        (range(9, 137), 60_000),
        (range(73, 300), 60_000),
    ],
)
def test_a_sample_cut_short_does_not_pass_for_one_of_the_wanted_length(
    slow_calls: range, slow_ns: int
) -> None:
    """All workers have the loops that are found here; the fastest of three tries tells them."""
    clock = Clock()
    call = Call(Disturbed(clock, slow_calls, slow_ns))
    loops, call_s = calibrate(call, 2e-3, Device(clock), clock, fastest_of=3)
    assert loops == 200
    assert call_s == pytest.approx(10e-6)


def test_a_slow_call_is_not_made_again_to_learn_that_it_fills_a_sample() -> None:
    """One of 0.2 s is made once."""
    clock = Clock()
    slow = Disturbed(clock, range(9), 200_000_000)
    assert calibrate(Call(slow), 2e-3, Device(clock), clock, fastest_of=3) == (1, 0.2)
    assert slow.calls == 1


def test_calibration_ends_for_a_call_that_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops have an upper bound."""
    monkeypatch.setattr(sampling, "MOST_LOOPS", 100)
    clock = Clock()
    assert calibrate(Call(Op(clock, 0)), 1.0, Device(clock), clock)[0] == 100


@pytest.mark.parametrize(("seconds_ns", "samples"), [(1, 1), (16, 2), (24, 2), (26, 3), (300, 30)])
def test_samples_fill_the_time_given(seconds_ns: int, samples: int) -> None:
    """At least one; another only if most of it still fits."""
    clock = Clock()
    call = Call(Op(clock, 10))
    found = take_samples(call, 1, seconds_ns * 1e-9, Device(clock), clock)
    assert [(s.started_ns, s.elapsed_ns) for s in found] == [(10 * i, 10) for i in range(samples)]


def test_what_the_process_used_meanwhile_stands_beside_each_sample() -> None:
    """Each sample has its own share, not the sum since the beginning."""
    clock = Clock()
    accounts = iter([Usage(0, 10, 0), Usage(7, 10, 1), Usage(9, 13, 1)])
    found = take_samples(
        Call(Op(clock, 10)), 1, 16e-9, Device(clock), clock, usage=lambda: next(accounts)
    )
    assert [sample.used for sample in found] == [Usage(7, 0, 1), Usage(2, 3, 0)]


def test_every_cold_sample_is_one_call_after_an_eviction() -> None:
    """Evictions of 100 ns and calls of 10 ns: three samples, none of which contains an eviction."""
    clock = Clock()
    op, evict = Op(clock, 10), Evictor(clock, 100)
    found = take_cold_samples(Call(op, 1, key=2), 30e-9, Device(clock), clock, evict)
    assert evict.begun_ns == [0, 110, 220]
    assert [(s.started_ns, s.elapsed_ns) for s in found] == [(100, 10), (210, 10), (320, 10)]
    assert op.calls == [((1,), {"key": 2})] * 3


@pytest.mark.parametrize(
    ("call_ns", "evict_ns", "seconds_ns", "samples"),
    [
        (10, 100, 1, 1),
        (10, 100, 11, 2),
        (10, 100, 21, 3),
        (10, 100, 329, 3),
        (10, 100, 550, 5),
        (10, 0, 300, 30),
        (1000, 1, 900, 1),
        (1000, 1000, 1500, 2),
    ],
)
def test_evictions_count_beyond_the_first_cold_samples(
    call_ns: int, evict_ns: int, seconds_ns: int, samples: int
) -> None:
    """A visit ends when its calls, or three samples with their evictions, have taken its time."""
    clock = Clock()
    evict = Evictor(clock, evict_ns)
    call = Call(Op(clock, call_ns))
    found = take_cold_samples(call, seconds_ns * 1e-9, Device(clock), clock, evict)
    assert len(found) == len(evict.begun_ns) == samples


def test_what_an_eviction_uses_is_not_the_calls() -> None:
    """The system's account is read when the caches are empty, and again after the call."""
    clock = Clock()
    evict = Evictor(clock, 100)
    found = take_cold_samples(
        Call(Op(clock, 10)),
        1e-9,
        Device(clock),
        clock,
        evict,
        usage=lambda: Usage(clock(), len(evict.begun_ns), 0),
    )
    assert [sample.used for sample in found] == [Usage(10, 0, 0)]


def test_the_cost_of_an_empty_call_is_found_with_cold_caches_too() -> None:
    """One at a time: a pair of readings of 40 ns, and 1 to 5 µs for what lies between them."""
    costs = itertools.chain.from_iterable((0, 40 + 1000 * n) for n in (3, 1, 5, 2, 4))
    evict = Evictor(Clock())
    found = measure_cold_overhead(Call(abs, 1, key=2), 40e-9, ticking(*costs), evict)
    assert found.call_s == pytest.approx(3e-6)
    assert found.uncertainty_s == pytest.approx(3e-6)
    assert len(evict.begun_ns) == 5


def test_the_systems_account_is_read() -> None:
    """CPU time goes on; counts never go back."""
    before, after = read_usage(), read_usage()
    assert all(b >= a for a, b in zip(before, after, strict=True))
    assert after.cpu_ns > 0


def test_the_cost_of_reading_the_clock_is_found() -> None:
    """A pair of readings is 40 ns apart where nothing lies between them."""
    assert clock_cost_s(ticking(0, 40)) == pytest.approx(40e-9)


def test_the_cost_of_an_empty_call_is_found() -> None:
    """Three nanoseconds an iteration, on top of a pair of readings of 40 ns."""
    found = overhead_of(40, [3 * sampling._OVERHEAD_LOOPS])
    assert found.call_s == pytest.approx(3e-9)
    assert found.uncertainty_s == pytest.approx(0, abs=1e-15)


def test_the_uncertainty_of_the_overhead_is_the_middle_half_of_its_tries() -> None:
    """Turns of 1 to 9 ns: the median is 5, the quartiles 2.5 and 7.5."""
    found = overhead_of(40, [ns * sampling._OVERHEAD_LOOPS for ns in range(1, 10)])
    assert found.call_s == pytest.approx(5e-9)
    assert found.uncertainty_s == pytest.approx(5e-9)


def test_an_empty_call_never_costs_less_than_nothing() -> None:
    """Where the clock is too coarse to see it, nothing is subtracted."""
    assert overhead_of(40, [-40]).call_s == 0


def test_an_empty_call_takes_any_arguments() -> None:
    """It stands for calls of every shape, and looks at no argument."""
    call = Call(abs, object(), [1], dim=2, out=None)
    assert measure_overhead(call, 0.0, Clock()).call_s == 0


@given(
    call_ns=st.sampled_from([5_000, 50_000, 5_000_000]) | st.integers(0, 10**9),
    loop_ns=st.integers(0, 1_000),
    pair_ns=st.integers(0, 1_000),
    loops=st.integers(1, 100),
)
def test_a_call_of_known_length_is_found_to_be_that_long(
    call_ns: int, loop_ns: int, pair_ns: int, loops: int
) -> None:
    """Whatever an iteration of the loop and a pair of readings cost: both are found, and subtracted."""
    clock = ticking(0, pair_ns)
    call = Call(Op(clock, call_ns + loop_ns))
    _, elapsed_ns = take_sample(call, loops, Device(clock), clock)
    found = overhead_of(pair_ns, [loop_ns * sampling._OVERHEAD_LOOPS])
    prepared = dataclasses.replace(
        PREPARED, clock_s=clock_cost_s(ticking(0, pair_ns)), overhead_s=found.call_s
    )
    time_s = net_time_s(elapsed_ns * 1e-9, loops, prepared)
    assert time_s == pytest.approx(call_ns * 1e-9, rel=1e-9, abs=1e-15)


def test_warming_up_ends_when_calls_no_longer_get_faster() -> None:
    """A call that halves its time again and again, to a floor, is called until it is on the floor."""
    clock = Clock()
    costs = itertools.chain((10_000 // 2**i for i in range(6)), itertools.repeat(200))
    made: list[int] = []

    def falling() -> None:
        made.append(next(costs))
        clock.advance(made[-1])

    assert warm_up(Call(falling), Device(clock), clock)
    assert made[-1] == 200


def test_warming_up_is_bounded_in_time() -> None:
    """A call that gets faster for ever is not waited for, and that is said."""
    clock = Clock()
    cost = itertools.count(200_000_000, -1)

    def learning() -> None:
        clock.advance(next(cost))

    assert not warm_up(Call(learning), Device(clock), clock, limit_s=5.0)
    assert clock() < 6_000_000_000


def test_a_slow_call_that_another_worker_has_warmed_up_is_made_a_few_times() -> None:
    """Two of 12 ms are a fifth of the limit; a fast one is judged as ever."""
    clock = Clock()
    assert warm_up(Call(clock.advance, 12_000_000), Device(clock), clock, known_s=0.012)
    assert clock() == 24_000_000
    cost = itertools.count(5_000_000, -1)
    learning = Call(lambda: clock.advance(next(cost)))
    assert not warm_up(learning, Device(clock), clock, limit_s=0.5, known_s=1e-4)


@pytest.mark.parametrize(
    ("cost_ns", "made"), [(11_000_000, 11), (120_000_000, 5)], ids=["ten fit", "ten don't"]
)
def test_a_slow_call_is_not_blamed_for_being_slow(cost_ns: int, made: int) -> None:
    """Ten calls of 11 ms take a little longer than the limit, ten of 120 ms twelve times as long."""
    clock = Clock()
    calls: list[int] = []

    def steady() -> None:
        calls.append(1)
        clock.advance(cost_ns)

    assert warm_up(Call(steady), Device(clock), clock)
    assert len(calls) == made


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([5] * 9, False),
        ([5] * 10, True),
        ([9, 9, 9, 9, 9, 5, 5, 5, 5, 5], False),
        ([9, 8, 7, 6, 5, 4, 3, 2, 1, 0], False),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], True),
        ([9, 9, 9, 9, 9, 9, 9, 9, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5], True),
        ([5, 7, 6, 5, 6, 7, 5, 6, 5, 6], True),
    ],
    ids=["too few", "flat", "a step", "a slope", "rising", "a step long ago", "noise"],
)
def test_what_has_settled_shows_no_fall(times: list[int], expected: bool) -> None:  # noqa: FBT001 - a table
    """The older five of the last ten are not slower than the newer five."""
    assert settled(times) is expected


def test_noise_is_rarely_taken_for_a_fall() -> None:
    """Of 2,000 windows of pure noise, at most 5 % are held to be still falling (drawn: 4.8 %)."""
    draw = random.Random(1)  # noqa: S311 - noise, not a secret
    windows = [[draw.randrange(10**6) for _ in range(10)] for _ in range(2000)]
    assert sum(not settled(window) for window in windows) <= 0.06 * 2000
