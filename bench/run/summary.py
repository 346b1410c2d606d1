"""Summary of a case from its cells: the headline, its confidence interval, the conditions, and warnings.

The headline is that of the cells at reference conditions where these are enough, of those that were not preempted
and had the memory that the run's policy asks for. Where they are not, or the case has two times, the interval says
so by its width.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from statistics import median, mode
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import units
from bench.machine import gpu_readings
from bench.pool.protocol import WAITS
from bench.records import machine_state
from bench.records.memory_policy import SYSTEM
from bench.records.warning_codes import BY_FAULTS
from bench.run.cells import (
    at_conditions,
    counted,
    drifts,
    enough,
    fewest_of,
    headline_cells,
    matrix,
    preempted,
    scaled_to_reference,
    states_by_faults,
    two_states,
    undisturbed,
    waits_for_host,
)
from bench.stats import interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.analysis.history import Key
    from bench.machine.gpu_readings import Telemetry
    from bench.pool.protocol import Prepared
    from bench.records.machine_state import Conditions
    from bench.records.record import Record, Sample
    from bench.run.cells import Cell, State
    from bench.stats.interval import Estimate, Spread

NOISY_HALF_WIDTH = 0.05
"""An interval wider than ±5 % can't settle the differences people ask about."""
FEW_ROUNDS = 3
"""Below three rounds a change of the machine during the run can't be told from the op's own time."""
_WARN_SHARE = 0.5
"""Share of cells, or of workers, from which on a warning is given: the test of whether a call has settled errs
in one worker of twenty, so that a single worker is no reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseNoise:
    """How far a case may be off for reasons that its own samples can't show."""

    others: Spread | None = None
    """The spread that the cases measured together have in common."""
    floor: Spread | None = None
    """The noise floor: how far earlier runs of the same code lay apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How far the cases of a batch may be off for reasons that their own samples can't show."""

    others: Spread | None = None
    """The spread that the cases measured together have in common."""
    floors: Mapping[Key, Spread] = field(default_factory=dict)
    """Per case and device, the noise floor."""

    def of(self, key: Key) -> CaseNoise:
        """The noise of one case."""
        return CaseNoise(others=self.others, floor=self.floors.get(key))


def spread_of(cells: Sequence[Cell]) -> Spread | None:
    """How far the cells of a case lie apart; None where these are too few to tell."""
    return interval.spread(matrix(cells)) if cells else None


def pooled_spread(spreads: Iterable[Spread | None]) -> Spread | None:
    """The spread that cases measured together have in common."""
    return interval.pooled([spread for spread in spreads if spread])


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """How the samples were taken, as far as the summary needs it."""

    confidence: float
    cells: tuple[Cell, ...]
    gauges: tuple[Telemetry, ...]
    """Readings of a GPU in each cell, while a sentinel ran."""
    noise: CaseNoise
    noise_at_reference: CaseNoise
    reference: Conditions | None
    prepared: tuple[Prepared, ...]
    memory: str = SYSTEM
    """The memory policy, which says whether cells with fresh pages count or those without."""
    budget_s: float = math.inf
    """The time that the case had for its samples."""
    loaded: tuple[Telemetry, ...] = ()
    """Readings of a GPU while it worked on this case alone."""

    @property
    def undisturbed(self) -> list[Cell]:
        """The cells that were not preempted."""
        return undisturbed(self.cells)

    @property
    def chosen(self) -> list[Cell]:
        """The cells that the headline is made from."""
        return headline_cells(self.cells, self.reference, self.memory)

    @property
    def reference_share(self) -> float | None:
        """The share of undisturbed cells at reference conditions, where there is a reference and sentinels."""
        left = self.undisturbed
        if self.reference is None or not any(c.conditions for c in left):
            return None
        return len(at_conditions(left, self.reference)) / len(left)

    @property
    def elsewhere(self) -> bool:
        """Whether the headline is from a machine that was mostly not at reference conditions."""
        share = self.reference_share
        at = at_conditions(counted(self.cells, self.memory), self.reference)
        return share is not None and share < _WARN_SHARE and not enough(at)


