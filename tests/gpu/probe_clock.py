"""The GPU's clock after idling, what its driver says of it and how fast, and threads on one core.

Nothing is set: neither clocks nor limits nor modes.
"""

from __future__ import annotations

import importlib
import os
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from tests.gpu.probe_timing import (
    MILLION,
    cuda,
    mark,
    middle,
    thinned,
    us_between,
    us_since,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[2]
IDLE_S, WATCHED_S = 3.0, 1.5
FLAT = 0.01
"""A clock that stays so near to where it ends is flat; a step of it is 15 MHz of 1980, 0.8 %."""
REPEATS = 15
COUNTED_S = 2.5
BACKWARD = "from tests.gpu.probe_clock import backward; print(backward())"
THREADS = {
    "free": {},
    "bound": {"OMP_PROC_BIND": "true", "OMP_PLACES": "cores", "OMP_NUM_THREADS": "8"},
}
"""Settings of OpenMP, which torch's own threads obey as well: as it comes, and pinned to cores."""


class Gauges:
    """NVML's view of the GPU that torch calls `cuda:0`."""

    def __init__(self) -> None:
        self.nvml: Any = importlib.import_module("pynvml")
        self.nvml.nvmlInit()
        self.device = self._device()

    def _device(self) -> Any:
        """By its UUID, which torch writes without the prefix; the first one where that is unknown."""
        uuid = f"GPU-{cuda.get_device_properties(0).uuid}"
        try:
            return self.nvml.nvmlDeviceGetHandleByUUID(uuid)
        except self.nvml.NVMLError:
            return self.nvml.nvmlDeviceGetHandleByIndex(0)

    def look(self) -> list[Any]:
        """MHz of the SMs, watts, and the reasons for a lower clock as bits; an error in its place."""
        return [
            answer(lambda: self.nvml.nvmlDeviceGetClockInfo(self.device, self.nvml.NVML_CLOCK_SM)),
            answer(lambda: self.nvml.nvmlDeviceGetPowerUsage(self.device) // 1000),
            answer(lambda: hex(self.nvml.nvmlDeviceGetCurrentClocksEventReasons(self.device))),
        ]

    def questions(self) -> dict[str, Callable[[], Any]]:
        """What can be asked of NVML, by names of our own."""
        nvml, device = self.nvml, self.device
        return {
            "event_reasons": lambda: nvml.nvmlDeviceGetCurrentClocksEventReasons(device),
            "temperature": lambda: nvml.nvmlDeviceGetTemperature(device, nvml.NVML_TEMPERATURE_GPU),
            "sm_mhz": lambda: nvml.nvmlDeviceGetClockInfo(device, nvml.NVML_CLOCK_SM),
            "sm_most_mhz": lambda: nvml.nvmlDeviceGetMaxClockInfo(device, nvml.NVML_CLOCK_SM),
            "memory_mhz": lambda: nvml.nvmlDeviceGetClockInfo(device, nvml.NVML_CLOCK_MEM),
            "power_mw": lambda: nvml.nvmlDeviceGetPowerUsage(device),
            "power_now": lambda: self._field("NVML_FI_DEV_POWER_INSTANT"),
            "limit_mw": lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(device),
            "default_limit_mw": lambda: nvml.nvmlDeviceGetPowerManagementDefaultLimit(device),
            "energy_mj": lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(device),
            "compute_pids": lambda: _pids(nvml.nvmlDeviceGetComputeRunningProcesses(device)),
            "graphics_pids": lambda: _pids(nvml.nvmlDeviceGetGraphicsRunningProcesses(device)),
            "compute_mode": lambda: nvml.nvmlDeviceGetComputeMode(device),
            "persistence": lambda: nvml.nvmlDeviceGetPersistenceMode(device),
            "mig": lambda: nvml.nvmlDeviceGetMigMode(device),
            "utilization": lambda: nvml.nvmlDeviceGetUtilizationRates(device).gpu,
            "throttled_ns": lambda: self._field("NVML_FI_DEV_CLOCKS_EVENT_REASON_SW_POWER_CAP"),
        }

    def _field(self, name: str) -> list[Any]:
        """A value that NVML knows by a number: its error code (0: none) and the number itself."""
        (found,) = self.nvml.nvmlDeviceGetFieldValues(self.device, [getattr(self.nvml, name)])
        return [found.nvmlReturn, found.value.uiVal, found.value.ullVal]


def _pids(processes: list[Any]) -> list[int]:
    return [one.pid for one in processes]


def answer(ask: Callable[[], Any]) -> Any:
    """What was answered, or the error in words: a driver need not know everything."""
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - whatever it was is the answer
        return repr(error)


def spins() -> dict[str, Any]:
    """The clock, told by spins of known cycles: after idling, until it is flat, and by the spin's length.

    A run looks at the clock with spins as short as the first, and its first case may meet a GPU that is
    still raising it.
    """
    after_idle = _clock_after(IDLE_S)
    last = statistics.median(mhz for _, mhz in after_idle[-len(after_idle) // 3 :])
    unsteady = [ms for ms, mhz in _smoothed(after_idle) if abs(mhz / last - 1) > FLAT]
    lengths = {
        f"{millions}M": [_mhz(millions * MILLION) for _ in range(4)] for millions in (20, 40, 80)
    }
    return {
        "flat_after_ms": max(unsteady, default=0.0),
        "flat_mhz": last,
        "first": after_idle[:40],
        "later": thinned(after_idle[40:], 60),
        **lengths,
    }


def _clock_after(idle_s: float) -> list[tuple[float, float]]:
    """Milliseconds since the first kernel after idling, and the clock in MHz then."""
    cuda.synchronize()
    time.sleep(idle_s)
    began = time.perf_counter_ns()
    seen = []
    while us_since(began) < WATCHED_S * MILLION:
        mhz = _mhz(MILLION)
        seen.append((round(us_since(began) / 1e3, 2), mhz))
    return seen


def _smoothed(seen: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Each reading as the middle of itself and its four neighbours: one that was disturbed is no clock."""
    return [
        (ms, statistics.median(mhz for _, mhz in seen[max(0, place - 2) : place + 3]))
        for place, (ms, _) in enumerate(seen)
    ]


def _mhz(cycles: int) -> float:
    """Cycles of a spin over its microseconds; it stands behind another, so as to be there in time."""
    first, last = mark(), mark()
    cuda._sleep(MILLION // 4)
    first.record()
    cuda._sleep(cycles)
    last.record()
    cuda.synchronize()
    return round(cycles / us_between(first, last), 1)


def nvml() -> dict[str, Any]:
    """What the driver says, how long each answer takes, and how often power and energy are new."""
    gauges = Gauges()
    found: dict[str, Any] = {
        "pid": os.getpid(),
        "torch_uuid": str(cuda.get_device_properties(0).uuid),
        "nvml_uuid": str(answer(lambda: gauges.nvml.nvmlDeviceGetUUID(gauges.device))),
    }
    # A context of ours must be there for the lists of processes.
    matrix = torch.randn(4096, 4096, device="cuda")
    found.update({name: _asked(ask) for name, ask in gauges.questions().items()})
    questions = gauges.questions()
    counted = ("energy_mj", "power_mw")
    found["new_every_ms"] = _steps({name: questions[name] for name in counted}, matrix)
    return found


def _asked(ask: Callable[[], Any]) -> dict[str, Any]:
    took = []
    value: Any = None
    for _ in range(REPEATS):
        began = time.perf_counter_ns()
        value = answer(ask)
        took.append(us_since(began))
    return {"value": str(value), "us": middle(took, 1), "most_us": round(max(took), 1)}


def _steps(asks: Mapping[str, Callable[[], Any]], matrix: torch.Tensor) -> dict[str, Any]:
    """Between changes of each answer while products are made: middle and most milliseconds, how many."""
    changes: dict[str, list[float]] = {name: [] for name in asks}
    last: dict[str, Any] = {}
    end = time.perf_counter() + COUNTED_S
    while time.perf_counter() < end:
        torch.mm(matrix, matrix)
        for name, ask in asks.items():
            value = answer(ask)
            if value != last.get(name):
                changes[name].append(1e3 * time.perf_counter())
                last[name] = value
        cuda.synchronize()
    return {name: _between(readings) for name, readings in changes.items()}


def _between(readings: list[float]) -> list[Any] | None:
    apart = [after - before for before, after in pairwise(readings)]
    return [middle(apart, 1), round(max(apart), 1), len(apart)] if apart else None


def affinity() -> dict[str, Any]:
    """A small forward and backward in processes of their own, with threads as they come and pinned.

    Autograd works in a thread of its own; a pinned process gives it the core of the main thread. With it
    what a process takes in all, its start included: that is what replacing a worker costs.
    """
    return {name: _backward_in_a_process(settings) for name, settings in THREADS.items()}


def _backward_in_a_process(settings: Mapping[str, str]) -> dict[str, Any]:
    began = time.perf_counter_ns()
    ended = subprocess.run(
        [sys.executable, "-c", BACKWARD],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    said = (ended.stdout.strip() or ended.stderr.strip())[-200:]
    return {"said": said, "process_s": round(us_since(began) / 1e6, 2)}


def backward() -> dict[str, Any]:
    """Microseconds of a small forward and backward here, and the cores that this process may use."""
    leaf = torch.rand(64, 64, device="cuda", requires_grad=True)

    def step() -> None:
        leaf.grad = None
        torch.autograd.backward([(leaf**3).sum()])

    for _ in range(50):
        step()
    took = []
    for _ in range(7):
        cuda.synchronize()
        began = time.perf_counter_ns()
        for _ in range(200):
            step()
        cuda.synchronize()
        took.append(us_since(began) / 200)
    return {"cores": len(os.sched_getaffinity(0)), "us": middle(took, 1)}
