"""A campaign for people and programs: a grid of visits by state, what needs attention, and what the visits say.

Names and reasons come from machines: each is one line without control characters.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Column
from rich.text import Text

from bench.analysis.fleet.node_coverage import GRAVITY, covered_nodes, pools
from bench.analysis.fleet.sentences import cleared, count_of, sentences, waits
from bench.records.campaign import STATES
from bench.report.text.crossover import crossings_facts
from bench.report.text.plain_table import PlainTable, below_each_other, folded, right, whole
from bench.units import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bench.analysis.fleet.fleet_summary import Deviation, FleetSummary
    from bench.analysis.fleet.node_coverage import CoveredNode, PoolCoverage
    from bench.records.campaign import CampaignState, State, VisitState

_ATTENTION: tuple[State, ...] = ("excluded", "lost", "failed", "unreached")
"""States that do not mend themselves, the gravest first."""
_STYLES = {"excluded": "bold red", "lost": "bold red", "failed": "bold red", "unreached": "yellow"}
_MOST_LINES = 20
"""So many visits and nodes have a line; of more, how many."""
_LONGEST_POOL = 24
_LONGEST_NODE = 32
_LONGEST_REASON = 400


def status_table(state: CampaignState, *, width: int | None = None) -> RenderableType:
    """A line per pool, visits by state, then a line for each node and visit that needs attention."""
    nodes = covered_nodes(state)
    found = pools(nodes)
    shown = [one for one in STATES if any(pool.visits[one] for pool in found)]
    table = PlainTable(
        _cut("pool", _LONGEST_POOL), right("nodes"), right("measured"), *map(right, shown)
    )
    for pool in found:
        table.add(*_pool_cells(pool, shown))
    if len(found) > 1:
        table.add(*_total(found, shown))
    parts: list[RenderableType] = [_title(state), "", table]
    lines = _attention(nodes)
    if lines:
        parts += ["", _attention_table(lines[:_MOST_LINES])]
    if more := len(lines) - _MOST_LINES:
        parts += [f"and {more:,} more"] if more > 0 else []
    if extra := len(state.extra_runs):
        parts += ["", f"{count_of(extra, 'extra run')}, not counted."]
    return below_each_other(*parts, width=width)


def summary_lines(state: CampaignState, summary: FleetSummary) -> tuple[str, ...]:
    """The sentences of the page, a line each."""
    return sentences(state, summary)


def facts(state: CampaignState, summary: FleetSummary | None = None) -> dict[str, Any]:
    """The same for `--format json`; what is not known is null.

    Keys:
        campaign: its name.
        complete: whether all visits are done.
        sentences: as on the page, the worst news first; none without a summary.
        visits: state → visits in it, 0 for none.
        pools: pool → `nodes`, `measured` (with a visit at least), `visits` as above.
        attention: visits that are lost, failed or never reached, and nodes that were given up, the gravest first:
            `pool`, `node`, `visit` (null of a whole node), `state`, `reason`, `attempt`.
        extra_runs: ids of runs that repeat a visit that counts already.
        band, tests: share below which a difference does not matter; units × groups that were looked at.
        mixtures: fact → its several values.
        standing_out: units × groups that are slow, fast, suspects or were cleared, the slowest first: `model`, `node`,
            `device` and the fields of a deviation.
        spreads: per model and group, standard deviations of log time.
        crossovers: of each op between a CPU model and another in the same nodes, as `bench crossover --format json` has them.
    """
    nodes = covered_nodes(state)
    counts = state.counts
    return {
        "campaign": state.campaign.name,
        "complete": state.complete,
        "sentences": list(sentences(state, summary)) if summary else [],
        "visits": {one: counts.get(one, 0) for one in STATES},
        "pools": {
            pool.name: {
                "nodes": pool.nodes,
                "measured": pool.measured,
                "visits": dict(pool.visits),
            }
            for pool in pools(nodes)
        },
        "attention": [_attention_facts(one) for one in _attention(nodes)],
        "extra_runs": list(state.extra_runs),
        **(_summary_facts(summary) if summary else {}),
    }


def noteworthy(summary: FleetSummary) -> list[Deviation]:
    """Units in groups that are slow, fast, suspects, or were cleared; the slowest first."""
    found = [
        one
        for one in summary.deviations
        if one.standing in {"slow", "fast"} or waits(one) or cleared(one)
    ]
    return sorted(found, key=lambda one: -one.ratio if math.isfinite(one.ratio) else 0.0)


def _summary_facts(summary: FleetSummary) -> dict[str, Any]:
    return {
        "band": summary.band,
        "tests": summary.tests,
        "mixtures": {fact: list(values) for fact, values in summary.mixtures.items()},
        "standing_out": [_deviation_facts(one) for one in noteworthy(summary)],
        "spreads": [_finite(asdict(one)) for one in summary.spreads],
        **crossings_facts(summary.crossovers),
    }


def _deviation_facts(one: Deviation) -> dict[str, Any]:
    found = asdict(one)
    unit = found.pop("unit")
    return _finite({**unit, **found, "reasons": list(one.reasons)})


def _finite(found: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity; an interval without an end is one that is not known."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in found.items()
    }


def _title(state: CampaignState) -> str:
    campaign = state.campaign
    counts = state.counts
    done = f"{counts.get('done', 0):,} of {count_of(len(state.visits), 'visit')} done"
    planned = f"{count_of(len(campaign.cases), 'case')} each, torch {one_line(campaign.torch, 20)}"
    return f"{one_line(campaign.name, 60)}: {done}; {planned}"


def _cut(name: str, longest: int) -> Column:
    """A column of names of which the beginning tells enough."""
    return Column(Text(name), overflow="ellipsis", no_wrap=True, max_width=longest)


def _pool_cells(pool: PoolCoverage, shown: Sequence[State]) -> list[str]:
    counts = [f"{pool.visits[one]:,}" if pool.visits[one] else "·" for one in shown]
    return [one_line(pool.name, _LONGEST_POOL), f"{pool.nodes:,}", f"{pool.measured:,}", *counts]


def _total(found: Sequence[PoolCoverage], shown: Sequence[State]) -> list[str]:
    counts = [f"{sum(pool.visits[one] for pool in found):,}" for one in shown]
    nodes, measured = sum(p.nodes for p in found), sum(p.measured for p in found)
    return ["all", f"{nodes:,}", f"{measured:,}", *counts]


def _attention(nodes: Sequence[CoveredNode]) -> list[tuple[CoveredNode, VisitState | None]]:
    """Nodes that were given up, and visits of the others that do not come about by waiting."""
    found: list[tuple[CoveredNode, VisitState | None]] = []
    for node in nodes:
        if node.state == "excluded":
            found.append((node, None))
        else:
            found += [(node, visit) for visit in node.visits if visit.state in _ATTENTION]
    return sorted(found, key=_gravity)


def _gravity(found: tuple[CoveredNode, VisitState | None]) -> int:
    node, visit = found
    return GRAVITY.index(visit.state if visit else node.state)


def _attention_table(found: Sequence[tuple[CoveredNode, VisitState | None]]) -> PlainTable:
    table = PlainTable(whole(), _cut("", _LONGEST_NODE), folded(), heads=False)
    for node, visit in found:
        state = visit.state if visit else node.state
        named = (
            f"{one_line(node.name, _LONGEST_NODE - 8)}{f' visit {visit.visit}' if visit else ''}"
        )
        table.add(Text(state, style=_STYLES[state]), named, _reason(node, visit))
    return table


def _reason(node: CoveredNode, visit: VisitState | None) -> str:
    text = one_line(visit.reason if visit else node.reason, _LONGEST_REASON) or "no reason is known"
    often = visit.attempt if visit else max((one.attempt for one in node.visits), default=0)
    return f"{text} ({often} attempts)" if often > 1 else text


def _attention_facts(found: tuple[CoveredNode, VisitState | None]) -> dict[str, Any]:
    node, visit = found
    return {
        "pool": node.pool,
        "node": node.name,
        "visit": visit.visit if visit else None,
        "state": visit.state if visit else node.state,
        "reason": (visit.reason if visit else node.reason) or None,
        "attempt": visit.attempt if visit else max((v.attempt for v in node.visits), default=0),
    }
