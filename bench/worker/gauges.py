"""GPU telemetry in a worker: clocks, power, temperature and other processes, read from the driver by NVML.

NVML and CUDA number devices differently (`CUDA_VISIBLE_DEVICES` leaves some out), so a GPU is found by
its UUID or its place on the PCI bus. What the driver refuses to say is None; telemetry never costs a case.

The clock of a call is read while the GPU works on that call again and again. After the work, or while a
sentinel spins, it would be another clock: a large product is held to its power limit while it runs, and a
single thread that waits is not.
"""

from __future__ import annotations

import os
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any

import psutil
import torch

from bench.machine import nvml as nvml_library
from bench.machine.gpu_readings import Telemetry
from bench.worker import garbage

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.machine.nvml import Nvml, Ours
    from bench.plan.case import Call
    from bench.worker.devices import Device
    from bench.worker.sampling import Clock

    Properties = Callable[[str], Any]
    """Device → what torch knows of it: `uuid`, or `pci_bus_id` and its like."""

READ_EVERY_S = 5e-3
"""Time between two readings under load; the driver takes a fifth of that to answer (an H200's: 0.8 ms,
`docs/gpu.md`)."""
LOAD_S = 0.06
"""How long a call is repeated for readings under load: the power limit takes effect within tens of ms."""


class Gauges:
    """The gauges of every CUDA device, read through one NVML that is loaded when it is first needed."""

    def __init__(
        self,
        load: Callable[[], Nvml] | None = None,
        properties: Properties = torch.cuda.get_device_properties,
        ours: Ours | None = None,
    ) -> None:
        self._load = load or nvml_library.load
        self._properties = properties
        self._ours = ours or _is_ours
        self._handles: dict[str, Any] = {}

    @cached_property
    def _nvml(self) -> tuple[Nvml | None, str]:
        """NVML, or why it can't be used; tried once, and open until the process ends."""
        return nvml_library.attempt(self._load)

    def read(self, device: str) -> Telemetry:
        """The telemetry of a device now; None in fields that the driver does not give. No error of NVML is raised.

        Args:
            device: as torch names it: `cuda`, `cuda:1`.
        """
        nvml, missing = self._nvml
        if nvml is None:
            return Telemetry(missing=f"NVML can't be used: {missing}")
        handle = self._handle(nvml, device)
        if handle is None:
            return Telemetry(missing=f"NVML knows no device like torch's {device}")
        return nvml_library.reading(nvml, handle, self._ours)

    def energy_total_j(self, device: str) -> float | None:
        """The device's energy counter alone, since it is read often; None where it keeps none."""
        nvml, _ = self._nvml
        handle = self._handle(nvml, device) if nvml else None
        return None if nvml is None or handle is None else nvml_library.energy_total_j(nvml, handle)

    def _handle(self, nvml: Nvml, device: str) -> Any:
        """NVML's handle of a device, looked for once; None where NVML does not know the device."""
        if device not in self._handles:
            self._handles[device] = _found(nvml, self._properties(device))
        return self._handles[device]


def _found(nvml: Nvml, properties: Any) -> Any:
    """The handle of the device with these properties of torch's, by its UUID, else by its PCI bus id."""
    uuid = getattr(properties, "uuid", None)
    if uuid is not None:
        name = str(uuid)
        full = name if name.startswith(("GPU-", "MIG-")) else f"GPU-{name}"
        handle = nvml_library.said(nvml, "nvmlDeviceGetHandleByUUID", full)
        if handle is not None:
            return handle
    bus = getattr(properties, "pci_bus_id", None)
    if bus is None:
        return None
    domain, place = (getattr(properties, f"pci_{name}_id", 0) for name in ("domain", "device"))
    address = f"{domain:08x}:{bus:02x}:{place:02x}.0"
    return nvml_library.said(nvml, "nvmlDeviceGetHandleByPciBusId", address)


def _is_ours(pid: int) -> bool:
    """Whether a process is this worker, its session, or another worker of that session."""
    session = os.getppid()
    if pid in {os.getpid(), session}:
        return True
    try:
        return psutil.Process(pid).ppid() == session
    except psutil.Error:
        return False


def read_under_load(
    call: Call,
    loops: int,
    device: Device,
    read: Callable[[], Telemetry],
    clock: Clock,
    seconds: float = LOAD_S,
) -> tuple[Telemetry, ...]:
    """Readings while calls are in the device's queue, one at least.

    Args:
        call: one that is warm.
        loops: calls between two readings.
        device: waited for after each reading, so that its queue never fills.
        read: asks the driver.
        clock: of the host.
        seconds: for how long, in all.
    """
    end_ns = clock() + round(seconds * 1e9)
    readings: list[Telemetry] = []
    while not readings or clock() < end_ns:
        objects = garbage.objects()
        for _ in repeat(None, loops):
            call()
        readings.append(read())
        device.synchronize()
        garbage.collect_left(objects, loops)
    return tuple(readings)
