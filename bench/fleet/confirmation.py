"""Confirmation: one more visit of the nodes that stand out, beside some that do not, before any is called slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.fleet.standing import controls, suspects
from bench.analysis.fleet.summary import summarise
from bench.analysis.fleet.visit_rows import visit_rows
from bench.store import claims

if TYPE_CHECKING:
    from bench.records.campaign import CampaignState
    from bench.store.objects import Objects


def asked(objects: Objects, state: CampaignState) -> tuple[str, ...]:
    """Ask for a visit of every suspect and its controls; the nodes, in an order that tells nothing.

    Nodes that have been asked for are not asked for again.
    """
    rows, _ = visit_rows(objects, state)
    summary = summarise(rows)
    found = suspects(summary)
    beside = controls(summary, found, state.campaign.seed)
    units = [*(one.unit for one in found), *beside]
    pool_of = {visit.node: visit.pool for visit in rows}
    nodes = sorted({unit.node for unit in units})
    before = claims.to_confirm(objects, state.campaign.name)
    new = [node for node in nodes if (pool_of[node], node) not in before]
    claims.ask_to_confirm(objects, state.campaign.name, ((pool_of[node], node) for node in new))
    return tuple(new)
