"""Standing of units: slow, fast, ordinary or unsure, and who is to be visited again before more is said.

A unit is a suspect if four things hold: enough units and cases were measured, the spread of the other units does not
explain it (Benjamini–Hochberg over all units × groups), the interval of its deviation lies beyond the band, and no
visit clears it, by lying within half the band: visits are disturbed far more often than units break between two.
A suspect is slow or fast only by visits that were made to confirm, by these alone: chance has had a say in whom to
suspect, so that the visits which made a suspect show too much.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtr

from bench.analysis.fleet.fleet_summary import GROUPS, Deviation
from bench.analysis.fleet.levels import confirming, levels
from bench.stats.false_discovery import discoveries
from bench.units import signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from bench.analysis.fleet.cohort import Cohort
    from bench.analysis.fleet.fleet_summary import FleetSummary, Standing, Unit
    from bench.analysis.fleet.levels import Levels

    Reals = NDArray[np.float64]
    Bools = NDArray[np.bool_]

CONFIRMING_LEVEL = 0.05
"""One-sided: a suspect was chosen out of all units by a far stricter test, so that one more usual test is enough."""
CONFIRMING_SHARE = 0.5
"""Of the band, beyond which visits that confirm must find a suspect: a unit at the band itself would else be cleared
half of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The standing of all units in all groups, and how many that were looked at."""

    deviations: tuple[Deviation, ...]
    tests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdicts:
    """What is said of the units of a group; arrays have one value for each."""

    apart: Reals
    errors: Reals
    suspects: Bools
    confirmed: Reals
    """1, 0, or NaN where no visit said."""
    standings: tuple[Standing, ...]
    cleared: Bools
    """Whether a visit cleared it that would else be a suspect."""


def judged(cohorts: Sequence[Cohort], *, band: float, level: float) -> Judged:
    """The standing of each unit in each group in which it was measured.

    Args:
        cohorts: those that are looked at together.
        band: share below which a difference does not matter.
        level: share of false ones among those that differ from the others by more than chance.
    """
    found = [
        (cohort, known)
        for cohort in cohorts
        for group in GROUPS
        if (known := levels(cohort, group)) is not None
    ]
    p_values = [float(p) for _, known in found for p in known.p_values[known.judged]]
    stand = iter(discoveries(p_values, level))
    deviations: list[Deviation] = []
    for cohort, known in found:
        differs = known.judged.copy()
        differs[known.judged] = [next(stand) for _ in range(int(known.judged.sum()))]
        deviations += _told(cohort, known, _verdicts(known, differs, band))
    return Judged(deviations=tuple(deviations), tests=len(p_values))


def suspects(summary: FleetSummary) -> tuple[Deviation, ...]:
    """The units that are to be visited once more, the farthest first."""
    found = (one for one in summary.deviations if one.suspect)
    return tuple(sorted(found, key=lambda one: (-abs(math.log(one.ratio)), one.unit, one.group)))


def controls(
    summary: FleetSummary, suspects: Sequence[Deviation], seed: int, n: int = 2
) -> tuple[Unit, ...]:
    """For each model with suspects some ordinary units on other nodes, by chance, which are visited beside them.

    Whoever makes the visit should not be told which is which, and both are visited alike. Where no unit is
    ordinary in all groups, others that do not stand out are taken.

    Args:
        summary: of the first visits.
        suspects: of it.
        seed: of the choice.
        n: how many of each model; fewer where there are no more.
    """
    nodes = {one.unit.node for one in suspects}
    by_unit: dict[Unit, list[Deviation]] = {}
    for one in summary.deviations:
        by_unit.setdefault(one.unit, []).append(one)
    chosen: list[Unit] = []
    for model in sorted({one.unit.model for one in suspects}):
        free = sorted(u for u in by_unit if u.model == model and u.node not in nodes)
        free = [unit for unit in free if not any(map(_stands_out, by_unit[unit]))]
        random.Random(f"{seed} {model}").shuffle(free)  # noqa: S311 - nobody is kept from guessing
        free.sort(key=lambda u: any(one.standing != "ordinary" for one in by_unit[u]))
        one_per_node = {unit.node: unit for unit in reversed(free)}
        chosen += [unit for unit in free if one_per_node[unit.node] == unit][:n]
    return tuple(chosen)


def _stands_out(one: Deviation) -> bool:
    return one.suspect or one.standing in {"slow", "fast"}


def _verdicts(known: Levels, differs: Bools, band: float) -> _Verdicts:
    limits, reach = known.limits(band), known.quantile * known.errors
    side, least = np.sign(known.apart), CONFIRMING_SHARE * limits
    beyond_band = differs & (side * known.apart - reach > limits)
    cleared = beyond_band & (known.least <= least)
    suspected = beyond_band & ~cleared
    later = confirming(known, suspected)
    seen = suspected & np.isfinite(later.apart)
    excess = side * later.apart - least
    beyond = stdtr(known.freedom, -excess / later.errors) < CONFIRMING_LEVEL
    ordinary = known.judged & (np.abs(known.apart) + reach < limits)
    words = [
        _standing(*facts)
        for facts in zip(
            (suspected & ~seen).tolist(),
            (seen & beyond).tolist(),
            (seen | ordinary).tolist(),
            known.apart.tolist(),
            strict=True,
        )
    ]
    return _Verdicts(
        apart=np.where(seen, later.apart, known.apart),
        errors=np.where(seen, later.errors, known.errors),
        suspects=suspected & ~seen,
        confirmed=np.where(seen, beyond, np.nan),
        standings=tuple(words),
        cleared=cleared,
    )


def _standing(open_: bool, sure: bool, within: bool, apart: float) -> Standing:  # noqa: FBT001
    if sure:
        return "slow" if apart > 0 else "fast"
    return "unsure" if open_ or not within else "ordinary"


def _told(cohort: Cohort, known: Levels, said: _Verdicts) -> Iterator[Deviation]:
    """The same as objects."""
    reach = known.quantile * said.errors
    with np.errstate(over="ignore"):  # an end that is too large for a float is none
        low, ratio, high = (
            np.exp(at).tolist() for at in (said.apart - reach, said.apart, said.apart + reach)
        )
    for place, unit in enumerate(known.units.tolist()):
        confirmed = float(said.confirmed[place])
        yield Deviation(
            unit=cohort.units[unit],
            group=known.group,
            ratio=ratio[place],
            ratio_lo=low[place],
            ratio_hi=high[place],
            p_value=float(known.p_values[place]),
            standing=said.standings[place],
            cases=int(known.cases[place]),
            visits=int(known.visits[place]),
            suspect=bool(said.suspects[place]),
            confirmed=None if math.isnan(confirmed) else bool(confirmed),
            reasons=(_by_visit(known.first[place]),) if said.cleared[place] else (),
        )


def _by_visit(apart: Reals) -> str:
    """`its visits differ: +9.8 %, +0.1 %`."""
    known = np.expm1(apart[~np.isnan(apart)]).tolist()
    return f"its visits differ: {', '.join(signed(one) for one in known)}"
