"""Percentiles of times over the units of a model, and the place of one time among them.

One time per unit, the median of its visits, so that a unit that was visited more often counts no more. A percentile
is the share of units that take less time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from bench.analysis.fleet.fleet_summary import FEWEST_FOR_PERCENTILES, Percentiles
from bench.records.cache_state import HOT
from bench.stats.interval import medians
from bench.stats.outlying_unit import scatter
from bench.stats.variance_components import steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bench.analysis.fleet.cohort import Cohort

_SHARES = (0.01, 0.05, 0.50, 0.95, 0.99)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}
_TEENS = range(11, 14)


def percentiles(cohorts: Iterable[Cohort]) -> Iterator[Percentiles]:
    """Of each case of each cohort, by its id.

    Between two units by the median-unbiased rule, the eighth of Hyndman & Fan (1996); what lies outside of all
    units that were measured is not guessed, so that with few of them p1 is the fastest and p99 the slowest.
    """
    for cohort in cohorts:
        own = medians(cohort.first, axis=1)
        for place, cell in enumerate(cohort.cells):
            known = own[np.isfinite(own[:, place]), place]
            if not len(known):
                continue
            at = np.exp(np.quantile(known, _SHARES, method="median_unbiased")).tolist()
            yield Percentiles(
                model=cohort.model,
                case=cell.case,
                dtype=cohort.dtypes[place],
                threads=cell.threads,
                torch=cohort.torch,
                fingerprint=cell.fingerprint,
                units=len(known),
                p1_s=at[0],
                p5_s=at[1],
                p50_s=at[2],
                p95_s=at[3],
                p99_s=at[4],
                between_visits=scatter(steps(cohort.first[..., place])),
                cache=cell.cache or HOT,
                memory=cell.memory,
            )


def percentile_of(time_s: float, known: Percentiles) -> float | None:
    """The share of units that take less time, in per cent; None beyond p1 and p99, or where units are too few.

    Between two known percentiles by their normal quantiles over the logarithm of time, which is exact for
    times that vary as a normal logarithm does, and never leaves the two.
    """
    times = (known.p1_s, known.p5_s, known.p50_s, known.p95_s, known.p99_s)
    if known.units < FEWEST_FOR_PERCENTILES or not times[0] <= time_s <= times[-1]:
        return None
    logs, scores = np.log(times), ndtri(_SHARES)
    distinct = np.concatenate([[True], np.diff(logs) > 0])
    if not distinct[1:].any():
        return 50.0
    found = np.interp(math.log(time_s), logs[distinct], scores[distinct])
    return 100 * float(ndtr(found))


def place_of(time_s: float, known: Percentiles) -> str:
    """`34th percentile of 8000`, or as much as can be said: `faster than 99 % of 8000`, `between all of 5`."""
    if not time_s > 0:
        return "unknown"
    found = percentile_of(time_s, known)
    if found is not None:
        return f"{_ordinal(min(99, max(1, round(found))))} percentile of {known.units}"
    few = known.units < FEWEST_FOR_PERCENTILES
    of = f"all {known.units}" if few else f"99 % of {known.units}"
    if time_s < known.p1_s:
        return f"faster than {of}"
    return f"slower than {of}" if time_s > known.p99_s else f"within the range of {known.units}"


def rank_of(time_s: float, others_s: Sequence[float]) -> str:
    """`2nd fastest of 5`: the place of a time among those of other units, itself counted."""
    faster = sum(other < time_s for other in others_s)
    slower = sum(other > time_s for other in others_s)
    of = len(others_s) + 1
    if not faster:
        return f"fastest of {of}"
    if not slower:
        return f"slowest of {of}"
    near, words = min((faster, "fastest"), (slower, "slowest"))
    return f"{_ordinal(near + 1)} {words} of {of}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in _TEENS else _ENDINGS.get(number % 10, "th")
    return f"{number}{ending}"
