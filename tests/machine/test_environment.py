"""How the machine is set up, read from made-up trees: every fact, and nothing where nothing is said."""

from __future__ import annotations

import dataclasses
import os
import platform
from typing import TYPE_CHECKING, Any

import pytest

from bench.machine import environment
from bench.machine.environment import read_environment
from tests.fakes.machine import CPU, siblings, tree

if TYPE_CHECKING:
    from pathlib import Path

NODE = "sys/devices/system/node"


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU, four logical cores, a C library, no variables but a path."""
    monkeypatch.setattr(environment, "nvidia", lambda: ((), None))
    monkeypatch.setattr(environment, "read_modes", lambda: None)
    monkeypatch.setattr(environment, "usable_cores", lambda: (0, 1, 2, 3))
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"]})


def cache(index: int, level: str, kind: str, size: str) -> dict[str, str]:
    """A cache of the first core, as the kernel describes it."""
    folder = f"{CPU}/cpu0/cache/index{index}"
    return {f"{folder}/level": level, f"{folder}/type": kind, f"{folder}/size": size}


def test_the_environment_is_what_is_set_and_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of variables those that can change a number, and no others."""
    monkeypatch.setattr(os, "environ", {"OMP_NUM_THREADS": "2", "LD_PRELOAD": "x", "TOKEN": "s"})
    files = {
        "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12"',
        "sys/fs/cgroup/cpu.max": "150000 100000",
        "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    }
    found = read_environment(tree(tmp_path, files), folder=tmp_path)
    assert found.variables == {"LD_PRELOAD": "x", "OMP_NUM_THREADS": "2"}
    assert found.os == "Debian GNU/Linux 12"
    assert found.cpu_quota_cores == 1.5
    assert found.transparent_huge_pages == "madvise"
    assert (found.git_commit, found.git_dirty) == (None, None)
    assert found.usable_cores == (0, 1, 2, 3)
    assert set(found.packages) >= {"torch", "numpy"}


@pytest.mark.parametrize(
    ("files", "facts"),
    [
        (siblings("0-1", "0-1", "2-3", "2-3"), {"smt_siblings": ("0-1", "2-3")}),
        (siblings("0,2", "1,3", "0,2", "1,3"), {"smt_siblings": ("0,2", "1,3")}),
        (siblings("0", "1", "2", "3"), {"smt_siblings": ()}),
        (siblings("0-1", "0-1"), {"smt_siblings": None}),
        ({f"{NODE}/node0/cpulist": "0-3"}, {"numa_nodes": {"node0": "0-3"}}),
        (
            {f"{NODE}/node{n}/cpulist": f"{n}" for n in (10, 2)},
            {"numa_nodes": {"node2": "2", "node10": "10"}},
        ),
        (
            {
                **cache(0, "1", "Data", "48K"),
                **cache(1, "1", "Instruction", "32K"),
                **cache(2, "2", "Unified", "1024K"),
            },
            {"cpu_caches_bytes": {"L1d": 48 * 2**10, "L1i": 32 * 2**10, "L2": 2**20}},
        ),
        (cache(0, "1", "Data", ""), {"cpu_caches_bytes": None}),
        ({"proc/cpuinfo": "flags\t\t: fpu hypervisor avx2"}, {"hypervisor": True}),
        ({"proc/cpuinfo": "flags\t\t: fpu avx2"}, {"hypervisor": False}),
        ({"proc/cpuinfo": "Features\t: fp asimd"}, {"hypervisor": None}),
        ({"proc/sys/kernel/randomize_va_space": "2"}, {"address_randomization": "full"}),
        (
            {"proc/sys/kernel/randomize_va_space": "1"},
            {"address_randomization": "all but the heap"},
        ),
        ({"proc/sys/kernel/randomize_va_space": "0"}, {"address_randomization": "off"}),
    ],
)
def test_the_environment_is_what_the_kernel_says(
    tmp_path: Path, files: dict[str, str], facts: dict[str, Any]
) -> None:
    """Who shares a core, who is near which memory, what is cached, what is random."""
    found = dataclasses.asdict(read_environment(tree(tmp_path, files), folder=tmp_path))
    assert {name: found[name] for name in facts} == facts


def test_what_the_kernel_does_not_say_is_not_known(tmp_path: Path) -> None:
    """An empty tree gives no facts, and no guesses either."""
    found = dataclasses.asdict(read_environment(tmp_path, folder=tmp_path))
    assert {name for name, fact in found.items() if fact is None} == {
        *("hypervisor", "smt_siblings", "numa_nodes", "cpu_caches_bytes", "cpu_quota_cores"),
        *("transparent_huge_pages", "address_randomization", "clock_source"),
        *("gpu_driver", "gpu_compute_modes", "git_commit", "git_dirty"),
    }


def test_the_environment_says_who_may_use_gpus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each by its compute mode."""
    monkeypatch.setattr(environment, "read_modes", lambda: ("default", "prohibited"))
    found = read_environment(tmp_path, folder=tmp_path)
    assert found.gpu_compute_modes == ("default", "prohibited")


@pytest.mark.parametrize(
    ("preloaded", "library", "allocator"),
    [
        ("", ("glibc", "2.36"), "glibc 2.36"),
        ("/usr/lib/libSegFault.so", ("glibc", "2.36"), "glibc 2.36"),
        ("/usr/lib/libjemalloc.so.2", ("glibc", "2.36"), "jemalloc"),
        ("a.so:/opt/libtcmalloc_minimal.so.4", ("glibc", "2.36"), "tcmalloc"),
        ("libmimalloc.so", ("glibc", "2.36"), "mimalloc"),
        ("", ("musl", ""), "musl"),
        ("", ("", ""), None),
    ],
    ids=["glibc", "another library", "jemalloc", "tcmalloc", "mimalloc", "musl", "not known"],
)
def test_the_allocator_is_the_one_put_first(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    preloaded: str,
    library: tuple[str, str],
    allocator: str | None,
) -> None:
    """Else the C library's."""
    monkeypatch.setenv("LD_PRELOAD", preloaded)
    monkeypatch.setattr(platform, "libc_ver", lambda: library)
    assert read_environment(tmp_path, folder=tmp_path).memory_allocator == allocator


@pytest.mark.parametrize(
    ("variable", "kept"),
    [
        ("MKL_NUM_THREADS", True),
        ("MALLOC_ARENA_MAX", True),
        ("GLIBC_TUNABLES", True),
        ("MIMALLOC_LARGE_OS_PAGES", True),
        ("CUBLAS_WORKSPACE_CONFIG", True),
        ("NVIDIA_TF32_OVERRIDE", True),
        ("PYTORCH_CUDA_ALLOC_CONF", True),
        ("PYTORCH_ALLOC_CONF", True),
        ("CUDA_LAUNCH_BLOCKING", True),
        ("CUDA_VISIBLE_DEVICES", True),
        ("HIPBLASLT_ALLOW_TF32", True),
        ("AMD_SERIALIZE_KERNEL", True),
        ("HIP_VISIBLE_DEVICES", True),
        ("ZE_AFFINITY_MASK", True),
        ("AMD_SECRET", False),
        ("HOSTNAME", False),
        ("AWS_SECRET", False),
        ("MY_MALLOC_KEY", False),
    ],
)
def test_variables_are_kept_if_they_can_change_a_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, variable: str, kept: bool
) -> None:
    """All others may be private."""
    monkeypatch.setenv(variable, "1")
    found = read_environment(tmp_path, folder=tmp_path).variables
    assert (variable in found) is kept
