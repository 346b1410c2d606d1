"""The driver's library: it has what is asked of it, and what it refuses is None."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pynvml
import pytest

from bench.machine import activity, hardware, nvml
from bench.machine.gpu_readings import reasons
from bench.machine.nvml import Nvml, load
from bench.worker import gauges
from tests.fakes import nvml as fakes_nvml
from tests.fakes.nvml import Refusal

HANDLE = "the GPU"


def library(**answers: Any) -> Any:
    """A driver that answers so."""
    return fakes_nvml.Nvml(**answers)


@pytest.mark.parametrize("answer", [Refusal("Not Supported"), AttributeError("no such function")])
def test_what_is_refused_is_none(answer: Exception) -> None:
    """Whether the driver does not say it, or the library does not know the question."""
    refusing = library(PowerUsage=answer)
    assert nvml.said(refusing, "nvmlDeviceGetPowerUsage", HANDLE) is None
    assert nvml.scaled(refusing, 1e-3, "nvmlDeviceGetPowerUsage", HANDLE) is None


def test_processes_are_those_that_compute_or_draw() -> None:
    """Each once."""
    busy = library(ComputeRunningProcesses=[1, 2], GraphicsRunningProcesses=[2, 3])
    assert nvml.processes(busy, HANDLE) == {1, 2, 3}


def test_others_are_told_only_where_we_are_seen() -> None:
    """Else the list speaks of another space of process ids."""
    assert nvml.reading(library(), HANDLE, lambda pid: pid == 10).other_processes == 1
    assert nvml.reading(library(), HANDLE, lambda _: False).other_processes is None


def test_numbers_are_in_base_units() -> None:
    """NVML has mW and mJ."""
    assert nvml.scaled(library(), 1e-3, "nvmlDeviceGetPowerUsage", HANDLE) == 350.0
    assert nvml.energy_total_j(library(), HANDLE) == 5.0


def test_pynvml_has_what_is_asked_of_it() -> None:
    """Every name of the library in our code; and its bits mean what our words say."""
    sources = "".join(inspect.getsource(module) for module in (nvml, hardware, activity, gauges))
    wanted = {*Nvml.__annotations__, *re.findall(r'"(nvml[A-Z]\w+)"', sources)}
    assert len(wanted) > 20
    assert [name for name in wanted if not hasattr(pynvml, name)] == []
    names = [
        "GpuIdle",
        "ApplicationsClocksSetting",
        "SwPowerCap",
        "HwSlowdown",
        "SyncBoost",
        "SwThermalSlowdown",
        "HwThermalSlowdown",
        "HwPowerBrakeSlowdown",
        "DisplayClockSetting",
    ]
    assert [reasons(getattr(pynvml, f"nvmlClocksEventReason{name}")) for name in names] == [
        ("idle",),
        ("applications-clocks",),
        ("power-cap",),
        ("hw-slowdown",),
        ("sync-boost",),
        ("thermal-slowdown",),
        ("hw-thermal-slowdown",),
        ("hw-power-brake",),
        ("display-clocks",),
    ]


def test_the_real_library_is_initialised_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is a driver."""
    done: list[str] = []
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: done.append("init"))
    assert load() is pynvml
    assert done == ["init"]


def test_the_library_is_let_go_again_whatever_happens() -> None:
    """Where it could be opened; where not, the reason is told."""
    done: list[str] = []
    opened = library()
    opened.nvmlShutdown = lambda: done.append("shutdown")
    with nvml.opened(lambda: opened) as (found, missing):
        assert (found, missing) == (opened, "")
    with pytest.raises(KeyboardInterrupt), nvml.opened(lambda: opened):
        raise KeyboardInterrupt
    assert done == ["shutdown"] * 2

    def refuse() -> Nvml:
        raise OSError

    with nvml.opened(refuse) as (found, missing):
        assert (found, missing) == (None, "OSError")


def test_devices_are_those_that_can_be_reached() -> None:
    """The driver counts one that it has lost."""
    driver = library()
    driver.nvmlDeviceGetCount = lambda: 2
    assert nvml.devices(driver) == [HANDLE]
