"""Coverage of a campaign: nodes and visits by state, what was given up and why, mixtures, extra runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.fleet.node_coverage import GRAVITY, covered_nodes, pools
from bench.analysis.fleet.sentences import LONGEST_NAME, mixtures
from bench.records.campaign import STATES
from bench.report.html.table import Column, Listing, TableEntry, filters_of
from bench.units import MISSING, one_line

if TYPE_CHECKING:
    from bench.analysis.fleet.fleet_summary import FleetSummary
    from bench.analysis.fleet.node_coverage import CoveredNode, PoolCoverage
    from bench.records.campaign import CampaignState, State
    from bench.report.html.table import Cell

MOST_NAMED = 50
"""So many nodes and runs are named beside the table."""
_LONGEST_REASON = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageValues:
    """What the view of coverage shows."""

    pools: tuple[PoolCoverage, ...]
    states: tuple[State, ...]
    """Those that a visit is in."""
    excluded: tuple[tuple[str, str], ...]
    """Nodes that were given up, and why."""
    excluded_more: int
    mixtures: tuple[str, ...]
    extra_runs: tuple[str, ...]
    extra_more: int
    listing: Listing


def coverage_values(state: CampaignState, summary: FleetSummary) -> CoverageValues:
    """Every node, and what has become of its visits."""
    nodes = covered_nodes(state)
    found = pools(nodes)
    named = [
        (one_line(node, LONGEST_NAME), one_line(why, _LONGEST_REASON) or MISSING)
        for node, why in state.excluded.items()
    ]
    return CoverageValues(
        pools=found,
        states=tuple(one for one in STATES if any(pool.visits[one] for pool in found)),
        excluded=tuple(named[:MOST_NAMED]),
        excluded_more=max(0, len(named) - MOST_NAMED),
        mixtures=mixtures(summary),
        extra_runs=tuple(one_line(run, LONGEST_NAME) for run in state.extra_runs[:MOST_NAMED]),
        extra_more=max(0, len(state.extra_runs) - MOST_NAMED),
        listing=_listing(nodes),
    )


def _listing(nodes: tuple[CoveredNode, ...]) -> Listing:
    """A row per node, the gravest first."""
    ordered = sorted(nodes, key=lambda node: GRAVITY.index(node.state))
    numbers = sorted({visit.visit for node in nodes for visit in node.visits})
    several = len({node.pool for node in nodes}) > 1
    entries = tuple(
        _entry(place, node, numbers, several=several) for place, node in enumerate(ordered)
    )
    return Listing(
        id="coverage",
        name="nodes",
        columns=(
            Column(key="node", name="node"),
            *([Column(key="pool", name="pool")] if several else []),
            *(Column(key=f"visit{n}", name=f"visit {n}") for n in numbers),
            Column(key="why", name="why", sorts=False),
        ),
        filters=filters_of(entries),
        entries=entries,
    )


def _entry(place: int, node: CoveredNode, numbers: list[int], *, several: bool) -> TableEntry:
    states = {visit.visit: visit.state for visit in node.visits}
    pool = one_line(node.pool, LONGEST_NAME)
    cells: list[Cell] = [(one_line(node.name, LONGEST_NAME), place)]
    cells += [(pool, pool)] if several else []
    cells += [_state(states.get(number)) for number in numbers]
    cells += [(one_line(node.reason, _LONGEST_REASON), None)]
    texts, keys = zip(*cells, strict=True)
    of = {"pool": pool, "state": node.state}
    return TableEntry(id="", of=of, cells=texts, sort=keys)


def _state(state: State | None) -> Cell:
    return (state, GRAVITY.index(state)) if state else (MISSING, None)
