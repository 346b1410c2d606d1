"""Reads a GPU's clocks, power, temperature and neighbours from the driver, by NVML. Changes nothing.

NVML and CUDA number devices differently (`CUDA_VISIBLE_DEVICES` leaves some out), so a GPU is found by
its UUID or its place on the PCI bus. What the driver refuses to say is None; telemetry never costs a case.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import psutil
import torch

from bench.machine import nvml as nvml_gauges
from bench.machine.gpu_readings import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.machine.nvml import Nvml, Ours

    Properties = Callable[[str], Any]
    """Device → what torch knows of it: `uuid`, or `pci_bus_id` and its like."""


class Gauges:
    """The gauges of every CUDA device, read through one NVML that is loaded when it is first needed."""

    def __init__(
        self,
        load: Callable[[], Nvml] | None = None,
        properties: Properties = torch.cuda.get_device_properties,
        ours: Ours | None = None,
    ) -> None:
        self._load = load or nvml_gauges.load
        self._properties = properties
        self._ours = ours or _is_ours
        self._nvml: Nvml | None = None
        self._handles: dict[str, Any] = {}
        self._missing: str | None = None

    def read(self, device: str) -> Telemetry:
        """What the driver says of a device now; fields it does not give are None, and no error of NVML's rises.

        Args:
            device: as torch names it: `cuda`, `cuda:1`.
        """
        nvml, handle = self._nvml_of(device)
        if nvml is None:
            return Telemetry(missing=self._missing)
        if handle is None:
            return Telemetry(missing=f"NVML knows no device like torch's {device}")
        return nvml_gauges.reading(nvml, handle, self._ours)

    def energy_total_j(self, device: str) -> float | None:
        """The device's energy counter alone, since it is read often; None where it keeps none."""
        nvml, handle = self._nvml_of(device)
        if nvml is None or handle is None:
            return None
        return nvml_gauges.energy_total_j(nvml, handle)

    def _nvml_of(self, device: str) -> tuple[Nvml | None, Any]:
        """NVML and its handle of a device; tried once, and again never where it is missing."""
        if self._nvml is None and self._missing is None:
            try:
                self._nvml = self._load()
            except Exception as error:  # noqa: BLE001 - no module, no driver, a library of another age
                self._missing = f"NVML can't be used: {type(error).__name__}: {error}".rstrip(": ")
        if self._nvml is None:
            return None, None
        if device not in self._handles:
            self._handles[device] = self._handle(self._properties(device))
        return self._nvml, self._handles[device]

    def _handle(self, properties: Any) -> Any:
        uuid = getattr(properties, "uuid", None)
        if uuid is not None:
            name = str(uuid)
            full = name if name.startswith(("GPU-", "MIG-")) else f"GPU-{name}"
            found = self._said("nvmlDeviceGetHandleByUUID", full)
            if found is not None:
                return found
        bus = getattr(properties, "pci_bus_id", None)
        if bus is None:
            return None
        domain, place = (getattr(properties, f"pci_{n}_id", 0) for n in ("domain", "device"))
        return self._said("nvmlDeviceGetHandleByPciBusId", f"{domain:08x}:{bus:02x}:{place:02x}.0")

    def _said(self, function: str, *arguments: Any) -> Any:
        """What a function of NVML answers; None where it is refused, or this NVML lacks it."""
        assert self._nvml is not None  # noqa: S101 - whoever has a handle has loaded it
        return nvml_gauges.said(self._nvml, function, *arguments)


def _is_ours(pid: int) -> bool:
    """Whether a process is this worker, its session, or another worker of that session."""
    session = os.getppid()
    if pid in {os.getpid(), session}:
        return True
    try:
        return psutil.Process(pid).ppid() == session
    except psutil.Error:
        return False
