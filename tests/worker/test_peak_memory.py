"""What a call takes beyond its inputs: real calls of known size, and systems that do not say."""

from __future__ import annotations

import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from bench.plan.case import Call
from bench.worker import garbage, peak_memory
from bench.worker.peak_memory import (
    CudaAllocator,
    DroppedCalls,
    allocated_bytes,
    call_peak_bytes,
    free_memory,
    resident_bytes,
    resolution_bytes,
)
from tests.fakes.nvml import Allocator

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 2**20
LARGE = 16 * MIB
"""That many float32 numbers are 64 MiB."""
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps the mark")


def filled() -> torch.Tensor:
    """A new tensor of 64 MiB."""
    return torch.empty(LARGE).fill_(1)


def summed(tensor: torch.Tensor) -> torch.Tensor:
    """A number, by way of a tensor as large as the input."""
    return (tensor + 1).sum()


def twice(tensor: torch.Tensor) -> torch.Tensor:
    """A new tensor, by way of another, both alive at the same time."""
    return (tensor + 1) * 2


@LINUX
@pytest.mark.parametrize(
    ("call", "mib"),
    [
        (Call(filled), 64),
        (Call(torch.neg, torch.ones(LARGE)), 64),
        (Call(summed, torch.ones(LARGE)), 64),
        (Call(twice, torch.ones(LARGE)), 128),
    ],
    ids=["result", "result, not input", "scratch", "both"],
)
def test_a_call_takes_what_it_allocates(call: Call, mib: int) -> None:
    """Result and scratch space, whichever way they add up at its peak; inputs don't count."""
    call()
    peak = resident_bytes(call)
    assert peak is not None
    assert mib * MIB - resolution_bytes() <= peak < (mib + 16) * MIB


@LINUX
def test_a_smaller_result_is_seen_in_a_fresh_process() -> None:
    """In one that has freed much, the C library may serve 8 MiB from pages that it could not hand back."""
    code = """
import torch
from bench.plan.case import Call
from bench.worker.peak_memory import resident_bytes
call = Call(torch.neg, torch.ones(2**21))
call()
print(resident_bytes(call))
"""
    found = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    assert 8 * MIB - resolution_bytes() <= int(found) < 9 * MIB


@LINUX
def test_a_call_that_seems_to_take_nothing_is_made_once_more() -> None:
    """It may have been served from memory that an earlier case had left, as this one pretends."""
    made: list[int] = []

    def at_the_second_time() -> torch.Tensor | None:
        made.append(1)
        return filled() if len(made) > 1 else None

    peak = resident_bytes(Call(at_the_second_time))
    assert peak is not None
    assert peak >= 64 * MIB - resolution_bytes()


@LINUX
@pytest.mark.parametrize(
    "call",
    [
        Call(torch.ones(LARGE).neg_),
        Call(torch.ones(LARGE).view, -1, 2),
        Call(torch.neg, torch.ones(1024)),
    ],
    ids=["in place", "view", "small"],
)
def test_what_takes_next_to_nothing_has_no_number(call: Call) -> None:
    """It would be noise: a few pages are not told from the interpreter's own."""
    call()
    assert resident_bytes(call) is None


@LINUX
def test_memory_that_was_used_before_counts_again() -> None:
    """What the call before left free is handed back, so that two calls in a row take the same."""
    call = Call(torch.neg, torch.ones(LARGE))
    call()
    first, second = resident_bytes(call), resident_bytes(call)
    assert first is not None
    assert second is not None
    assert abs(first - second) < resolution_bytes()


def system(folder: Path, status: str, *, resets: bool = True) -> Path:
    """A process as its system tells of it."""
    folder.joinpath("status").write_text(status)
    folder.joinpath("clear_refs").touch() if resets else folder.joinpath("clear_refs").mkdir()
    return folder


def status(mark_mib: int, used_mib: int) -> str:
    """The two lines that are read, among others."""
    return f"Name:\tbench\nVmHWM:\t{mark_mib * 1024:8} kB\nVmRSS:\t{used_mib * 1024:8} kB\n"


def raising(folder: Path, mark_mib: int) -> Callable[[], None]:
    """A call after which the mark stands there."""

    def call() -> None:
        folder.joinpath("status").write_text(status(mark_mib, 10))

    return call


@pytest.mark.parametrize(
    ("mark_mib", "peak"),
    [(10, None), (5, None), (10 + 100, 100 * MIB)],
    ids=["same", "less", "100"],
)
def test_the_rise_of_the_mark_is_the_peak(tmp_path: Path, mark_mib: int, peak: int | None) -> None:
    """From what was in use when it was reset."""
    proc = system(tmp_path, status(10, 10))
    assert resident_bytes(Call(raising(tmp_path, mark_mib)), proc) == peak
    assert (proc / "clear_refs").read_text() == "5"


@pytest.mark.parametrize(
    ("text", "resets"),
    [(status(10, 10), False), (status(500, 10), True), ("Name:\tbench\n", True)],
    ids=["no reset", "a reset that does nothing", "no mark"],
)
def test_a_system_that_keeps_no_mark_gives_no_number(
    tmp_path: Path, text: str, *, resets: bool
) -> None:
    """And the call is not made in vain."""
    calls: list[int] = []
    proc = system(tmp_path, text, resets=resets)
    assert resident_bytes(Call(calls.append, 1), proc) is None
    assert calls == []


