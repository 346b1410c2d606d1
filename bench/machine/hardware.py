"""Hardware of the machine, and its current state: CPU, memory, GPUs; load, clock, temperature.

The hardware is the machine's identity and does not change by a reboot; the state changes by the second. How
the machine is set up lies between the two (`environment.py`). What can't be read is None, never a guess. By
hand, since py-cpuinfo starts processes and takes a second.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from bench.machine import nvml as nvml_library

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.machine.nvml import Nvml

_GIB = 2**30
NODE_VARIABLE = "BENCH_NODE"
"""What a fleet calls this node. Hardware alone can't tell nodes of one model apart that have no GPUs, whose ids are unique,
and what is known of one (its best state, its roofs) must not be held against another."""
_KERNEL_FLAGS = (
    ("AVX512", frozenset({"avx512f", "avx512vl", "avx512bw", "avx512dq", "fma"})),
    ("AVX2", frozenset({"avx2", "fma"})),
)
"""Torch's kinds of CPU kernels, the widest first → the features it asks of a CPU before it uses them, after its
`aten/src/ATen/native/DispatchStub.cpp`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU as the driver names it."""

    name: str
    uuid: str
    memory_bytes: int
    """Its own memory; 0 where the driver does not say, as of one that shares the host's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The hardware."""

    machine_id: str
    name: str
    cpu_model: str
    architecture: str
    physical_cores: int
    logical_cores: int
    memory_bytes: int
    gpus: tuple[Gpu, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentState:
    """How busy, fast and warm the machine is now."""

    load_1min: float | None
    cpu_busy_share: float
    free_memory_bytes: int
    frequency_hz: float | None
    governor: str | None
    turbo: bool | None
    temperature_c: float | None


def read_machine(root: Path = Path("/"), name: str | None = None) -> Machine:
    """The hardware of this machine; `name` (or `$BENCH_MACHINE`) replaces the name made from it.

    Args:
        root: where `proc` and `sys` are; tests pass a made-up tree.
        name: what people call the machine; else the name that a fleet has for it.
    """
    cpu = _cpu_model(root)
    physical = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    logical = psutil.cpu_count() or physical
    # Virtual machines lose a few pages to firmware from boot to boot; whole GiB don't change.
    memory = round(psutil.virtual_memory().total / _GIB) * _GIB
    gpus, _ = nvidia()
    facts = (cpu, platform.machine(), physical, logical, memory, *sorted(g.uuid for g in gpus))
    node = os.environ.get(NODE_VARIABLE, "")
    told = (*facts, node) if node and not gpus else facts
    digest = hashlib.blake2s(repr(told).encode(), digest_size=4).hexdigest()
    given = name or os.environ.get("BENCH_MACHINE", "") or node
    return Machine(
        machine_id=f"m-{digest}",
        name=given.strip() or _made_name(cpu, physical, gpus),
        cpu_model=cpu,
        architecture=platform.machine(),
        physical_cores=physical,
        logical_cores=logical,
        memory_bytes=memory,
        gpus=gpus,
    )


def read_state(root: Path = Path("/")) -> CurrentState:
    """The machine's current state; measuring how busy it is takes a tenth of a second."""
    cpu = root / "sys/devices/system/cpu"
    khz = text_of(cpu / "cpu0/cpufreq/scaling_cur_freq") or ""
    return CurrentState(
        load_1min=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        cpu_busy_share=psutil.cpu_percent(interval=0.1) / 100,
        free_memory_bytes=free_memory_bytes(),
        frequency_hz=float(khz) * 1e3 if khz.isdecimal() else _frequency_hz(),
        governor=text_of(cpu / "cpu0/cpufreq/scaling_governor"),
        turbo=_turbo(cpu),
        temperature_c=_temperature_c(),
    )


def free_memory_bytes() -> int:
    """Memory that can be had without pushing anything out."""
    return psutil.virtual_memory().available


def usable_cores() -> tuple[int, ...]:
    """The logical cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(psutil.cpu_count() or 1))


def core_groups(root: Path = Path("/")) -> tuple[tuple[int, ...], ...]:
    """The logical cores this process may run on, grouped by physical core, in order."""
    groups: dict[str, list[int]] = {}
    for core in usable_cores():
        groups.setdefault(core_siblings(root, core) or str(core), []).append(core)
    return tuple(tuple(group) for group in groups.values())


def default_threads(root: Path = Path("/")) -> int:
    """One thread per physical core this process may use, and no more than its CPU quota allows."""
    quota = cpu_quota(root)
    cores = len(core_groups(root)) or 1
    return max(1, min(cores, int(quota))) if quota else cores


def core_siblings(root: Path, core: int) -> str | None:
    """The logical cores that share a physical one with this, as the kernel writes sets: `0-1`."""
    return text_of(root / f"sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")


def cpu_quota(root: Path) -> float | None:
    """Cores' worth of time that control groups (either version) allow; None without a limit.

    The tightest limit counts, of the group this process is in and of all that this one is in.
    """
    groups = root / "sys/fs/cgroup"
    folders = {groups, groups / "cpu", groups / "cpu,cpuacct"}
    for line in (text_of(root / "proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers or "cpu" in controllers.split(","):
            own = groups / controllers / path.lstrip("/")
            folders |= {folder for folder in (own, *own.parents) if folder.is_relative_to(groups)}
    quotas = [quota for folder in folders if (quota := _quota_of(folder))]
    return min(quotas, default=None)


def _quota_of(group: Path) -> float | None:
    quota, _, period = (text_of(group / "cpu.max") or "").partition(" ")
    if not period:  # the first version has a file for each
        quota = text_of(group / "cpu.cfs_quota_us") or ""
        period = text_of(group / "cpu.cfs_period_us") or ""
    limited = quota.isdecimal() and period.isdecimal()  # no limit is `max`, or -1
    return float(quota) / float(period) if limited and int(period) else None


def nvidia(
    load: Callable[[], Nvml] = nvml_library.load,
) -> tuple[tuple[Gpu, ...], str | None]:
    """The GPUs and the driver's version; nothing where there is no NVIDIA driver."""
    with nvml_library.opened(load) as (nvml, _):
        if nvml is None:
            return (), None
        gpus = tuple(_gpu(nvml, handle) for handle in nvml_library.devices(nvml))
        return gpus, nvml_library.said(nvml, "nvmlSystemGetDriverVersion")


def _gpu(nvml: Nvml, handle: Any) -> Gpu:
    said = nvml_library.said
    memory = said(nvml, "nvmlDeviceGetMemoryInfo", handle)
    return Gpu(
        name=str(said(nvml, "nvmlDeviceGetName", handle)),
        uuid=str(said(nvml, "nvmlDeviceGetUUID", handle)),
        memory_bytes=0 if memory is None else int(memory.total),
    )


def cpu_flags(root: Path = Path("/")) -> frozenset[str] | None:
    """The CPU's features as the kernel lists them; None where it lists none (only x86 has this list)."""
    flags = _cpuinfo(root, "flags")
    return None if flags is None else frozenset(flags.split())


def cpu_capability(root: Path = Path("/")) -> str | None:
    """The widest instructions of which torch has kernels that this CPU can run; None where it is not x86.

    `ATEN_CPU_CAPABILITY` can hold torch back; it is among the environment's variables.
    """
    flags = cpu_flags(root)
    if flags is None:
        return None
    return next((name for name, needed in _KERNEL_FLAGS if needed <= flags), "DEFAULT")


def text_of(path: Path) -> str | None:
    """The text of a file, without the end of its last line; None where it can't be read."""
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _cpuinfo(root: Path, *keys: str) -> str | None:
    """The first value that `/proc/cpuinfo` has under one of these keys."""
    for line in (text_of(root / "proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in keys and value.strip():
            return " ".join(value.split())
    return None


def _cpu_model(root: Path) -> str:
    named = _cpuinfo(root, "model name", "Model", "cpu model")
    return named or platform.processor() or platform.machine()


def _made_name(cpu: str, cores: int, gpus: tuple[Gpu, ...]) -> str:
    """A name from the hardware: a host name would put a private fact on a published page."""
    short = re.sub(r"\((R|TM|r|tm)\)|\b(CPU|Processor|\d+-Core)\b|@.*", "", cpu)
    name = f"{' '.join(short.split())} {cores}-core"
    kinds = dict.fromkeys(g.name for g in gpus)
    counted = [f"{sum(g.name == k for g in gpus)}× {k}".removeprefix("1× ") for k in kinds]
    return " + ".join([name, *counted])


def _turbo(cpu: Path) -> bool | None:
    no_turbo = text_of(cpu / "intel_pstate/no_turbo")
    if no_turbo is not None:
        return no_turbo == "0"
    boost = text_of(cpu / "cpufreq/boost")
    return None if boost is None else boost == "1"


def _frequency_hz() -> float | None:
    with suppress(Exception):  # psutil raises what the platform raises; unknown is unknown
        frequency = psutil.cpu_freq()
        return frequency.current * 1e6 or None
    return None


def _temperature_c() -> float | None:
    readings: Mapping[str, Any] = getattr(psutil, "sensors_temperatures", dict)()
    values = [t.current for ts in readings.values() for t in ts if t.current]
    return max(values, default=None)
