"""Plan of a campaign: what every node of some pools is to measure, how often, and about how long that takes."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import SelectionError
from bench.records import codec
from bench.records.campaign import Campaign, is_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.plan.plan import Plan
    from bench.records.campaign import Pool
    from bench.run.request import Request

_ROOFS_S = 15.0
"""Of a device, once, for estimates."""


def devices_of(pool: Pool, asked: Sequence[str]) -> tuple[str, ...]:
    """The devices of a node that are measured: those asked for, else the pool's GPUs, else the CPU."""
    if asked:
        return tuple(asked)
    gpus = ("cuda",) if pool.gpus == 1 else tuple(f"cuda:{n}" for n in range(pool.gpus))
    return (*gpus, "cpu") if pool.cpu or not gpus else gpus


def frozen(
    asked: Request,
    pools: Sequence[Pool],
    nodes: Mapping[str, Sequence[str]],
    *,
    name: str,
    visits: int,
    label: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Campaign:
    """The plan of a campaign.

    Args:
        asked: as for a run; its devices are each pool's own where none are named.
        pools: whose nodes are visited.
        nodes: pool → its nodes now.
        name: of the campaign.
        visits: of each node.
        label: of all its runs.
        tags: of all its runs.

    Raises:
        BenchError: a word stands for nothing, no case is left, or the name can't be one.
    """
    if not is_name(name):
        message = f"--name {name!r} can't name a campaign; letters, digits, dots, underscores and hyphens can"
        raise SelectionError(message)
    devices = {pool.name: devices_of(pool, asked.devices) for pool in pools}
    plans = [_planned(asked, of_pool) for of_pool in devices.values()]
    cases = {case.id: case.fingerprint for plan in plans for case in plan.cases}
    if not cases:
        message = "no case is left to measure; see them with: bench list"
        raise SelectionError(message)
    fixed = dataclasses.replace(asked, budget_s=asked.case_budget_s(len(cases)))
    campaign = Campaign(
        name=name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        pools=tuple(pools),
        nodes={pool: tuple(found) for pool, found in nodes.items()},
        devices=devices,
        options=_facts(fixed),
        cases=cases,
        visits=visits,
        seed=secrets.randbits(31) if asked.seed is None else asked.seed,
        torch=torch_release(),
        minutes=_minutes(fixed, plans, max(map(len, devices.values()))),
        label=label,
        tags=dict(tags or {}),
    )
    if fault := campaign.fault():
        message = f"no campaign can be made of that: {fault}"
        raise SelectionError(message)
    return campaign


def _minutes(asked: Request, plans: Sequence[Plan], devices: int) -> float:
    """About how long the longest visit takes, with the roofs of its devices."""
    measured = max(len(plan.cases) for plan in plans)
    compiled = max(plan.compiled for plan in plans)
    roofs_s = _ROOFS_S * devices if asked.roofs else 0.0
    return (asked.estimate_s(measured, compiled) + roofs_s) / 60


def _planned(asked: Request, devices: tuple[str, ...]) -> Plan:
    return dataclasses.replace(asked, devices=devices).plan(elsewhere=True)


def _facts(asked: Request) -> dict[str, object]:
    """The request as JSON has it; the devices are those of each pool."""
    facts = json.loads(codec.encode(codec.facts_of(asked)))
    return {**facts, "devices": [], "suites": _suites(asked)}


def _suites(asked: Request) -> list[str]:
    """The suites that are named; files by their whole path, which nodes are to have them under."""
    paths = ((word, Path(word)) for word in asked.suites)
    return [str(p.resolve()) if word.endswith(".py") and p.is_file() else word for word, p in paths]


def torch_release() -> str:
    """The installed torch without its build, by its metadata: `2.13.0`."""
    return importlib.metadata.version("torch").partition("+")[0]
