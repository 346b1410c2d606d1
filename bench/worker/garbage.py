"""Garbage: objects that refer to each other, which only a collection frees. Bounded here, where Python collects none.

A worker has switched collection off, so that none falls into a timed sample. A call that leaves cycles would then
pile up its tensors until memory ran out: what a sample has left is collected when its time has been read, and a sample
has no more calls than may leave their garbage together.
"""

from __future__ import annotations

import gc
import math
import mmap
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from bench.plan.case import Call

MOST_BYTES = 2**28
"""Garbage of a sample: 256 MiB, in each of six workers, are well below what a machine has that runs them."""
_MOST_OBJECTS = 10_000
"""Objects made since the last collection, from which on one is due that no sample by itself gave reason for."""
_TRIES = 2
"""Calls that must all leave garbage: the first ones load modules, which leave some once."""
_STATM = Path("/proc/self/statm")


def settle() -> None:
    """Collect, and exempt what is there from later collections, which then take as long as what is new needs.

    Looking through all of torch's objects takes 0.1 s, and much of what seems to be left by a call is not garbage.
    """
    gc.collect()
    gc.freeze()


def release() -> None:
    """Collect among what was exempted too, since calls that are dropped may hold themselves."""
    gc.unfreeze()
    settle()


def objects() -> int:
    """Objects made since the last collection that are still there, as Python's collector counts them."""
    return gc.get_count()[0]


def collect_left(before: int, calls: int) -> None:
    """Collect what so many calls have left, if each left an object at least; takes no time of calls that leave none.

    Args:
        before: the objects before these calls.
        calls: how many.
    """
    now = objects()
    if now - before >= calls or now > _MOST_OBJECTS:
        gc.collect()


def held_bytes() -> int:
    """Memory that the process holds, and that of a GPU: address space, since what is not written to may be limited too."""
    cuda: Any = torch.cuda  # a part of it carries no types
    on_cuda = cuda.memory_allocated() if cuda.is_initialized() else 0
    with suppress(OSError, ValueError, IndexError):
        return int(_STATM.read_text().split()[0]) * mmap.PAGESIZE + on_cuda
    return int(on_cuda)


def most_calls(before: int, before_bytes: int, calls: int) -> float:
    """How many calls may follow each other before what they leave is collected, by what these have left.

    Args:
        before: the objects before these calls.
        before_bytes: the memory held then.
        calls: how many they were.
    """
    left, grown = objects() - before, held_bytes() - before_bytes
    if left < calls or grown <= 0:
        return math.inf
    return max(1, MOST_BYTES * calls // grown)


def leaves_cycles(call: Call) -> bool:
    """Make the call again; whether each time it leaves objects that refer to each other."""
    gc.collect()
    return all(_leaves_cycles(call) for _ in range(_TRIES))


def _leaves_cycles(call: Call) -> bool:
    call()
    return gc.collect() > 0
