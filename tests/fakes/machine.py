"""Made-up trees of `proc` and `sys` that tests share, and what is known of a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.doctor.history import MachineHistory
from bench.machine.compute_mode import ContextLimits

if TYPE_CHECKING:
    from collections.abc import Mapping
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
