"""Calls replayed as a graph, on a GPU that is made up."""

from __future__ import annotations

import pytest

from bench.measure.queued import Sampler
from bench.measure.replay import MOST_CALLS, replayed_s
from tests.fakes import Clock
from tests.fakes_gpu import Gpu


@pytest.mark.parametrize("kernel_ns", [1_000, 20_000, 3_000_000])
def test_a_replay_takes_what_the_device_takes(kernel_ns: float) -> None:
    """As the device's own time says that is told behind a spin: the two check each other."""
    gpu = Gpu(clock=Clock())

    def call() -> None:
        gpu.launch(kernel_ns)

    sampler = Sampler(call, gpu, gpu.clock)
    found = replayed_s(call, sampler.calls, gpu, gpu.clock)
    assert found == pytest.approx(kernel_ns * 1e-9, rel=0.01)
    assert found == pytest.approx(sampler.sample().device_s, rel=0.01)


def test_no_more_calls_are_recorded_than_are_of_use() -> None:
    """Twenty, where a sample would have a hundred."""
    gpu = Gpu(clock=Clock())
    made = []

    def call() -> None:
        made.append(1)
        gpu.launch(1_000)

    replayed_s(call, 100, gpu, gpu.clock)
    assert len(made) == MOST_CALLS


def test_a_call_that_waits_can_not_be_recorded() -> None:
    """The device says so, and is as good as new after that."""
    gpu = Gpu(clock=Clock())
    with pytest.raises(RuntimeError, match="capturing"):
        replayed_s(gpu.synchronize, 1, gpu, gpu.clock)
    gpu.synchronize()
