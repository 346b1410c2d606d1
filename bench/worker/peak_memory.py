"""Peak memory of one call beyond its inputs: of the process on the CPU, of torch's allocator on CUDA.

On the CPU it is the rise of the process's high-water mark over the call. Linux keeps that mark and resets it
when asked; elsewhere there is no number. Torch keeps no freed CPU memory of its own and the C library's is
handed back first, so that what a call allocates is new to the process. What other libraries keep from call
to call is not seen.

On CUDA, torch's allocator counts every tensor and workspace that torch allocates, to the byte, rounded up to
512. What libraries get from the driver behind its back is not seen.
"""

from __future__ import annotations

import gc
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch

from bench.worker import c_allocator, garbage

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bench.plan.case import Call

SMALLEST_PEAK_BYTES = 2**20
"""A smaller peak can't be told from stacks, buffers and the interpreter's own memory."""
_PROC = Path("/proc/self")
_RESET_HIGH_WATER_MARK = "5"
_UNCOUNTED_PAGES_PER_THREAD = 64
_MOST_LEFT_BYTES = 2**26
"""Memory that calls which hold themselves may keep after they were dropped, all together: 64 MiB, a third of what torch
takes when it is imported. The modules that suites import take 40 MiB in a batch of cases."""


class Allocator(Protocol):
    """The counts of a GPU's allocator."""

    def begin(self) -> None:
        """Wait for the device, and bring the high-water mark down to what is in use."""

    def used_bytes(self) -> int:
        """Bytes in use."""

    def peak_bytes(self) -> int:
        """The high-water mark since `begin`, when the device has done everything."""

    def retries(self) -> int:
        """How often the allocator had to free its cached memory to allocate more, so far."""


class CudaAllocator:
    """Torch's caching allocator of a CUDA device."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)

    def begin(self) -> None:
        """Wait for the device, and bring the high-water mark down to what is in use."""
        torch.cuda.synchronize(self._device)
        torch.cuda.reset_peak_memory_stats(self._device)

    def used_bytes(self) -> int:
        """Bytes in use."""
        return torch.cuda.memory_allocated(self._device)

    def peak_bytes(self) -> int:
        """The high-water mark since `begin`, when the device has done everything."""
        torch.cuda.synchronize(self._device)
        return torch.cuda.max_memory_allocated(self._device)

    def retries(self) -> int:
        """How often the allocator had to free its cached memory to allocate more, so far."""
        return int(torch.cuda.memory_stats(self._device).get("num_alloc_retries", 0))


def call_peak_bytes(
    call: Call, device: str, allocator_of: Callable[[str], Allocator] = CudaAllocator
) -> tuple[int | None, str]:
    """Make the call once more; its peak in bytes, where that can be told, and what a row should note.

    On other accelerators it is not told: what the process grows by is not their memory.

    Args:
        call: one that was made before, or it is charged for libraries that are loaded and workspaces that stay.
        device: as torch names it.
        allocator_of: the allocator of a GPU.
    """
    if device.startswith("cuda"):
        return allocated_bytes(call, allocator_of(device))
    return (resident_bytes(call) if device == "cpu" else None), ""


def allocated_bytes(call: Call, allocator: Allocator) -> tuple[int, str]:
    """Make the call; the bytes that it takes of a GPU at its peak, and a note where its memory was short."""
    gc.collect()
    allocator.begin()
    before_bytes, before_retries = allocator.used_bytes(), allocator.retries()
    result = call()
    peak_bytes, retries = allocator.peak_bytes(), allocator.retries() - before_retries
    del result
    freed = f"the GPU is nearly full: its allocator freed its cache {retries} times in one call"
    return max(0, peak_bytes - before_bytes), freed if retries else ""


def resident_bytes(call: Call, proc: Path = _PROC) -> int | None:
    """Make the call; the bytes that the process takes for it at its peak, or None where that is not known.

    A call that seems to take nothing is made once more: memory that was freed before and could not be
    handed back may have served it, and after it that can.

    Args:
        call: one that was made before, or it is charged for the libraries that it loads.
        proc: what the system says of this process; tests pass a made-up one.
    """
    return _rise(call, proc) or _rise(call, proc)


def _rise(call: Call, proc: Path) -> int | None:
    gc.collect()
    c_allocator.hand_back()
    before = _reset(proc)
    if before is None:
        return None
    result = call()
    peak = _status(proc, "VmHWM")
    del result
    if peak is None or peak - before < resolution_bytes():
        return None
    return peak - before


def resolution_bytes() -> int:
    """Below this a rise is not told from none: 1 MiB, more with many threads.

    Linux adds up the pages of a process in batches: of 64 per thread, since 6.2 of twice the CPUs.
    """
    pages = torch.get_num_threads() * max(_UNCOUNTED_PAGES_PER_THREAD, 2 * (os.cpu_count() or 1))
    return max(SMALLEST_PEAK_BYTES, pages * 4096)


def _reset(proc: Path) -> int | None:
    """Bring the mark down to the bytes in use; those, or None where the mark does not follow."""
    try:
        (proc / "clear_refs").write_text(_RESET_HIGH_WATER_MARK)
    except OSError:
        return None
    mark, used = _status(proc, "VmHWM"), _status(proc, "VmRSS")
    if mark is None or used is None or mark - used >= resolution_bytes():
        return None
    return used


def _status(proc: Path, name: str) -> int | None:
    try:
        found = re.search(rf"^{name}:\s*(\d+) kB$", (proc / "status").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


class DroppedCalls:
    """The memory of calls that were dropped.

    Few hold themselves, and to find these takes 0.1 s and more, since all that was exempted from collections is looked
    through: that is left out where the memory in use shows that none did.
    """

    def __init__(self, proc: Path = _PROC) -> None:
        self._proc = proc
        self._unused_bytes = _status(proc, "RssAnon")

    def free(self, devices: Collection[str]) -> None:
        """Free it; thoroughly if it was that of other devices too, whose memory is not the process's."""
        garbage.settle()
        c_allocator.hand_back()
        if {*devices} <= {"cpu"} and self._left_bytes() < _MOST_LEFT_BYTES:
            torch.cuda.empty_cache()
        else:
            free_memory()
            self._unused_bytes = _status(self._proc, "RssAnon")

    def _left_bytes(self) -> float:
        """What is in use beyond what was when no call was there; infinite where the system does not tell."""
        used = _status(self._proc, "RssAnon")
        return math.inf if used is None or self._unused_bytes is None else used - self._unused_bytes


def free_memory() -> None:
    """Free what nobody holds any more; torch would keep its cache of a GPU's memory from other workers."""
    garbage.release()
    c_allocator.hand_back()
    torch.cuda.empty_cache()
