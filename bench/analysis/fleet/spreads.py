"""Spreads: how far a group's level lies apart within a run, from visit to visit, between devices and between nodes.

All are standard deviations of the mean log time of the group's cases, so that they can stand side by side. That within
a run is from the intervals, as if cases erred independently; the spread between visits holds it too, since intervals
also allow for earlier runs and for what an empty call costs, so that their difference would say nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.analysis.fleet.fleet_summary import GROUPS, Spread
from bench.analysis.fleet.levels import levels
from bench.stats.variance_components import components

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bench.analysis.fleet.cohort import Cohort
    from bench.analysis.fleet.fleet_summary import Group


def spreads(cohorts: Iterable[Cohort]) -> Iterator[Spread]:
    """Of each cohort in each group in which it was measured."""
    for cohort in cohorts:
        for group in GROUPS:
            known = levels(cohort, group)
            if known is None:
                continue
            first = np.where(known.confirms, np.nan, known.by_visit)
            found = components(first, cohort.nodes[known.units])
            yield Spread(
                model=cohort.model,
                group=group,
                within_run=_within_run(cohort, group),
                between_visits=found.visits,
                between_devices=found.devices,
                between_nodes=found.nodes,
            )


def _within_run(cohort: Cohort, group: Group) -> float | None:
    """The standard error of the mean of the group's cases, by their intervals."""
    if not len(cohort.errors):
        return None
    own = cohort.errors[[one == group for one in cohort.groups]]
    known = own[np.isfinite(own)]
    return float(np.sqrt(np.mean(known**2) / len(known))) if len(known) else None