def summarised(bare: Record, samples: tuple[Sample, ...], how: Measuring) -> Record:
    """The record with everything that its samples say."""
    times = [s.time_s for s in samples]
    estimate = _estimate(how)
    headline = estimate.centre if estimate.centre > 0 else None
    known = math.isfinite(estimate.low)
    taken = {(c.worker, c.round) for c in how.chosen}
    seen = [s for s in samples if (s.worker, s.round) in taken]
    both, floor = _both(how), how.noise.floor
    gpu = dataclasses.asdict(gpu_readings.facts(how.gauges, how.loaded))
    bare = dataclasses.replace(bare, **_at_reference(how), **_on_device(how, headline), **gpu)
    return dataclasses.replace(
        bare,
        warnings=_warnings(bare, estimate, how, best_s=min(times)),
        time_s=headline,
        time_lo_s=max(estimate.low, 0.0) if known else None,
        time_hi_s=estimate.high if known else None,
        confidence=how.confidence,
        reference_compute_s=how.reference.compute_s if how.reference else None,
        reference_barrier_s=how.reference.barrier_s if how.reference else None,
        reference_share=how.reference_share,
        noise_floor_share=math.sqrt(floor.variance) if floor else None,
        state_times_s=tuple(state.time_s for state in both),
        state_shares=tuple(state.share for state in both),
        state_faults=tuple(state.faults for state in both if state.faults is not None),
        preempted_share=len(preempted(how.cells)) / len(how.cells),
        sentinel_compute_s=_median_of([s.sentinel_compute_s for s in seen]),
        sentinel_barrier_s=_median_of([s.sentinel_barrier_s for s in seen]),
        sentinel_launch_s=_median_of([s.sentinel_launch_s for s in seen]),
        time_best_s=min(times),
        time_p95_s=interval.quantile(times, 0.95),
        first_call_s=median(p.first_call_s for p in how.prepared),
        samples=len(samples),
        workers=len({s.worker for s in samples}),
        rounds=len({s.round for s in samples}),
        loops=round(median(s.loops for s in samples)),
        overhead_s=median(p.overhead_s for p in how.prepared),
        drain_s=median(p.drain_s for p in how.prepared) or None,
        flop_per_s=_rate(bare.flop, headline),
        bytes_per_s=_rate(bare.bytes, headline),
    )


def _estimate(how: Measuring) -> Estimate:
    """The headline and its interval, as wide as everything that is not known makes it."""
    chosen = how.chosen
    noise = how.noise
    found = interval.estimate(matrix(chosen), how.confidence, noise.others, noise.floor)
    found = _with_overhead(found, how.prepared)
    if how.elsewhere:
        found = _stretched(found, _distance(chosen, how.reference))
    mixed = two_states(chosen, how.reference)
    if mixed:
        low, high = (state.time_s for state in mixed)
        found = dataclasses.replace(found, low=min(found.low, low), high=max(found.high, high))
    return found


def _with_overhead(estimate: Estimate, prepared: Sequence[Prepared]) -> Estimate:
    """The interval, widened by how uncertain the subtracted overhead is (added in quadrature)."""
    unsure = median(p.overhead_uncertainty_s for p in prepared)
    below, above = estimate.centre - estimate.low, estimate.high - estimate.centre
    return dataclasses.replace(
        estimate,
        low=estimate.centre - math.hypot(below, unsure),
        high=estimate.centre + math.hypot(above, unsure),
    )


def _stretched(estimate: Estimate, factor: float) -> Estimate:
    """The interval in another state, reaching further than the sentinels moved, both ways.

    Twice as far, as a logarithm: the sentinels have some work of their own, so that in a state in which
    the barrier sentinel took 1.55 times as long a small matmul took 1.85 times. Both ways, because large
    copies were faster in it.
    """
    return dataclasses.replace(
        estimate, low=estimate.low / factor**2, high=estimate.high * factor**2
    )


