"""Caches of AMD GPUs, as Linux's driver for them (KFD) lists them: the L2 of all dies, and the Infinity Cache.

HIP, and so torch, tells of one L2 only (`hipDeviceProp_t.l2CacheSize`). An MI300X has eight of 4 MiB, one a die,
and 256 MiB of Infinity Cache behind them (ROCm documentation, *GPU hardware specifications*). No torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.machine.hardware import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    Place = tuple[int, int, int]
    """PCI domain, bus and device."""

_NODES = "sys/class/kfd/kfd/topology/nodes"
_KIB = 2**10
_DIE_LEVEL, _GPU_LEVEL = 2, 3
"""L2 is listed once a node, as large as that of one of its `num_xcc` dies; L3, the Infinity Cache, is the node's
(`drivers/gpu/drm/amd/amdkfd/kfd_topology.c` and `kfd_crat.c`; the thunk reads them as we do, `libhsakmt`)."""


def caches_bytes(place: Place | None, root: Path = Path("/")) -> dict[str, int]:
    """Level → bytes of the caches that a whole GPU shares, `L2` first; nothing where the driver lists none.

    Args:
        place: the GPU's on the PCI bus; None takes the largest caches of all AMD GPUs.
        root: where `sys` is; tests pass a made-up tree.
    """
    found: dict[str, int] = {}
    for node in sorted((root / _NODES).glob("*")):
        facts = _facts(node)
        if facts.get("simd_count") and (place is None or _place(facts) == place):
            for level, size_bytes in _levels(node, facts.get("num_xcc", 1)):
                found[level] = max(size_bytes, found.get(level, 0))
    return dict(sorted(found.items()))


def _levels(node: Path, dies: int) -> Iterator[tuple[str, int]]:
    for folder in node.glob("caches/*"):
        cache = _facts(folder)
        level, size_bytes = cache.get("level"), cache.get("size", 0) * _KIB
        if size_bytes and level in {_DIE_LEVEL, _GPU_LEVEL}:
            yield f"L{level}", size_bytes * (max(1, dies) if level == _DIE_LEVEL else 1)


def _place(facts: dict[str, int]) -> Place:
    """Of a node: eight bits of bus, five of device, three of function; parts of one GPU differ in the last."""
    where = facts.get("location_id", 0)
    return facts.get("domain", 0), where >> 8, where >> 3 & 0x1F


def _facts(folder: Path) -> dict[str, int]:
    """A `properties` file, of lines of a name and a whole number; others are left out."""
    lines = (text_of(folder / "properties") or "").splitlines()
    pairs = (line.split(maxsplit=1) for line in lines)
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) > 1 and pair[1].isdecimal()}
