"""One op along its size, everything else fixed: chosen by a word, and a plan for any of its sizes.

The word is `suite/op`, or an expression as of -k that leaves one op. Axes that are left open take the
value of the short list, if it has just one.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.grid import size_axis, size_of
from bench.errors import SelectionError
from bench.experiment.crossover_search import SearchGoal, middle_of, starts
from bench.plan.filter import Filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.plan.plan import Plan, PlannedCase

_SHOWN = 5
_ENDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """An op, its size axis, and the values of its other axes."""

    suite: str
    op: str
    suite_path: str
    axis: str
    labels: Mapping[str, str]
    short: tuple[float, ...]
    """The sizes of the short list, smallest first."""
    sizes: tuple[float, ...]
    """All sizes of the axis."""
    whole: bool
    """Whether sizes are whole numbers."""

    @property
    def title(self) -> str:
        """`matmul/square dtype=float32`."""
        return " ".join([f"{self.suite}/{self.op}", *(f"{k}={v}" for k, v in self.labels.items())])

    def settings(self, size: float) -> dict[str, tuple[str, ...]]:
        """The value of every axis at a size, as `--set` would have it."""
        fixed = {axis: (text,) for axis, text in self.labels.items()}
        return {**fixed, self.axis: (self.text(size),)}

    def aim(
        self, ends: tuple[float, float] | None, *, tolerance: float, budget_s: float
    ) -> SearchGoal:
        """Where to look: between the ends, else in the short list and, if need be, beyond.

        Raises:
            SelectionError: there is only one size.
        """
        first, outer = starts(self.short), (self.sizes[0], self.sizes[-1])
        if ends:
            middle = middle_of(*ends, whole=self.whole)
            first, outer = (ends[0], middle or ends[0], ends[1]), ends
        wider = tuple(size for size in dict.fromkeys(outer) if size not in first)
        if len({*first, *wider}) < _ENDS:
            only = ", ".join(map(self.text, first))
            message = f"{self.title} leaves one size ({self.axis}={only}); write --sizes LOW,HIGH"
            raise SelectionError(message)
        return SearchGoal(
            first=first, wider=wider, tolerance=tolerance, budget_s=budget_s, whole=self.whole
        )

    def text(self, size: float) -> str:
        """A size as it stands in a case's id."""
        return str(round(size)) if self.whole else str(size)


def parse_ends(text: str | None) -> tuple[float, float] | None:
    """`64,4096` → the two sizes to look between; None where nothing was said.

    Raises:
        SelectionError: it is not two positive numbers, the smaller first.
    """
    if text is None:
        return None
    ends = [size for word in text.split(",") if (size := size_of(word))]
    if len(ends) != text.count(",") + 1 or len(ends) != _ENDS or ends[0] >= ends[1]:
        message = f"--sizes {text!r} can't be read; write the smaller and the larger one (64,4096)"
        raise SelectionError(message)
    return ends[0], ends[1]


def choose(word: str, short: Plan, full: Plan) -> Sweep:
    """The sweep that a word means, out of the plans of the short lists and of all values.

    Raises:
        SelectionError: it means no op or several, one without a size, or leaves an axis open.
    """
    everything = _cases(full)
    found = _matching(word, everything)
    ops = list(dict.fromkeys(_op(case) for case in found))
    if not ops:
        raise SelectionError(_none(word, everything))
    if len(ops) > 1:
        shown = ", ".join(ops[:_SHOWN]) + (", …" if len(ops) > _SHOWN else "")
        message = f"{word!r} matches {len(ops)} ops: {shown}; name one of them"
        raise SelectionError(message)
    quick = [case for case in _matching(word, _cases(short)) if _op(case) == ops[0]]
    return _sweep(ops[0], quick or found, found)


def _sweep(op: str, quick: Sequence[PlannedCase], found: Sequence[PlannedCase]) -> Sweep:
    axis = size_axis(_values(found))
    if axis is None:
        message = f"{op} has no numeric axis, so no sizes to compare at; choose another op"
        raise SelectionError(message)
    open_ = {name: texts for name, texts in _values(quick).items() if name != axis}
    for name, texts in open_.items():
        if len(texts) > 1:
            message = f"{op} leaves {name} open ({', '.join(texts)}); fix it with --set {name}="
            raise SelectionError(message + next(iter(texts)))
    labels = {name: next(iter(texts)) for name, texts in open_.items()}
    case = found[0]
    all_sizes = _values(found)[axis]
    return Sweep(
        suite=case.suite,
        op=case.op,
        suite_path=case.suite_path,
        axis=axis,
        labels=labels,
        short=_sizes(_values(quick)[axis]),
        sizes=_sizes(all_sizes),
        whole=all(text.isdecimal() for text in all_sizes),
    )


def _cases(plan: Plan) -> list[PlannedCase]:
    """All cases, also those that are skipped at their size."""
    return [*plan.cases, *(skip.case for skip in plan.skips)]


def _op(case: PlannedCase) -> str:
    return f"{case.suite}/{case.op}"


def _matching(word: str, cases: Sequence[PlannedCase]) -> list[PlannedCase]:
    named = [case for case in cases if _op(case) == word]
    if named:
        return named
    try:
        test = Filter(word)
    except SelectionError as error:
        message = f"op {str(error).removeprefix('-k ')}"
        raise SelectionError(message) from error
    return [case for case in cases if test.matches(case.id, case.labels)]


def _values(cases: Iterable[PlannedCase]) -> dict[str, dict[str, None]]:
    """Axis → the values that occur, in order."""
    values: dict[str, dict[str, None]] = {}
    for case in cases:
        for axis, text in case.labels.items():
            values.setdefault(axis, {})[text] = None
    return values


def _sizes(texts: Iterable[str]) -> tuple[float, ...]:
    return tuple(sorted(size for text in texts if (size := size_of(text))))


def _none(word: str, cases: Sequence[PlannedCase]) -> str:
    ops = list(dict.fromkeys(map(_op, cases)))
    near = difflib.get_close_matches(word, ops, n=_SHOWN, cutoff=0.3)
    how = f"near: {', '.join(near)}" if near else "see all ops with: bench list"
    return f"{word!r} matches none of {len(ops)} ops; {how}"
