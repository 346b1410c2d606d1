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
    """The module `pynvml`; all its errors are `NVMLError`. Its functions are called by their names (`said`)."""

    NVMLError: type[Exception]
    NVML_CLOCK_SM: int
    NVML_CLOCK_MEM: int
    NVML_TEMPERATURE_GPU: int


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
    for kind in ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"):
        found |= {one.pid for one in said(nvml, kind, handle) or ()}
    return found


def reading(nvml: Nvml, handle: Any, ours: Ours) -> Telemetry:
    """The telemetry of a device now; None in fields that the driver does not give.

    The reasons that limit the clocks have a new name since driver 535, and an older one.
    """
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