@pytest.mark.parametrize(
    ("threads", "cpus", "mib"), [(1, 1, 1), (2, 2, 1), (16, 16, 4), (64, 64, 32)]
)
def test_many_threads_blur_the_count(
    monkeypatch: pytest.MonkeyPatch, threads: int, cpus: int, mib: int
) -> None:
    """The system adds pages up in batches, one per thread."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(os, "cpu_count", lambda: cpus)
    assert peak_memory.resolution_bytes() == mib * MIB


def test_a_call_takes_what_it_allocates_at_its_peak() -> None:
    """Scratch space of 3 MiB and a result of 1; neither its inputs nor what others took before."""
    allocator = Allocator(used_bytes=100 * MIB)
    allocator.take(500 * MIB)
    allocator.take(-500 * MIB)

    def call() -> None:
        allocator.take(4 * MIB)
        allocator.take(-3 * MIB)

    assert allocated_bytes(Call(call), allocator) == (4 * MIB, "")


def test_a_call_that_allocates_nothing_takes_nothing() -> None:
    """That is a fact here; on the CPU it can't be told."""
    assert allocated_bytes(Call(int), Allocator(used_bytes=MIB)) == (0, "")


def test_an_allocator_in_need_is_noted() -> None:
    """Of this call's needs, not of earlier ones."""
    allocator = Allocator()
    allocator.needs = 7

    def call() -> None:
        allocator.needs += 2

    _, note = allocated_bytes(Call(call), allocator)
    assert note == "the GPU is nearly full: its allocator freed its cache 2 times in one call"


def test_torchs_allocator_is_read_when_the_device_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both times; an allocator without the count was never in need."""
    log: list[str] = []
    device = torch.device("cuda:1")

    def noted(name: str, value: object) -> None:
        def note(which: torch.device) -> object:
            assert which == device
            log.append(name)
            return value

        monkeypatch.setattr(torch.cuda, name, note)

    noted("synchronize", None)
    noted("reset_peak_memory_stats", None)
    noted("memory_allocated", 10)
    noted("max_memory_allocated", 30)
    noted("memory_stats", {})
    assert allocated_bytes(Call(log.append, "call"), CudaAllocator("cuda:1")) == (20, "")
    assert log == [
        *("synchronize", "reset_peak_memory_stats", "memory_allocated", "memory_stats"),
        *("call", "synchronize", "max_memory_allocated", "memory_stats"),
    ]


def test_a_call_on_a_gpu_is_weighed_by_its_allocator(monkeypatch: pytest.MonkeyPatch) -> None:
    """One on the CPU is not, and one on another accelerator not at all: its memory is not the process's."""
    monkeypatch.setattr(peak_memory, "resident_bytes", lambda _: 5)
    assert call_peak_bytes(Call(int), "xpu", lambda _: Allocator()) == (None, "")
    assert call_peak_bytes(Call(int), "cuda:0", lambda _: Allocator()) == (0, "")
    assert call_peak_bytes(Call(int), "cpu", lambda _: Allocator()) == (5, "")


def test_memory_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's cache too."""
    emptied: list[int] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(1))
    free_memory()
    assert emptied == [1]


@pytest.fixture(name="released")
def _released(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each time that all objects were looked through."""
    found: list[int] = []
    monkeypatch.setattr("bench.worker.garbage.release", lambda: found.append(1))
    return found


@pytest.mark.parametrize(
    ("before", "after", "devices", "thorough"),
    [
        ("RssAnon:\t 102400 kB\n", "RssAnon:\t 163840 kB\n", {"cpu"}, False),
        ("RssAnon:\t 102400 kB\n", "RssAnon:\t 51200 kB\n", set(), False),
        ("RssAnon:\t 102400 kB\n", "RssAnon:\t 168960 kB\n", {"cpu"}, True),
        ("RssAnon:\t 102400 kB\n", "RssAnon:\t 102400 kB\n", {"cpu", "cuda:1"}, True),
        ("VmRSS:\t 102400 kB\n", "VmRSS:\t 102400 kB\n", {"cpu"}, True),
        ("RssAnon:\t 102400 kB\n", "", {"cpu"}, True),
    ],
    ids=["60 MiB more", "less", "65 MiB more", "a GPU", "not told", "no longer told"],
)
def test_objects_are_looked_through_where_memory_stays_in_use(
    tmp_path: Path,
    released: list[int],
    before: str,
    after: str,
    devices: set[str],
    *,
    thorough: bool,
) -> None:
    """Or where nobody can tell: a device's memory is not the process's, and some systems say nothing."""
    (tmp_path / "status").write_text(before)
    dropped = DroppedCalls(tmp_path)
    (tmp_path / "status").write_text(after)
    dropped.free(devices)
    assert released == [1] * thorough


def test_what_several_batches_leave_adds_up(tmp_path: Path, released: list[int]) -> None:
    """Until it is looked for; what is left then is there for good."""
    (tmp_path / "status").write_text("RssAnon:\t 0 kB\n")
    dropped = DroppedCalls(tmp_path)
    for mib, looked in [(40, 0), (70, 1), (110, 1), (135, 2)]:
        (tmp_path / "status").write_text(f"RssAnon:\t {mib * 1024} kB\n")
        dropped.free({"cpu"})
        assert len(released) == looked


@LINUX
def test_a_large_call_that_holds_itself_is_freed() -> None:
    """Also where it was exempted from collections, as each is before its timing."""
    if peak_memory._status(Path("/proc/self"), "RssAnon") is None:
        pytest.skip("this system does not tell")
    free_memory()
    dropped = DroppedCalls()
    held: list[object] = [filled(), filled()]
    held.append(held)
    gone = weakref.ref(held[0])
    garbage.settle()
    del held
    assert gone() is not None
    dropped.free({"cpu"})
    assert gone() is None
