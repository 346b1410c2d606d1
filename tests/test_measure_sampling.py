"""The timed loop, on a clock that only moves when a call moves it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.case import Call
from bench.measure import sampling
from bench.measure.sampling import calibrate, measure_overhead, take_sample, take_samples
from tests.fakes import Clock, Device


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


def overhead_of(pair_ns: int, turns_ns: list[int]) -> sampling.Overhead:
    """What is found where a pair of readings and each try of the loop take this long."""
    steps = itertools.chain.from_iterable(
        (0, pair_ns, 0, pair_ns + turn) for turn in itertools.cycle(turns_ns)
    )
    clock = Clock()

    def read() -> int:
        clock.advance(next(steps))
        return clock()

    return measure_overhead(read)


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
    assert loops * cost_ns >= 0.8 * sample_us * 1000
    assert loops == 1 or (loops - 1) * cost_ns <= 1.2 * sample_us * 1000
    assert call_s == pytest.approx(cost_ns * 1e-9)


def test_loops_grow_at_most_eightfold(monkeypatch: pytest.MonkeyPatch) -> None:
    """From one try to the next, however fast the first was: it may have been a fluke."""
    tried = []

    def watched(call: Call, loops: int, device: Device, clock: Clock) -> tuple[int, int]:
        tried.append(loops)
        return take_sample(call, loops, device, clock)

    clock = Clock()
    monkeypatch.setattr(sampling, "take_sample", watched)
    calibrate(Call(Op(clock, 10)), 1e-5, Device(clock), clock)
    assert tried == [1, 8, 64, 512, 1100]


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
    assert found == [(10 * place, 10) for place in range(samples)]


def test_the_cost_of_measuring_is_found() -> None:
    """A pair of readings of 40 ns, and a turn of the loop of 3 ns on top of it."""
    found = overhead_of(40, [3 * sampling._OVERHEAD_LOOPS])
    assert found.clock_s == pytest.approx(40e-9)
    assert found.loop_s == pytest.approx(3e-9)
    assert found.loop_uncertainty_s == pytest.approx(0, abs=1e-15)


def test_the_uncertainty_of_the_loop_is_the_middle_half_of_its_tries() -> None:
    """Turns of 1 to 25 ns: the median is 13, the quartiles 6.5 and 19.5."""
    turns = [ns * sampling._OVERHEAD_LOOPS for ns in range(1, 26)]
    found = overhead_of(40, turns)
    assert found.loop_s == pytest.approx(13e-9)
    assert found.loop_uncertainty_s == pytest.approx(13e-9)


def test_a_loop_never_costs_less_than_nothing() -> None:
    """Where the clock is too coarse to see the loop, nothing is subtracted for it."""
    assert overhead_of(40, [-40]).loop_s == 0
