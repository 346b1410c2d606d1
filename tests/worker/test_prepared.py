"""A prepared call on a GPU that is made up: what its samples say, and what a naive reading would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bench.plan.case import Call
from bench.worker.device_timing import Sampler
from bench.worker.prepared import PreparedCall
from bench.worker.sampling import Usage
from tests.fakes.gpu import Gpu
from tests.fakes.workers import Clock, Device

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.pool.protocol import Visited


def ready(gpu: Gpu, kernel_ns: float, loops: int) -> PreparedCall:
    """A call of one kernel."""
    call = Call(gpu.launch, kernel_ns)
    return PreparedCall(call=call, device=gpu, loops=loops, sampler=Sampler(call, gpu, gpu.clock))


@pytest.mark.parametrize(
    ("kernel_ns", "wait_s"),
    [(50_000, 50e-6), (2_000, 5e-6)],
    ids=["the device is busy", "the launch takes longer"],
)
def test_three_times_are_told_apart(kernel_ns: float, wait_s: float) -> None:
    """What a caller waits, what the device works, what submitting costs (5 µs on this one)."""
    gpu = Gpu(clock=Clock())
    seen = ready(gpu, kernel_ns, loops=200).visit(0.05, gpu.clock)

    waited_s = seen.elapsed_ns[0] * 1e-9 / seen.loops
    assert waited_s == pytest.approx(wait_s, rel=0.02)
    assert seen.device_s[0] == pytest.approx(kernel_ns * 1e-9, rel=0.01)
    assert seen.host_s[0] == pytest.approx(5e-6)
    assert all(seen.gapless)


def test_the_devices_samples_take_half_of_a_visit() -> None:
    """There are no more of them than of the others, and what they took is told apart."""
    gpu = Gpu(clock=Clock())
    made = ready(gpu, 50_000, loops=20)
    begun_ns = gpu.clock()
    seen = made.visit(0.05, gpu.clock)

    assert 1 <= len(seen.device_s) <= len(seen.elapsed_ns)
    assert len(seen.device_s) == len(seen.host_s) == len(seen.gapless)
    assert sum(seen.elapsed_ns) == pytest.approx(25e6, rel=0.1)
    whole_ns = gpu.clock() - begun_ns
    assert seen.aside_ns + sum(seen.elapsed_ns) == pytest.approx(whole_ns, rel=0.1)


def test_one_call_that_fills_the_visit_is_still_told_on_both_clocks() -> None:
    """A second of kernel in a visit of 10 ms."""
    gpu = Gpu(clock=Clock())
    seen = ready(gpu, 1e9, loops=1).visit(0.01, gpu.clock)

    assert len(seen.elapsed_ns) == len(seen.device_s) == 1
    assert seen.device_s[0] == pytest.approx(1.0)


def test_without_a_queue_there_is_only_the_lead_in_beside_the_samples() -> None:
    """On the CPU a call has been done when it returns."""
    clock = Clock()
    gpu = Gpu(clock=clock)
    seen = PreparedCall(call=Call(clock.advance, 1_000), device=gpu, loops=100).visit(1e-3, clock)

    assert (seen.device_s, seen.host_s, seen.gapless) == ((), (), ())
    assert set(seen.elapsed_ns) == {100_000}
    assert seen.aside_ns + sum(seen.elapsed_ns) == pytest.approx(1e6, rel=0.1)


def test_caches_are_emptied_before_each_call_where_that_was_asked_for() -> None:
    """And what that took is no sample's."""
    clock = Clock()
    cold = PreparedCall(
        call=Call(clock.advance, 1_000),
        device=Gpu(clock=clock),
        loops=100,
        evict=lambda: clock.advance(5_000),
    )
    seen = cold.visit(1e-4, clock)
    assert set(seen.elapsed_ns) == {1_000}
    assert seen.loops == 1
    led_in_ns = 2 * 25 * 1_000
    assert seen.aside_ns == led_in_ns + 5_000 * len(seen.elapsed_ns)


