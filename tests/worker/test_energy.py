"""Energy per call from a counter that moves in coarse steps, on a clock and a counter of our own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.plan.case import Call
from bench.pool.protocol import Metered
from bench.worker.energy import LEAST_S, LEAST_STEPS, energy_per_call
from tests.fakes.nvml import EnergyCounter
from tests.fakes.workers import Clock, Device

MS = 1_000_000
POWER_W = 200.0


class Gpu:
    """A device whose calls take so long on it, and nothing on the host."""

    def __init__(self, call_ns: int) -> None:
        self.clock = Clock()
        self.device = Device(self.clock)
        self.calls = 0
        self.call = Call(self._queue, call_ns)

    def _queue(self, call_ns: int) -> None:
        self.calls += 1
        self.device.queue_ns += call_ns

    def energy(self, counter: EnergyCounter, loops: int, limit_s: float = 10.0) -> Metered:
        """What measuring gives."""
        return energy_per_call(self.call, loops, self.device, counter, self.clock, limit_s=limit_s)


def naive_j(gpu: Gpu, counter: EnergyCounter, calls: int) -> float:
    """What a loop gives that reads the counter before and after it, whatever the counter does."""
    before = counter()
    for _ in range(calls):
        gpu.call()
    gpu.device.synchronize()
    return (counter() - before) / calls


def test_a_short_loop_is_wrong_by_a_step_and_this_one_is_not() -> None:
    """Calls of 1 ms at 200 W are 0.2 J; the counter moves every 100 ms, by 20 J."""
    for phase_ns, wrong_j in ((0, 0.0), (90 * MS, 1.0)):
        gpu = Gpu(MS)
        counter = EnergyCounter(gpu.clock, POWER_W, 100 * MS, phase_ns)
        assert naive_j(gpu, counter, 20) == pytest.approx(wrong_j)
        found = gpu.energy(counter, loops=5)
        assert found.energy_j == pytest.approx(0.2, rel=0.01)
        assert found.power_w == pytest.approx(POWER_W, rel=0.01)
        assert gpu.clock() * 1e-9 >= LEAST_STEPS * 0.1 - 0.005


def test_a_counter_that_moves_often_is_watched_for_a_second_still() -> None:
    """Twenty steps of 1 ms would be over at once."""
    gpu = Gpu(MS)
    found = gpu.energy(EnergyCounter(gpu.clock, POWER_W, MS), loops=2)
    assert LEAST_S <= gpu.clock() * 1e-9 < LEAST_S + 0.02
    assert found.energy_j == pytest.approx(0.2, rel=0.01)


@given(
    call_us=st.integers(200, 50_000),
    step_ms=st.integers(10, 100),
    phase_ms=st.integers(0, 100),
    power_w=st.floats(20, 700),
)
def test_energy_is_within_a_step_of_twenty(
    call_us: int, step_ms: int, phase_ms: int, power_w: float
) -> None:
    """However calls and steps fall; batches are as long as a sample, or as one call."""
    gpu = Gpu(call_us * 1000)
    counter = EnergyCounter(gpu.clock, power_w, step_ms * MS, phase_ms * MS)
    found = gpu.energy(counter, loops=max(1, 5000 // call_us))
    assert found.energy_j == pytest.approx(power_w * call_us * 1e-6, rel=1.001 / LEAST_STEPS)


def test_a_loop_that_sees_too_few_steps_has_a_reason_and_no_number() -> None:
    """A counter that moves once a second would need twenty."""
    gpu = Gpu(MS)
    found = gpu.energy(EnergyCounter(gpu.clock, POWER_W, 1000 * MS), loops=10, limit_s=5)
    reason = "the energy counter moves too seldom: 20 steps do not fit into 5 s"
    assert found == Metered(energy_j=None, reason=reason)
    assert gpu.clock() <= 2_020 * MS  # two steps tell that


def test_a_counter_that_stands_still_is_given_up() -> None:
    """It would be waited for forever."""
    gpu = Gpu(MS)
    found = gpu.energy(EnergyCounter(gpu.clock, POWER_W, 60_000 * MS), loops=10, limit_s=5)
    assert found == Metered(
        energy_j=None, reason="the energy counter did not move as needed within 5 s"
    )
    assert gpu.clock() <= 5_020 * MS


def test_reading_a_slow_counter_does_not_tell_the_power_of_idling() -> None:
    """A reading of 2.5 ms, in which a device of 300 W idles at 100 W, after each 20 ms: 4 % too much per call."""
    gpu = Gpu(MS)
    read, steps = 0, {0: 0.0}

    def counter() -> float:
        nonlocal read
        read += 1
        gpu.clock.advance(5 * MS // 2)
        idle_s = read * 2.5e-3
        used_j = (gpu.clock() * 1e-9 - idle_s) * 300 + idle_s * 100
        return steps.setdefault(gpu.clock() // (100 * MS), used_j)

    found = energy_per_call(gpu.call, 20, gpu.device, counter, gpu.clock)
    assert found.energy_j == pytest.approx(0.3, rel=0.015)


def test_a_device_without_a_counter_has_a_reason_and_is_not_kept_busy() -> None:
    """No call is made in vain."""
    gpu = Gpu(MS)
    found = energy_per_call(gpu.call, 10, gpu.device, lambda: None, gpu.clock)
    assert found == Metered(energy_j=None, reason="the device keeps no count of its energy")
    assert gpu.calls == 0


@pytest.mark.parametrize("then", [None, 3.0], ids=["stops", "begins anew"])
def test_a_counter_that_does_not_go_on_has_a_reason(then: float | None) -> None:
    """A driver that is loaded again counts from zero."""
    gpu = Gpu(MS)
    script = iter([5.0, 6.0, then])
    found = energy_per_call(gpu.call, 10, gpu.device, lambda: next(script), gpu.clock)
    assert found == Metered(energy_j=None, reason="the energy counter stopped or began anew")


def test_a_counter_that_began_anew_while_nobody_looked_has_a_reason() -> None:
    """It stands lower than at the beginning when it is read again."""
    gpu = Gpu(MS)
    counter = EnergyCounter(gpu.clock, POWER_W, 50 * MS)
    found = energy_per_call(
        gpu.call, 10, gpu.device, lambda: counter() if gpu.clock() < 500 * MS else 1.0, gpu.clock
    )
    assert found == Metered(energy_j=None, reason="the energy counter stopped or began anew")


def test_calls_are_made_back_to_back_and_waited_for_once_a_batch() -> None:
    """The device never rests within a batch."""
    gpu = Gpu(MS)
    gpu.energy(EnergyCounter(gpu.clock, POWER_W, 50 * MS), loops=8)
    assert gpu.calls == 8 * gpu.device.synchronized
