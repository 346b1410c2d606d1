"""Preflight of a visit: what must hold on a node before it is measured, and in what words it does not.

A broken node is always idle, so that a scheduler hands it one job after the other: it must not take a minute of each,
and must not go on for ever.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.doctor.load import BUSY_SHARE
from bench.fleet.plan_campaign import torch_release
from bench.machine import activity, hardware
from bench.units import counted, share, size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.machine.activity import Snapshot
    from bench.machine.hardware import Machine
    from bench.plan.plan import Plan
    from bench.records.campaign import Campaign, Pool

Code = Literal["torch", "code", "cores", "gpus", "disk", "busy"]
_LEAST_DISK_BYTES = 2**28
"""A journal of some thousand cases has a tenth of it."""
_BUSY_SHARE = 2 * BUSY_SHARE
"""Of all cores. Numbers suffer from half of that on, which the doctor says; beyond, the node is somebody else's too."""
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a node is not measured now."""

    code: Code
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a preflight looks at."""

    torch: str
    machine: Machine
    usable_cores: int
    free_disk_bytes: int
    snapshot: Snapshot

    @classmethod
    def read(cls, spool: Path) -> Facts:
        """Of this node now."""
        return cls(
            torch=torch_release(),
            machine=hardware.read_machine(),
            usable_cores=_usable_cores(),
            free_disk_bytes=shutil.disk_usage(spool).free,
            snapshot=activity.read_snapshot(),
        )


def _usable_cores() -> int:
    """As many as the job may use, by the cores themselves and by a quota, which containers have."""
    quota = hardware.cpu_quota(Path("/"))
    cores = len(hardware.usable_cores())
    return min(cores, int(quota)) if quota else cores


def before_planning(campaign: Campaign, pool: Pool, facts: Facts) -> Refusal | None:
    """Why this node can't be measured, as far as its own facts say; None where nothing speaks against it."""
    looks: Mapping[Code, str] = {
        "torch": _torch(campaign, facts),
        "gpus": _gpus(pool, facts.machine),
        "cores": _cores(facts),
        "disk": _disk(facts),
        "busy": _busy(facts.snapshot),
    }
    found = ((code, reason) for code, reason in looks.items() if reason and code not in pool.allow)
    return next((Refusal(code=code, reason=reason) for code, reason in found), None)


def of_plan(campaign: Campaign, pool: Pool, plan: Plan) -> Refusal | None:
    """Why the plan that this node makes is not the campaign's; None where it is."""
    here = {case.id: case.fingerprint for case in plan.all_cases}
    differ = [case for case, code in campaign.cases.items() if here.get(case) != code]
    if differ and "code" not in pool.allow:
        named = ", ".join(differ[:_MOST_NAMED])
        reason = (
            f"{counted(len(differ), 'case')} ({named}{', …' if differ[_MOST_NAMED:] else ''}) have other code "
            "here than in the plan, or are not there; have the same version of the suites on all nodes"
        )
        return Refusal(code="code", reason=reason)
    return None


def _torch(campaign: Campaign, facts: Facts) -> str:
    if facts.torch == campaign.torch:
        return ""
    return f"torch is {facts.torch} here and {campaign.torch} in the plan"


def _gpus(pool: Pool, machine: Machine) -> str:
    there = len(machine.gpus)
    return "" if there >= pool.gpus else f"{counted(there, 'GPU')} of {pool.gpus} can be seen"


def _cores(facts: Facts) -> str:
    all_of = facts.machine.logical_cores
    if facts.usable_cores >= all_of:
        return ""
    return f"the job may use {facts.usable_cores} of {counted(all_of, 'core')}; ask for whole nodes"


def _disk(facts: Facts) -> str:
    free = facts.free_disk_bytes
    return "" if free >= _LEAST_DISK_BYTES else f"{size(free)} are free on the disk of the spool"


def _busy(snapshot: Snapshot) -> str:
    used = [n for n, gpu in enumerate(snapshot.gpus) if gpu.processes]
    if used:
        return f"other programs use {counted(len(used), 'GPU')} (the first: {used[0]})"
    busy = snapshot.cpu_busy_share
    if busy is None or busy < _BUSY_SHARE:
        return ""
    names = ", ".join(one.name for one in snapshot.programs or ())
    by = f" (by {names})" if names else ""
    return f"{share(busy)} of the CPU is busy{by} before anything is measured"
