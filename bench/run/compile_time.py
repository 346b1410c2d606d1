"""Compile time: what compiling a case took the worker that compiled it first, and those that found its code cached.

Both are a first call less a later one. The first worker is that which checks the case: the run's cache of compiled code
holds nothing of it before.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.plan.plan import PlannedCase
    from bench.pool.protocol import Checked, Prepared
    from bench.pool.side_effects import SideEffects


def compile_columns(
    case: PlannedCase, checked: Checked | None, checker: int, prepared: Mapping[int, Prepared]
) -> dict[str, Any]:
    """The columns of compile time; none where a case is not compiled.

    Args:
        case: that was measured.
        checked: its check, with the time of its first call.
        checker: the worker that checked it, in whose process torch keeps code beside the cache.
        prepared: worker → its preparation there.
    """
    if not (case.is_compiled and checked and prepared):
        return {}
    later_s = median(one.call_s for one in prepared.values())
    others = [one for worker, one in prepared.items() if worker != checker]
    cached = [max(one.first_call_s - one.call_s, 0.0) for one in others]
    return {
        "compile_s": max(checked.call_s - later_s, 0.0),
        "compile_cached_s": median(cached) if cached else None,
    }


def is_not_compiled(case: PlannedCase, effects: SideEffects) -> bool:
    """Whether a case was to be compiled, and the compiler left all of it to Python."""
    return case.is_compiled and not effects.graphs
