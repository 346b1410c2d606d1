"""Visits of a made-up fleet, for the tests of what is said of its units."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.analysis.fleet.fleet_summary import VisitRows
from tests.fakes import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.records.record import Record

MODEL = "NVIDIA H100"
ROOFS = {"compute": "float32 matmul", "memory": "DRAM bandwidth"}
CASES = 6
"""Of each group."""
HOST = {"architecture": "x86_64", "cpu_model": "Test CPU"}
ENVIRONMENT = {"gpu_driver": "580.1", "kernel": "6.1"}

Factor = dict[tuple[str, str], float]
"""(node, device) → by how much it takes longer, in all groups."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """What is made up; shares are standard deviations of log time."""

    nodes: int = 5
    gpus: int = 8
    visits: int = 2
    device: float = 0.004
    visit: float = 0.002
    case: float = 0.001
    seed: int = 1


def node_name(number: int) -> str:
    """`n003`."""
    return f"n{number:03}"


def units_of(plan: FleetPlan) -> list[tuple[str, str]]:
    """Node and device of each GPU."""
    return [(node_name(n), f"cuda:{g}") for n in range(plan.nodes) for g in range(plan.gpus)]


def visits(
    plan: FleetPlan,
    slow: Mapping[tuple[str, str], float] | None = None,
    *,
    only: str | None = None,
    since: int = 1,
    again: Sequence[str] = (),
    changed: Callable[[Record, int], Record | None] | None = None,
    info: Callable[[str, int], dict[str, Any]] | None = None,
) -> list[VisitRows]:
    """All visits, node by node.

    Args:
        plan: the fleet.
        slow: by how much which units take longer.
        only: the group in which they do; all where none is named.
        since: the visit from which on they do.
        again: nodes that have one more visit, to confirm.
        changed: makes another row of a row of a visit, or none.
        info: more of what the run of a node's visit says of itself.
    """
    rng = np.random.default_rng(plan.seed)
    own = {unit: rng.normal(0, plan.device, len(ROOFS)) for unit in units_of(plan)}
    made = []
    for number in range(1, plan.visits + 2):
        for node in map(node_name, range(plan.nodes)):
            noise = {
                unit: (rng.normal(0, plan.visit, len(ROOFS)), rng.normal(0, plan.case, (2, CASES)))
                for unit in own
                if unit[0] == node
            }
            if number > plan.visits and node not in again:
                continue
            records = [
                row
                for unit, errors in noise.items()
                for row in _rows(
                    unit,
                    own[unit] + errors[0] + _shift(unit, slow or {}, only, number >= since),
                    errors[1],
                )
            ]
            kept = [changed(row, number) if changed else row for row in records]
            facts = {
                "machine": HOST,
                "environment": ENVIRONMENT,
                **(info(node, number) if info else {}),
            }
            made.append(
                VisitRows(
                    pool="gpus",
                    node=node,
                    visit=number,
                    records=tuple(row for row in kept if row is not None),
                    info=rows.info(**facts),
                    confirms=number > plan.visits,
                )
            )
    return made


def _shift(
    unit: tuple[str, str],
    slow: Mapping[tuple[str, str], float],
    only: str | None,
    begun: bool,  # noqa: FBT001
) -> Any:
    by = np.log(slow.get(unit, 1.0)) if begun else 0.0
    return np.array([by if only in {None, group} else 0.0 for group in ROOFS])


def _rows(unit: tuple[str, str], logs: Any, errors: Any) -> list[Record]:
    found = []
    for place, (group, roof) in enumerate(ROOFS.items()):
        for case in range(CASES):
            time_s = float(1e-4 * (case + 1) * np.exp(logs[place] + errors[place, case]))
            found.append(
                rows.record(
                    "fleet",
                    group,
                    params={"n": case},
                    time_s=time_s,
                    device=unit[1],
                    device_name=MODEL,
                    roof=roof,
                    bound_by="device",
                )
            )
    return found
