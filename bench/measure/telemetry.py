"""Reads a GPU's clocks, power, temperature and neighbours from the driver, by NVML. Changes nothing.

NVML and CUDA number devices differently (`CUDA_VISIBLE_DEVICES` leaves some out), so a GPU is found by
its UUID or its place on the PCI bus. What the driver refuses to say is None; telemetry never costs a case.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

import psutil
import torch

from bench.telemetry import Telemetry, reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    Properties = Callable[[str], Any]
    """Device → what torch knows of it: `uuid`, or `pci_bus_id` and its like."""
    Ours = Callable[[int], bool]
    """Whether a process is one of this run's."""


class Nvml(Protocol):
    """As much of the module `pynvml` as is used here; all its errors are `NVMLError`."""

    NVMLError: type[Exception]
    NVML_CLOCK_SM: int
    NVML_CLOCK_MEM: int
    NVML_TEMPERATURE_GPU: int

    def nvmlInit(self) -> None:  # noqa: N802 - the library's own names
        """Load the driver's library."""

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> Any:  # noqa: N802
        """The device with this UUID (`GPU-…`)."""

    def nvmlDeviceGetHandleByPciBusId(self, pciBusId: str) -> Any:  # noqa: N802, N803
        """The device at this place (`00000000:01:00.0`)."""

    def nvmlDeviceGetClockInfo(self, handle: Any, type: int) -> int:  # noqa: A002, N802
        """A clock now, in MHz."""

    def nvmlDeviceGetMaxClockInfo(self, handle: Any, type: int) -> int:  # noqa: A002, N802
        """Its maximum, in MHz."""

    def nvmlDeviceGetPowerUsage(self, handle: Any) -> int:  # noqa: N802
        """Power in mW."""

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: Any) -> int:  # noqa: N802
        """The power limit in force, in mW."""

    def nvmlDeviceGetTemperature(self, handle: Any, sensor: int) -> int:  # noqa: N802
        """A temperature in °C."""

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: Any) -> int:  # noqa: N802
        """What limits the clocks, in bits; by this name since driver 535."""

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: Any) -> int:  # noqa: N802
        """The same, by its older name."""

    def nvmlDeviceGetComputeRunningProcesses(self, handle: Any) -> list[Any]:  # noqa: N802
        """Processes that compute there, each with its `pid`."""

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: Any) -> list[Any]:  # noqa: N802
        """Processes that draw there, each with its `pid`."""

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Any) -> int:  # noqa: N802
        """Energy since the driver was loaded, in mJ."""


class Gauges:
    """The gauges of every CUDA device, read through one NVML that is loaded when it is first needed."""

    def __init__(
        self,
        load: Callable[[], Nvml] | None = None,
        properties: Properties = torch.cuda.get_device_properties,
        ours: Ours | None = None,
    ) -> None:
        self._load = load or _pynvml
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
        sm, memory = nvml.NVML_CLOCK_SM, nvml.NVML_CLOCK_MEM
        bits = self._said("nvmlDeviceGetCurrentClocksEventReasons", handle)
        if bits is None:
            bits = self._said("nvmlDeviceGetCurrentClocksThrottleReasons", handle)
        return Telemetry(
            sm_clock_hz=self._scaled(1e6, "nvmlDeviceGetClockInfo", handle, sm),
            sm_clock_max_hz=self._scaled(1e6, "nvmlDeviceGetMaxClockInfo", handle, sm),
            memory_clock_hz=self._scaled(1e6, "nvmlDeviceGetClockInfo", handle, memory),
            power_w=self._scaled(1e-3, "nvmlDeviceGetPowerUsage", handle),
            power_limit_w=self._scaled(1e-3, "nvmlDeviceGetEnforcedPowerLimit", handle),
            temperature_c=self._scaled(
                1.0, "nvmlDeviceGetTemperature", handle, nvml.NVML_TEMPERATURE_GPU
            ),
            throttle_reasons=None if bits is None else reasons(bits),
            other_processes=self._others(handle),
            energy_total_j=self._scaled(1e-3, "nvmlDeviceGetTotalEnergyConsumption", handle),
        )

    def energy_total_j(self, device: str) -> float | None:
        """The device's energy counter alone, since it is read often; None where it keeps none."""
        _, handle = self._nvml_of(device)
        if handle is None:
            return None
        return self._scaled(1e-3, "nvmlDeviceGetTotalEnergyConsumption", handle)

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

    def _others(self, handle: Any) -> int | None:
        """Processes of others; None where the list does not show even us.

        It then speaks of another space of process ids, as a container's host does, or says nothing.
        """
        found: set[int] = set()
        for kind in ("Compute", "Graphics"):
            processes = self._said(f"nvmlDeviceGet{kind}RunningProcesses", handle)
            found |= {one.pid for one in processes or ()}
        ours = {pid for pid in found if self._ours(pid)}
        return len(found - ours) if ours else None

    def _scaled(self, unit: float, function: str, *arguments: Any) -> float | None:
        value = self._said(function, *arguments)
        return None if value is None else value * unit

    def _said(self, function: str, *arguments: Any) -> Any:
        """What a function of NVML answers; None where it is refused, or this NVML lacks it."""
        assert self._nvml is not None  # noqa: S101 - whoever has a handle has loaded it
        try:
            return getattr(self._nvml, function)(*arguments)
        except (self._nvml.NVMLError, AttributeError):
            return None


def _pynvml() -> Nvml:
    """The real one, ready for use.

    Raises:
        Exception: whatever tells that there is no NVIDIA driver here.
    """
    import pynvml  # noqa: PLC0415 - no use where there is no GPU

    pynvml.nvmlInit()
    library: Nvml = pynvml
    return library


def _is_ours(pid: int) -> bool:
    """Whether a process is this worker, its session, or another worker of that session."""
    session = os.getppid()
    if pid in {os.getpid(), session}:
        return True
    try:
        return psutil.Process(pid).ppid() == session
    except psutil.Error:
        return False
