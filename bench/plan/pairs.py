"""Which cases meet which: one plan with itself, or two ops at equal axes. Facts only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import SelectionError, hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.plan.plan import Plan, PlannedCase

    Pair = tuple[PlannedCase, PlannedCase]

_MOST_OPS = 2
"""Also the parts of `suite/op`."""


def split(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The suites and the ops among words: `mul`, `my/file.py` and `mul/matrices`.

    Ops bring their suites with them, where no suite is named.

    Raises:
        SelectionError: there are more than two ops.
    """
    ops = tuple(word for word in words if _is_op(word))
    suites = tuple(word for word in words if word not in ops)
    if len(ops) > _MOST_OPS:
        message = f"{len(ops)} ops ({', '.join(ops)}) are more than two sides; name one or two"
        raise SelectionError(message)
    return suites or tuple(dict.fromkeys(op.partition("/")[0] for op in ops)), ops


def pairs(plan: Plan, ops: Sequence[str]) -> list[Pair]:
    """The cases that meet: each itself, of these ops if any are named; with two, those at equal axes.

    Raises:
        SelectionError: an op is not in the plan, or two have no point in common.
    """
    for op in ops:
        known = dict.fromkeys(map(_op, [*plan.cases, *(skip.case for skip in plan.skips)]))
        if op not in known:
            message = f"there is no op {op!r} among what was chosen; {hint(op, known)}"
            raise SelectionError(message)
    if len(set(ops)) < _MOST_OPS:
        return [(case, case) for case in plan.cases if not ops or _op(case) in ops]
    one, other = ([case for case in plan.cases if _op(case) == op] for op in ops)
    by_point = {_point(case): case for case in other}
    found = [(case, by_point[_point(case)]) for case in one if _point(case) in by_point]
    if not found:
        message = (
            f"{ops[0]} and {ops[1]} have no case with equal axes ({_first(one)}; {_first(other)}); "
            "fix axes with --set"
        )
        raise SelectionError(message)
    return found


def _is_op(word: str) -> bool:
    """`suite/op`, which is no file."""
    path = Path(word)
    return len(path.parts) == _MOST_OPS and path.suffix != ".py" and not path.exists()


def _op(case: PlannedCase) -> str:
    return f"{case.suite}/{case.op}"


def _point(case: PlannedCase) -> tuple[object, ...]:
    return case.device, *sorted(case.labels.items())


def _first(cases: Sequence[PlannedCase]) -> str:
    return cases[0].id if cases else "none"
