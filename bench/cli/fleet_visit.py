"""`bench fleet visit`: what a job of a pool runs on a node. People have no use for it, and no help lists it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.cli.app import OK, SOME_FAILED, fleet
from bench.cli.fleet import PLACE
from bench.cli.fleet_options import CampaignName, Node, PoolName, StorePlace
from bench.cli.output import console, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@fleet.command("visit", hidden=True)
def visit_command(
    *, campaign: CampaignName, pool: PoolName, node: Node = None, store: StorePlace = PLACE
) -> int:
    """What a job of a pool runs: one visit of the node that it is on."""
    from bench.cli.progress import LiveListener
    from bench.errors import SelectionError
    from bench.fleet.engines import this_node
    from bench.fleet.visit import NodeVisit
    from bench.machine.hardware import NODE_VARIABLE
    from bench.records.campaign import is_name
    from bench.store import campaigns
    from bench.store.objects import Objects

    objects = Objects(store)
    plan = campaigns.load(objects, campaign)
    of_pool = plan.pool(pool)
    if of_pool is None:
        message = f"campaign {campaign} has no pool {pool!r}"
        raise SelectionError(message)
    name = node or os.environ.get("SLURMD_NODENAME") or this_node()
    if not is_name(name):
        message = f"{name!r:.80} can't name a node; give it another: bench fleet visit --node"
        raise SelectionError(message)
    # This machine is the one that it is for bench run.
    called = {} if of_pool.engine == "local" else {NODE_VARIABLE: name}
    with _environment(called), LiveListener(console(stderr=True)) as listener:
        done = NodeVisit(
            objects, plan, of_pool, node=name, job=_job(os.environ), listener=listener
        ).run()
    say(done.sentence, err=True)
    return SOME_FAILED if done.kind == "failed" else OK


@contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    """Have more in the environment, for this process and those that it starts."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({name: value} if value is not None else {})


def _job(environ: Mapping[str, str]) -> str:
    """What the scheduler calls this job; the same when it begins it again."""
    array, task = environ.get("SLURM_ARRAY_JOB_ID"), environ.get("SLURM_ARRAY_TASK_ID")
    if array and task:
        return f"{array}_{task}"
    from uuid import uuid4

    return environ.get("SLURM_JOB_ID") or uuid4().hex[:12]
