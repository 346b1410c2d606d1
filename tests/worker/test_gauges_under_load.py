"""A GPU's gauges read while it works on one call, on a device that is made up."""

from __future__ import annotations

from bench.machine.gpu_readings import Telemetry
from bench.plan.case import Call
from bench.worker.gauges_under_load import LASTS_S, looks_under_load
from tests.fakes.gpu import Gpu
from tests.fakes.workers import Clock


def test_each_look_finds_the_device_at_work() -> None:
    """5 ms of kernels are queued when the driver is asked, which takes a millisecond; and it ends."""
    gpu = Gpu.like_an_h200(Clock())
    busy: list[bool] = []

    def read() -> Telemetry:
        gpu.clock.advance(1_000_000)
        busy.append(gpu.clock() < gpu._free_ns)
        return Telemetry(sm_clock_hz=1.98e9)

    looks = looks_under_load(Call(gpu.launch, 50_000), 100, gpu, read, gpu.clock)
    assert looks == (Telemetry(sm_clock_hz=1.98e9),) * len(busy)
    assert len(busy) >= 10
    assert all(busy)
    assert gpu.clock() * 1e-9 < LASTS_S + 0.01


def test_a_call_of_seconds_is_looked_at_once() -> None:
    """It may not be made twelve times for that."""
    gpu = Gpu.like_an_h200(Clock())
    assert len(looks_under_load(Call(gpu.launch, 2e9), 1, gpu, Telemetry, gpu.clock)) == 1
