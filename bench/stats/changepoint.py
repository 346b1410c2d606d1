"""Change points: where a series of numbers steps from one level to another. Pure; knows no rows.

Binary segmentation that also looks for a stretch in the middle, after Olshen, Venkatraman, Lucito &
Wigler, "Circular binary segmentation for the analysis of array-based DNA copy number data" (2004): the
one split into an inside and an outside that explains most is tested, then each part is searched again. By hand,
since `ruptures` has no p-values and no weights, and a series of runs may have four points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtr, stdtrit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

FALSE_STEPS = 0.01
"""How many unchanged series may get a step."""
FEWEST = 2
"""Fewest readings on either side of a step; one alone that lies apart is as likely a disturbance."""
_SHORTEST = 2 * FEWEST
_FEWEST_INSIDE = 4
"""Fewest readings of a stretch that ends again: two or three disturbed ones in a row are no rare thing in a
long series."""
_MAX_WEIGHT_RATIO = 2.0
"""Largest weight over the usual one: an interval can be narrow by luck, and then one reading would be the level."""
_MIN_SIGMA = 1e-4
"""Smallest standard deviation of a log time. No time is known better than to 0.01 %: an interval without width would outweigh all others."""
_MEDIAN_CHI2_1 = 0.4549
"""Median of χ² with one degree of freedom."""
_MAX_HALF_WIDTH = 600.0
"""Largest half-width in logs that is taken out of logs: exp of more than 709 is no float."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What the readings from `first` up to, not including, `end` have in common: a centre, in logs."""

    first: int
    end: int
    log: float
    half_width: float

    def ends(self) -> tuple[float, float, float]:
        """The centre and its interval, out of logs."""
        half = min(self.half_width, _MAX_HALF_WIDTH)
        return math.exp(self.log), math.exp(self.log - half), math.exp(self.log + half)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """A series as levels; neighbours differ by a step."""

    levels: tuple[Level, ...] = ()
    visible: float | None = None
    """The least step, in logs, that would be named in the middle; None where none can be."""
    alone: tuple[Level, Level] | None = None
    """The last reading, if it lies apart from its level, and what that is without it."""


@dataclass(frozen=True, slots=True)
class _Series:
    """Logs and their weights; `known` if the weights are the readings' own, not all alike."""

    logs: Reals
    weights: Reals
    known: bool

    def part(self, first: int, end: int) -> _Series:
        return _Series(self.logs[first:end], self.weights[first:end], self.known)

    def level(self) -> float:
        return float(np.average(self.logs, weights=self.weights))

    def weight(self) -> float:
        return float(self.weights.sum())

    def as_level(self, first: int, quantile: float, scale: float) -> Level:
        """This part of a series as a level that begins at `first`, with this quantile of its scatter."""
        half = quantile * math.sqrt(scale / self.weight())
        end = first + len(self.logs)
        return Level(first=first, end=end, log=self.level(), half_width=half)

    def scatter(self) -> float:
        return float((self.weights * (self.logs - self.level()) ** 2).sum())

    def scale(self, scatter: float, freedom: int) -> float:
        """How much wider the readings lie than their weights say; never less wide, if these are known."""
        found = scatter / freedom
        return max(found, 1.0) if self.known else found


def steps(logs: Sequence[float], sigmas: Sequence[float | None], floor: float) -> Steps:
    """The levels of a series, in its order.

    The weight of a reading follows from its own sigma and from how far neighbours lie apart beyond that,
    in the middle, which a step hardly moves. A split is named if Student's t, with the scatter within the
    two parts, is too large for chance in the most telling of all splits (Bonferroni), and if the two
    levels differ by more than `floor`.

    Args:
        logs: the readings.
        sigmas: the standard deviation of each, None where it isn't known.
        floor: the least step to name, in logs.
    """
    if len(logs) <= FEWEST:
        return Steps(levels=_levels(_series(logs, sigmas), []) if logs else ())
    series = _series(logs, sigmas)
    cuts = _pruned(series, _cuts(series, 0), floor)
    levels = _levels(series, cuts)
    return Steps(
        levels=levels,
        visible=_visible(series, cuts, floor),
        alone=_alone(series.part(levels[-1].first, len(logs)), levels[-1].first, floor),
    )


