"""How much the inputs of cases may take on each device, all workers being alive together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import units

if TYPE_CHECKING:
    from collections.abc import Mapping

DEVICE_SHARE = 0.5
"""Of a device's own memory; results, workspaces and a context per worker need the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBudget:
    """What may be used of the CPU's memory, what devices have of their own, and for how many workers."""

    memory_bytes: float
    device_memory_bytes: Mapping[str, int]
    workers: int

    def all_bytes(self, device: str) -> float:
        """For the inputs in all workers together; unlimited where a device's memory is not known."""
        if device == "cpu":
            return self.memory_bytes
        known = self.device_memory_bytes.get(device)
        return DEVICE_SHARE * known if known else math.inf

    def worker_bytes(self, device: str) -> float:
        """For those in one worker."""
        return self.all_bytes(device) / self.workers

    def refusal(self, device: str, needed: int, *, exact: bool) -> str:
        """Why inputs that take so much can't be in every worker at once; empty if they can.

        Args:
            device: that they lie on.
            needed: bytes in one worker.
            exact: whether they take just that, or at least that.
        """
        if needed <= self.worker_bytes(device):
            return ""
        there = self.all_bytes(device)
        size = units.size(needed) if exact else f"at least {units.size(needed)}"
        each = f" in each of {self.workers} workers" if self.workers > 1 else ""
        fewer = f"--workers {int(there // needed)} or " if each and needed <= there else ""
        may = f"{units.size(there)} may be used"
        return f"inputs take {size}{each}; {may}: use {fewer}smaller sizes"
