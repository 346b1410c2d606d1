"""Calls that are given fresh inputs: what counts as time, on the CPU and on a GPU that is made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.plan.case import Call
from bench.pool import protocol
from bench.run.visit import net_time_s
from bench.worker.prepared import Instruments, prepare
from bench.worker.renewed_call import RenewedCall
from tests.fakes.gpu import Gpu
from tests.fakes.workers import Clock, case

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.worker.prepared import PreparedCall


def no_flush(device: str) -> Callable[[], None]:
    """Nothing is emptied."""
    raise AssertionError(device)


def made(call: Call, on: Instruments, **asked: Any) -> tuple[PreparedCall, protocol.Prepared]:
    """The call, prepared for samples of a millisecond."""
    return prepare(
        call, lambda: call, protocol.Prepare(case=case(), sample_s=1e-3, **asked), on, 0.0
    )


def test_each_call_has_inputs_of_its_own_whose_making_is_no_time_of_its() -> None:
    """Each list is popped from once; making it takes ten times as long as that."""
    clock = Clock()
    taken: list[int] = []

    def fresh(items: list[int]) -> tuple[list[int]]:
        clock.advance(100_000)
        return (list(items),)

    def pop(items: list[int]) -> None:
        clock.advance(10_000)
        taken.append(items.pop())

    on = Instruments("cpu", clock, None, no_flush)
    prepared, facts = made(Call(pop, [1, 2, 3], setup=fresh), on)
    seen = prepared.visit(1e-3, clock)

    assert (facts.loops, facts.settled, seen.loops) == (1, True, 1)
    assert set(seen.elapsed_ns) == {10_000}
    assert seen.aside_ns >= 100_000 * len(seen.elapsed_ns)
    assert set(taken) == {3}


def test_a_cold_call_is_given_its_inputs_before_the_caches_are_emptied() -> None:
    """They would be in the caches else."""
    clock = Clock()
    order: list[str] = []

    def call() -> None:
        order.append("call")
        clock.advance(1_000)

    on = Instruments("cpu", clock, None, lambda _: lambda: order.append("flush"))
    prepared, _ = made(Call(call, setup=lambda: order.append("inputs")), on, cache="cold")
    order.clear()
    prepared.visit(1e-5, clock)
    assert order[:6] == ["inputs", "flush", "call"] * 2


@pytest.mark.parametrize("kernel_ns", [5_000, 50_000, 5_000_000])
def test_the_device_s_time_is_the_call_s_alone(kernel_ns: int) -> None:
    """The setup has a kernel of its own, which is queued ahead of the first mark."""
    gpu = Gpu.like_an_h200(Clock())
    call = Call(gpu.launch, kernel_ns, setup=lambda _: gpu.launch(20_000))
    prepared, facts = made(call, Instruments("cuda", gpu.clock, gpu, no_flush))
    seen = prepared.visit(0.02, gpu.clock)

    assert facts.work == protocol.QUEUED
    assert seen.device_s[0] == pytest.approx(kernel_ns * 1e-9, abs=1e-6, rel=0.01)
    device_s = seen.device_s[0]
    waited_s = net_time_s(seen.elapsed_ns[0] * 1e-9, 1, facts, device_s)
    assert kernel_ns * 1e-9 <= waited_s <= kernel_ns * 1e-9 + 10e-6


def test_a_call_without_work_has_no_device_time() -> None:
    """Its setup has some."""
    gpu = Gpu.like_an_h200(Clock())
    call = Call(gpu.clock.advance, 1_000, setup=lambda _: gpu.launch(20_000))
    _, facts = made(call, Instruments("cuda", gpu.clock, gpu, no_flush))
    assert facts.work == protocol.IDLE


def test_it_is_not_replayed_on_inputs_that_are_used_up() -> None:
    """A graph would do that."""
    gpu = Gpu.like_an_h200(Clock())
    prepared, _ = made(
        Call(gpu.launch, 50_000, setup=lambda _: None),
        Instruments("cuda", gpu.clock, gpu, no_flush),
    )
    with pytest.raises(RuntimeError, match="needs fresh ones"):
        prepared.replay(gpu.clock)


def pair(items: list[int], *, by: int = 1) -> tuple[list[int], int]:
    """What a call was given."""
    return items, by


@pytest.mark.parametrize(
    ("call", "given"),
    [
        (Call(pair, [1], setup=lambda: [2]), ([2], 1)),
        (Call(pair, [1], by=3, setup=lambda items, by: ([*items, by],)), ([1, 3], 3)),
        (Call(pair, [1], setup=lambda items: [*items, 2]), ([1, 2], 1)),
        (Call(pair, [1], setup=list), ([1], 1)),
        (Call(pair, [1], setup=lambda _: None), ([1], 1)),
        (Call(pair, [1], setup=lambda: ([2],)), ([2], 1)),
        (Call(pair, setup=lambda: (([2],), {"by": 5})), ([2], 5)),
        (Call(pair, [1]), ([1], 1)),
    ],
    ids=range(8),
)
def test_a_setup_says_what_one_call_is_given(call: Call, given: object) -> None:
    """With the arguments or without; one input, a tuple of them, keywords too, or none if they are right in place."""
    assert call() == given
    renewed = RenewedCall(call)
    renewed.renew()
    assert renewed.submit() == renewed() == given
