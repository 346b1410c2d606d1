"""Calls replayed as a graph, on a GPU that is made up."""

from __future__ import annotations

import pytest

from bench.worker.device_timing import Sampler
from bench.worker.graph_replay import MOST_CALLS, replayed_s
from tests.fakes.gpu import Gpu
from tests.fakes.workers import Clock


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
    assert len(made) == 3 * MOST_CALLS


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
        replayed_s(lambda: gpu.synchronize, 1e-5, gpu, gpu.clock)
    gpu.synchronize()
