"""Node coverage: which nodes of a campaign were measured, how often, and why the others were not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.records.campaign import STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bench.records.campaign import CampaignState, State, VisitState

GRAVITY: tuple[State, ...] = (
    *("excluded", "lost", "failed", "unreached", "waiting", "running", "done"),
)
"""States of a visit, the gravest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredNode:
    """A node of a campaign with its visits, in their order."""

    pool: str
    name: str
    visits: tuple[VisitState, ...]
    state: State
    """Of its gravest visit; `waiting` where it has none."""
    reason: str = ""
    """Why not all of its visits are done."""

    @property
    def done(self) -> int:
        """Visits that were measured and stored."""
        return sum(one.state == "done" for one in self.visits)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolCoverage:
    """Nodes and visits of a pool; state → visits in it, 0 for none."""

    name: str
    nodes: int
    measured: int
    visits: Mapping[State, int]


def covered_nodes(state: CampaignState) -> tuple[CoveredNode, ...]:
    """Every node, in the plan's order, then those that only visits know."""
    visits: dict[tuple[str, str], list[VisitState]] = {
        (pool, node): [] for pool, nodes in state.campaign.nodes.items() for node in nodes
    }
    for one in state.visits:
        visits.setdefault((one.pool, one.node), []).append(one)
    return tuple(_covered(state, *key, found) for key, found in visits.items())


def _covered(state: CampaignState, pool: str, node: str, visits: list[VisitState]) -> CoveredNode:
    visits.sort(key=lambda one: one.visit)
    gravest = min(visits, key=lambda one: GRAVITY.index(one.state), default=None)
    finished = gravest is not None and gravest.state == "done"
    given_up = "" if finished else state.excluded.get(node, "")
    reasons = [given_up, *(one.reason for one in visits if one.state != "done")]
    worst: State = gravest.state if gravest else "waiting"
    return CoveredNode(
        pool=pool,
        name=node,
        visits=tuple(visits),
        state="excluded" if given_up else worst,
        reason=next(filter(None, reasons), ""),
    )


def pools(nodes: Iterable[CoveredNode]) -> tuple[PoolCoverage, ...]:
    """What has become of the nodes of each pool."""
    by_pool: dict[str, list[CoveredNode]] = {}
    for node in nodes:
        by_pool.setdefault(node.pool, []).append(node)
    return tuple(_pool(name, found) for name, found in by_pool.items())


def _pool(name: str, nodes: list[CoveredNode]) -> PoolCoverage:
    counts = Counter(visit.state for node in nodes for visit in node.visits)
    return PoolCoverage(
        name=name,
        nodes=len(nodes),
        measured=sum(node.done > 0 for node in nodes),
        visits={state: counts[state] for state in STATES},
    )
