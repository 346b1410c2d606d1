"""Roofs that are made up, of a device that has two caches and memory."""

from __future__ import annotations

import dataclasses
from typing import Any

from bench.records.roofs import BANDWIDTH, FLOP, Roof, Roofs

WIDTHS = (
    ("L1", 2**15, 1e11, "copy"),
    ("L1+L2", 2**18, 2e11, "triad"),
    ("L2", 2**20, 4e11, "in place"),
    ("L2+DRAM", 2**24, 1e11, "copy"),
    ("DRAM", 2**28, 5e10, "copy"),
)
PEAKS = {"float32": 2e11, "bfloat16": 9e11}


def roofs(device: str = "cpu") -> Roofs:
    """Those of a device; L1 is said to be slower than L2, as small copies are."""
    widths = [
        Roof(kind=BANDWIDTH, level=level, bytes=size, value=value, how=how)
        for level, size, value, how in WIDTHS
    ]
    peaks = [
        Roof(kind=FLOP, dtype=dtype, value=value, how="512×512 by 512×512")
        for dtype, value in PEAKS.items()
    ]
    return Roofs(
        device=device,
        threads=2,
        torch="2.13.0",
        measured_at="2026-11-23T05:02:01+00:00",
        roofs=(*widths, *peaks),
    )


def noted(device: str = "cpu") -> dict[str, Any]:
    """The same as a manifest has them."""
    return {device: dataclasses.asdict(roofs(device))}
