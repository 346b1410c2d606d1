"""Who the machine is and how it is now, read from made-up trees."""

from __future__ import annotations

import dataclasses
import platform
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from bench.machine import hardware
from bench.machine.environment import read_environment
from bench.machine.hardware import (
    Gpu,
    core_groups,
    cpu_capability,
    cpu_quota,
    default_threads,
    read_machine,
    read_state,
)
from tests.fakes import nvml as fakes_nvml
from tests.fakes.machine import CPU, siblings, tree

if TYPE_CHECKING:
    from pathlib import Path

INTEL = "model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz"
EPYC = "model name\t: AMD EPYC 7763 64-Core Processor"
GRAVITON = "CPU implementer\t: 0x41\nCPU part\t: 0xd40"
RASPBERRY = GRAVITON + "\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0"
NVIDIA = hardware.nvidia
"""The function itself, which each test replaces."""
H100 = Gpu(name="NVIDIA H100", uuid="GPU-1", memory_bytes=80 * 2**30)


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same on every machine: no GPU, no name, four logical cores on two physical ones."""
    monkeypatch.setattr(hardware, "nvidia", lambda: ((), None))
    monkeypatch.setattr(hardware, "usable_cores", lambda: (0, 1, 2, 3))
    monkeypatch.delenv("BENCH_MACHINE", raising=False)


@pytest.mark.parametrize(
    ("cpuinfo", "model"),
    [
        ("processor\t: 0\n" + INTEL, "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz"),
        (EPYC, "AMD EPYC 7763 64-Core Processor"),
        (RASPBERRY, "Raspberry Pi 5 Model B Rev 1.0"),
        (GRAVITON, "aarch64"),
        ("", "aarch64"),
    ],
    ids=["intel", "amd", "raspberry", "arm without a name", "nothing"],
)
def test_the_cpu_has_a_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cpuinfo: str, model: str
) -> None:
    """As the kernel names it, else the architecture."""
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert read_machine(tree(tmp_path, {"proc/cpuinfo": cpuinfo})).cpu_model == model


@pytest.mark.parametrize(
    ("cpuinfo", "gpus", "name"),
    [
        (INTEL, (), "Intel Xeon Platinum 8481C 2-core"),
        (EPYC, (), "AMD EPYC 7763 2-core"),
        (EPYC, (H100,), "AMD EPYC 7763 2-core + NVIDIA H100"),
        (EPYC, (H100, H100), "AMD EPYC 7763 2-core + 2× NVIDIA H100"),
    ],
    ids=["intel", "amd", "one gpu", "two gpus"],
)
def test_a_machine_is_named_after_its_hardware(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    cpuinfo: str,
    gpus: tuple[Gpu, ...],
    name: str,
) -> None:
    """Without the decoration that vendors put around it."""
    monkeypatch.setattr(hardware, "nvidia", lambda: (gpus, "999.9"))
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 4 if logical else 2)
    assert read_machine(tree(tmp_path, {"proc/cpuinfo": cpuinfo})).name == name


def test_people_may_name_their_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the environment, or for this once; the id stays the same, for the hardware does."""
    unnamed = read_machine(tmp_path)
    monkeypatch.setenv("BENCH_MACHINE", " the big one ")
    assert read_machine(tmp_path).name == "the big one"
    assert read_machine(tmp_path, "another").name == "another"
    assert read_machine(tmp_path, "another").machine_id == unnamed.machine_id


def test_the_id_is_stable() -> None:
    """Looking twice gives the same machine."""
    assert read_machine() == read_machine()


