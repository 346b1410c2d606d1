"""Models of a campaign with their nodes and devices, as maps show them.

What a device is called says no model, so that a node without a visit is taken to have those of its pool.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bench.analysis.fleet.fleet_summary import GROUPS
from bench.analysis.fleet.node_coverage import CoveredNode, covered_nodes
from bench.analysis.fleet.sentences import models
from bench.report.html.fleet_page.device_map import MappedModel, natural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.fleet.fleet_summary import Deviation, FleetSummary
    from bench.records.campaign import CampaignState


def mapped_models(state: CampaignState, summary: FleetSummary) -> tuple[MappedModel, ...]:
    """The models that something is known of, those with most devices first."""
    nodes = {node.name: node for node in covered_nodes(state)}
    for one in summary.deviations:  # a node that no plan names was measured all the same
        name = one.unit.node
        if name not in nodes:
            nodes[name] = CoveredNode(pool="", name=name, visits=(), state="done")
    planned = _planned(state, summary, nodes)
    by_model: dict[str, list[Deviation]] = {}
    for one in summary.deviations:
        by_model.setdefault(one.unit.model, []).append(one)
    ordered = [model for model in models(summary) if model in by_model]
    return tuple(_mapped(model, by_model[model], nodes, planned) for model in ordered)


def _planned(
    state: CampaignState, summary: FleetSummary, nodes: Mapping[str, CoveredNode]
) -> dict[tuple[str, str], str]:
    """Node and device → its model: as measured, or the most frequent one of its pool."""
    units = {one.unit for one in summary.deviations}
    counted: dict[tuple[str, str], Counter[str]] = {}
    for unit in units:
        counted.setdefault((nodes[unit.node].pool, unit.device), Counter())[unit.model] += 1
    usual = {key: max(sorted(found), key=found.__getitem__) for key, found in counted.items()}
    expected = {
        (node.name, device): usual[node.pool, device]
        for node in nodes.values()
        for device in state.campaign.devices.get(node.pool, ())
        if (node.pool, device) in usual
    }
    return expected | {(unit.node, unit.device): unit.model for unit in units}


def _mapped(
    model: str,
    found: Sequence[Deviation],
    nodes: Mapping[str, CoveredNode],
    planned: Mapping[tuple[str, str], str],
) -> MappedModel:
    own = {unit for unit, of in planned.items() if of == model}
    names = {node for node, _ in own}
    return MappedModel(
        model=model,
        nodes=tuple(nodes[name] for name in sorted(names, key=natural)),
        devices=tuple(sorted({device for _, device in own}, key=natural)),
        planned=frozenset(own),
        groups=tuple(group for group in GROUPS if any(one.group == group for one in found)),
        found={(one.unit.node, one.unit.device, one.group): one for one in found},
    )
