"""What draining the queue adds to a sample, on a GPU that is made up after a real one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from bench.plan.case import Call
from bench.pool import protocol
from bench.pool.protocol import IDLE, WAITS
from bench.run.visit import net_time_s
from bench.worker import prepared
from bench.worker.device_timing import Sampler
from bench.worker.drain import measure_drain
from bench.worker.prepared import Instruments, prepare
from bench.worker.sampling import Overhead, calibrate, take_sample
from tests.fakes.gpu import Gpu
from tests.fakes.workers import Clock, case

if TYPE_CHECKING:
    from collections.abc import Callable


def h200(**facts: float) -> Gpu:
    """One with a clock of its host."""
    return Gpu.like_an_h200(Clock(), **facts)


def net_s(gpu: Gpu, call: Call, sample_s: float) -> float:
    """Seconds per call as a visit has them: a sample, less what draining the queue adds to it."""
    on = Instruments("cuda", gpu.clock, gpu, no_cache)
    made, facts = prepare(
        call, lambda: call, protocol.Prepare(case=case(), sample_s=sample_s), on, 0.0
    )
    elapsed_ns = take_sample(call, made.loops, gpu, gpu.clock)[1]
    return net_time_s(elapsed_ns * 1e-9, facts.loops, facts)


def no_cache(device: str) -> Callable[[], None]:
    """Nothing is emptied."""
    raise AssertionError(device)


@pytest.mark.parametrize("sample_s", [1e-3, 1.5e-3, 5e-3])
@pytest.mark.parametrize("kernel_ns", [1_000, 4_000, 5_000, 20_000, 100_000])
@pytest.mark.parametrize("launch_ns", [3_000, 5_800])
def test_a_caller_s_time_is_free_of_the_drain(
    sample_s: float, kernel_ns: int, launch_ns: int
) -> None:
    """4.2 µs at the end of each sample, and what the first launch or the last kernel takes alone."""
    gpu = h200(launch_ns=launch_ns)
    true_ns = max(kernel_ns + gpu.gap_ns, launch_ns)
    found_s = net_s(gpu, Call(gpu.launch, kernel_ns), sample_s)
    assert found_s == pytest.approx(1e-9 * true_ns, rel=0.0025)


class Disturbed:
    """A GPU whose host is taken away for some tenths of a millisecond at two waits of three."""

    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu
        self._waits = 0
        self.spin, self.mark, self.capture = gpu.spin, gpu.mark, gpu.capture

    def synchronize(self) -> None:
        """Late, more often than not."""
        self._waits += 1
        self._gpu.synchronize()
        if self._waits % 3:
            self._gpu.clock.advance(100_000 * (self._waits % 7))


def test_other_programs_make_the_drain_no_longer() -> None:
    """It is a difference of two times, of which either may have been disturbed."""
    calm, busy = h200(), h200()
    wanted = measure_drain(calm, calm.clock, 1e-3)
    found = measure_drain(Disturbed(busy), busy.clock, 1e-3)
    for name in ("idle_s", "launched_s", "worked_s"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=2e-6)


@pytest.mark.parametrize("sample_s", [1e-3, 1.5e-3, 5e-3])
@pytest.mark.parametrize("kernel_ns", [8_000, 20_000, 100_000])
def test_a_host_may_be_the_slower_the_longer_it_has_waited(kernel_ns: int, sample_s: float) -> None:
    """50 µs after 4 ms in a virtual machine whose caches others use: 1 % of a sample of 5 ms."""
    gpu = h200(cold_share=0.0125)
    found_s = net_s(gpu, Call(gpu.launch, kernel_ns), sample_s)
    assert found_s == pytest.approx(1e-9 * (kernel_ns + gpu.gap_ns), rel=0.005)


@pytest.mark.parametrize("other", [0.9, 1.0, 1.1])
def test_spins_at_another_clock_rate_make_the_drain_no_other(other: float) -> None:
    """The rate is learnt first and may change by a tenth, which is half a millisecond of spins that fill a sample."""
    steady, gpu = h200(), h200()
    wanted = measure_drain(steady, steady.clock, 5e-3)
    began_ns = gpu.clock()
    gpu.hertz = lambda ns: 1.5e9 * (1.0 if ns < began_ns + 5e6 else other)
    assert measure_drain(gpu, gpu.clock, 5e-3).worked_s == pytest.approx(wanted.worked_s, abs=1e-6)


def test_several_kernels_a_call_have_one_drain() -> None:
    """Only the last of them is waited for: 6 µs after five short kernels as after one."""
    gpu = h200()

    def chain() -> None:
        for _ in range(5):
            gpu.launch(1_000)

    assert net_s(gpu, Call(chain), 1e-3) == pytest.approx(5 * 5.8e-6, rel=0.002)


@pytest.mark.parametrize("kernels", [1, 5, 30])
def test_of_a_device_that_is_busy_the_first_launch_alone_is_waited_for(kernels: int) -> None:
    """30 kernels of 40 µs: submitting all of a call takes 174 µs, and the device begins after 5.8 of them."""
    gpu = h200()

    def chain() -> None:
        for _ in range(kernels):
            gpu.launch(40_000)

    assert net_s(gpu, Call(chain), 1e-3) == pytest.approx(kernels * 40.7e-6, rel=0.0025)


@pytest.mark.parametrize("kernel_ns", [3_000, 5_000, 5_500, 6_500, 7_500, 9_000])
def test_what_an_empty_call_costs_is_in_the_host_s_time_alone(
    monkeypatch: pytest.MonkeyPatch, kernel_ns: int
) -> None:
    """5.8 µs a launch, 0.2 of them an empty call's, and 8.3 behind a spin, where the host passes for the slower."""
    monkeypatch.setattr(
        prepared, "measure_overhead", lambda *_: Overhead(call_s=2e-7, uncertainty_s=0.0)
    )
    gpu = h200()
    true_ns = max(kernel_ns + gpu.gap_ns, gpu.launch_ns - 200)
    assert net_s(gpu, Call(gpu.launch, kernel_ns), 1e-3) == pytest.approx(1e-9 * true_ns, rel=0.003)


@pytest.mark.parametrize("work", [WAITS, IDLE])
def test_what_leaves_nothing_in_the_queue_has_the_wait_alone(work: str) -> None:
    """A call that waits by itself, or that has no kernels: the device has nothing to do at the end."""
    gpu = h200()
    call = Call(gpu.synchronize) if work == WAITS else Call(partial(gpu.clock.advance, 1_000))
    assert Sampler(call, gpu, gpu.clock).work == work
    true_s = 4.2e-6 if work == WAITS else 1e-6
    assert net_s(gpu, call, 1e-3) == pytest.approx(true_s, rel=0.005)


def test_without_it_short_samples_would_be_off_by_several_per_cent() -> None:
    """The test above could fail: 3 % of 0.2 ms are the drain."""
    gpu = h200()
    call = Call(gpu.launch, 1_000)
    loops, _ = calibrate(call, 2e-4, gpu, gpu.clock)
    raw_s = take_sample(call, loops, gpu, gpu.clock)[1] * 1e-9 / loops
    assert raw_s > 1.02 * 5.8e-6
