"""Who this machine is, how it is set up, how it is right now: three different things.

Identity does not change by a reboot; the environment is what was installed and set; the state moves
by the second. What can't be read is None, never a guess. Torch's own facts come from a worker.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping

_GIB = 2**30
_THREAD_VARIABLES = re.compile(
    r"(OMP|GOMP|KMP|MKL|OPENBLAS|BLIS|DNNL|ONEDNN|TORCH|PYTORCH|CUDA|NVIDIA|CUBLAS)_"
)
_ALLOCATOR_VARIABLES = ("LD_PRELOAD", "MALLOC_ARENA_MAX", "MALLOC_CONF", "THP_MEM_ALLOC_ENABLE")
_COMMAND_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU as the driver names it."""

    name: str
    uuid: str
    memory_bytes: int


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
class Environment:
    """What was installed and set, apart from torch."""

    os: str
    kernel: str
    python: str
    packages: Mapping[str, str]
    variables: Mapping[str, str]
    usable_cores: tuple[int, ...]
    cpu_quota_cores: float | None
    transparent_huge_pages: str | None
    gpu_driver: str | None
    git_commit: str | None
    git_dirty: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How busy, fast and warm the machine is at this moment."""

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
        name: what people call the machine.
    """
    cpu = _cpu_model(root)
    physical = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    logical = psutil.cpu_count() or physical
    # Virtual machines lose a few pages to firmware from boot to boot; whole GiB don't change.
    memory = round(psutil.virtual_memory().total / _GIB) * _GIB
    gpus, _ = _nvidia()
    facts = (cpu, platform.machine(), physical, logical, memory, *sorted(g.uuid for g in gpus))
    digest = hashlib.blake2s(repr(facts).encode(), digest_size=4).hexdigest()
    given = name or os.environ.get("BENCH_MACHINE", "")
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


def read_environment(root: Path = Path("/"), folder: Path | None = None) -> Environment:
    """What is installed and set here; `folder` is whose git commit counts (the working folder)."""
    commit = _output("git", "rev-parse", "HEAD", folder=folder)
    changes = _output("git", "status", "--porcelain", folder=folder) if commit else None
    return Environment(
        os=_os_name(root),
        kernel=platform.release(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages=_packages(),
        variables={k: v for k, v in sorted(os.environ.items()) if _matters(k)},
        usable_cores=usable_cores(),
        cpu_quota_cores=_cpu_quota(root),
        transparent_huge_pages=_bracketed(root / "sys/kernel/mm/transparent_hugepage/enabled"),
        gpu_driver=_nvidia()[1],
        git_commit=commit,
        git_dirty=None if changes is None else bool(changes),
    )


def read_state(root: Path = Path("/")) -> State:
    """How the machine is now. Looks at it for a tenth of a second to see how busy it is."""
    cpu = root / "sys/devices/system/cpu"
    khz = _text(cpu / "cpu0/cpufreq/scaling_cur_freq") or ""
    return State(
        load_1min=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        cpu_busy_share=psutil.cpu_percent(interval=0.1) / 100,
        free_memory_bytes=psutil.virtual_memory().available,
        frequency_hz=float(khz) * 1e3 if khz.isdecimal() else _frequency_hz(),
        governor=_text(cpu / "cpu0/cpufreq/scaling_governor"),
        turbo=_turbo(cpu),
        temperature_c=_temperature_c(),
    )


def usable_cores() -> tuple[int, ...]:
    """The logical cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(psutil.cpu_count() or 1))


def default_threads(root: Path = Path("/")) -> int:
    """One thread per physical core this process may use, and no more than its CPU quota allows."""
    usable = set(usable_cores())
    first_of_core = set()
    for core in usable:
        siblings = _text(root / f"sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
        first_of_core.add(siblings or str(core))
    quota = _cpu_quota(root)
    cores = len(first_of_core) or 1
    return max(1, min(cores, int(quota))) if quota else cores


def _cpu_model(root: Path) -> str:
    for line in (_text(root / "proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in {"model name", "Model", "cpu model"} and value.strip():
            return " ".join(value.split())
    return platform.processor() or platform.machine()


def _made_name(cpu: str, cores: int, gpus: tuple[Gpu, ...]) -> str:
    """A name from the hardware: a host name would put a private fact on a published page."""
    short = re.sub(r"\((R|TM|r|tm)\)|\b(CPU|Processor|\d+-Core)\b|@.*", "", cpu)
    name = f"{' '.join(short.split())} {cores}-core"
    kinds = dict.fromkeys(g.name for g in gpus)
    counted = [f"{sum(g.name == k for g in gpus)}× {k}".removeprefix("1× ") for k in kinds]
    return " + ".join([name, *counted])


def _nvidia() -> tuple[tuple[Gpu, ...], str | None]:
    """The GPUs and the driver's version; nothing where there is no NVIDIA driver."""
    import pynvml  # noqa: PLC0415 - heavy, and only here

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return (), None
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        gpus = tuple(
            Gpu(
                name=str(pynvml.nvmlDeviceGetName(h)),
                uuid=str(pynvml.nvmlDeviceGetUUID(h)),
                memory_bytes=int(pynvml.nvmlDeviceGetMemoryInfo(h).total),
            )
            for h in handles
        )
        return gpus, str(pynvml.nvmlSystemGetDriverVersion())
    finally:
        pynvml.nvmlShutdown()


def _packages() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - only here

    found = {}
    for package in ("tensorbench", "torch", "numpy", "triton", "intel-openmp", "mkl"):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _matters(variable: str) -> bool:
    """Whether an environment variable can change a number."""
    return bool(_THREAD_VARIABLES.match(variable)) or variable in _ALLOCATOR_VARIABLES


def _os_name(root: Path) -> str:
    for line in (_text(root / "etc/os-release") or "").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return f"{platform.system()} {platform.release()}"


def _cpu_quota(root: Path) -> float | None:
    """Cores' worth of time that a control group allows, or None where there is no limit."""
    quota, _, period = (_text(root / "sys/fs/cgroup/cpu.max") or "max").partition(" ")
    return None if quota == "max" or not period else float(quota) / float(period)


def _turbo(cpu: Path) -> bool | None:
    no_turbo = _text(cpu / "intel_pstate/no_turbo")
    if no_turbo is not None:
        return no_turbo == "0"
    boost = _text(cpu / "cpufreq/boost")
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


def _bracketed(path: Path) -> str | None:
    """The choice in force in a file such as `always [madvise] never`."""
    found = re.search(r"\[(\w+)\]", _text(path) or "")
    return found[1] if found else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _output(*command: str, folder: Path | None) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=_COMMAND_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
