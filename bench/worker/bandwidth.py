"""Memory bandwidth of a device, level by level: the best of several ways of moving more and more bytes.

Sizes and ways alternate, in two passes, so that a short disturbance of the machine lowers no roof.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import torch

from bench.machine.hardware import free_memory_bytes
from bench.records.roofs import BANDWIDTH, Roof
from bench.worker.cache_flush import UNKNOWN_CACHES_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.worker.best_time import BestTimer

CACHE_MULTIPLES = (2, 4, 8)
MEMORY_MULTIPLES = (2, 2.8, 4, 5.6, 8)
"""Bytes moved in a slower cache, and in memory, as multiples of all faster caches. Data changed in place is half
of what is moved, and a cache holds a part of what is up to four times its size (see `cache_flush.py`): from
eight times on it is the level alone."""
GPU_MEMORY_MULTIPLES = (*MEMORY_MULTIPLES, 32, 128)
"""At eight times a GPU's L2, beginning and ending a kernel are a part of the time. An H200 moved 3 % less there
than at 64 times (`docs/gpu.md`)."""
_UNMIXED_MULTIPLE = 8
_MAX_SHARE_OF_CACHE = 0.75
"""Largest share of a cache that is used: stacks, code and the system want some too."""
UNKNOWN_CACHES: Mapping[str, int] = MappingProxyType(
    {"cache": 64 * 2**10, "caches": UNKNOWN_CACHES_BYTES}
)
"""Assumed where the system does not say: a small cache, so that small data is not compared with memory, and
all caches together."""
_MAX_SHARE_OF_FREE_MEMORY = 0.25
_PASSES = 2
_PAD_ELEMENTS = 272
"""Elements between operands: 17 lines of 64 bytes, so that operands don't begin at the same offset in a page and
share cache sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandwidthPoint:
    """A point where bandwidth is measured: so many bytes moved, by a call that finds its data in this level."""

    level: str
    moved_bytes: int


def free_bytes_of(device: str) -> int:
    """Free bytes of the memory that a device's tensors lie in."""
    if device.startswith("cuda"):
        free, _ = torch.cuda.mem_get_info(torch.device(device))
        return int(free)
    return free_memory_bytes()


def points(
    caches: Mapping[str, int],
    device: str = "cpu",
    free_bytes_of: Callable[[str], int] = free_bytes_of,
) -> list[BandwidthPoint]:
    """Points in each cache, then beyond all of them, as far as the memory of the device allows."""
    memory = "DRAM" if device == "cpu" else "memory"
    multiples = MEMORY_MULTIPLES if device == "cpu" else GPU_MEMORY_MULTIPLES
    found: list[BandwidthPoint] = []
    faster, faster_bytes = "", 0
    for level, size in (caches or UNKNOWN_CACHES).items():
        most = int(size * _MAX_SHARE_OF_CACHE)
        wanted = [faster_bytes * times for times in CACHE_MULTIPLES] if faster else [most // 2]
        sizes = [*(one for one in wanted if one < most), most]
        found += [_point(level, one, faster, faster_bytes) for one in sizes]
        faster, faster_bytes = level, faster_bytes + size
    most_bytes = free_bytes_of(device) * _MAX_SHARE_OF_FREE_MEMORY
    sizes = [int(faster_bytes * n) for n in multiples if faster_bytes * n <= most_bytes]
    return found + [_point(memory, one, faster, faster_bytes) for one in sizes]


def _point(level: str, moved_bytes: int, faster: str, faster_bytes: int) -> BandwidthPoint:
    """Named after both levels where the faster one may hold a part."""
    mixed = faster and moved_bytes < _UNMIXED_MULTIPLE * faster_bytes
    return BandwidthPoint(level=f"{faster}+{level}" if mixed else level, moved_bytes=moved_bytes)


def bandwidths(
    device: str, wanted: Sequence[BandwidthPoint], seconds: float, timer: BestTimer
) -> list[Roof]:
    """At each point the best way of moving bytes, with copy and triad beside it."""
    if not wanted:
        return []
    elements = max(one.moved_bytes for one in wanted) // torch.float32.itemsize
    memory = torch.ones(elements + 3 * _PAD_ELEMENTS, device=device)
    steps = [(one, how) for one in wanted for how in WAYS]
    step_s = seconds / len(steps) / _PASSES
    best: dict[tuple[BandwidthPoint, str], float] = {}
    for point, how in steps * _PASSES:
        moved_bytes, call = WAYS[how](memory, point.moved_bytes)
        rate = moved_bytes / timer.best_s(call, step_s)
        best[point, how] = max(rate, best.get((point, how), 0.0))
    return list(_kept(best))


def _kept(best: Mapping[tuple[BandwidthPoint, str], float]) -> Iterator[Roof]:
    """Copy, triad, and the best of all ways: of each level, or of each size where two levels share the data."""
    groups: dict[object, list[tuple[BandwidthPoint, str]]] = {}
    for point, how in best:
        groups.setdefault(point if "+" in point.level else point.level, []).append((point, how))
    for members in groups.values():
        size = min(point.moved_bytes for point, _ in members)
        rates = {how: max(best[key] for key in members if key[1] == how) for _, how in members}
        widest = max(rates, key=lambda how: rates[how])
        for how in dict.fromkeys(("copy", "triad", widest)):
            yield Roof(
                kind=BANDWIDTH,
                value=rates[how],
                level=members[0][0].level,
                bytes=size,
                how=how,
            )


def _parts(memory: torch.Tensor, count: int, moved_bytes: int) -> tuple[list[torch.Tensor], int]:
    """So many operands that are this large together, no two beginning at the same offset in a page."""
    each = max(1, moved_bytes // count // memory.itemsize)
    starts = [index * (each + _PAD_ELEMENTS) for index in range(count)]
    return [memory[start : start + each] for start in starts], count * each * memory.itemsize


def _copy(memory: torch.Tensor, moved_bytes: int) -> tuple[int, Callable[[], object]]:
    (a, b), moved = _parts(memory, 2, moved_bytes)
    return moved, lambda: b.copy_(a)


def _triad(memory: torch.Tensor, moved_bytes: int) -> tuple[int, Callable[[], object]]:
    (a, b, c), moved = _parts(memory, 3, moved_bytes)
    return moved, lambda: torch.add(a, b, alpha=3, out=c)


def _read(memory: torch.Tensor, moved_bytes: int) -> tuple[int, Callable[[], object]]:
    (a,), moved = _parts(memory, 1, moved_bytes)
    return moved, a.sum


def _write(memory: torch.Tensor, moved_bytes: int) -> tuple[int, Callable[[], object]]:
    (a,), moved = _parts(memory, 1, moved_bytes)
    return moved, lambda: a.fill_(1)


def _in_place(memory: torch.Tensor, moved_bytes: int) -> tuple[int, Callable[[], object]]:
    """Half as much data, read and written: new memory has to be fetched before it is written, this not."""
    (a,), moved = _parts(memory, 1, moved_bytes // 2)
    return 2 * moved, a.neg_


WAYS: Mapping[str, Callable[[torch.Tensor, int], tuple[int, Callable[[], object]]]] = {
    "copy": _copy,
    "triad": _triad,
    "read": _read,
    "write": _write,
    "in place": _in_place,
}
"""Ways of moving bytes: each takes the memory to use and a number of bytes, and gives the number moved and a call."""
