"""Made-up trees of `proc` and `sys` that tests share, and what is known of a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.doctor.history import MachineHistory
from bench.machine.compute_mode import ContextLimits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pytest

CPU = "sys/devices/system/cpu"
KNOWN = MachineHistory(
    reference=True,
    roofs=True,
    store="results",
    earlier_runs=5,
    enough_runs=3,
    torch="2.13.0",
    cpu_capability="AVX2",
)
"""The history of a machine that has measured before."""


def set_compute_mode(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """Put the machine's one GPU into a compute mode; MPS does not run."""
    found = ContextLimits(modes=(mode,))
    monkeypatch.setattr(ContextLimits, "read", lambda: found)


def tree(root: Path, files: Mapping[str, str]) -> Path:
    """A root folder that holds these files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


def siblings(*groups: str) -> dict[str, str]:
    """The topology of four logical cores: who shares a physical one with whom."""
    return {
        f"{CPU}/cpu{core}/topology/thread_siblings_list": group for core, group in enumerate(groups)
    }


def kfd_node(
    number: int, caches_kib: Sequence[tuple[int, int]], **facts: int | str
) -> dict[str, str]:
    """A node of the topology of Linux's AMD driver, a GPU unless `simd_count` is 0: level and size of its caches."""
    node = f"sys/class/kfd/kfd/topology/nodes/{number}"
    known = {"simd_count": 1216, **facts}
    files = {f"{node}/properties": "\n".join(f"{name} {value}" for name, value in known.items())}
    for place, (level, size_kib) in enumerate(caches_kib):
        text = f"processor_id_low 1\nlevel {level}\nsize {size_kib}\nsibling_map 1,1,0,1"
        files[f"{node}/caches/{place}/properties"] = text
    return files
