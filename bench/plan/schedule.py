"""How long and how often each case of a run is measured: numbers, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass

from bench.records.cache_state import HOT

_SAMPLES_PER_VISIT = 10
_SHORTEST_SAMPLE_S, _LONGEST_SAMPLE_S = 2e-4, 1e-2
"""200 µs is 4,000 readings of a 50 ns clock; beyond 10 ms a sample only averages more away."""


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
    kernels: bool = True
    """Look at each case of a device with a queue under the profiler, when its samples are taken."""
    energy: bool = False
    """Tell what a call costs in energy, where a device counts it: seconds per case."""

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
        """Steps that settle a case: one to prepare and one a round, in each worker."""
        return self.workers * (self.rounds + 1)