def _distance(chosen: Sequence[Cell], wanted: Conditions | None) -> float:
    """How far the machine was from its reference, in the middle of these cells."""
    if wanted is None:
        return 1.0
    return median(machine_state.distance(c.conditions, wanted) for c in chosen if c.conditions)


def _at_reference(how: Measuring) -> dict[str, Any]:
    """The headline at reference conditions, and its interval; nothing if too few cells were at them."""
    scaled = scaled_to_reference(how.cells, how.reference, how.memory)
    if not scaled:
        return {}
    noise = how.noise_at_reference
    found = interval.estimate(matrix(scaled), how.confidence, noise.others, noise.floor)
    found = _with_overhead(found, how.prepared)
    if found.centre <= 0:
        return {}
    ends = {
        "time_at_reference_lo_s": max(found.low, 0.0),
        "time_at_reference_hi_s": found.high,
    }
    return {"time_at_reference_s": found.centre, **(ends if math.isfinite(found.low) else {})}


def _on_device(how: Measuring, headline: float | None) -> dict[str, Any]:
    """The device's own time, what submitting costs, and which of them the caller waits for."""
    gapless = [one for cell in how.cells for one in cell.gapless]
    if not gapless:
        waits = mode(p.work for p in how.prepared) == WAITS
        return {"gapless_share": 0.0} if waits else {}
    device_s = _centre_of([c.device_s for c in how.chosen])
    bound = "launch" if waits_for_host(how.chosen) else "device"
    return {
        "device_time_s": device_s,
        "host_time_s": _centre_of([c.host_s for c in how.chosen]),
        "bound_by": bound if device_s and headline else None,
        "gapless_share": sum(gapless) / len(gapless),
    }


def _both(how: Measuring) -> tuple[State, ...]:
    """The two times of a case that has two, first by faults: in the cells of the headline, or in all undisturbed ones."""
    of = (how.chosen, how.undisturbed)
    by_faults = (states_by_faults(cells) for cells in of)
    otherwise = (two_states(cells, how.reference) for cells in of)
    return next((both for both in (*by_faults, *otherwise) if both), ())


def _warnings(
    bare: Record, estimate: Estimate, how: Measuring, *, best_s: float
) -> tuple[str, ...]:
    both = _both(how)
    by_faults = any(state.faults is not None for state in both)
    few = len({c.round for c in how.cells}) < FEW_ROUNDS
    slow = FEW_ROUNDS * len({c.worker for c in how.cells}) * best_s > how.budget_s
    unsure = max(p.overhead_uncertainty_s for p in how.prepared)
    width = units.half_width(estimate.centre, estimate.low, estimate.high)
    found = {
        "wrong-result": bare.correct is False,
        "vacuous-check": bare.vacuous,
        "unchecked": bare.correct is None and not bare.vacuous,
        "below-overhead": estimate.centre <= unsure,
        "not-settled": sum(p.settled for p in how.prepared) <= _WARN_SHARE * len(how.prepared),
        "no-interval": not math.isfinite(width),
        "few-samples": few and slow,
        "few-rounds": few and not slow,
        "two-states": bool(both) and not by_faults,
        BY_FAULTS: by_faults,
        "preempted": len(preempted(how.cells)) >= fewest_of(len(how.cells)),
        "other-state": how.elsewhere,
        "drift": drifts(how.chosen),
        "noisy": math.isfinite(width) and width > NOISY_HALF_WIDTH,
    }
    codes = tuple(code for code, holds in found.items() if holds)
    return (*codes, *gpu_readings.warnings(how.gauges, how.loaded))


def _centre_of(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return interval.centre(np.array(known)) if known else None


def _median_of(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return median(known) if known else None


def _rate(work: float | None, time_s: float | None) -> float | None:
    return work / time_s if work and time_s else None
