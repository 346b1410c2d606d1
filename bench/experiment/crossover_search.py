"""Looks for a crossover: measures both sides at few sizes, and halves what encloses the change. Pure.

What measures is passed in, so is the clock; the answer is the same `crossover` that reads stored rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from bench.analysis.crossover.crossovers import point
from bench.stats.crossing import crossover

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from bench.records.record import Record
    from bench.stats.crossing import Crossover

    Measure = Callable[[float], tuple[Record, Record]]
    """The rows of both sides at a size."""

SearchEnd = Literal["tight", "finest", "settled", "budget"]
_BITS = 5
"""New sizes have so many significant bits, as those have that people use: odd ones would measure alignment.
Such sizes lie at most 6 % apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStep:
    """A size, and the rows of both sides there."""

    size: float
    one: Record
    other: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchGoal:
    """Where to look and when to stop.

    `first` sizes are measured in any case; `wider` ones only while one side wins at all sizes so far.
    """

    first: Sequence[float]
    wider: Sequence[float] = ()
    tolerance: float
    budget_s: float
    whole: bool = True
    """Whether sizes are whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What was measured, what it says, and why no more was.

    `tight`: the interval is within the tolerance. `finest`: the sizes around the change are, and finer ones
    would not tell more. `settled`: there is nothing to halve. `budget`: the time was up.
    """

    steps: tuple[SearchStep, ...]
    found: Crossover
    ended: SearchEnd
    took_s: float


def search(
    measure: Measure,
    aim: SearchGoal,
    *,
    now_s: Callable[[], float],
    told: Callable[[SearchStep], None] = lambda _: None,
) -> Search:
    """Measure until the change is enclosed tightly enough, or time is up (at least two sizes)."""
    begun_s = now_s()
    steps: list[SearchStep] = []
    found = crossover([], [])
    wanted: float | None = None
    while True:
        wanted = _wanted(steps, found, aim)
        took_s = now_s() - begun_s
        if wanted is None or (len(steps) > 1 and took_s >= aim.budget_s):
            ended = "budget" if wanted is not None else _ended(found, aim)
            return Search(steps=tuple(steps), found=found, ended=ended, took_s=took_s)
        one, other = measure(wanted)
        steps.append(SearchStep(size=wanted, one=one, other=other))
        told(steps[-1])
        found = _crossover(steps)


def _crossover(steps: Sequence[SearchStep]) -> Crossover:
    one = [p for step in steps if (p := point(step.size, step.one))]
    other = [p for step in steps if (p := point(step.size, step.other))]
    return crossover(one, other)


def _wanted(steps: Sequence[SearchStep], found: Crossover, aim: SearchGoal) -> float | None:
    """The size to measure next; None where no other would help."""
    tried = {step.size for step in steps}
    first = next((size for size in aim.first if size not in tried), None)
    if first is not None:
        return first
    if found.kind in {"always", "never"}:
        return next((size for size in aim.wider if size not in tried), None)
    return None if is_tight(found, aim.tolerance) else halved(found, tried, aim)


def _ended(found: Crossover, aim: SearchGoal) -> SearchEnd:
    if is_tight(found, aim.tolerance):
        return "tight"
    return "finest" if found.between else "settled"


def is_tight(found: Crossover, tolerance: float) -> bool:
    """Whether the change is known to the tolerance, by sizes and not by a straight line alone.

    Its interval must be, and so must the gaps between sizes that it lies in.
    """
    if found.low is None or found.high is None:
        return False
    return found.high <= tolerance * found.low and found.gap <= tolerance


def halved(found: Crossover, tried: Collection[float], aim: SearchGoal) -> float | None:
    """The middle of the widest gap that the change may lie in; None if all are within the tolerance."""
    if found.between is None:
        return None
    low, high = found.low or found.between[0], found.high or found.between[1]
    middles = [
        middle
        for a, b in sorted(_gaps(tried, low, high), key=lambda gap: gap[0] / gap[1])
        if b > aim.tolerance * a and (middle := middle_of(a, b, whole=aim.whole))
    ]
    return middles[0] if middles else None


def middle_of(low: float, high: float, *, whole: bool) -> float | None:
    """A size about the geometric mean of two, a round one if there is one between; None if there is none."""
    middle = math.sqrt(low * high)
    steps = 2.0 ** (math.frexp(middle)[1] - _BITS)
    candidates: list[float] = [round(middle / steps) * steps, middle]
    if whole:
        candidates = [float(round(size)) for size in candidates]
    return next((size for size in candidates if low < size < high), None)


def starts(sizes: Sequence[float]) -> tuple[float, ...]:
    """The smallest, the one nearest to the middle, the largest."""
    middle = math.sqrt(sizes[0] * sizes[-1])
    inner = min(sizes, key=lambda size: abs(math.log(size / middle)))
    return tuple(dict.fromkeys((sizes[0], inner, sizes[-1])))


def _gaps(sizes: Collection[float], low: float, high: float) -> Iterator[tuple[float, float]]:
    """Neighbours between which some of the stretch from low to high lies."""
    for a, b in pairwise(sorted(sizes)):
        if a < high and low < b:
            yield a, b
