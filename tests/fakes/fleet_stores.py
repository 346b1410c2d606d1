"""Store of a made-up campaign: its plan, the claims of its visits, and their runs."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bench.records.campaign import Campaign, Pool
from bench.store import campaigns, claims, runs
from bench.store.claims import Claim
from bench.store.journal import Entry, Journal
from bench.store.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.analysis.fleet.fleet_summary import VisitRows

NAME = "acceptance"
POOL = "h100"
_BEGAN = datetime(2026, 11, 27, tzinfo=UTC)


def campaign(nodes: Sequence[str], cases: Sequence[str], visits: int = 2) -> Campaign:
    """A plan for these nodes."""
    return Campaign(
        name=NAME,
        created_at=_BEGAN.isoformat(),
        pools=(Pool(name=POOL, engine="slurm", gpus=8),),
        nodes={POOL: tuple(nodes)},
        devices={POOL: tuple(f"cuda:{n}" for n in range(8))},
        options={},
        cases=dict.fromkeys(cases),
        visits=visits,
        seed=1,
        torch="2.13.0",
        minutes=12,
    )


def write(store: Path, plan: Campaign, visits: Sequence[VisitRows]) -> Objects:
    """Write a plan, unless it is there, and what visits have left."""
    objects = Objects(store, make=True)
    if NAME not in campaigns.names(objects):
        campaigns.create(objects, plan)
    for number, visit in enumerate(visits):
        add(store, objects, visit, number)
    return objects


def add(store: Path, objects: Objects, visit: VisitRows, number: int) -> None:
    """Write the run of a visit and its claim."""
    now = _BEGAN + timedelta(minutes=number)
    run_id = runs.new_run_id(now)
    info = dataclasses.replace(
        visit.info, run_id=run_id, started_at=now.isoformat(), tags={"node": visit.node}
    )
    folder = runs.begin(store, info)
    with Journal(folder) as journal:
        rows = (dataclasses.replace(one, run_id=run_id) for one in visit.records)
        journal.write(*(Entry(record=one, samples=()) for one in rows))
    runs.finish(folder, info)
    claim = Claim(campaign=NAME, pool=POOL, node=visit.node, visit=visit.visit, attempt=1)
    assert claims.take(objects, claim, {"job": str(number)})
    claims.finish(objects, claim, run_id)
