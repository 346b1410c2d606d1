"""From which size on one thing is faster than another, in log-log, as far as intervals tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A time at a size, with its interval."""

    size: float
    time_s: float
    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossover:
    """Where the winner changes, and between which sizes for certain."""

    kind: Literal["at", "always", "never", "cant-tell"]
    size: float | None = None
    low: float | None = None
    high: float | None = None


def crossover(one: Sequence[Point], other: Sequence[Point]) -> Crossover:
    """From which size on `other` is faster than `one`; sizes that only one has are passed over."""
    known = {point.size: point for point in other}
    pairs = [(a, known[a.size]) for a in one if a.size in known]
    wins = [b.high_s < a.low_s for a, b in pairs]
    losses = [b.low_s > a.high_s for a, b in pairs]
    if pairs and all(wins):
        return Crossover(kind="always")
    if pairs and all(losses):
        return Crossover(kind="never")
    if not pairs or not wins[-1] or not losses[0]:
        return Crossover(kind="cant-tell")
    low = max(a.size for (a, _), lost in zip(pairs, losses, strict=True) if lost)
    high = min(a.size for (a, _), won in zip(pairs, wins, strict=True) if won)
    if low > high:
        return Crossover(kind="cant-tell")
    return Crossover(kind="at", size=math.sqrt(low * high), low=low, high=high)
