"""The schedule of a run: how long and how often a case is measured, and how much memory a batch may take.

Both are numbers and what follows from them; `run/scheduler.py` measures by them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import units
from bench.records.cache_state import HOT
from bench.records.memory_policy import REUSE

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAMPLES_PER_VISIT = 10
_SHORTEST_SAMPLE_S, _LONGEST_SAMPLE_S = 2e-4, 1e-2
"""200 µs is 4,000 readings of a 50 ns clock; beyond 10 ms a sample only averages more away."""
COPIED_INPUT_BYTES = 2**26
"""Inputs of a case up to this size are held twice, since each visit builds them from copies of their values: 64 MiB
are beyond most caches, so that it matters less where larger ones lie."""
INPUTS_SHARE_OF_DEVICE_MEMORY = 0.5
"""Inputs may take half of a device's own memory; results, workspaces and a context per worker need the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long and how often a case is measured."""

    workers: int
    rounds: int
    case_budget_s: float
    timeout_s: float
    memory_bytes: float
    patience_s: float = 0.0
    """How long the run may wait, in all, for the machine to come back to its reference state."""
    cache: str = HOT
    memory: str = REUSE
    kernels: bool = True
    """Whether each case of a device with a queue is also profiled, after its samples are taken."""
    energy: bool = False
    """Whether the energy of a call is measured too, where a device counts it; it takes seconds per case."""

    @property
    def visit_s(self) -> float:
        """Sampling time of one visit."""
        return self.case_budget_s / (self.workers * self.rounds)

    @property
    def sample_s(self) -> float:
        """How long a sample should take."""
        return min(max(self.visit_s / _SAMPLES_PER_VISIT, _SHORTEST_SAMPLE_S), _LONGEST_SAMPLE_S)

    @property
    def steps_per_case(self) -> int:
        """Steps of a case's progress: in each worker one to prepare it and one per round."""
        return self.workers * (self.rounds + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBudget:
    """How much memory the inputs of a batch of cases may take on each device, in all workers together."""

    memory_bytes: float
    """What may be used of the CPU's memory."""
    device_memory_bytes: Mapping[str, int]
    """Device → all its own memory, where that is known."""
    workers: int

    def all_bytes(self, device: str) -> float:
        """Memory for the inputs in all workers together; unlimited where a device's memory is not known."""
        if device == "cpu":
            return self.memory_bytes
        known = self.device_memory_bytes.get(device)
        return INPUTS_SHARE_OF_DEVICE_MEMORY * known if known else math.inf

    def worker_bytes(self, device: str) -> float:
        """Memory for the inputs in one worker."""
        return self.all_bytes(device) / self.workers

    @staticmethod
    def held_bytes(input_bytes: int) -> int:
        """What inputs of this size take of a worker's memory, the copies of their values included."""
        return input_bytes * 2 if input_bytes <= COPIED_INPUT_BYTES else input_bytes

    def refusal(self, device: str, needed: int, *, exact: bool) -> str:
        """Why inputs of this size can't be in every worker at once; empty if they can.

        Args:
            device: the device that holds the inputs.
            needed: bytes that the inputs take in one worker.
            exact: whether they take just that, or at least that.
        """
        if needed <= self.worker_bytes(device):
            return ""
        may_use = self.all_bytes(device)
        size = units.size(needed) if exact else f"at least {units.size(needed)}"
        each = f" in each of {self.workers} workers" if self.workers > 1 else ""
        fewer = f"--workers {int(may_use // needed)} or " if each and needed <= may_use else ""
        limit = f"{units.size(may_use)} may be used"
        return f"inputs take {size}{each}; {limit}: use {fewer}smaller sizes"
