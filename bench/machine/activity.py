"""Activity snapshot of the machine: who else is at work, what is short, what its GPUs do.

Takes half a second and changes nothing. What can't be read is None, whatever the system raises over it.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psutil

from bench.machine import compute_mode
from bench.machine import nvml as nvml_library
from bench.machine.hardware import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bench.machine.nvml import Nvml

T = TypeVar("T")
SNAPSHOT_S = 0.5
"""How long a snapshot takes; programs that come and go within it are seen with what they took on average."""
MOST_PROGRAMS = 3
"""Programs in a snapshot: enough to know which to end; the busy share tells of the rest."""
_STALLED = re.compile(r"^some avg10=([\d.]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A process of someone else, and how many cores' worth of time it took."""

    pid: int
    name: str
    cores: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSnapshot:
    """A GPU as its driver describes it now."""

    name: str | None
    processes: int | None
    busy_share: float | None
    sm_clock_hz: float | None
    power_limit_w: float | None
    usual_limit_w: float | None
    temperature_c: float | None
    throttle_reasons: tuple[str, ...] | None
    persistent: bool | None
    compute_mode: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is going on at the machine; it is stored beside the machine's state."""

    cpu_busy_share: float | None
    stolen_share: float | None
    """Share of the cores' time that a host gave to others; 0 on real hardware."""
    programs: tuple[Program, ...] | None
    """The busiest ones."""
    swap_used_bytes: int | None
    memory_stall_share: float | None
    """Share of the last ten seconds in which some program waited for memory."""
    slowdowns: int | None
    """How often cores lowered their clock for heat since the machine was started."""
    on_battery: bool | None
    gpus: tuple[GpuSnapshot, ...]
    gpus_missing: str | None
    """Why there are no GPUs in the snapshot."""
    mps: bool
    """Whether a daemon lets several processes share one context of a GPU."""


def _battery() -> Any:
    """The battery, by a function that not every system's psutil has."""
    return psutil.sensors_battery()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where a snapshot is read from; tests pass their own."""

    root: Path = Path("/")
    cpu_times: Callable[[], Any] = psutil.cpu_times
    processes: Callable[[], Iterable[psutil.Process]] = psutil.process_iter
    swap: Callable[[], Any] = psutil.swap_memory
    battery: Callable[[], Any] = _battery
    nvml: Callable[[], Nvml] = nvml_library.load
    mps: Callable[[], bool] = compute_mode.mps_listens
    now_s: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep


def read_snapshot(sources: Sources | None = None) -> Snapshot:
    """A snapshot; it takes half a second, and a few hundredths for each hundred processes."""
    here = sources or Sources()
    began_s, cpu, before = here.now_s(), _or_none(here.cpu_times), _or_none(lambda: _used(here))
    here.sleep(SNAPSHOT_S)
    # times again before processes: looking through these would count as work of others
    busy, stolen = _shares(cpu, _or_none(here.cpu_times))
    after, took_s = _or_none(lambda: _used(here)), here.now_s() - began_s
    gpus, missing = _gpus(here)
    return Snapshot(
        cpu_busy_share=busy,
        stolen_share=stolen,
        programs=None if before is None or after is None else _busiest(before, after, took_s),
        swap_used_bytes=_or_none(lambda: int(here.swap().used)),
        memory_stall_share=_stalled(here.root),
        slowdowns=_slowdowns(here.root),
        on_battery=_or_none(lambda: _on_battery(here.battery())),
        gpus=gpus,
        gpus_missing=missing,
        mps=here.mps(),
    )


def gpu_snapshots(load: Callable[[], Nvml] = nvml_library.load) -> tuple[GpuSnapshot, ...]:
    """The GPUs as their driver describes them now, without the half second that a whole snapshot takes."""
    return _gpus(Sources(nvml=load))[0]


def _or_none(read: Callable[[], T]) -> T | None:
    """The value, or None if it can't be read; psutil raises what the platform raises."""
    try:
        return read()
    except Exception:  # noqa: BLE001 - nothing that can't be read here is worth a traceback
        return None


def _used(here: Sources) -> dict[int, tuple[str, float]]:
    """Process → its name, and the CPU time that it and no child of it has used, in seconds."""
    found = {}
    for process in here.processes():
        try:
            times = process.cpu_times()
            found[process.pid] = (process.name(), times.user + times.system)
        except psutil.Error:  # it ended, or belongs to someone whose processes are not shown
            continue
    return found


def _busiest(
    before: dict[int, tuple[str, float]], after: dict[int, tuple[str, float]], took_s: float
) -> tuple[Program, ...]:
    programs = [
        Program(pid=pid, name=name, cores=max(used - before[pid][1], 0.0) / took_s)
        for pid, (name, used) in after.items()
        if pid in before and pid != os.getpid() and took_s > 0
    ]
    programs.sort(key=lambda one: -one.cores)
    return tuple(one for one in programs[:MOST_PROGRAMS] if one.cores)


def _shares(before: Any, after: Any) -> tuple[float | None, float | None]:
    """The share of the cores' time that was not idle, and that a host took; it tells the latter on Linux."""
    if before is None or after is None:
        return None, None
    passed = {name: getattr(after, name) - getattr(before, name) for name in after._fields}
    guests = ("guest", "guest_nice")  # Linux counts these in user and nice already
    whole = sum(value for name, value in passed.items() if name not in guests)
    if whole <= 0:
        return None, None
    idle = passed.get("idle", 0.0) + passed.get("iowait", 0.0)
    stolen = passed["steal"] / whole if "steal" in passed else None
    return max(0.0, 1 - idle / whole), stolen


def _stalled(root: Path) -> float | None:
    found = _STALLED.search(text_of(root / "proc/pressure/memory") or "")
    return float(found[1]) / 100 if found else None


def _slowdowns(root: Path) -> int | None:
    files = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/thermal_throttle/core_throttle_count")
    counts = [int(text) for path in files if (text := text_of(path) or "").isdecimal()]
    return max(counts, default=None)  # each core of a package counts the same events


def _on_battery(battery: Any) -> bool | None:
    """No battery is no hazard; one whose plug can't be told is not known."""
    if battery is None:
        return False
    return None if battery.power_plugged is None else not battery.power_plugged


def _gpus(here: Sources) -> tuple[tuple[GpuSnapshot, ...], str | None]:
    with nvml_library.opened(here.nvml) as (nvml, missing):
        if nvml is None:
            return (), missing
        return tuple(_gpu(nvml, handle) for handle in nvml_library.devices(nvml)), None


def _gpu(nvml: Nvml, handle: Any) -> GpuSnapshot:
    """One GPU; none of its processes are ours, since whoever takes a snapshot uses no GPU."""
    told = nvml_library.reading(nvml, handle, lambda _: False)
    rates = nvml_library.said(nvml, "nvmlDeviceGetUtilizationRates", handle)
    mode = nvml_library.said(nvml, "nvmlDeviceGetPersistenceMode", handle)
    return GpuSnapshot(
        name=nvml_library.said(nvml, "nvmlDeviceGetName", handle),
        processes=len(nvml_library.processes(nvml, handle)),
        busy_share=None if rates is None else rates.gpu / 100,
        sm_clock_hz=told.sm_clock_hz,
        power_limit_w=told.power_limit_w,
        usual_limit_w=nvml_library.scaled(
            nvml, 1e-3, "nvmlDeviceGetPowerManagementDefaultLimit", handle
        ),
        temperature_c=told.temperature_c,
        throttle_reasons=told.throttle_reasons,
        persistent=None if mode is None else bool(mode),
        compute_mode=compute_mode.mode_of(nvml, handle),
    )
