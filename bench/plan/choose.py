"""Choice of cases out of a plan: one case by its id or by an expression, or pairs of cases to compare.

An expression is one of `-k`, and an id may have a size that the suite's axes lack. A word that means no case
or several is refused with what it may have meant.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError, SelectionError, hint
from bench.plan.filter import Filter
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from bench.plan.plan import Plan, PlannedCase

    Settings = Mapping[str, tuple[str, ...]]
    Planned = Callable[[Settings], Plan]
    """The plan of all sizes, with these values of axes."""
    Pair = tuple[PlannedCase, PlannedCase]

_ID = re.compile(r"[^\s/\[\]]+/[^\s\[\]]+\[([^\[\]]+)\]")
_SHOWN = 5
_HOW = "see all ids with: bench list --preset full --json"
_SIDES = 2
"""`bench ab` compares two sides, so it takes two ops at most."""
_OP_ID_PARTS = 2
"""An op's full name is `suite/op`."""


def choose(word: str, planned: Planned) -> PlannedCase:
    """The case that a word means.

    Raises:
        SelectionError: it means none or several, or one that is skipped here.
    """
    asked = settings_of(word)
    found = _with_id(word, planned, asked) if asked else {}
    if not found:
        everything = _by_id(planned({}))
        found = _matching(word, everything)
        if not found:
            raise SelectionError(none_of(word, everything, _HOW))
    if len(found) > 1:
        raise SelectionError(several_of(word, found))
    ((case, reason),) = found.values()
    if reason:
        message = (
            f"{case.id} on {case.device} is skipped: {reason}; choose another case or --device"
        )
        raise SelectionError(message)
    return case


def settings_of(word: str) -> Settings:
    """`suite/op[n=64,dtype=float32]` → axis → its value; nothing for a word that is no such id."""
    inside = _ID.fullmatch(word)
    if inside is None:
        return {}
    pairs = [part.partition("=") for part in inside[1].split(",")]
    return {axis: (value,) for axis, _, value in pairs if axis and value}


def _with_id(word: str, planned: Planned, asked: Settings) -> dict[str, tuple[PlannedCase, str]]:
    """The case of this id, its sizes taken from the id; none where no op can take them."""
    try:
        cases = _by_id(planned(asked))
    except BenchError:  # it would speak of --set, which nobody wrote
        return {}
    return {word: cases[word]} if word in cases else {}


def _by_id(plan: Plan) -> dict[str, tuple[PlannedCase, str]]:
    """Id → case, and why it is skipped, if it is."""
    cases = {case.id: (case, "") for case in plan.cases}
    return {**cases, **{skip.case.id: (skip.case, skip.reason) for skip in plan.skips}}


def _matching(
    word: str, everything: Mapping[str, tuple[PlannedCase, str]]
) -> dict[str, tuple[PlannedCase, str]]:
    if word in everything:
        return {word: everything[word]}
    test = expression(word)
    return {
        name: (case, reason)
        for name, (case, reason) in everything.items()
        if test.matches(name, case.labels)
    }


def expression(word: str, noun: str = "case") -> Filter:
    """The word as an expression of `-k`; a mistake in it speaks of a case (or an op), not of `-k`.

    Raises:
        SelectionError: it can't be read.
    """
    try:
        return Filter(word)
    except SelectionError as error:
        message = f"{noun} {str(error).removeprefix('-k ')}"
        raise SelectionError(message) from error


def none_of(word: str, ids: Collection[str], how: str) -> str:
    """The error line for a word that means none of these cases; `how` says where all ids are."""
    return f"{word!r} matches none of {counted(len(ids), 'case')}; {hint(word, ids, how)}"


def several_of(word: str, ids: Collection[str]) -> str:
    """The error line for a word that means several cases."""
    shown = ", ".join(list(ids)[:_SHOWN]) + (", …" if len(ids) > _SHOWN else "")
    return f"{word!r} matches {len(ids)} cases: {shown}; name one of them, or add: and AXIS=VALUE"


def split_ops(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The suites and the ops among words: `mul`, `my/file.py` and `mul/matrices`.

    Where no suite is named, the suites are those of the ops.

    Raises:
        SelectionError: there are more than two ops.
    """
    ops = tuple(word for word in words if _is_op(word))
    suites = tuple(word for word in words if word not in ops)
    if len(ops) > _SIDES:
        message = f"{len(ops)} ops ({', '.join(ops)}) are more than two sides; name one or two"
        raise SelectionError(message)
    return suites or tuple(dict.fromkeys(op.partition("/")[0] for op in ops)), ops


def pairs(plan: Plan, ops: Sequence[str]) -> list[Pair]:
    """The pairs of cases to compare: each case with itself, or with two ops those at equal axes.

    Ops that are named leave out the cases of all others.

    Raises:
        SelectionError: an op is not in the plan, or two have no point in common.
    """
    for op in ops:
        known = {case.op_id for case in plan.all_cases}
        if op not in known:
            message = f"there is no op {op!r} among what was chosen; {hint(op, known)}"
            raise SelectionError(message)
    if len(set(ops)) < _SIDES:
        return [(case, case) for case in plan.cases if not ops or case.op_id in ops]
    one, other = ([case for case in plan.cases if case.op_id == op] for op in ops)
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
    """Whether a word is an op's full name, `suite/op`, and no file."""
    path = Path(word)
    return len(path.parts) == _OP_ID_PARTS and path.suffix != ".py" and not path.exists()


def _point(case: PlannedCase) -> tuple[object, ...]:
    return case.device, *sorted(case.labels.items())


def _first(cases: Sequence[PlannedCase]) -> str:
    return cases[0].id if cases else "none"