def test_the_id_follows_the_hardware(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another CPU or another GPU is another machine."""
    ids = {
        read_machine(tree(tmp_path, {"proc/cpuinfo": text})).machine_id for text in (INTEL, EPYC)
    }
    monkeypatch.setattr(hardware, "nvidia", lambda: ((H100,), "999.9"))
    ids.add(read_machine(tmp_path).machine_id)
    assert len(ids) == 3


def test_a_few_pages_more_or_less_are_the_same_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Firmware of virtual machines takes a little memory, and not always as much."""
    found = []
    for total in (8 * 2**30 - 2**26, 8 * 2**30 - 2**27):
        memory = psutil.virtual_memory()._replace(total=total)
        monkeypatch.setattr(psutil, "virtual_memory", lambda memory=memory: memory)
        found.append(read_machine())
    assert found[0] == found[1]
    assert found[0].memory_bytes == 8 * 2**30


def test_no_host_name_is_in_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are published, and a host name is a private fact."""
    real = platform.uname()
    monkeypatch.setattr(socket, "gethostname", lambda: "secret-host")
    monkeypatch.setattr(platform, "node", lambda: "secret-host")
    monkeypatch.setattr(platform, "uname", lambda: real._replace(node="secret-host"))
    monkeypatch.setenv("HOSTNAME", "secret-host")
    assert "secret-host" not in repr((read_machine(), read_environment(), read_state()))


@pytest.mark.parametrize(
    ("files", "threads"),
    [
        ({}, 4),
        (siblings("0-1", "0-1", "2-3", "2-3"), 2),
        (siblings("0,2", "1,3", "0,2", "1,3"), 2),
        (siblings("0", "1", "2", "3"), 4),
        ({"sys/fs/cgroup/cpu.max": "max 100000"}, 4),
        ({"sys/fs/cgroup/cpu.max": "300000 100000"}, 3),
        ({"sys/fs/cgroup/cpu.max": "50000 100000"}, 1),
        ({**siblings("0-1", "0-1", "2-3", "2-3"), "sys/fs/cgroup/cpu.max": "300000 100000"}, 2),
    ],
    ids=["unknown", "pairs", "split", "no smt", "no quota", "quota", "half a core", "both"],
)
def test_there_is_one_thread_per_physical_core(
    tmp_path: Path, files: dict[str, str], threads: int
) -> None:
    """Siblings share one, and a container may have fewer than the machine."""
    assert default_threads(tree(tmp_path, files)) == threads


def test_cores_are_grouped_by_the_physical_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Siblings stand together, whatever their numbers; unknown siblings stand alone."""
    monkeypatch.setattr(hardware, "usable_cores", lambda: (0, 1, 2, 3, 4))
    files = siblings("0,2", "1,3", "0,2", "1,3")
    assert core_groups(tree(tmp_path, files)) == ((0, 2), (1, 3), (4,))


def test_cores_that_may_not_be_used_are_not_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A process that is bound to one core gets one thread."""
    monkeypatch.setattr(hardware, "usable_cores", lambda: (2,))
    assert default_threads(tree(tmp_path, siblings("0", "1", "2", "3"))) == 1


@pytest.mark.parametrize(
    ("files", "facts"),
    [
        ({}, {"governor": None, "turbo": None}),
        ({f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave"}, {"governor": "powersave"}),
        ({f"{CPU}/cpu0/cpufreq/scaling_cur_freq": "2700000"}, {"frequency_hz": 2.7e9}),
        ({f"{CPU}/intel_pstate/no_turbo": "0"}, {"turbo": True}),
        ({f"{CPU}/intel_pstate/no_turbo": "1"}, {"turbo": False}),
        ({f"{CPU}/cpufreq/boost": "1"}, {"turbo": True}),
        ({f"{CPU}/cpufreq/boost": "0"}, {"turbo": False}),
    ],
    ids=["nothing", "governor", "frequency", "intel on", "intel off", "amd on", "amd off"],
)
def test_the_state_is_what_the_kernel_says(
    tmp_path: Path, files: dict[str, str], facts: dict[str, Any]
) -> None:
    """And what it does not say is None."""
    state = dataclasses.asdict(read_state(tree(tmp_path, files)))
    assert {name: state[name] for name in facts} == facts


def test_a_frequency_that_is_no_number_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Some kernels write <unknown>."""
    monkeypatch.setattr(hardware, "_frequency_hz", lambda: None)
    root = tree(tmp_path, {f"{CPU}/cpu0/cpufreq/scaling_cur_freq": "<unknown>"})
    assert read_state(root).frequency_hz is None


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "150000 100000"}, 1.5),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "50000"}, None),
        ({"cpu.max": "rubbish"}, None),
        ({"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000"}, 3.0),
        ({"a/cpu.max": "300000 100000", "a/b/cpu.max": "200000 100000"}, 2.0),
        ({"c/cpu.max": "100000 100000"}, None),
        ({"cpu,cpuacct/v/cpu.cfs_quota_us": "7", "cpu,cpuacct/v/cpu.cfs_period_us": "2"}, 3.5),
    ],
    ids=[
        *("nothing", "no limit", "limit", "old, no limit", "old, limit", "half of it", "rubbish"),
        *("of the parent", "the tightest", "of another group", "old and nested"),
    ],
)
def test_the_quota_is_that_of_all_groups_the_process_is_in(
    tmp_path: Path, files: dict[str, str], quota: float | None
) -> None:
    """In either version of control groups; where nothing is said, there is none."""
    groups = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    own = {"proc/self/cgroup": "4:cpu,cpuacct:/v\n3:memory:/m\n0::/a/b"}
    assert cpu_quota(tree(tmp_path, {**groups, **own})) == quota


@pytest.mark.parametrize(
    ("cpuinfo", "able"),
    [
        ("flags\t: fpu avx2 fma avx512f avx512vl avx512bw avx512dq", "AVX512"),
        ("flags\t: fpu avx2 fma avx512f", "AVX2"),
        ("flags\t: fpu avx2", "DEFAULT"),
        ("Features\t: asimd", None),
    ],
)
def test_kernels_follow_the_processor(tmp_path: Path, cpuinfo: str, able: str | None) -> None:
    """As torch asks it, without torch."""
    assert cpu_capability(tree(tmp_path, {"proc/cpuinfo": cpuinfo})) == able


def test_gpus_are_those_that_the_driver_names() -> None:
    """With what it says of each; where it says no size, none is made up."""
    facts: dict[str, Any] = {"Name": "NVIDIA H100", "UUID": "GPU-1"}
    driver: Any = fakes_nvml.Nvml(**facts, MemoryInfo=SimpleNamespace(total=80 * 2**30))
    assert NVIDIA(lambda: driver) == ((H100,), None)
    driver.nvmlSystemGetDriverVersion = lambda: "580.65"
    driver.answers["MemoryInfo"] = fakes_nvml.Refusal("Not Supported")
    assert NVIDIA(lambda: driver) == ((dataclasses.replace(H100, memory_bytes=0),), "580.65")


def test_without_a_driver_there_are_no_gpus() -> None:
    """Whatever is missing of it."""

    def refuse() -> Any:
        raise ImportError

    assert NVIDIA(refuse) == ((), None)
