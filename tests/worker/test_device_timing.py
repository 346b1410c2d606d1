"""The device's own time, told on a GPU that is made up, beside what naive timing says of the same kernels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.pool.protocol import IDLE, QUEUED, WAITS
from bench.worker.device_timing import (
    LONGEST_SPIN_S,
    MOST_CALLS,
    MOST_CALLS_IN_GRAPH,
    Sampler,
    cycles_per_second,
    replayed_s,
    time_behind_spin,
)
from tests.fakes.gpu import Gpu
from tests.fakes.workers import Clock


def gpu(**facts: object) -> Gpu:
    """A GPU with a clock of its host."""
    return Gpu(clock=Clock(), **facts)  # type: ignore[arg-type]  # facts are its fields


def sampler(device: Gpu, *kernels_ns: float) -> Sampler:
    """Samples a call of these kernels."""

    def call() -> None:
        for kernel_ns in kernels_ns:
            device.launch(kernel_ns)

    return Sampler(call, device, device.clock)


def test_a_naive_pair_of_marks_has_the_launch_gaps_in_it() -> None:
    """Three kernels of 2 µs, each submitted in 5: it reads 12 µs and more, and says itself that it may."""
    device = gpu()

    def call() -> None:
        for _ in range(3):
            device.launch(2_000)

    naive = time_behind_spin(call, 1, 0, device, device.clock)
    assert naive.device_s > 12e-6
    assert not naive.gapless

    ours = sampler(device, 2_000, 2_000, 2_000).sample()
    assert ours.device_s == pytest.approx(6e-6, rel=0.01)
    assert ours.gapless


def test_a_host_clock_without_waiting_reads_the_launch() -> None:
    """A kernel of 50 µs seems to take 5: what submitting costs, which we call that."""
    device = gpu()
    begun = device.clock()
    device.launch(50_000)
    assert (device.clock() - begun) * 1e-9 == pytest.approx(5e-6)

    found = sampler(device, 50_000).sample()
    assert found.device_s == pytest.approx(50e-6, rel=0.005)
    assert found.host_s == pytest.approx(5e-6)


@given(kernel_ns=st.floats(800, 5e6), launch_ns=st.integers(1_000, 20_000))
def test_kernels_of_any_length_are_told_within_a_percent(kernel_ns: float, launch_ns: int) -> None:
    """Also those shorter than their launch, and though marks cost a microsecond and resolve half of one."""
    device = gpu(launch_ns=launch_ns)
    found = sampler(device, kernel_ns).sample()

    assert found.gapless
    assert found.device_s == pytest.approx(kernel_ns * 1e-9, rel=0.01)
    assert found.host_s == pytest.approx(launch_ns * 1e-9)


def test_one_short_call_alone_would_be_wrong_by_the_mark() -> None:
    """A kernel of 1.2 µs between two marks reads 2 µs and more."""
    device = gpu()
    alone = time_behind_spin(lambda: device.launch(1_200), 1, 300_000, device, device.clock)

    assert alone.gapless
    assert alone.device_s >= 2e-6
    assert sampler(device, 1_200).sample().device_s == pytest.approx(1.2e-6, rel=0.01)


def test_a_spin_that_is_too_short_is_made_longer() -> None:
    """A slow host needs milliseconds to submit what the first spin was too short for."""
    device = gpu(launch_ns=200_000)
    found = sampler(device, *[3_000] * 10).sample()

    assert found.gapless
    assert found.device_s == pytest.approx(30e-6, rel=0.01)


def test_a_call_that_waits_for_the_device_is_never_gapless() -> None:
    """As reading a value back does; it is said, not hidden, and found out within some milliseconds."""
    device = gpu(drain_ns=10_000)

    def call() -> None:
        device.launch(3_000)
        device.synchronize()

    taken = Sampler(call, device, device.clock)
    assert taken.work == WAITS
    assert device.clock() * 1e-9 < 0.3 * LONGEST_SPIN_S
    assert not taken.sample().gapless


def test_one_stall_of_the_host_makes_no_later_sample_wait() -> None:
    """30 ms, once: the spin that it needed is not kept."""
    device = gpu()
    stalls: list[int] = []

    def call() -> None:
        if stalls:
            device.clock.advance(stalls.pop())
        device.launch(20_000)

    taken = Sampler(call, device, device.clock)
    stalls.append(30_000_000)
    assert taken.sample().gapless
    taken.sample()
    begun = device.clock()
    assert taken.sample().gapless
    assert device.clock() - begun < 2_000_000


def test_a_call_without_kernels_has_no_work() -> None:
    """A view: what marks say of it is their own noise, and nothing to be timed."""
    device = gpu()
    taken = Sampler(lambda: device.clock.advance(1_000), device, device.clock)
    assert taken.work == IDLE
    assert sampler(device, 1_000).work == QUEUED


def test_a_queue_that_is_full_is_noticed() -> None:
    """The host waits for a place while the spin runs out, so that gaps may follow."""
    device = gpu(depth=64)
    found = sampler(device, 1_000).sample()

    assert not found.gapless


@pytest.mark.parametrize(
    ("kernel_ns", "calls"),
    [
        (150.0, 3 * MOST_CALLS),
        (50_000, 2 + 4),
        (150_000, 1 + 2),
        (250_000, 8),
        (1_000_000, 8),
        (4_000_000, 2),
        (20_000_000, 1),
    ],
)
def test_a_call_is_made_as_often_as_its_length_asks(kernel_ns: float, calls: int) -> None:
    """Short ones no more often than a queue holds, long ones some times, and those of 10 ms once."""
    device = gpu()
    taken = sampler(device, kernel_ns)
    before = device.launched
    taken.sample()
    assert device.launched - before == calls + 2  # the spins


def test_submitting_a_long_call_is_told_from_several_submissions() -> None:
    """The first after a wait takes 20 µs, since its code is in no cache; all others take 6."""
    device = gpu(launch_ns=6_000)
    seen = [0]

    def call() -> None:
        submitted_ns = device.clock()
        if submitted_ns - seen[0] > 100_000:  # nothing was submitted for a while
            device.clock.advance(14_000)
        device.launch(1_000_000)
        seen[0] = device.clock()

    found = Sampler(call, device, device.clock).sample()
    assert found.host_s == pytest.approx((20e-6 + 7 * 6e-6) / 8)


def test_with_cold_caches_each_call_stands_alone_behind_what_empties_them() -> None:
    """A flush of 30 µs before each sample is in none of them; a call of 4 µs is not made twice."""
    device = gpu()
    made = []

    def call() -> None:
        made.append(1)
        device.launch(4_000)

    cold = Sampler(call, device, device.clock, evict=lambda: device.launch(30_000))
    made.clear()
    found = cold.sample()
    assert len(made) == 1
    assert found.gapless
    assert found.device_s == pytest.approx(4e-6, abs=0.5e-6)


def test_a_long_call_is_made_once_to_see_that_it_is_long() -> None:
    """A second of kernel is a second of everybody's time."""
    device = gpu()
    made = []

    def call() -> None:
        made.append(1)
        device.launch(1e9)

    Sampler(call, device, device.clock)
    assert len(made) == 1


