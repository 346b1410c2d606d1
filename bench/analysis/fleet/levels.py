"""Levels of units: how far each unit lies from the others of its model in a group of cases, and how sure that is.

A level is a logarithm: of a visit the trimmed mean, over the cases of the group, of the log time less the median of
all units for that case; of a unit the centre of its visits, those left out that were made to confirm. `Levels.apart`
is that less the median of the other units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from bench.analysis.fleet.fleet_summary import FEWEST_UNITS
from bench.stats.interval import centres, medians
from bench.stats.outlying_unit import (
    MEDIAN_VARIANCE,
    MIN_SPREAD,
    others,
    p_values,
    scatter,
    scatter_freedom,
)
from bench.stats.trimmed_mean import trimmed_means
from bench.stats.variance_components import steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.analysis.fleet.cohort import Cohort
    from bench.analysis.fleet.fleet_summary import Group

    Reals = NDArray[np.float64]
    Places = NDArray[np.intp]
    Bools = NDArray[np.bool_]

CONFIDENCE = 0.95
"""Of the intervals of deviations."""
_LEAST_SHARE = 0.5
"""Of the units that must have a case, for it to count; of a group's cases that a unit must have, to be judged; and of
a unit's cases that a visit must have."""
_VISIT_QUANTILE = 2.58
"""So many standard deviations between visits are the band where that is more than what was asked for: chance alone
is beyond it one time in a hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The units of a cohort that were measured in a group; arrays have one value for each of them."""

    group: Group
    units: Places
    """Their places in the cohort."""
    by_visit: Reals
    """Units × visits, those that confirm too."""
    confirms: Bools
    means: Reals
    """The centre of the other visits."""
    middle: Reals
    """The median of the other units' centres."""
    middle_error: Reals
    """The standard error of that median."""
    p_values: Reals
    """1 for those that can't be judged."""
    cases: Places
    visits: Places
    visit_spread: float
    """Standard deviation of one unit from visit to visit. Where no unit was visited twice, the spread of units
    stands for it, which holds both."""
    freedom: float
    """How sure that is, as degrees of freedom."""
    judged: Bools
    """Which of the units can be judged."""

    @property
    def apart(self) -> Reals:
        """How far each unit lies from the others."""
        return self.means - self.middle

    @property
    def first(self) -> Reals:
        """How far each unit lies from the others, by visit, without those that confirm: units × visits."""
        apart = self.by_visit - self.middle[:, np.newaxis]
        return np.where(self.confirms, np.nan, apart)

    @property
    def least(self) -> Reals:
        """How far it lies to the side of `apart` by the visit that finds it least so; negative beyond the others."""
        return np.asarray(np.nanmin(self.first * np.sign(self.apart)[:, np.newaxis], axis=1))

    @property
    def errors(self) -> Reals:
        """The standard error of `apart`, by how far visits differ."""
        return np.hypot(self.visit_spread / np.sqrt(self.visits), self.middle_error)

    @property
    def quantile(self) -> float:
        """How many standard errors an interval reaches to either side."""
        return float(stdtrit(self.freedom, 0.5 + CONFIDENCE / 2))

    def limits(self, band: float) -> Reals:
        """Beyond which a deviation matters: the band, or what visits differ by where that is more."""
        by_chance = _VISIT_QUANTILE * self.visit_spread / np.sqrt(self.visits)
        return np.maximum(math.log1p(band), by_chance)


