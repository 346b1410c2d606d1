"""Summary of a fleet: from the rows of its visits to standings, spreads, percentiles and mixtures.

The rules are in docs/fleet-method.md. What is tested is the simulation of whole fleets (`tests/lab/fleet.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.fleet.cohort import cohorts, usable_rows
from bench.analysis.fleet.fleet_summary import FleetSummary
from bench.analysis.fleet.mixtures import mixtures
from bench.analysis.fleet.model_crossovers import model_crossovers
from bench.analysis.fleet.percentiles import percentiles
from bench.analysis.fleet.reasons import with_reasons
from bench.analysis.fleet.spreads import spreads
from bench.analysis.fleet.standing import judged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.fleet.fleet_summary import Deviation, VisitRows

BAND = 0.03
"""Share below which a difference between units does not matter."""
LEVEL = 0.01
"""Share of false ones among the units that differ from the others by more than chance."""


def summarise(
    visits: Sequence[VisitRows], *, band: float = BAND, level: float = LEVEL
) -> FleetSummary:
    """What the visits of a campaign say of its units.

    Args:
        visits: those that count.
        band: share below which a difference does not matter.
        level: share of false ones among the units that differ from the others by more than chance.
    """
    in_order = sorted(visits, key=lambda one: (one.pool, one.node, one.visit, one.info.run_id))
    rows = usable_rows(in_order)
    tables = cohorts(in_order, rows)
    found = judged(tables, band=band, level=level)
    infos = [visit.info for visit in in_order]
    deviations: list[Deviation] = []
    for table in tables:
        members = set(table.units)
        own = [one for one in found.deviations if one.unit in members]
        deviations += with_reasons(own, rows[table.model, table.torch], infos)
    known = tuple(percentiles(tables))
    return FleetSummary(
        deviations=tuple(deviations),
        spreads=tuple(spreads(tables)),
        percentiles=known,
        crossovers=model_crossovers(rows, known),
        band=band,
        tests=found.tests,
        mixtures=mixtures(in_order, rows),
    )
