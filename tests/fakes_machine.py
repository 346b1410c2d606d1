"""Made-up trees of `proc` and `sys` that tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CPU = "sys/devices/system/cpu"


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