@dataclass
class Caches:
    """Caches of which others took a part: each call that takes it back costs more than the next one."""

    clock: Clock
    call_ns: int = 1_000_000
    excess: float = 1.0
    """By what share the first call takes longer; each of the next ones is closer to its time by a half."""
    calls: int = 0

    def call(self) -> None:
        """Take the time of a call whose data has come closer."""
        self.clock.advance(round(self.call_ns * (1 + self.excess * 0.5**self.calls)))
        self.calls += 1


def visit_of(caches: Caches, seconds: float, loops: int = 1) -> Visited:
    """A visit to a call that finds such caches."""
    made = PreparedCall(
        call=Call(caches.call),
        device=Device(caches.clock),
        loops=loops,
        call_s=caches.call_ns * 1e-9,
    )
    return made.visit(seconds, caches.clock)


@pytest.mark.parametrize(("call_ns", "loops"), [(1_000_000, 1), (10_000, 80)])
def test_samples_begin_when_calls_get_no_faster(call_ns: int, loops: int) -> None:
    """Those of one call as well: in visits of 8 ms an argmax of 4 MB took 1.9 ms instead of 1.35."""
    seen = visit_of(Caches(Clock(), call_ns), 8e-3, loops)
    assert seen.elapsed_ns[0] == pytest.approx(call_ns * loops, rel=0.03)


def test_the_lead_in_is_part_of_a_visits_time() -> None:
    """No more than half of it, so that the samples of slow calls are not all given up."""
    caches = Caches(Clock(), excess=0.0)
    seen = visit_of(caches, 8e-3)
    assert (len(seen.elapsed_ns), seen.aside_ns, caches.calls) == (6, 2_000_000, 8)
    falling = Caches(Clock(), excess=1e6)
    assert len(visit_of(falling, 4e-3).elapsed_ns) == 1
    assert falling.calls == 2


@pytest.mark.parametrize(("call_ns", "calls"), [(50_000_000, 2), (200_000_000, 1)])
def test_a_lead_in_of_slow_calls_is_one_of_them_or_none(call_ns: int, calls: int) -> None:
    """What the first milliseconds lose is a small part of a tenth of a second."""
    caches = Caches(Clock(), call_ns)
    seen = visit_of(caches, 8e-3)
    assert (len(seen.elapsed_ns), caches.calls) == (1, calls)


def test_a_call_that_gets_faster_for_long_is_led_in_for_10_ms() -> None:
    """It is sampled then as it is."""
    clock = Clock()
    costs = iter(range(1_000_000, 0, -40_000))
    made = PreparedCall(
        call=Call(lambda: clock.advance(next(costs))), device=Device(clock), loops=1, call_s=1e-3
    )
    seen = made.visit(4e-3, clock)
    assert 10_000_000 <= seen.aside_ns < 11_000_000


@dataclass
class Heap:
    """A heap whose first calls after a move write to fresh pages, each of which costs time."""

    clock: Clock
    fresh_calls: int
    pages: int = 100
    call_ns: int = 10_000
    again_at: int = 0
    """A later call that gets fresh pages once more."""
    calls: int = 0
    faults: int = 0

    def call(self) -> None:
        """Take 10 µs, or as long as is said, and 1 µs for each fresh page."""
        self.calls += 1
        is_fresh = self.calls <= self.fresh_calls or self.calls == self.again_at
        fresh = self.pages if is_fresh else 0
        self.faults += fresh
        self.clock.advance(self.call_ns + 1_000 * fresh)

    def usage(self) -> Usage:
        """As the system counts it."""
        return Usage(0, self.faults, 0)


