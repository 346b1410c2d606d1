"""Crossover: from which size on one of two sides is faster, from their times at some sizes. Pure; knows no rows.

The ratio of the two times is followed from size to size, straight in log-log, and so are both ends of its
interval: where these pass 1 is how early and how late the change may be. Between two sizes nothing else is
known, so the change is never claimed outside the two at which each side was seen to win.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from bench.stats.ratio import Change, Ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.stats.ratio import Timed

    Curve = list[tuple[float, float]]
    """(log of size, log of ratio), by size."""

Kind = Literal["at", "always", "never", "cant-tell"]
Winner = Literal["one", "other"]
_MAX_GAP = 16.0
"""Largest factor between two sizes on a straight line: sizes further apart enclose a change, but a line between
them is no measure of where it lies."""


@dataclass(frozen=True, slots=True)
class Point:
    """A side's time at a size; without an interval it could be anything."""

    size: float
    timed: Timed


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioAt(Ratio):
    """How many times as fast as `one` the `other` side is at a size, with its interval."""

    size: float

    @property
    def winner(self) -> Winner | None:
        """The faster side, None where the interval allows either."""
        if self.low > 1:
            return "other"
        return "one" if self.high < 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossover:
    """Who is faster where.

    `at`: the winner changes at `size`, within `low` to `high`, and is `beyond` from there on. `always` and
    `never`: `other` is faster at every size measured, or at none. `cant-tell`: neither is so, beyond the
    intervals; `beyond` is then who wins at the largest sizes, if anyone does.
    """

    kind: Kind
    beyond: Winner | None = None
    size: float | None = None
    low: float | None = None
    high: float | None = None
    between: tuple[float, float] | None = None
    """Measured sizes: the last at which one is seen to win (or no one), and the first of the other's."""
    changes: int = 0
    """How often the winner changes, of which the last is told: it alone says who wins from a size on."""
    ratios: tuple[RatioAt, ...] = ()

    @property
    def gap(self) -> float:
        """The widest factor between neighbouring sizes around the change, where a straight line is assumed."""
        low, high = self.low or 0.0, self.high or 0.0
        sizes = [r.size for r in self.ratios]
        return max((b / a for a, b in pairwise(sizes) if a < high and low < b), default=math.inf)

    @property
    def located(self) -> bool:
        """Whether the size is worth telling: the sizes around the change are not too far apart for a line."""
        return self.kind == "at" and self.gap <= _MAX_GAP

    @property
    def untold(self) -> tuple[float, ...]:
        """Sizes at which no one is seen to win, but for those between the two that enclose a change."""
        low, high = self.between if self.kind == "at" and self.between else (math.inf, 0.0)
        return tuple(r.size for r in self.ratios if not r.winner and not low < r.size < high)


def crossover(one: Sequence[Point], other: Sequence[Point]) -> Crossover:
    """From which size on `other` is faster than `one`.

    Only sizes that both have count; of several points at a size, the last does. Times are positive. Where
    the winner changes several times, the last change is told.
    """
    found = ratios(one, other)
    winners = [r.winner for r in found]
    seen = [(place, winner) for place, winner in enumerate(winners) if winner]
    changes = [(a, b) for (a, was), (b, then) in pairwise(seen) if was != then]
    if changes:
        return _at(found, *changes[-1], len(changes))
    if len(found) > 1 and len(seen) == len(found):
        winner = seen[0][1]
        kind: Kind = "always" if winner == "other" else "never"
        return Crossover(kind=kind, beyond=winner, ratios=found)
    edges = [(a, b) for a, b in pairwise(found) if a.winner != b.winner]
    return Crossover(
        kind="cant-tell",
        beyond=winners[-1] if edges else None,
        between=(edges[-1][0].size, edges[-1][1].size) if edges else None,
        ratios=found,
    )


def ratios(one: Sequence[Point], other: Sequence[Point]) -> tuple[RatioAt, ...]:
    """The ratio one / other at each size that both have, smallest first."""
    base, new = {p.size: p.timed for p in one}, {p.size: p.timed for p in other}
    return tuple(_ratio(size, base[size], new[size]) for size in sorted(base.keys() & new.keys()))


def _ratio(size: float, one: Timed, other: Timed) -> RatioAt:
    found = Change(base=other, new=one).ratio()
    return RatioAt(size=size, value=found.value, low=found.low, high=found.high)


def _at(found: tuple[RatioAt, ...], first: int, last: int, changes: int) -> Crossover:
    """The change between two places in which the winners differ."""
    beyond = found[last].winner
    rising = [_risen(r, 1 if beyond == "other" else -1) for r in found[first : last + 1]]
    logs = [math.log(r.size) for r in found[first : last + 1]]
    early, middle, late = (
        list(_zeros([(x, y[which]) for x, y in zip(logs, rising, strict=True)]))
        for which in (2, 1, 0)
    )
    return Crossover(
        kind="at",
        beyond=beyond,
        size=math.exp((middle[0] + middle[-1]) / 2),
        low=math.exp(early[0]),
        high=math.exp(late[-1]),
        between=(found[first].size, found[last].size),
        changes=changes,
        ratios=found,
    )


def _risen(ratio: RatioAt, sign: int) -> tuple[float, float, float]:
    """Logs of the interval's lower end, the ratio, the upper end, of a ratio that is to rise above 1."""
    low = math.log(ratio.low) if ratio.low > 0 else -math.inf
    high = math.log(ratio.high)
    middle = math.log(ratio.value)
    return (low, middle, high) if sign > 0 else (-high, -middle, -low)


def _zeros(curve: Curve) -> Iterator[float]:
    """Where straight lines through the points pass 0; a line from or to infinity does so at its other end."""
    for (x0, y0), (x1, y1) in pairwise(curve):
        if (y0 < 0) == (y1 < 0):
            continue
        if math.isinf(y0) or math.isinf(y1):
            yield x1 if math.isinf(y0) else x0
        else:
            yield x0 + (x1 - x0) * y0 / (y0 - y1)
