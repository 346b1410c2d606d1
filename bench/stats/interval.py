"""Confidence intervals for nested samples (worker × round × sample): workers and rounds are crossed random effects.

Samples of one process are not independent, so an interval made from them alone is too narrow; the
interval here is made from workers and rounds. Plain functions of numbers; nothing is discarded. By hand, since
mixed models of statsmodels have no degrees of freedom after Satterthwaite, which few workers need.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import digamma, polygamma, stdtrit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CONFIDENCE = 0.95
_FEWEST_WORKERS = 2
_FEWEST_TO_POOL = 6
_MOST_POOLED_FREEDOM = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A centre and its interval; the ends are NaN where one worker alone says nothing about spread."""

    centre: float
    low: float
    high: float
    confidence: float


def cells(
    times: Sequence[float], workers: Sequence[int], rounds: Sequence[int]
) -> NDArray[np.float64]:
    """The median of each (worker, round): workers × rounds, NaN where there are no samples."""
    rows = {w: i for i, w in enumerate(sorted(set(workers)))}
    columns = {r: i for i, r in enumerate(sorted(set(rounds)))}
    grouped: dict[tuple[int, int], list[float]] = {}
    for time, worker, round_ in zip(times, workers, rounds, strict=True):
        grouped.setdefault((rows[worker], columns[round_]), []).append(time)
    matrix = np.full((len(rows), len(columns)), np.nan)
    for place, values in grouped.items():
        matrix[place] = values[0] if len(values) == 1 else np.median(values)  # 20 µs each
    return matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The variance of the centre of a case's log cells, and how many degrees of freedom tell it."""

    variance: float
    freedom: float


def centre(values: NDArray[np.float64]) -> float:
    """The median of the means of all pairs of values, each value with itself included.

    Hodges & Lehmann, "Estimates of location based on rank tests" (1963). As deaf to outliers as is needed
    here (29 % of the values may be anything), and it wastes a twentieth of the samples where the median
    wastes a third.
    """
    return float(centres(values[:, np.newaxis])[0])


def centres(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """The centre of each column (see `centre`); values that were not measured are NaN and left out."""
    one, other = _pairs(len(columns))
    return medians((columns[one] + columns[other]) / 2, axis=0)


@lru_cache(maxsize=64)
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The places of all pairs among so many values; a run asks for few counts, very often."""
    return np.triu_indices(count)


def medians(matrix: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """The medians along an axis, NaN left out; what `np.nanmedian` gives, in a tenth of its time."""
    ordered = np.sort(matrix, axis=axis)  # NaN come last
    known = (~np.isnan(matrix)).sum(axis=axis, keepdims=True)
    middle = [np.maximum(known - 1, 0) // 2, known // 2]
    low, high = (np.take_along_axis(ordered, place, axis=axis) for place in middle)
    return np.asarray((low + high).squeeze(axis) / 2)


def spread(matrix: NDArray[np.float64]) -> Spread | None:
    """How far the centre of the logarithms of the cells may be off, from workers and rounds.

    The model is y = m + worker + round + rest, crossed. The variance of the centre is taken as that of
    the workers' medians over W plus that of the rounds' medians over R, with degrees of freedom after
    Satterthwaite (1946). With means for medians, that is (MS_worker + MS_round) / (W·R) in the mean
    squares of Searle, Casella & McCulloch, "Variance Components" (1992), §4.3; medians, because one cell
    in ten has something else in it. The unbiased estimate also subtracts MS_rest, which this counts
    twice; but it can be negative, its degrees of freedom then jump, and with three workers such intervals
    are wider on average. Lost cells need no special case. One worker says nothing of the spread between
    workers, so it has none: an interval from its rounds alone held the truth in as few as 6 % of
    simulated cases. One round leaves the spread between workers, and that is used.

    Args:
        matrix: seconds per call, workers × rounds, NaN where nothing was measured.
    """
    known = matrix[np.isfinite(matrix)]
    if len(matrix) < _FEWEST_WORKERS or not (known > 0).all():
        return None
    logs = np.log(matrix)
    both = (medians(logs, axis=1), medians(logs, axis=0))
    parts = [(float(np.var(m, ddof=1)) / len(m), len(m) - 1) for m in both if len(m) > 1]
    total = sum(variance for variance, _ in parts)
    if not total:
        return Spread(variance=0.0, freedom=1.0)
    freedom = total**2 / sum(variance**2 / freedom for variance, freedom in parts)
    return Spread(variance=total, freedom=freedom)


def pooled(spreads: Sequence[Spread]) -> Spread | None:
    """What the spreads of cases measured together say of the spread of one more; None if nothing.

    Empirical Bayes on the logarithms of the variances, after Smyth, "Linear models and empirical Bayes
    methods" (2004), §6.2: the less they differ beyond chance, the more degrees of freedom come of it.
    """
    known = [s for s in spreads if s.variance > 0]
    if len(known) < _FEWEST_TO_POOL:
        return None
    half = np.array([s.freedom for s in known]) / 2
    logs = np.log([s.variance for s in known]) - digamma(half) + np.log(half)
    beyond_chance = float(np.var(logs, ddof=1) - np.mean(polygamma(1, half)))
    if beyond_chance <= 0:
        freedom = _MOST_POOLED_FREEDOM
    else:
        freedom = min(2 * _inverse_trigamma(beyond_chance), _MOST_POOLED_FREEDOM)
    centre = float(np.mean(logs) + digamma(freedom / 2) - math.log(freedom / 2))
    return Spread(variance=math.exp(centre), freedom=freedom)


def estimate(
    matrix: NDArray[np.float64],
    confidence: float = CONFIDENCE,
    others: Spread | None = None,
    floor: Spread | None = None,
) -> Estimate:
    """The centre of the cells and its interval.

    The half-width is Student's t times the root of the spread. `others`, what cases measured together
    say of the spread, is averaged with the case's own, each weighted by its degrees of freedom, and the
    degrees of freedom add up. Where earlier runs of the same code differed by more, the interval is as
    wide as they say (`floor`): a state can outlast a run, so the run alone can't know.

    Args:
        matrix: seconds per call, workers × rounds, NaN where nothing was measured.
        confidence: of the interval, in (0, 1).
        others: the pooled spread, if there is one.
        floor: the spread of earlier runs, if there are any.
    """
    found = centre(matrix[np.isfinite(matrix)])
    own = spread(matrix)
    if own is None:
        return Estimate(centre=found, low=math.nan, high=math.nan, confidence=confidence)
    if others is not None and own.variance > 0:
        own = combined(own, others)
    width = max(_half_width(s, confidence) for s in (own, floor) if s)
    return Estimate(
        centre=found,
        low=found * math.exp(-width),
        high=found * math.exp(min(width, 700.0)),
        confidence=confidence,
    )


def combined(one: Spread, other: Spread) -> Spread:
    """Both, each weighted by its degrees of freedom."""
    freedom = one.freedom + other.freedom
    total = one.freedom * one.variance + other.freedom * other.variance
    return Spread(variance=total / freedom, freedom=freedom)


def _half_width(spread: Spread, confidence: float) -> float:
    quantile = float(stdtrit(spread.freedom, 0.5 + confidence / 2))
    return quantile * math.sqrt(spread.variance)


def _inverse_trigamma(value: float) -> float:
    """The x with trigamma(x) = value, by Newton's method on 1/trigamma (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, x))
        x += step
        if abs(step) < 1e-8 * x:
            break
    return x


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed (linear between neighbours)."""
    return float(np.quantile(np.asarray(values, dtype=float), share))