def _series(logs: Sequence[float], sigmas: Sequence[float | None]) -> _Series:
    values = np.array(logs, dtype=float)
    told = [max(sigma, _MIN_SIGMA) for sigma in sigmas if sigma is not None]
    if not told:
        return _Series(values, np.ones(len(values)), known=False)
    usual = float(np.median(told))
    own = np.array([usual if s is None else max(s, _MIN_SIGMA) for s in sigmas]) ** 2
    apart = np.diff(values) ** 2
    between = float(np.median(apart)) / (2 * _MEDIAN_CHI2_1) if len(apart) else 0.0
    weights = 1 / (own + max(0.0, between - float(np.median(own))))
    return _Series(values, np.minimum(weights, _MAX_WEIGHT_RATIO * np.median(weights)), known=True)


def _splits(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Begin and end of each inside that is possible; one that goes to the end is another's outside."""
    first, end = np.triu_indices(count + 1)
    fits = (end - first >= FEWEST) & (count - end >= FEWEST)
    fits &= (first == 0) | ((first >= FEWEST) & (end - first >= _FEWEST_INSIDE))
    return first[fits], end[fits]


def _cuts(series: _Series, start: int) -> list[int]:
    """Where the series is to be cut, each part searched again; places count from `start`."""
    count = len(series.logs)
    if count < _SHORTEST:
        return []
    first, end = _splits(count)
    weights = np.concatenate([[0.0], np.cumsum(series.weights)])
    sums = np.concatenate([[0.0], np.cumsum(series.weights * (series.logs - series.level()))])
    inside = weights[end] - weights[first]
    explained = (sums[end] - sums[first]) ** 2 * weights[-1] / (inside * (weights[-1] - inside))
    best = int(np.argmax(explained))
    rest = max(series.scatter() - float(explained[best]), 0.0)
    scale = series.scale(rest, count - 2)
    student = math.sqrt(float(explained[best]) / scale) if scale else math.inf
    if 2 * float(stdtr(count - 2, -student)) * len(first) >= FALSE_STEPS:
        return []
    inner = [int(place) for place in (first[best], end[best]) if place]
    parts = pairwise([0, *inner, count])
    found = [_cuts(series.part(a, b), start + a) for a, b in parts]
    return sorted([start + place for place in inner] + [cut for part in found for cut in part])


def _pruned(series: _Series, cuts: list[int], floor: float) -> list[int]:
    """Without the cuts whose two levels are too close, the closest first."""
    while cuts:
        levels = _levels(series, cuts)
        excess = [
            abs(b.log - a.log) - max(floor, math.hypot(a.half_width, b.half_width))
            for a, b in pairwise(levels)
        ]
        least = min(range(len(cuts)), key=excess.__getitem__)
        if excess[least] > 0:
            return cuts
        cuts = cuts[:least] + cuts[least + 1 :]
    return cuts


def _levels(series: _Series, cuts: Sequence[int]) -> tuple[Level, ...]:
    """The level of each part; all have one scatter in common."""
    places = list(pairwise([0, *cuts, len(series.logs)]))
    scale, freedom = _scale(series, cuts)
    quantile = float(stdtrit(freedom, 1 - FALSE_STEPS / 2)) if freedom else math.inf
    return tuple(series.part(*ends).as_level(ends[0], quantile, scale) for ends in places)


def _scale(series: _Series, cuts: Sequence[int]) -> tuple[float, int]:
    """The scatter within the parts, and its degrees of freedom."""
    places = list(pairwise([0, *cuts, len(series.logs)]))
    freedom = len(series.logs) - len(places)
    scatter = sum(series.part(first, end).scatter() for first, end in places)
    return (series.scale(scatter, freedom), freedom) if freedom else (1.0, 0)


def _visible(series: _Series, cuts: Sequence[int], floor: float) -> float | None:
    """The step in the middle of a series like this one that the search would just name."""
    count = len(series.logs)
    if count < _SHORTEST:
        return None
    scale, _ = _scale(series, cuts)
    tests = len(_splits(count)[0])
    quantile = float(stdtrit(count - 2, 1 - FALSE_STEPS / (2 * tests)))
    weights = [series.part(*ends).weight() for ends in ((0, count // 2), (count // 2, count))]
    return max(floor, quantile * math.sqrt(scale * sum(1 / weight for weight in weights)))


def _alone(series: _Series, start: int, floor: float) -> tuple[Level, Level] | None:
    """The last reading and the level of those before it in its part, if these are too far apart."""
    last = len(series.logs) - 1
    if last < FEWEST:
        return None
    before, newest = series.part(0, last), series.part(last, last + 1)
    scale = series.scale(before.scatter(), last - 1)
    quantile = float(stdtrit(last - 1, 1 - FALSE_STEPS / 2))
    one = newest.as_level(start + last, quantile, scale)
    other = before.as_level(start, quantile, scale)
    apart = abs(one.log - other.log)
    near = apart <= max(floor, math.hypot(one.half_width, other.half_width))
    return None if near else (one, other)
