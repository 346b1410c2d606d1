"""What the samples of a case say: the headline, its interval, the conditions, and what to distrust.

Samples are grouped by turn (a worker in a round) first, because those of one turn are not independent.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench import states, stats, units
from bench.states import Conditions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from bench.measure.protocol import Prepared
    from bench.record import Record, Sample

NOISY_HALF_WIDTH = 0.05
"""An interval wider than ±5 % can't settle the differences people ask about."""
FEW_ROUNDS = 3
"""Below three rounds a change of the machine during the run can't be told from the op's own time."""
FEWEST_TURNS = 6
"""Fewer turns at reference conditions are the ends of a state, and their centre a matter of luck."""
TWO_STATES_GAP, TWO_STATES_SHARE = 0.05, 0.2
"""Two centres 5 % apart, each with a fifth of the turns, are two numbers and not a noisy one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """How the samples were taken, as far as the summary needs it."""

    confidence: float
    cells: NDArray[np.float64]
    others: stats.Spread | None
    reference: Conditions | None
    prepared: tuple[Prepared, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """The samples of a worker in a round: their median, and the conditions they were taken in."""

    worker: int
    time_s: float
    conditions: Conditions | None


def summarised(bare: Record, samples: tuple[Sample, ...], how: Measuring) -> Record:
    """The record with everything that its samples say."""
    times = [s.time_s for s in samples]
    estimate = stats.estimate(how.cells, how.confidence, how.others)
    estimate = _with_overhead(estimate, how.prepared)
    headline = estimate.centre if estimate.centre > 0 else None
    known = math.isfinite(estimate.low)
    turns = _turns(samples)
    return dataclasses.replace(
        bare,
        warnings=_warnings(bare, estimate, samples, turns, how),
        time_s=headline,
        time_lo_s=max(estimate.low, 0.0) if known else None,
        time_hi_s=estimate.high if known else None,
        confidence=how.confidence,
        time_at_reference_s=_at_reference_s(turns, how.reference),
        reference_compute_s=how.reference.compute_s if how.reference else None,
        reference_barrier_s=how.reference.barrier_s if how.reference else None,
        reference_share=_reference_share(turns, how.reference),
        sentinel_compute_s=_median_of([t.conditions.compute_s for t in turns if t.conditions]),
        sentinel_barrier_s=_median_of([t.conditions.barrier_s for t in turns if t.conditions]),
        time_best_s=min(times),
        time_p95_s=stats.quantile(times, 0.95),
        first_call_s=median(p.first_call_s for p in how.prepared),
        samples=len(samples),
        workers=len({s.worker for s in samples}),
        rounds=len({s.round for s in samples}),
        loops=round(median(s.loops for s in samples)),
        overhead_s=median(p.overhead_s for p in how.prepared),
        flop_per_s=_rate(bare.flop, headline),
        bytes_per_s=_rate(bare.bytes, headline),
    )


def _with_overhead(estimate: stats.Estimate, prepared: Sequence[Prepared]) -> stats.Estimate:
    """The interval, widened by how uncertain the subtracted overhead is (added in quadrature)."""
    unsure = median(p.overhead_uncertainty_s for p in prepared)
    below, above = estimate.centre - estimate.low, estimate.high - estimate.centre
    return dataclasses.replace(
        estimate,
        low=estimate.centre - math.hypot(below, unsure),
        high=estimate.centre + math.hypot(above, unsure),
    )


def _turns(samples: Sequence[Sample]) -> list[_Turn]:
    grouped: dict[tuple[int, int], list[Sample]] = {}
    for sample in samples:
        grouped.setdefault((sample.worker, sample.round), []).append(sample)
    return [
        _Turn(
            worker=worker,
            time_s=median(s.time_s for s in group),
            conditions=_conditions(group[0]),
        )
        for (worker, _), group in grouped.items()
    ]


def _conditions(sample: Sample) -> Conditions | None:
    if sample.sentinel_compute_s is None:
        return None
    return Conditions(compute_s=sample.sentinel_compute_s, barrier_s=sample.sentinel_barrier_s)


def _split(turns: Sequence[_Turn], wanted: Conditions) -> tuple[list[_Turn], list[_Turn]]:
    """The turns at the wanted conditions, and the others."""
    at = [t for t in turns if t.conditions and states.is_at(t.conditions, wanted)]
    return at, [t for t in turns if t not in at]


def _at_reference_s(turns: Sequence[_Turn], wanted: Conditions | None) -> float | None:
    """The median of the turns at reference conditions, each brought to them; None if too few."""
    if wanted is None:
        return None
    at, _ = _split(turns, wanted)
    if len(at) < FEWEST_TURNS or len({t.worker for t in at}) < 2:  # noqa: PLR2004 - one is no crowd
        return None
    brought = [states.brought_to(t.time_s, t.conditions, wanted) for t in at if t.conditions]
    centre = median(brought)
    return centre if centre > 0 else None


def _reference_share(turns: Sequence[_Turn], wanted: Conditions | None) -> float | None:
    if wanted is None or not any(t.conditions for t in turns):
        return None
    return len(_split(turns, wanted)[0]) / len(turns)


def _warnings(
    bare: Record,
    estimate: stats.Estimate,
    samples: Sequence[Sample],
    turns: Sequence[_Turn],
    how: Measuring,
) -> tuple[str, ...]:
    unsure = max(p.overhead_uncertainty_s for p in how.prepared)
    width = units.half_width(estimate.centre, estimate.low, estimate.high)
    share = _reference_share(turns, how.reference)
    found = {
        "wrong-result": bare.correct is False,
        "unchecked": bare.correct is None,
        "below-overhead": estimate.centre <= unsure,
        "not-settled": not all(p.settled for p in how.prepared),
        "no-interval": not math.isfinite(width),
        "few-samples": len({s.round for s in samples}) < FEW_ROUNDS,
        "two-states": _two_states(turns, how.reference),
        "other-state": share == 0,
        "noisy": math.isfinite(width) and width > NOISY_HALF_WIDTH,
    }
    return tuple(code for code, holds in found.items() if holds)


def _two_states(turns: Sequence[_Turn], wanted: Conditions | None) -> bool:
    """Whether the op took clearly longer or shorter in turns that were not at reference conditions."""
    if wanted is None:
        return False
    at, off = _split(turns, wanted)
    if min(len(at), len(off)) < max(2, TWO_STATES_SHARE * len(turns)):
        return False
    inside, outside = median(t.time_s for t in at), median(t.time_s for t in off)
    return abs(outside - inside) > TWO_STATES_GAP * inside


def _median_of(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return median(known) if known else None


def _rate(work: float | None, time_s: float | None) -> float | None:
    return work / time_s if work and time_s else None
