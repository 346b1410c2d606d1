"""Environment: what is installed and set on this machine and can change a number. Nothing is changed.

Everything is read from files and variables; what can't be read is None, never a guess. Torch's own
facts come from a worker, and what moves by the second is the machine's state.
"""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from bench.machine import git
from bench.machine.compute_mode import read_modes
from bench.machine.hardware import (
    core_siblings,
    cpu_flags,
    cpu_quota,
    nvidia,
    text_of,
    usable_cores,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLES = re.compile(
    r"(OMP|GOMP|KMP|MKL|OPENBLAS|BLIS|DNNL|ONEDNN|TORCH|PYTORCH|CUDA|NVIDIA|CUBLAS)_"
    r"|(HIP|HSA|ROCR|AMD_SERIALIZE|ROCBLAS|HIPBLASLT|MIOPEN|SYCL|ZE)_"
    r"|LD_PRELOAD|GLIBC_TUNABLES|THP_MEM_ALLOC_ENABLE|(MALLOC|MIMALLOC|TCMALLOC)_"
)
"""Names of the variables that can change a number: those of threads, libraries and CUDA, of other GPUs,
then of allocators."""
FALLBACK_VARIABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "mps": ("PYTORCH_ENABLE_MPS_FALLBACK",),
        "xpu": ("PYTORCH_ENABLE_XPU_FALLBACK", "PYTORCH_XPU_FALLBACK_OP"),
    }
)
"""Accelerator → the variables that have torch run ops on the CPU in its stead. They are read when torch's library
is loaded, and kept from workers, which would time the CPU under the GPU's name (`bench/worker/cpu_fallback.py`)."""
_ALL_SOURCES = "--", ":/", ":(top,exclude,glob)**/__pycache__/**"
"""All of a work tree but what Python makes of its files when it imports them: reading a suite is no change of it."""
_ALLOCATORS = ("jemalloc", "tcmalloc", "mimalloc")
_ADDRESS_RANDOMIZATION = {"0": "off", "1": "all but the heap", "2": "full"}
_CACHE_KINDS = {"Data": "d", "Instruction": "i", "Unified": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What is installed and set, apart from torch."""

    os: str
    kernel: str
    hypervisor: bool | None
    """Whether the CPU says that it is a virtual machine's; None where it is not x86."""
    python: str
    packages: Mapping[str, str]
    variables: Mapping[str, str]
    memory_allocator: str | None
    usable_cores: tuple[int, ...]
    smt_siblings: tuple[str, ...] | None
    """Sets of logical cores, usable ones among them, that share a physical core; () if none do."""
    numa_nodes: Mapping[str, str] | None
    """Node → its logical cores."""
    cpu_caches_bytes: Mapping[str, int] | None
    """Level → size, of the first core."""
    cpu_quota_cores: float | None
    transparent_huge_pages: str | None
    address_randomization: str | None
    clock_source: str | None
    """What the kernel tells the time by; reading some of its clock sources is a system call."""
    gpu_driver: str | None
    gpu_compute_modes: tuple[str, ...] | None
    """How many processes may use each GPU, in the driver's order."""
    git_commit: str | None
    git_dirty: bool | None


def read_environment(root: Path = Path("/"), folder: Path | None = None) -> Environment:
    """What is installed and set here.

    Args:
        root: where `proc`, `sys` and `etc` are; tests pass a made-up tree.
        folder: whose git commit counts (the working folder).
    """
    commit = git.ask("rev-parse", "HEAD", folder=folder)
    changes = git.ask("status", "--porcelain", *_ALL_SOURCES, folder=folder) if commit else None
    flags = cpu_flags(root)
    return Environment(
        os=_os_name(root),
        kernel=platform.release(),
        hypervisor=None if flags is None else "hypervisor" in flags,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages=_packages(),
        variables=variables(os.environ),
        memory_allocator=_memory_allocator(),
        usable_cores=usable_cores(),
        smt_siblings=_smt_siblings(root),
        numa_nodes=_numa_nodes(root),
        cpu_caches_bytes=_cpu_caches_bytes(root),
        cpu_quota_cores=cpu_quota(root),
        transparent_huge_pages=_bracketed(root / "sys/kernel/mm/transparent_hugepage/enabled"),
        address_randomization=_ADDRESS_RANDOMIZATION.get(
            text_of(root / "proc/sys/kernel/randomize_va_space") or ""
        ),
        clock_source=text_of(
            root / "sys/devices/system/clocksource/clocksource0/current_clocksource"
        ),
        gpu_driver=nvidia()[1],
        gpu_compute_modes=read_modes(),
        git_commit=commit,
        git_dirty=None if changes is None else bool(changes),
    )


def _os_name(root: Path) -> str:
    for line in (text_of(root / "etc/os-release") or "").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return f"{platform.system()} {platform.release()}"


def _packages() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - only here

    found = {}
    for package in ("tensorbench", "torch", "numpy", "triton", "intel-openmp", "mkl"):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def variables(known: Mapping[str, str]) -> dict[str, str]:
    """The environment variables that can change a number."""
    return {name: value for name, value in sorted(known.items()) if _VARIABLES.match(name)}


def _memory_allocator() -> str | None:
    """The allocator put before the C library's, else that library and its version."""
    preloaded = os.environ.get("LD_PRELOAD", "")
    for allocator in _ALLOCATORS:
        if allocator in preloaded:
            return allocator
    return " ".join(part for part in platform.libc_ver() if part) or None


def _smt_siblings(root: Path) -> tuple[str, ...] | None:
    groups = [core_siblings(root, core) for core in usable_cores()]
    if None in groups:
        return None
    return tuple(dict.fromkeys(g for g in groups if g and not g.isdecimal()))


def _numa_nodes(root: Path) -> dict[str, str] | None:
    folders = (root / "sys/devices/system/node").glob("node[0-9]*")
    by_number = sorted(folders, key=lambda folder: int(folder.name.removeprefix("node")))
    nodes = {folder.name: text_of(folder / "cpulist") for folder in by_number}
    return {name: cores for name, cores in nodes.items() if cores is not None} or None


def _cpu_caches_bytes(root: Path) -> dict[str, int] | None:
    found = {}
    for folder in sorted((root / "sys/devices/system/cpu/cpu0/cache").glob("index[0-9]*")):
        level, kind, size = (text_of(folder / name) or "" for name in ("level", "type", "size"))
        if level and kind in _CACHE_KINDS and size.removesuffix("K").isdecimal():
            found[f"L{level}{_CACHE_KINDS[kind]}"] = int(size.removesuffix("K")) * 1024
    return found or None


def _bracketed(path: Path) -> str | None:
    """The choice in force in a file such as `always [madvise] never`."""
    found = re.search(r"\[(\w+)\]", text_of(path) or "")
    return found[1] if found else None
