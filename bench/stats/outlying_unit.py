"""Outlying unit: how far each of several values lies from all the others, and whether chance explains it.

Each value is held against the median and the spread of the *others*, so that it can't widen what it is held
against; and both are robust, so that several outliers don't hide each other (masking). Pure; knows no rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri, stdtr

from bench.stats.interval import medians

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

MIN_SPREAD = 1e-4
"""Smallest standard deviation of log times: no time is known better than to 0.01 %."""
MEDIAN_VARIANCE = math.pi / 2
"""The variance of a median over that of a mean, for normal values."""
_FEWEST = 3
"""Values that tell a spread."""
_MOST_IN_PAIRS = 64
"""More values than that have their spread from quartiles: all pairs of 8,000 values are 32 million."""
_NORMAL_QUARTILES = 2 * float(ndtri(0.75))
"""How far the quartiles of normal values lie apart, in standard deviations."""
_NORMAL_PAIRS = math.sqrt(2) * float(ndtri(0.75))
"""The median distance of two normal values, in standard deviations."""
_QUARTILES_FREEDOM, _PAIRS_FREEDOM = 0.37, 0.86
"""Degrees of freedom of a spread, per value: it is as sure as a standard deviation of so many fewer values
(Rousseeuw & Croux, "Alternatives to the median absolute deviation", 1993)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """The others of each value: their median and spread."""

    count: int
    """How many others each has."""
    median: Reals
    spread: Reals
    """As a standard deviation; infinite where they are too few to tell one."""
    freedom: float
    """How sure the spread is, as degrees of freedom."""

    @property
    def error(self) -> Reals:
        """The standard error of the median."""
        return self.spread * math.sqrt(MEDIAN_VARIANCE / max(self.count, 1))


def others(values: Reals) -> Others:
    """What lies beside each value.

    The spread is from the quartiles of the others. Of few it is the median distance of all pairs of them
    (Shamos, "Geometry and statistics", 1976), which wastes a seventh of the values where quartiles waste two
    thirds: 29 % of the values may then be anything.

    Args:
        values: one per unit, all known.
    """
    count = len(values) - 1
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    median, spread = np.full((2, len(values)), np.nan)
    if count > 0:
        median[order] = _quantile(ordered, 0.5)
    few = count < _FEWEST
    pairs = len(values) <= _MOST_IN_PAIRS
    if few:
        spread[:] = np.inf
    elif pairs:
        spread = _by_pairs(values)
    else:
        spread[order] = (_quantile(ordered, 0.75) - _quantile(ordered, 0.25)) / _NORMAL_QUARTILES
    freedom = (count - 1) * _PAIRS_FREEDOM if pairs else count * _QUARTILES_FREEDOM
    return Others(
        count=max(count, 0),
        median=median,
        spread=np.maximum(spread, MIN_SPREAD),
        freedom=1.0 if few else freedom,
    )


def p_values(values: Reals, beside: Others, extra_variance: Reals) -> Reals:
    """How often a unit like the others would lie so far from them, to either side; 1 where they are too few.

    A new value of a population with this spread differs from the median of others by their spread and that
    median's error together, after Student.

    Args:
        values: one per unit.
        beside: its others.
        extra_variance: how much more than theirs a value varies, as with fewer visits.
    """
    variance = beside.spread**2 + beside.error**2 + extra_variance
    apart = np.abs(values - beside.median) / np.sqrt(variance)
    found = 2 * stdtr(beside.freedom, -np.where(np.isfinite(apart), apart, 0.0))
    return np.asarray(np.minimum(found, 1.0))


def scatter(contrasts: Reals) -> float | None:
    """The standard deviation of values that are 0 but for errors, by their median size; None with fewer than three.

    Half of them may be anything (Hampel, "The influence curve", 1974). Missing ones (NaN) are left out.
    """
    known = np.abs(contrasts[np.isfinite(contrasts)])
    return float(np.median(known)) / float(ndtri(0.75)) if len(known) >= _FEWEST else None


def scatter_freedom(count: int) -> float:
    """The degrees of freedom of `scatter` of so many values."""
    return max(1.0, _QUARTILES_FREEDOM * count)


def _quantile(ordered: Reals, share: float) -> Reals:
    """For each of the ordered values this quantile of the others.

    By the median-unbiased rule, the eighth of Hyndman & Fan, "Sample quantiles in statistical packages" (1996).
    """
    count = len(ordered) - 1
    place = min(max(share * (count + 1 / 3) + 1 / 3, 1.0), float(count)) - 1
    below = math.floor(place)
    above = min(below + 1, count - 1)
    own = np.arange(len(ordered))
    low, high = (ordered[at + (at >= own)] for at in (np.full_like(own, below), above))
    return np.asarray(low + (place - below) * (high - low))


def _by_pairs(values: Reals) -> Reals:
    """For each value the spread of the others, by the median distance of all their pairs."""
    one, other = np.triu_indices(len(values), k=1)
    distances = np.abs(values[one] - values[other])
    own = np.arange(len(values))[:, np.newaxis]
    without = np.where((one == own) | (other == own), np.nan, distances)
    return medians(without, axis=1) / _NORMAL_PAIRS
