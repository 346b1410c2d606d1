"""Sentinels on a real machine: what they answer, not how long they take."""

from __future__ import annotations

import time

import pytest

from bench.machine.gpu_readings import Telemetry
from bench.worker.sentinels import Sentinels, sense_queue
from tests.fakes.gpu import Gpu
from tests.fakes.workers import Clock


@pytest.mark.parametrize("threads", [1, 2])
def test_sentinels_take_time_and_there_is_a_barrier_only_between_threads(threads: int) -> None:
    """One thread meets nobody."""
    sensed = Sentinels(threads).sense(time.perf_counter_ns)

    assert sensed.compute_s > 0
    assert (sensed.barrier_s is None) == (threads == 1)
    assert sensed.barrier_s is None or sensed.barrier_s > 0


@pytest.mark.parametrize("load", [1.5, None])
def test_the_systems_load_stands_beside_them(
    monkeypatch: pytest.MonkeyPatch, load: float | None
) -> None:
    """Where the system tells it."""
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    if load is None:
        monkeypatch.delattr("os.getloadavg")
    assert Sentinels(1).sense(Clock()).load_1m == load


def test_sentinels_use_the_clock_they_are_given() -> None:
    """On a clock that stands still they take no time."""
    assert Sentinels(1).sense(Clock()).compute_s == 0


@pytest.mark.parametrize(("hertz", "launch_ns"), [(1.5e9, 5_000), (1.2e9, 8_000)])
def test_the_sentinels_of_a_gpu_are_its_clock_and_what_a_launch_costs(
    hertz: float, launch_ns: int
) -> None:
    """A spin of a million cycles; a launch by the host's clock, though the device is held back."""
    gpu = Gpu(clock=Clock(), hertz=lambda _: hertz, launch_ns=launch_ns)
    sensed = sense_queue(gpu, gpu.clock)

    assert sensed.gauges == ()
    assert sensed.compute_s == pytest.approx(1e6 / hertz, rel=3e-3)
    assert sensed.launch_s == pytest.approx(launch_ns * 1e-9, rel=0.02)
    assert sensed.barrier_s is None


def test_a_gpus_gauges_are_read_while_it_works() -> None:
    """At rest it would tell the clock of a GPU at rest."""
    gpu = Gpu(clock=Clock())
    seen: list[bool] = []

    def look() -> Telemetry:
        last = gpu.mark()
        last.record()
        seen.append(last.is_reached())
        return Telemetry(power_w=300.0)

    assert sense_queue(gpu, gpu.clock, look).gauges == (Telemetry(power_w=300.0),)
    assert seen == [False]
