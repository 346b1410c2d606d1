"""NVML, the library of NVIDIA's driver: opened, its devices listed, their clocks and power read. Changes nothing.

What the driver refuses to say is None, and no error of the library's is raised for it: a case must not fail
over telemetry. No torch.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from bench.machine.gpu_readings import Telemetry, reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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

    def nvmlShutdown(self) -> None:  # noqa: N802
        """Let go of the driver's library."""

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        """The driver's version."""

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        """How many devices there are."""

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any:  # noqa: N802
        """The device with this number, in the driver's order."""

    def nvmlDeviceGetName(self, handle: Any) -> str:  # noqa: N802
        """Its model."""

    def nvmlDeviceGetUUID(self, handle: Any) -> str:  # noqa: N802
        """Its UUID (`GPU-…`)."""

    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any:  # noqa: N802
        """Bytes of its memory (`total`)."""

    def nvmlDeviceGetPowerManagementDefaultLimit(self, handle: Any) -> int:  # noqa: N802
        """The power limit that it came with, in mW."""

    def nvmlDeviceGetPersistenceMode(self, handle: Any) -> int:  # noqa: N802
        """1 where the driver stays loaded while nobody uses it."""

    def nvmlDeviceGetUtilizationRates(self, handle: Any) -> Any:  # noqa: N802
        """Per cent of the last sampling period in which a kernel ran (`gpu`)."""

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
        """Reasons that limit the clocks, in bits; by this name since driver 535."""

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: Any) -> int:  # noqa: N802
        """The same, by its older name."""

    def nvmlDeviceGetComputeRunningProcesses(self, handle: Any) -> list[Any]:  # noqa: N802
        """Processes that compute there, each with its `pid`."""

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: Any) -> list[Any]:  # noqa: N802
        """Processes that draw there, each with its `pid`."""

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Any) -> int:  # noqa: N802
        """Energy since the driver was loaded, in mJ."""


def load() -> Nvml:
    """The real library, ready for use.

    Raises:
        Exception: whatever tells that there is no NVIDIA driver here.
    """
    import pynvml  # noqa: PLC0415 - no use where there is no GPU

    pynvml.nvmlInit()
    library: Nvml = pynvml
    return library


def attempt(load: Callable[[], Nvml]) -> tuple[Nvml | None, str]:
    """NVML ready for use, or None and the reason why it can't be used."""
    try:
        return load(), ""
    except Exception as error:  # noqa: BLE001 - no module, no driver, a library of another age
        return None, str(error) or type(error).__name__


@contextmanager
def opened(load: Callable[[], Nvml] = load) -> Iterator[tuple[Nvml | None, str]]:
    """NVML while it is open, or None and the reason why it can't be used."""
    nvml, missing = attempt(load)
    try:
        yield nvml, missing
    finally:
        if nvml is not None:
            said(nvml, "nvmlShutdown")


def devices(nvml: Nvml) -> list[Any]:
    """The handles of all devices, in the driver's order; one that the driver has lost is left out."""
    count = said(nvml, "nvmlDeviceGetCount") or 0
    handles = [said(nvml, "nvmlDeviceGetHandleByIndex", index) for index in range(count)]
    return [handle for handle in handles if handle is not None]


def said(nvml: Nvml, function: str, *arguments: Any) -> Any:
    """The answer of a function of NVML; None where it is refused, or this NVML lacks it."""
    try:
        return getattr(nvml, function)(*arguments)
    except (nvml.NVMLError, AttributeError):
        return None


def scaled(nvml: Nvml, unit: float, function: str, *arguments: Any) -> float | None:
    """A number that NVML answers, in base units."""
    value = said(nvml, function, *arguments)
    return None if value is None else float(value) * unit


def energy_total_j(nvml: Nvml, handle: Any) -> float | None:
    """The device's energy counter; None where it keeps none."""
    return scaled(nvml, 1e-3, "nvmlDeviceGetTotalEnergyConsumption", handle)


def processes(nvml: Nvml, handle: Any) -> set[int]:
    """Ids of the processes that compute or draw on a device; the host's ids where we are in a container."""
    found: set[int] = set()
    for kind in ("Compute", "Graphics"):
        known = said(nvml, f"nvmlDeviceGet{kind}RunningProcesses", handle)
        found |= {one.pid for one in known or ()}
    return found


def reading(nvml: Nvml, handle: Any, ours: Ours) -> Telemetry:
    """The telemetry of a device now; None in fields that the driver does not give."""
    sm, memory = nvml.NVML_CLOCK_SM, nvml.NVML_CLOCK_MEM
    bits = said(nvml, "nvmlDeviceGetCurrentClocksEventReasons", handle)
    if bits is None:
        bits = said(nvml, "nvmlDeviceGetCurrentClocksThrottleReasons", handle)
    degrees = said(nvml, "nvmlDeviceGetTemperature", handle, nvml.NVML_TEMPERATURE_GPU)
    return Telemetry(
        sm_clock_hz=scaled(nvml, 1e6, "nvmlDeviceGetClockInfo", handle, sm),
        sm_clock_max_hz=scaled(nvml, 1e6, "nvmlDeviceGetMaxClockInfo", handle, sm),
        memory_clock_hz=scaled(nvml, 1e6, "nvmlDeviceGetClockInfo", handle, memory),
        power_w=scaled(nvml, 1e-3, "nvmlDeviceGetPowerUsage", handle),
        power_limit_w=scaled(nvml, 1e-3, "nvmlDeviceGetEnforcedPowerLimit", handle),
        temperature_c=None if degrees is None else float(degrees),
        throttle_reasons=None if bits is None else reasons(bits),
        other_processes=_others(nvml, handle, ours),
    )


def _others(nvml: Nvml, handle: Any, ours: Ours) -> int | None:
    """How many processes of others are on a device; None where the list does not even show us.

    It then has process ids of another space, as a container's host does, or says nothing.
    """
    found = processes(nvml, handle)
    own = {pid for pid in found if ours(pid)}
    return len(found - own) if own else None
