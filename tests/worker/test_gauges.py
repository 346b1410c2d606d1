"""Asking the driver for a GPU's gauges, with a driver of our own: units, refusals, who is who."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psutil
import pynvml
import pytest

from bench.machine.gpu_readings import Telemetry
from bench.plan.case import Call
from bench.worker.gauges import LOAD_S, Gauges, _is_ours, read_under_load
from tests.fakes import nvml as fakes_nvml
from tests.fakes.gpu import Gpu
from tests.fakes.nvml import OTHER_UUID, UUID, Refusal
from tests.fakes.workers import Clock

if TYPE_CHECKING:
    from bench.machine.nvml import Nvml

HERE = SimpleNamespace(uuid=UUID)
WITHOUT_UUID = SimpleNamespace(pci_domain_id=0, pci_bus_id=0x3B, pci_device_id=0)


def gauges(
    nvml: fakes_nvml.Nvml, properties: Any = HERE, ours: tuple[int, ...] = (10, 11)
) -> Gauges:
    """The gauges of a device with these properties; our processes are these."""
    library: Any = nvml
    return Gauges(lambda: library, lambda _: properties, lambda pid: pid in ours)


def test_every_gauge_is_read_in_base_units() -> None:
    """NVML has MHz, mW and mJ."""
    assert gauges(fakes_nvml.Nvml()).read("cuda") == Telemetry(
        sm_clock_hz=1.5e9,
        sm_clock_max_hz=1.98e9,
        memory_clock_hz=2.6e9,
        power_w=350.0,
        power_limit_w=700.0,
        temperature_c=61.0,
        throttle_reasons=("power-cap",),
        other_processes=0,
    )


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ("ClockInfo", "sm_clock_hz"),
        ("MaxClockInfo", "sm_clock_max_hz"),
        ("PowerUsage", "power_w"),
        ("EnforcedPowerLimit", "power_limit_w"),
        ("Temperature", "temperature_c"),
    ],
)
def test_what_the_driver_refuses_is_none_and_the_rest_is_there(question: str, field: str) -> None:
    """Not supported, no permission: it is no error of ours."""
    answers = {question: Refusal("Not Supported")}
    read = gauges(fakes_nvml.Nvml(**answers)).read("cuda")
    assert getattr(read, field) is None
    assert read.missing is None
    assert read.throttle_reasons == ("power-cap",)


@pytest.mark.parametrize(
    ("newer", "older", "words"),
    [
        (0x4, 0x8, ("power-cap",)),
        (Refusal("Function Not Found"), 0x8, ("hw-slowdown",)),
        (0, 0x8, ()),
        (Refusal("Not Supported"), Refusal("Not Supported"), None),
    ],
    ids=["newer", "older", "newer says nothing", "neither"],
)
def test_reasons_have_a_newer_and_an_older_name(
    newer: Any, older: Any, words: tuple[str, ...] | None
) -> None:
    """A driver may know only one of them."""
    answers = {"CurrentClocksEventReasons": newer, "CurrentClocksThrottleReasons": older}
    assert gauges(fakes_nvml.Nvml(**answers)).read("cuda").throttle_reasons == words


def test_a_library_that_lacks_a_function_refuses_it() -> None:
    """An old pynvml does not know the newer name."""
    nvml = fakes_nvml.Nvml()
    del nvml.answers["CurrentClocksEventReasons"], nvml.answers["TotalEnergyConsumption"]
    assert gauges(nvml).read("cuda").throttle_reasons == ("hw-slowdown",)
    assert gauges(nvml).energy_total_j("cuda") is None


@pytest.mark.parametrize(
    ("properties", "asked_for"),
    [
        (HERE, [f"GPU-{UUID}"]),
        (SimpleNamespace(uuid=f"GPU-{UUID}"), [f"GPU-{UUID}"]),
        (WITHOUT_UUID, ["00000000:3b:00.0"]),
        (
            SimpleNamespace(uuid=OTHER_UUID, pci_bus_id=0x3B, pci_device_id=0, pci_domain_id=0),
            [f"GPU-{OTHER_UUID}", "00000000:3b:00.0"],
        ),
    ],
    ids=["uuid", "whole uuid", "place", "uuid, then place"],
)
def test_a_device_is_found_by_what_it_is_and_not_by_its_number(
    properties: Any, asked_for: list[str]
) -> None:
    """CUDA_VISIBLE_DEVICES renumbers; it is looked for once."""
    nvml = fakes_nvml.Nvml()
    gauge = gauges(nvml, properties)
    assert gauge.read("cuda").power_w == gauge.read("cuda").power_w == 350.0
    assert nvml.asked_for == asked_for


@pytest.mark.parametrize("properties", [SimpleNamespace(uuid=OTHER_UUID), SimpleNamespace()])
def test_a_device_that_is_not_found_says_so(properties: Any) -> None:
    """Its neighbour's gauges would be worse than none."""
    gauge = gauges(fakes_nvml.Nvml(), properties)
    assert gauge.read("cuda:1") == Telemetry(missing="NVML knows no device like torch's cuda:1")
    assert gauge.energy_total_j("cuda:1") is None


