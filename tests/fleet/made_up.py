"""Campaigns and pools that no file holds, and what a preflight would find on a node."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from bench.fleet.preflight import Facts
from bench.machine.activity import Snapshot
from bench.machine.hardware import Machine
from bench.records.campaign import Campaign, Pool

if TYPE_CHECKING:
    from collections.abc import Sequence

TORCH = "2.13.0"
CASE = "matmul/square[n=16,dtype=float32]"


def pool(**facts: Any) -> Pool:
    """A pool of Slurm's, of nodes without GPUs."""
    return Pool(**{"name": "p", "engine": "slurm", "time_s": 2400.0, **facts})


def campaign(of_pool: Pool | None = None, nodes: Sequence[str] = ("n1",), **facts: Any) -> Campaign:
    """One visit or more of each of these nodes."""
    of_pool = of_pool or pool()
    known: dict[str, Any] = {
        "name": "acceptance",
        "created_at": "2026-11-23T05:00:00+00:00",
        "pools": (of_pool,),
        "nodes": {of_pool.name: tuple(nodes)},
        "devices": {of_pool.name: ("cpu",)},
        "options": {"suites": ["matmul"], "keyword": "square", "workers": 1, "roofs": False},
        "cases": {CASE: "abc"},
        "visits": 1,
        "seed": 1,
        "torch": TORCH,
        "minutes": 10.0,
    }
    return Campaign(**(known | facts))


def facts(**changes: Any) -> Facts:
    """A node of eight cores and no GPU, at rest."""
    machine = Machine(
        machine_id="m-1",
        name="n1",
        cpu_model="Test CPU",
        architecture="x86_64",
        physical_cores=8,
        logical_cores=8,
        memory_bytes=2**35,
        gpus=(),
    )
    snapshot = Snapshot(
        cpu_busy_share=0.01,
        stolen_share=0.0,
        programs=(),
        swap_used_bytes=0,
        memory_stall_share=0.0,
        slowdowns=0,
        on_battery=False,
        gpus=(),
        gpus_missing=None,
        mps=False,
    )
    at_rest = Facts(
        torch=TORCH, machine=machine, usable_cores=8, free_disk_bytes=2**34, snapshot=snapshot
    )
    return dataclasses.replace(at_rest, **changes)
