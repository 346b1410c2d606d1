"""C allocator: `malloc` set so that results lie in memory that was freed before, or in fresh pages; and what it gives back.

By itself, glibc serves up to 32 MiB from memory that it kept or from fresh pages, by what was freed before, and larger
requests from fresh pages always (`mallopt(3)`). Which of both a call gets was found to make it take 2 to 20 times as
long. Other allocators can't be set here: whether they do what was asked for is tried.
"""

from __future__ import annotations

import ctypes
import math
import mmap
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench import units
from bench.records.memory_policy import FRESH, REUSE, SYSTEM

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -3, -4
"""Parameters of glibc's `mallopt` (`malloc.h`)."""
FRESH_FROM_BYTES = 128 * 2**10
"""Smallest request that is fresh pages under `fresh`: where glibc begins by itself; smaller results fit a cache."""
_SETTINGS: Mapping[str, Mapping[int, int]] = {
    # No request is a mapping of its own, which the system would take back; and nothing is given back (-1, mallopt(3)).
    REUSE: {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: -1},
    # To set the threshold keeps glibc from raising it by what is freed.
    FRESH: {_M_MMAP_THRESHOLD: FRESH_FROM_BYTES, _M_MMAP_MAX: 2**30},
}
_PROBED_BYTES = 2 * FRESH_FROM_BYTES, 40 * 2**20
"""A small result, which other allocators reuse longest, and a large one, which glibc by itself never does: a policy
that holds for both holds between them. jemalloc 5.3 reuses the one and not the other."""
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The memory policy that holds in a process, and why it is not the one asked for, if it is not."""

    policy: str = SYSTEM
    note: str = ""


def apply(policy: str, tried: Callable[[int], float | None] | None = None) -> Memory:
    """Have `malloc` follow a policy from now on, and try whether it does.

    Args:
        policy: of `bench.records.memory_policy`.
        tried: tells which share of a block of so many bytes is fresh pages when it was freed and allocated again; None
            where no one counts.
    """
    if policy == SYSTEM:
        return Memory()
    for parameter, value in _SETTINGS[policy].items():
        _c("mallopt", parameter, value)
    for size in _PROBED_BYTES:
        fresh = (tried or fresh_share)(size)
        if fresh is None:
            return Memory(note="this system counts no page faults")
        if (fresh > _MOSTLY) != (policy == FRESH):
            does = "fresh pages" if fresh > _MOSTLY else "memory that was freed before"
            return Memory(note=f"the C library serves results of {units.size(size)} from {does}")
    return Memory(policy=policy)


def fresh_share(size_bytes: int) -> float | None:
    """Fill a block, free it, fill it again: the share of the page faults that came again; 20 ms for 40 MiB."""
    if sys.platform == "win32" or not resource.getrusage(resource.RUSAGE_SELF).ru_minflt:
        return None  # it counts none
    first, again = _faults_of_block(size_bytes), _faults_of_block(size_bytes)
    hand_back()
    return again / first if first else 0.0


def _faults_of_block(size_bytes: int) -> int:
    """Page faults of filling a block that is then freed."""
    libc: Any = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.restype, libc.free.argtypes = None, [ctypes.c_void_p]
    block = libc.malloc(size_bytes)
    if not block:
        return 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    ctypes.memset(block, 1, size_bytes)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    libc.free(block)
    return faults


def hand_back_above(limit_bytes: float, statm: Path = Path("/proc/self/statm")) -> None:
    """Return freed memory if so much of it is kept that other workers, which keep as much, may lack it.

    What is freed and what is in memory are both known (`mallinfo2(3)`, `proc(5)`); kept is the lesser of them at most.
    """
    with suppress(OSError, ValueError):
        _, resident, shared, *_ = map(int, statm.read_text().split())
        private_bytes = (resident - shared) * mmap.PAGESIZE
        if private_bytes > limit_bytes and _freed_bytes() > limit_bytes:
            hand_back()


class _MallInfo2(ctypes.Structure):
    """glibc's `struct mallinfo2`: ten sizes."""

    _fields_: ClassVar[Any] = (
        ("allocated_and_more", ctypes.c_size_t * 8),
        ("freed_bytes", ctypes.c_size_t),
        ("at_the_top_bytes", ctypes.c_size_t),
    )


def _freed_bytes() -> float:
    """Memory of freed blocks that malloc holds, in memory or not; infinite where it does not tell (glibc before 2.33)."""
    try:
        info = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return math.inf
    info.restype = _MallInfo2
    return int(info().freed_bytes)


def hand_back() -> None:
    """Return freed memory to the system, where the C library can (glibc)."""
    _c("malloc_trim", 0)


def _c(name: str, *arguments: int) -> None:
    """Call a function of the C library, if it has it."""
    with suppress(AttributeError, OSError, TypeError):
        getattr(ctypes.CDLL(None), name)(*arguments)
