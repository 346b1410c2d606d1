"""One case out of all there are: by its id, also one off the suite's axes, or by an expression.

An expression is one of `-k`; whatever means none or several cases is refused with what it may have meant.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from bench.errors import BenchError, SelectionError
from bench.plan.filter import Filter
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from bench.plan.plan import Plan, PlannedCase

    Settings = Mapping[str, tuple[str, ...]]
    Planned = Callable[[Settings], Plan]
    """The plan of all sizes, with these values of axes."""

_ID = re.compile(r"[^\s/\[\]]+/[^\s\[\]]+\[([^\[\]]+)\]")
_SHOWN = 5
_HOW = "see all ids with: bench list --preset full --json"


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


def expression(word: str) -> Filter:
    """The word as an expression of `-k`; a mistake in it speaks of a case, not of `-k`.

    Raises:
        SelectionError: it can't be read.
    """
    try:
        return Filter(word)
    except SelectionError as error:
        message = f"case {str(error).removeprefix('-k ')}"
        raise SelectionError(message) from error


def none_of(word: str, ids: Collection[str], how: str) -> str:
    """What to say of a word that means none of these cases; `how` says where all ids are."""
    near = difflib.get_close_matches(word, ids, n=_SHOWN, cutoff=0.3)
    close = f"; near: {', '.join(near)}" if near else ""
    return f"{word!r} matches none of {counted(len(ids), 'case')}{close}; {how}"


def several_of(word: str, ids: Collection[str]) -> str:
    """What to say of a word that means several cases."""
    shown = ", ".join(list(ids)[:_SHOWN]) + (", …" if len(ids) > _SHOWN else "")
    return f"{word!r} matches {len(ids)} cases: {shown}; name one of them, or add: and AXIS=VALUE"
