"""Choice of cases out of a plan: one case by its id or by an expression, or pairs of cases to compare.

An expression is one of `-k`, and an id may have a size that the suite's axes lack. A word that means no case
or several is refused with what it may have meant.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench.errors import BenchError, SelectionError, hint, shown
from bench.plan.case_id import parse_id
from bench.plan.filter import Filter
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from bench.plan.case_id import CaseName
    from bench.plan.plan import Plan, PlannedCase

    Settings = Mapping[str, tuple[str, ...]]
    Planned = Callable[[Settings], Plan]
    """The plan of all sizes, with these values of axes."""
    Pair = tuple[PlannedCase, PlannedCase]

_SHOWN = 5
_HOW = "see all ids with: bench list --preset full --json"
_DEVICE = "/device"
"""Stands beside the axes, and none can have this name."""
_SIDES = 2
"""`bench ab` compares two sides, so it takes two ops at most."""


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
    name = parse_id(word)
    return {axis: (value,) for axis, value in name.labels.items()} if name else {}


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
        if test.matches(name, case.params)
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
    return f"{shown(word)} matches none of {counted(len(ids), 'case')}; {hint(word, ids, how)}"


def several_of(word: str, ids: Collection[str]) -> str:
    """The error line for a word that means several cases."""
    some = ", ".join(list(ids)[:_SHOWN]) + (", …" if len(ids) > _SHOWN else "")
    return (
        f"{shown(word)} matches {len(ids)} cases: {some}; name one of them, or add: and AXIS=VALUE"
    )


def split_names(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[CaseName, ...]]:
    """The suites among words (`mul`, `my/file.py`), and the ops and cases (`mul/matrices`, `mul/matrices[n=64]`)."""
    named = {word: name for word in words if (name := _op_or_case(word))}
    return tuple(word for word in words if word not in named), tuple(named.values())


def split_ops(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the words choose, and the ops among them (`mul/matrices`, also of `mul/matrices[n=64]`).

    Raises:
        SelectionError: there are more than two ops.
    """
    _, named = split_names(words)
    ops = tuple(dict.fromkeys(name.op_id for name in named))
    if len(ops) > _SIDES:
        message = f"{len(ops)} ops ({', '.join(ops)}) are more than two sides; name one or two"
        raise SelectionError(message)
    return tuple(words), ops


def pairs(plan: Plan, ops: Sequence[str], modes: Sequence[str] = ()) -> list[Pair]:
    """The pairs of cases to compare: each case with itself, with two modes each in both, with two ops those at equal axes.

    Ops that are named leave out the cases of all others.

    Raises:
        SelectionError: an op is not in the plan, two have no point in common, or there are more than two sides.
    """
    if len(modes) >= _SIDES:
        return _pairs_of_modes(plan, ops, modes)
    for op in ops:
        known = {case.op_id for case in plan.all_cases}
        if op not in known:
            message = f"there is no op {op!r} among what was chosen; {hint(op, known)}"
            raise SelectionError(message)
    if len(set(ops)) < _SIDES:
        return [(case, case) for case in plan.cases if not ops or case.op_id in ops]
    one, other = ([case for case in plan.cases if case.op_id == op] for op in ops)
    met = [places for places in _places(one, other) if all(places)]
    if not met:
        message = (
            f"{ops[0]} and {ops[1]} have no case with equal axes ({_first(one)}; {_first(other)}); "
            "fix axes with --set"
        )
        raise SelectionError(message)
    for mine, theirs in met:
        if len(mine) > 1 or len(theirs) > 1:
            few, many = sorted((mine, theirs), key=len)
            ids = ", ".join(case.id for case in many[:_SIDES]) + (
                ", …" if len(many) > _SIDES else ""
            )
            message = f"{few[0].id} could be compared with {ids}; fix axes with --set"
            raise SelectionError(message)
    return [(mine, theirs) for ((mine,), (theirs,)) in met]


def _pairs_of_modes(plan: Plan, ops: Sequence[str], modes: Sequence[str]) -> list[Pair]:
    """Each case in one mode with the same case in the other."""
    if len(modes) > _SIDES or len(set(ops)) == _SIDES:
        message = f"--mode {','.join(modes)}: two sides differ in their ops or in their modes; name two of one kind"
        raise SelectionError(message)
    chosen = [case for case in plan.cases if not ops or case.op_id in ops]
    others = {case.twin: case for case in chosen if case.mode == modes[1]}
    ones = [case for case in chosen if case.mode == modes[0]]
    return [(case, others[case.twin]) for case in ones if case.twin in others]


def _places(
    one: Sequence[PlannedCase], other: Sequence[PlannedCase]
) -> Iterator[tuple[list[PlannedCase], list[PlannedCase]]]:
    """For each value of all axes that two ops have in common: the cases of the one, and of the other."""
    common = set.intersection(*(set(_point(case)) for cases in (one, other) for case in cases[:1]))
    places: dict[tuple[str, ...], tuple[list[PlannedCase], list[PlannedCase]]] = {}
    for side, cases in enumerate((one, other)):
        for case in cases:
            key = tuple(text for axis, text in sorted(_point(case).items()) if axis in common)
            places.setdefault(key, ([], []))[side].append(case)
    return iter(places.values())


def _point(case: PlannedCase) -> dict[str, str]:
    """Where a case lies in the grid; a dtype that is on no axis is that of all its cases."""
    return {"dtype": case.dtype, **case.params, _DEVICE: case.device}


def _op_or_case(word: str) -> CaseName | None:
    """The op or the case that a word names; None where it is a suite or a file, there or not."""
    name = parse_id(word)
    if name is None or "/" in name.op or word.endswith(".py") or os.path.exists(word):  # noqa: PTH110 - `Path` raises at a long name
        return None
    return name


def _first(cases: Sequence[PlannedCase]) -> str:
    return cases[0].id if cases else "none"
