"""A look at the machine: what is at work, what is short, what GPUs do; nothing raises, whatever is missing."""

from __future__ import annotations

import os
from collections import namedtuple
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from bench.machine import activity
from bench.machine.activity import Program, Sources, read_snapshot
from tests.fakes import nvml as fakes_nvml
from tests.fakes.machine import CPU, tree

if TYPE_CHECKING:
    from pathlib import Path

Times = namedtuple("Times", "user nice system idle iowait steal guest guest_nice")  # noqa: PYI024 - as psutil's
THROTTLES = "thermal_throttle/core_throttle_count"


class FakeProcess:
    """A process that uses so many seconds of CPU time from one look to the next."""

    def __init__(self, pid: int, used_s: float, name: str = "make") -> None:
        self.pid = pid
        self._used_s = used_s
        self._looks = 0
        self._name = name

    def cpu_times(self) -> Any:
        """Half of it in the kernel."""
        used = self._looks * self._used_s / 2
        self._looks += 1
        return SimpleNamespace(user=used, system=used)

    def name(self) -> str:
        """What it is called."""
        return self._name


class Hidden(FakeProcess):
    """A process of someone else, who does not show it."""

    def cpu_times(self) -> Any:
        """Nobody may see it."""
        raise psutil.AccessDenied(self.pid)


class Ticker:
    """A clock that moves while one sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now_s

    def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.now_s += seconds


def refused() -> Any:
    """What can't be read."""
    message = "not here"
    raise OSError(message)


def sources(root: Path, *processes: FakeProcess, **changes: Any) -> Sources:
    """A machine with nothing to read but these processes, unless changed."""
    ticker = Ticker()
    known: dict[str, Any] = {
        "root": root,
        "cpu_times": refused,
        "processes": lambda: processes,
        "swap": refused,
        "battery": refused,
        "nvml": refused,
        "now_s": ticker,
        "sleep": ticker.sleep,
    }
    return Sources(**{**known, **changes})


def test_what_can_not_be_read_is_none(tmp_path: Path) -> None:
    """And nothing raises."""
    seen = read_snapshot(sources(tmp_path, processes=refused))
    empty = ("cpu_busy_share", "stolen_share", "programs", "swap_used_bytes", "on_battery")
    assert [getattr(seen, name) for name in empty] == [None] * len(empty)
    assert (seen.memory_stall_share, seen.slowdowns) == (None, None)
    assert (seen.gpus, seen.gpus_missing) == ((), "not here")


def test_the_busiest_programs_are_named_without_us(tmp_path: Path) -> None:
    """In cores' worth of time over the look; who is hidden is passed over."""
    loud, quiet, idle = FakeProcess(1, 1.0), FakeProcess(2, 0.1, "cc"), FakeProcess(3, 0.0)
    seen = read_snapshot(
        sources(tmp_path, quiet, loud, idle, FakeProcess(os.getpid(), 9.0), Hidden(4, 9.0))
    )
    assert seen.programs == (
        Program(pid=1, name="make", cores=2.0),
        Program(pid=2, name="cc", cores=0.2),
    )


def test_no_more_than_a_few_are_named(tmp_path: Path) -> None:
    """The busiest."""
    many = [FakeProcess(pid, 0.1 * pid) for pid in range(1, 9)]
    programs = read_snapshot(sources(tmp_path, *many)).programs
    assert [one.pid for one in programs or ()] == [8, 7, 6]


def test_busy_and_stolen_time_are_shares_of_what_passed(tmp_path: Path) -> None:
    """Waiting for a disk is idle; guests are in user time already."""
    looks = iter(
        [Times(10, 0, 5, 100, 5, 1, 3, 0), Times(13, 0, 6, 104, 6, 2, 6, 0)],
    )
    seen = read_snapshot(sources(tmp_path, cpu_times=lambda: next(looks)))
    assert seen.cpu_busy_share == pytest.approx(0.5)
    assert seen.stolen_share == pytest.approx(0.1)