def levels(cohort: Cohort, group: Group) -> Levels | None:
    """The levels of a cohort's units in a group; None if nothing of it was measured."""
    logs, cases, of = _shared(cohort, group)
    by_visit = _by_visit(logs)
    first = np.where(cohort.confirms, np.nan, by_visit)
    units = np.flatnonzero(~np.isnan(first).all(axis=1))
    if not len(units):
        return None
    means = centres(first[units].T)
    visits = (~np.isnan(first[units])).sum(axis=1)
    beside = others(means)
    spread, freedom = _visit_spread(first[units], float(np.median(beside.spread)), beside.freedom)
    usual = max(1.0, float(np.median(visits)))
    fewer = np.maximum(1 / visits - 1 / usual, 0.0) * min(spread, 1 / MIN_SPREAD) ** 2
    judged = (cases[units] >= _LEAST_SHARE * of) & (len(units) >= FEWEST_UNITS)
    return Levels(
        group=group,
        units=units,
        by_visit=by_visit[units],
        confirms=cohort.confirms[units],
        means=means,
        middle=np.where(np.isnan(beside.median), means, beside.median),
        middle_error=beside.error,
        p_values=np.where(judged, p_values(means, beside, fewer), 1.0),
        cases=cases[units],
        visits=visits,
        visit_spread=spread,
        freedom=freedom,
        judged=judged,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirming:
    """What the visits say that were made to confirm, for each unit of the levels; NaN where it had none."""

    apart: Reals
    """How far it lies from the others then, by these visits alone."""
    errors: Reals


def confirming(found: Levels, suspects: Bools) -> Confirming:
    """The visits that were made to confirm, held against the other units that were seen in them.

    What all of those, whoever is no suspect, changed by since their first visits is taken off: it may be hotter now,
    or the driver another. Their own place among the others is so left out too. Without any there is nothing to hold
    a suspect against, and nothing is confirmed.

    Args:
        found: the levels.
        suspects: which of the units are suspects, by their first visits.
    """
    own = np.where(found.confirms, found.by_visit, np.nan)
    visits = (~np.isnan(own)).sum(axis=1)
    means = centres(own.T)
    controls = (visits > 0) & ~suspects
    if not controls.any():
        nothing = np.full(len(means), np.nan)
        return Confirming(apart=nothing, errors=nothing)
    moved = (means - found.means)[controls]
    variance = found.visit_spread**2 * (1 / visits[controls] + 1 / found.visits[controls])
    shared = float(np.mean(variance)) * MEDIAN_VARIANCE / len(moved)
    own_variance = found.visit_spread**2 / np.maximum(visits, 1)
    return Confirming(
        apart=np.where(visits > 0, means - found.middle - float(np.median(moved)), np.nan),
        errors=np.sqrt(own_variance + shared + found.middle_error**2),
    )


def _shared(cohort: Cohort, group: Group) -> tuple[Reals, Places, int]:
    """The log times of the group's cases less their medians; how many each unit has, and how many there are.

    A case that less than half of the units have, or one alone, has no median to be held against.
    """
    chosen = np.array([one == group for one in cohort.groups], dtype=np.bool_)
    logs = cohort.logs[..., chosen]
    own = _means(cohort.first[..., chosen])
    having = ~np.isnan(own)
    among = int(having.any(axis=1).sum())
    shared = having.sum(axis=0) >= max(min(2, among), _LEAST_SHARE * among, 1)
    rest = logs[..., shared] - medians(own[:, shared], axis=0)
    return rest, having[:, shared].sum(axis=1), int(shared.sum())


def _by_visit(logs: Reals) -> Reals:
    """The level of each visit, but for those that were cut short: units × visits."""
    counts = (~np.isnan(logs)).sum(axis=2)
    most = counts.max(axis=1, keepdims=True, initial=0)
    return np.where(counts >= _LEAST_SHARE * most, trimmed_means(logs), np.nan)


def _means(first: Reals) -> Reals:
    """The mean of each unit's visits: units × cases."""
    counts = (~np.isnan(first)).sum(axis=1)
    return np.where(counts > 0, np.nansum(first, axis=1) / np.maximum(counts, 1), np.nan)


def _visit_spread(first: Reals, between: float, freedom: float) -> tuple[float, float]:
    """How far visits to a unit differ, and how sure that is; else how far units do."""
    found = steps(first)
    known = int(np.isfinite(found).sum())
    own = scatter(found)
    return (between, freedom) if own is None else (max(own, MIN_SPREAD), scatter_freedom(known))