def test_without_nvml_there_is_nothing_but_the_reason() -> None:
    """It is tried once, whatever it raises."""
    tries: list[int] = []

    def load() -> Nvml:
        tries.append(1)
        message = "no libnvidia-ml.so.1"
        raise OSError(message)

    gauge = Gauges(load, lambda _: HERE)
    missing = Telemetry(missing="NVML can't be used: no libnvidia-ml.so.1")
    assert [gauge.read("cuda"), gauge.read("cuda:1")] == [missing, missing]
    assert gauge.energy_total_j("cuda") is None
    assert tries == [1]


@pytest.mark.parametrize(
    ("compute", "graphics", "others"),
    [
        ([10, 11], [], 0),
        ([10, 77], [77, 78], 2),
        ([77], [], None),
        ([], [], None),
        (Refusal("Not Supported"), [10, 78], 1),
        (Refusal("No Permission"), Refusal("No Permission"), None),
    ],
    ids=["we alone", "others", "without us", "empty", "no compute", "refused"],
)
def test_others_are_counted_where_the_list_has_us(
    compute: Any, graphics: Any, others: int | None
) -> None:
    """A list without us has the host's numbers, or none: then nobody can be told from us."""
    answers = {"ComputeRunningProcesses": compute, "GraphicsRunningProcesses": graphics}
    assert gauges(fakes_nvml.Nvml(**answers)).read("cuda").other_processes == others


def test_the_other_workers_of_the_session_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is the session; a stranger is not, nor one that has ended meanwhile."""
    parents = {20: 5, 30: 6}

    def process(pid: int) -> Any:
        if pid not in parents:
            raise psutil.NoSuchProcess(pid)
        return SimpleNamespace(ppid=lambda: parents[pid])

    monkeypatch.setattr(os, "getpid", lambda: 10)
    monkeypatch.setattr(os, "getppid", lambda: 5)
    monkeypatch.setattr(psutil, "Process", process)
    assert [pid for pid in (5, 10, 20, 30, 40) if _is_ours(pid)] == [5, 10, 20]


def test_the_energy_counter_is_read_alone() -> None:
    """In joules."""
    assert gauges(fakes_nvml.Nvml()).energy_total_j("cuda") == 5.0


def test_a_driver_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As pynvml says it."""

    def refuse() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", refuse)
    missing = Gauges().read("cuda").missing
    assert missing == "NVML can't be used: NVML Shared Library Not Found"


def test_each_reading_finds_the_device_at_work() -> None:
    """5 ms of kernels are queued when the driver is asked, which takes a millisecond; and it ends."""
    gpu = Gpu.like_an_h200(Clock())
    busy: list[bool] = []

    def read() -> Telemetry:
        gpu.clock.advance(1_000_000)
        busy.append(gpu.clock() < gpu._free_ns)
        return Telemetry(sm_clock_hz=1.98e9)

    readings = read_under_load(Call(gpu.launch, 50_000), 100, gpu, read, gpu.clock)
    assert readings == (Telemetry(sm_clock_hz=1.98e9),) * len(busy)
    assert len(busy) >= 10
    assert all(busy)
    assert gpu.clock() * 1e-9 < LOAD_S + 0.01


def test_a_call_of_seconds_is_made_for_one_reading() -> None:
    """It may not be made twelve times for that."""
    gpu = Gpu.like_an_h200(Clock())
    assert len(read_under_load(Call(gpu.launch, 2e9), 1, gpu, Telemetry, gpu.clock)) == 1