def test_a_clock_that_stood_still_tells_no_shares(tmp_path: Path) -> None:
    """Nothing passed."""
    still = Times(1, 1, 1, 1, 1, 1, 1, 1)
    seen = read_snapshot(sources(tmp_path, cpu_times=lambda: still))
    assert (seen.cpu_busy_share, seen.stolen_share) == (None, None)


def test_the_kernel_says_what_is_short(tmp_path: Path) -> None:
    """Stalls for memory, and clocks lowered for heat: the core that saw most."""
    root = tree(
        tmp_path,
        {
            "proc/pressure/memory": "some avg10=1.50 avg60=0.00 avg300=0.00 total=0\nfull avg10=9.00",
            f"{CPU}/cpu0/{THROTTLES}": "3",
            f"{CPU}/cpu1/{THROTTLES}": "4",
        },
    )
    seen = read_snapshot(sources(root, swap=lambda: SimpleNamespace(used=5)))
    assert (seen.memory_stall_share, seen.slowdowns, seen.swap_used_bytes) == (0.015, 4, 5)


@pytest.mark.parametrize(
    ("battery", "on_battery"),
    [
        (None, False),
        (SimpleNamespace(power_plugged=True), False),
        (SimpleNamespace(power_plugged=False), True),
        (SimpleNamespace(power_plugged=None), None),
    ],
)
def test_power_comes_from_a_plug_or_a_battery(
    tmp_path: Path, battery: Any, *, on_battery: bool | None
) -> None:
    """A machine without a battery is plugged in."""
    assert read_snapshot(sources(tmp_path, battery=lambda: battery)).on_battery is on_battery


def test_gpus_are_told_by_their_driver(tmp_path: Path) -> None:
    """All processes there are of others: whoever looks holds no GPU."""
    nvml = fakes_nvml.Nvml(
        Name="NVIDIA H100",
        PowerManagementDefaultLimit=700_000,
        PersistenceMode=0,
        UtilizationRates=SimpleNamespace(gpu=25),
        ComputeMode=3,
    )
    (gpu,) = read_snapshot(sources(tmp_path, nvml=lambda: nvml)).gpus
    assert (gpu.name, gpu.processes, gpu.busy_share) == ("NVIDIA H100", 2, 0.25)
    assert (gpu.power_limit_w, gpu.usual_limit_w, gpu.persistent) == (700.0, 700.0, False)
    assert (gpu.temperature_c, gpu.throttle_reasons) == (61.0, ("power-cap",))
    assert gpu.compute_mode == "exclusive-process"


def test_a_gpu_whose_driver_refuses_is_there_all_the_same(tmp_path: Path) -> None:
    """With nothing known of it."""
    (gpu,) = read_snapshot(sources(tmp_path, nvml=fakes_nvml.Nvml)).gpus
    known = gpu.name, gpu.busy_share, gpu.usual_limit_w, gpu.persistent, gpu.compute_mode
    assert known == (None,) * 5


@pytest.mark.parametrize("mps", [True, False])
def test_a_daemon_that_shares_a_context_is_seen(tmp_path: Path, *, mps: bool) -> None:
    """It is one for all GPUs."""
    assert read_snapshot(sources(tmp_path, mps=lambda: mps)).mps is mps


def test_a_gpu_that_the_driver_lost_is_passed_over(tmp_path: Path) -> None:
    """It is counted, and can't be reached."""
    nvml = fakes_nvml.Nvml()
    nvml.nvmlDeviceGetCount = lambda: 2  # type: ignore[method-assign]
    assert len(read_snapshot(sources(tmp_path, nvml=lambda: nvml)).gpus) == 1


def test_this_machine_can_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Smoke: the real sources, for no longer than a blink."""
    monkeypatch.setattr(activity, "SNAPSHOT_S", 0.01)
    assert isinstance(read_snapshot(), activity.Snapshot)
