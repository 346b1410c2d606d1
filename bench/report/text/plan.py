"""The plan as people and programs read it: ops with their grids, skips by reason, the time it takes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from bench import units
from bench.plan.case_id import written
from bench.report.text.machine_readable import fields_of
from bench.report.text.plain_table import PlainTable, below_each_other, folded, right, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bench.plan.plan import Plan, PlannedCase


def plan_facts(plan: Plan, estimate_s: float) -> dict[str, Any]:
    """The plan for `bench list --json`."""
    return {
        "cases": [_facts(case) for case in plan.cases],
        "skips": [{**_facts(skip.case), "reason": skip.reason} for skip in plan.skips],
        "estimated_s": estimate_s,
    }


def _facts(case: PlannedCase) -> dict[str, Any]:
    return {
        "case": case.id,
        **fields_of(case, "suite", "op", "device", "dtype"),
        "params": dict(case.params),
        **fields_of(case, "flop", "bytes"),
    }


def plan_table(plan: Plan, estimate_s: float) -> RenderableType:
    """The plan for a terminal: a line per op and device, the values of each axis beside it."""
    table = PlainTable(whole("op"), whole("device"), right("cases"), folded("axes"))
    groups: dict[tuple[str, str], list[PlannedCase]] = {}
    for case in plan.cases:
        groups.setdefault((case.op_id, case.device), []).append(case)
    for (op, device), cases in groups.items():
        table.add(op, device, str(len(cases)), _axes(cases))
    skipped = Counter((skip.case.device, skip.reason) for skip in plan.skips)
    lines = [
        f"skipped: {units.counted(n, 'case')} on {device}: {why}"
        for (device, why), n in skipped.items()
    ]
    total = f"{units.counted(len(plan.cases), 'case')}, about {units.clock(estimate_s)}"
    return below_each_other(*([table] if plan.cases else []), *lines, total)


def _axes(cases: Sequence[PlannedCase]) -> str:
    values: dict[str, dict[str, None]] = {}
    for case in cases:
        for axis, value in case.params.items():
            values.setdefault(axis, {})[value] = None
    return "  ".join(f"{axis}={','.join(map(written, found))}" for axis, found in values.items())