@pytest.fixture
def heap(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Heap]:
    """Makes heaps."""

    def made(fresh_calls: int) -> Heap:
        one = Heap(Clock(), fresh_calls)
        for module in ("prepared", "sampling"):
            monkeypatch.setattr(f"bench.worker.{module}.read_usage", one.usage)
        monkeypatch.setattr("bench.worker.sampling.take_samples.__defaults__", (one.usage,))
        return one

    return made


@pytest.mark.parametrize("fresh_calls", [0, 1, 7, 20])
def test_samples_begin_when_calls_no_longer_fault(
    heap: Callable[[int], Heap], fresh_calls: int
) -> None:
    """Where memory is reused: however many calls that takes within the time of the samples."""
    one = heap(fresh_calls)
    made = PreparedCall(call=Call(one.call), device=Device(one.clock), loops=8, call_s=1e-5)
    seen = made.visit(3e-3, one.clock, reuses=True)
    assert set(seen.minor_faults) == {0}
    assert set(seen.elapsed_ns) == {80_000}


def test_calls_that_fault_for_ever_are_sampled_all_the_same(heap: Callable[[int], Heap]) -> None:
    """Memory that is mapped anew by the op itself: what it does is what is measured, and said."""
    one = heap(10**9)
    made = PreparedCall(call=Call(one.call), device=Device(one.clock), loops=1, call_s=1.1e-4)
    seen = made.visit(3e-3, one.clock, reuses=True)
    assert set(seen.minor_faults) == {100}
    assert one.clock() < 13_000_000


@pytest.mark.parametrize(
    ("call_s", "fresh_calls", "calls", "faults"),
    [(1e-2, 0, 2, 0), (1e-2, 2, 4, 0), (1e-2, 9, 4, 100), (1.0, 2, 1, 100)],
    ids=["memory is reused", "from the third on", "not so soon", "very slow"],
)
def test_a_slow_call_is_made_in_vain_three_times_where_it_faults(
    heap: Callable[[int], Heap], call_s: float, fresh_calls: int, calls: int, faults: int
) -> None:
    """One that fills the visit; one of a second is not made again for that."""
    one = heap(fresh_calls)
    one.call_ns = round(call_s * 1e9)
    made = PreparedCall(call=Call(one.call), device=Device(one.clock), loops=1, call_s=call_s)
    seen = made.visit(1e-9, one.clock, reuses=True)
    assert one.calls == calls
    assert seen.minor_faults == (faults,)


def test_samples_that_all_have_other_memory_than_the_lead_in_are_taken_again(
    heap: Callable[[int], Heap],
) -> None:
    """By malloc's choice of another free block: it was once in a thousand visits, and its cell said 10 ms for 0.5."""
    one = heap(0)
    one.again_at = 3
    made = PreparedCall(call=Call(one.call), device=Device(one.clock), loops=1, call_s=1e-5)
    seen = made.visit(1e-9, one.clock, reuses=True)
    assert (one.calls, seen.minor_faults, seen.elapsed_ns) == (4, (0,), (10_000,))
    assert seen.aside_ns == 3 * 10_000 + 100 * 1_000


def test_a_call_that_always_faults_has_samples_for_half_of_a_visit(
    heap: Callable[[int], Heap],
) -> None:
    """Such as one that maps memory itself."""
    one = heap(10**9)
    made = PreparedCall(call=Call(one.call), device=Device(one.clock), loops=1, call_s=1.1e-4)
    seen = made.visit(1.1e-3, one.clock, reuses=True)
    assert len(seen.elapsed_ns) == 5


@pytest.mark.parametrize(("loops", "before"), [(1, 2), (80, 40)])
def test_elsewhere_memory_is_as_it_is_found(
    heap: Callable[[int], Heap], loops: int, before: int
) -> None:
    """Fresh pages are what is measured; the lead-in brings the caches back."""
    one = heap(10**9)
    made = PreparedCall(call=Call(one.call), device=Device(one.clock), loops=loops, call_s=1e-5)
    made.visit(1e-9, one.clock)
    assert one.calls == before + loops
