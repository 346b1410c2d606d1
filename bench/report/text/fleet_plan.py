"""Plan of a campaign in words: which nodes, how many cases and visits, about how long."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bench.records.campaign import WARNING_S
from bench.units import clock, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.records.campaign import Campaign, Pool


def plan_lines(campaign: Campaign, states: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A line for each pool, and one for the whole.

    Args:
        campaign: as it was planned.
        states: pool → `idle`, `busy` or `down` → how many of its nodes are.
    """
    lines = [_pool_line(campaign, pool, states.get(pool.name, {})) for pool in campaign.pools]
    visits = sum(map(len, campaign.nodes.values())) * campaign.visits
    longest_s = max((wall_s(campaign, pool) for pool in campaign.pools), default=0.0)
    lines += [line for pool in campaign.pools if (line := _short(campaign, pool))]
    lines.append(f"{counted(visits, 'visit')}: about {clock(longest_s)} if the queue is empty.")
    return lines


def wall_s(campaign: Campaign, pool: Pool) -> float:
    """About how long a pool's visits take, if all its nodes are free."""
    nodes = len(campaign.nodes[pool.name])
    waves = math.ceil(nodes / pool.at_most) if pool.at_most else 1
    measuring_s = waves * campaign.visits * campaign.minutes * 60
    # While one node waits for its next visit, others have theirs.
    apart_s = (campaign.visits - 1) * pool.apart_s
    return max(measuring_s, apart_s + campaign.visits * campaign.minutes * 60)


def plan_facts(campaign: Campaign, states: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "campaign": campaign.name,
        "cases": len(campaign.cases),
        "visits": sum(map(len, campaign.nodes.values())) * campaign.visits,
        "minutes_per_visit": round(campaign.minutes, 2),
        "torch": campaign.torch,
        "pools": [
            {
                "pool": pool.name,
                "engine": pool.engine,
                "nodes": list(campaign.nodes[pool.name]),
                "states": dict(states.get(pool.name, {})),
                "devices": list(campaign.devices[pool.name]),
                "minutes": round(wall_s(campaign, pool) / 60, 2),
            }
            for pool in campaign.pools
        ],
    }


def _short(campaign: Campaign, pool: Pool) -> str:
    """That a visit won't fit into the wall time of its job, where it won't."""
    needed_s = campaign.minutes * 60 + WARNING_S
    if pool.engine != "slurm" or needed_s <= pool.time_s:
        return ""
    return (
        f"{pool.name}: time = {clock(pool.time_s)} is short: a visit takes about {clock(campaign.minutes * 60)}, and is told "
        f"to end {clock(WARNING_S)} before the limit. It will go on in further jobs; raise time in fleet.toml"
    )


def _pool_line(campaign: Campaign, pool: Pool, states: Mapping[str, int]) -> str:
    where = ":".join(
        filter(None, (pool.engine, "/".join(filter(None, (pool.partition, pool.constraint)))))
    )
    now = ", ".join(f"{n} {state}" for state, n in states.items() if n)
    devices = campaign.devices[pool.name]
    each = f" × {counted(len(devices), 'device')}" if len(devices) > 1 else ""
    nodes = counted(len(campaign.nodes[pool.name]), "node")
    return (
        f"{pool.name}: {nodes} of {where} ({now}){each}, {counted(len(campaign.cases), 'case')}, "
        f"{counted(campaign.visits, 'visit')} of about {clock(campaign.minutes * 60)} each"
        f"{f', at most {pool.at_most} at a time' if pool.at_most > 1 else ''}"
    )
