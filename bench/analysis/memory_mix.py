"""Memory mix: in which memory results lie on each side, where rows that are compared differ in it.

A GPU's allocator reuses memory, so its rows are compared with those of a CPU whatever policy these have: that
is legitimate, and must be said. Rows of one device are never mixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.records.memory_policy import meaning

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.records.record import Record


def said(records: Iterable[Record]) -> str:
    """`on cpu large results lie in fresh pages, on cuda results lie …`; empty where all devices are alike."""
    devices: dict[str, dict[str, None]] = {}
    for row in records:
        if row.status != "skipped":
            devices.setdefault(row.memory_policy, {})[row.device] = None
    if len(devices) < 2:  # noqa: PLR2004 - a mix has two
        return ""
    return ", ".join(f"on {' and '.join(of)} {meaning(policy)}" for policy, of in devices.items())


def sentence(records: Iterable[Record]) -> str | None:
    """The same as a sentence; None where there is nothing to say."""
    mix = said(records)
    return f"Devices differ in memory: {mix}." if mix else None