def test_a_pair_without_calls_is_what_marks_cost() -> None:
    """The floor under everything that is measured with them."""
    device = gpu(mark_ns=1_500)
    assert time_behind_spin(
        lambda: None, 0, 300_000, device, device.clock
    ).device_s == pytest.approx(1.5e-6)


@pytest.mark.parametrize("hertz", [1.5e9, 1.98e9, 0.7e9])
def test_a_spin_of_known_cycles_tells_the_clock(hertz: float) -> None:
    """Within what marks resolve: a tenth of a percent."""
    device = gpu(hertz=lambda _: hertz)
    assert cycles_per_second(device) == pytest.approx(hertz, rel=2e-3)


def test_a_clock_that_droops_is_seen_as_it_is() -> None:
    """A device that slows down by a fifth after 10 ms of its own time."""
    device = gpu(hertz=lambda now_ns: 1.5e9 if now_ns < 1e7 else 1.2e9)
    assert cycles_per_second(device) == pytest.approx(1.5e9, rel=2e-3)
    device.launch(1e7)
    assert cycles_per_second(device) == pytest.approx(1.2e9, rel=2e-3)


@pytest.mark.parametrize("kernel_ns", [1_000, 20_000, 3_000_000])
def test_a_replay_takes_what_the_device_takes(kernel_ns: float) -> None:
    """As the device's own time says that is told behind a spin: the two check each other.

    What replaying takes the device by itself, three microseconds on an H100, is in neither.
    """
    gpu = Gpu(clock=Clock(), replay_ns=3_000)

    def call() -> None:
        gpu.launch(kernel_ns)

    sampler = Sampler(call, gpu, gpu.clock)
    found = replayed_s(lambda: call, kernel_ns * 1e-9, gpu, gpu.clock)
    assert found == pytest.approx(kernel_ns * 1e-9, rel=0.01)
    assert found == pytest.approx(sampler.sample().device_s, rel=0.01)


def test_no_more_calls_are_recorded_than_are_of_use() -> None:
    """Twenty and twice as many, where a sample would have a hundred."""
    gpu = Gpu(clock=Clock())
    made = []

    def call() -> None:
        made.append(1)
        gpu.launch(1_000)

    replayed_s(lambda: call, 1e-6, gpu, gpu.clock)
    assert len(made) == 3 * MOST_CALLS_IN_GRAPH


def test_a_long_call_is_recorded_once() -> None:
    """Beside a second of kernel what launching takes is nothing, and a second is everybody's time."""
    gpu = Gpu(clock=Clock(), replay_ns=3_000)
    made = []

    def call() -> None:
        made.append(1)
        gpu.launch(1e9)

    assert replayed_s(lambda: call, 1.0, gpu, gpu.clock) == pytest.approx(1, rel=1e-3)
    assert len(made) == 1
    assert gpu.clock() < 10e9


def test_a_call_that_waits_can_not_be_recorded() -> None:
    """The device says so, and is as good as new after that."""
    gpu = Gpu(clock=Clock())
    with pytest.raises(RuntimeError, match="synchronizing"):
        replayed_s(lambda: gpu.wait, 1e-5, gpu, gpu.clock)
    gpu.synchronize()
