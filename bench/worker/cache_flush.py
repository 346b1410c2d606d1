"""Cache flush: a buffer larger than all caches of a device, streamed through by every thread, empties them.

No portable instruction empties caches, so it is done by use: what is read and written last stays, and
whatever was there before is pushed out. How large the caches are is what the kernel says, not a guess.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from bench.machine import amd_caches
from bench.machine.hardware import text_of
from bench.plan.case import Skip

if TYPE_CHECKING:
    from bench.machine.amd_caches import Place

UNKNOWN_CACHES_BYTES = 64 * 2**20
"""Assumed size of all caches where the system does not say: more than those of most desktops (2026)."""
TIMES_THE_CACHES = 4
"""Size of the buffer: caches don't forget in order, they protect what was often read. After streaming once their size
(L3 of 32 MiB) a product of two 512² matrices took 36 µs, after twice 46 to 66, after four times 63 to
100 and after six times no longer than that; 17 µs is its time with hot caches."""
TIMES_THE_GPUS_CACHE = 5
"""Size of the buffer on a GPU: where lines are replaced at random, one survives reading `t` times the cache
with a chance of exp(-t): 13 % at 2, which flashinfer reads, and 0.7 % at 5 (triton writes 256 MB, 5 times
the L2 of an H100).
An H200 was as cold after reading once its L2 (`docs/gpu.md`); others are not known, and this takes 70 µs."""
_UNITS_BYTES = {"K": 2**10, "M": 2**20}


class Evictor:
    """A buffer that has the caches to itself once it was called."""

    def __init__(self, size_bytes: int, device: str = "cpu") -> None:
        elements = max(1, size_bytes // torch.float32.itemsize)
        self._buffer = torch.zeros(elements, dtype=torch.float32, device=device)
        self()  # the pages are handed out now, and near the threads that use them

    @classmethod
    def of_device(cls, device: str, root: Path = Path("/")) -> Evictor:
        """One for the caches of a device: those that torch's threads can use, or the last level of a GPU.

        Raises:
            Skip: it is a device of another kind.
        """
        times = TIMES_THE_CACHES if device == "cpu" else TIMES_THE_GPUS_CACHE
        known = sum(caches_of(device, root).values())
        return cls(times * (known or UNKNOWN_CACHES_BYTES), device)

    @property
    def size_bytes(self) -> int:
        """Bytes that are read and written at each call."""
        return self._buffer.nbytes

    def __call__(self) -> None:
        """Evict: each thread reads and writes its share, through the caches of its own core.

        On a GPU it only reads, so that no written lines are left for what comes next to bring home.
        """
        if self._buffer.is_cuda:
            self._buffer.sum()
        else:
            self._buffer.add_(1)


def caches_of(device: str, root: Path = Path("/")) -> dict[str, int]:
    """Level → bytes of a device's data caches, the fastest first: those that torch's threads reach, or a GPU's L2.

    On ROCm the L2 of all dies and the Infinity Cache: torch's own word is the L2 of one die. Nothing where the
    system, or torch, does not say.

    Raises:
        Skip: it is a device of another kind.
    """
    if device == "cpu":
        return levels_bytes(torch.get_num_threads(), root)
    if not device.startswith("cuda"):
        message = f"which caches {device} has is not known here; measure it --cache hot"
        raise Skip(message)
    facts = torch.cuda.get_device_properties(torch.device(device))
    if torch.version.hip is not None:
        return amd_caches.caches_bytes(_place(facts), root)
    known = getattr(facts, "L2_cache_size", None)
    return {"L2": known} if known else {}


def _place(facts: Any) -> Place | None:
    """Where a GPU is on the PCI bus; None where this torch does not say."""
    names = ("pci_domain_id", "pci_bus_id", "pci_device_id")
    domain, bus, device = (getattr(facts, name, None) for name in names)
    return None if domain is None or bus is None or device is None else (domain, bus, device)


def levels_bytes(threads: int, root: Path = Path("/")) -> dict[str, int]:
    """Level → bytes of all CPU caches that so many threads reach at most and that hold data, `L1` first.

    Threads are bound to cores, so the largest caches of a level, one per thread, are the most they reach.
    All levels count, since one may hold what the next does not.

    Args:
        threads: how many, each on a core of its own.
        root: where `sys` is; tests pass a made-up tree.
    """
    levels: dict[str, dict[str, int]] = {}
    for folder in (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cache/index[0-9]*"):
        level, kind, size, sharing = (
            text_of(folder / name) or "" for name in ("level", "type", "size", "shared_cpu_list")
        )
        found_bytes = _bytes(size)
        if level and kind != "Instruction" and found_bytes:
            levels.setdefault(f"L{level}", {})[sharing or folder.parts[-3]] = found_bytes
    return {
        level: sum(sorted(levels[level].values(), reverse=True)[:threads])
        for level in sorted(levels)
    }


def _bytes(size: str) -> int:
    """The kernel's `1024K` in bytes; 0 for anything else."""
    number, unit = size[:-1], size[-1:]
    return int(number) * _UNITS_BYTES[unit] if number.isdecimal() and unit in _UNITS_BYTES else 0
