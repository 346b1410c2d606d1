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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Heap:
    """What the process holds: objects, and bytes of memory, those of a GPU with them."""

    objects: int
    bytes: int

    @classmethod
    def now(cls) -> Self:
        """What it holds now."""
        cuda: Any = torch.cuda  # a part of it carries no types
        on_cuda = cuda.memory_allocated() if cuda.is_initialized() else 0
        return cls(objects=objects(), bytes=_virtual_bytes() + on_cuda)

    def most_calls(self, calls: int) -> float:
        """How many calls may follow each other before what they leave is collected, by what these have left.

        Args:
            calls: those made since this was seen.
        """
        now = self.now()
        grown = now.bytes - self.bytes
        if now.objects - self.objects < calls or grown <= 0:
            return math.inf
        return max(1, MOST_BYTES * calls // grown)


def leaves_cycles(call: Call) -> bool:
    """Make the call again; whether each time it leaves objects that refer to each other."""
    gc.collect()
    return all(_leaves_cycles(call) for _ in range(_TRIES))


def _leaves_cycles(call: Call) -> bool:
    call()
    return gc.collect() > 0


def _virtual_bytes() -> int:
    """The address space in use: memory that was asked for and not written to counts, since it may be limited."""
    with suppress(OSError, ValueError, IndexError):
        return int(_STATM.read_text().split()[0]) * mmap.PAGESIZE
    return 0
