"""What one call needs beyond its inputs: the rise of the process's high-water mark over the call.

Linux keeps that mark and resets it when asked; elsewhere there is no telling, so there is no number.
On CUDA there is a better account (`cuda_memory.py`).
Torch keeps no freed CPU memory of its own and the C library's is handed back first, so that what a
call allocates is new to the process. What other libraries keep from call to call is not seen.
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from bench.worker.cuda_memory import TorchAccount, taken

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan.case import Call
    from bench.worker.cuda_memory import Account

SMALLEST_BYTES = 2**20
"""What is smaller is not told from stacks, buffers and the interpreter's own."""
_RESET_HIGH_WATER_MARK = "5"
_UNCOUNTED_PAGES = 64


def weigh(
    call: Call, device: str, account_of: Callable[[str], Account] = TorchAccount
) -> tuple[int | None, str]:
    """Make the call once more; its peak in bytes, where that can be told, and what a row should note."""
    if not device.startswith("cuda"):
        return peak_bytes(call), ""
    found = taken(call, account_of(device))
    return found.peak_bytes, found.note


def peak_bytes(call: Call, proc: Path = Path("/proc/self")) -> int | None:
    """Make the call; the bytes it takes at its peak, in pages, or None where that is not known.

    A call that seems to take nothing is made once more: memory that was freed before and could not be
    handed back may have served it, and after it that can.

    Args:
        call: one that was made before, or it is charged for the libraries that it loads.
        proc: what the system says of this process; tests pass a made-up one.
    """
    return _rise(call, proc) or _rise(call, proc)


def _rise(call: Call, proc: Path) -> int | None:
    gc.collect()
    _hand_back()
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
    pages = torch.get_num_threads() * max(_UNCOUNTED_PAGES, 2 * (os.cpu_count() or 1))
    return max(SMALLEST_BYTES, pages * 4096)


def _hand_back() -> None:
    """Return freed memory to the system, where the C library can (glibc)."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _reset(proc: Path) -> int | None:
    """Bring the mark down to what is in use; that, or None where the mark does not follow."""
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
