"""Our copies stand beside those of others, of the same size, or the table says that there are none."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.lab import roofs

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_peer_that_is_not_here_is_a_dash() -> None:
    """As the loops in C are where there is no compiler."""
    shown = roofs.table([[2**20, 2e9, 3e9, 1e9, None, None]]).splitlines()
    assert len(shown) == 3
    assert shown[2] == "| 1.00 MiB | 2.00 GB/s | 3.00 GB/s | 1.00 GB/s | – | – |"


def test_without_a_compiler_there_are_no_loops_in_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor with one that can't make them."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert roofs.compiled(tmp_path) is None
    monkeypatch.setattr(shutil, "which", lambda _: "false")
    assert roofs.compiled(tmp_path) is None
