"""Crossover search: measures both sides at few sizes of an op, and halves what encloses the change. Pure.

The op is chosen by a word: `suite/op`, or an expression as of -k that leaves one op. Axes that are left open take
the value of the short list, if it has just one. What measures is passed in, so is the clock; the answer is the
same `crossover` that reads stored rows.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from bench.analysis.crossover.crossovers import point
from bench.analysis.grid import size_axis, size_of
from bench.errors import SelectionError
from bench.plan.case_id import term
from bench.plan.choose import expression
from bench.stats.crossing import crossover

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from bench.plan.plan import Plan, PlannedCase
    from bench.records.record import Record
    from bench.stats.crossing import Crossover

    Measure = Callable[[float], tuple[Record, Record]]
    """The rows of both sides at a size."""

SearchEnd = Literal["tight", "finest", "settled", "budget"]
_SIGNIFICANT_BITS = 5
"""New sizes have so many significant bits, as those have that people use: odd ones would measure alignment.
Such sizes lie at most 6 % apart."""
_MOST_OPS_NAMED = 5
"""A message names no more ops than fit on a line or two."""
_ENDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStep:
    """A size, and the rows of both sides at it."""

    size: float
    one: Record
    other: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchGoal:
    """Where to look and when to stop.

    `first` sizes are measured in any case; `wider` ones only while one side wins at all sizes so far.
    """

    first: Sequence[float]
    wider: Sequence[float] = ()
    tolerance: float
    budget_s: float
    whole: bool = True
    """Whether sizes are whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The result of a search: the sizes measured, the crossover found, and why it ended.

    `tight`: the interval is within the tolerance. `finest`: the sizes around the change are, and finer ones
    would not tell more. `settled`: there is nothing to halve. `budget`: the time was up.
    """

    steps: tuple[SearchStep, ...]
    found: Crossover
    ended: SearchEnd
    took_s: float


def search(
    measure: Measure,
    aim: SearchGoal,
    *,
    now_s: Callable[[], float],
    told: Callable[[SearchStep], None] = lambda _: None,
) -> Search:
    """Measure until the change is enclosed tightly enough, or time is up (at least two sizes)."""
    begun_s = now_s()
    steps: list[SearchStep] = []
    found = crossover([], [])
    wanted: float | None = None
    while True:
        wanted = _wanted(steps, found, aim)
        took_s = now_s() - begun_s
        if wanted is None or (len(steps) > 1 and took_s >= aim.budget_s):
            ended = "budget" if wanted is not None else _ended(found, aim)
            return Search(steps=tuple(steps), found=found, ended=ended, took_s=took_s)
        one, other = measure(wanted)
        steps.append(SearchStep(size=wanted, one=one, other=other))
        told(steps[-1])
        found = _crossover(steps)


def _crossover(steps: Sequence[SearchStep]) -> Crossover:
    one = [p for step in steps if (p := point(step.size, step.one))]
    other = [p for step in steps if (p := point(step.size, step.other))]
    return crossover(one, other)


def _wanted(steps: Sequence[SearchStep], found: Crossover, aim: SearchGoal) -> float | None:
    """The size to measure next; None where no other would help."""
    tried = {step.size for step in steps}
    first = next((size for size in aim.first if size not in tried), None)
    if first is not None:
        return first
    if found.kind in {"always", "never"}:
        return next((size for size in aim.wider if size not in tried), None)
    return None if is_tight(found, aim.tolerance) else halved(found, tried, aim)


def _ended(found: Crossover, aim: SearchGoal) -> SearchEnd:
    if is_tight(found, aim.tolerance):
        return "tight"
    return "finest" if found.between else "settled"


def is_tight(found: Crossover, tolerance: float) -> bool:
    """Whether the change is known to the tolerance, by sizes and not by a straight line alone.

    Its interval must be, and so must the gaps between sizes that it lies in.
    """
    if found.low is None or found.high is None:
        return False
    return found.high <= tolerance * found.low and found.gap <= tolerance


def halved(found: Crossover, tried: Collection[float], aim: SearchGoal) -> float | None:
    """The middle of the widest gap that the change may lie in; None if all are within the tolerance."""
    if found.between is None:
        return None
    low, high = found.low or found.between[0], found.high or found.between[1]
    middles = [
        middle
        for a, b in sorted(_gaps(tried, low, high), key=lambda gap: gap[0] / gap[1])
        if b > aim.tolerance * a and (middle := middle_of(a, b, whole=aim.whole))
    ]
    return middles[0] if middles else None


def middle_of(low: float, high: float, *, whole: bool) -> float | None:
    """A size about the geometric mean of two, a round one if one lies between; None if no size does."""
    middle = math.sqrt(low * high)
    steps = 2.0 ** (math.frexp(middle)[1] - _SIGNIFICANT_BITS)
    candidates: list[float] = [round(middle / steps) * steps, middle]
    if whole:
        candidates = [float(round(size)) for size in candidates]
    return next((size for size in candidates if low < size < high), None)


def starts(sizes: Sequence[float]) -> tuple[float, ...]:
    """The smallest, the one nearest to the middle, the largest."""
    middle = math.sqrt(sizes[0] * sizes[-1])
    inner = min(sizes, key=lambda size: abs(math.log(size / middle)))
    return tuple(dict.fromkeys((sizes[0], inner, sizes[-1])))


def _gaps(sizes: Collection[float], low: float, high: float) -> Iterator[tuple[float, float]]:
    """Neighbours between which some of the stretch from low to high lies."""
    for a, b in pairwise(sorted(sizes)):
        if a < high and low < b:
            yield a, b


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
    everything = full.all_cases
    found = _matching(word, everything)
    ops = list(dict.fromkeys(case.op_id for case in found))
    if not ops:
        raise SelectionError(_none(word, everything))
    if len(ops) > 1:
        shown = ", ".join(ops[:_MOST_OPS_NAMED]) + (", …" if len(ops) > _MOST_OPS_NAMED else "")
        message = f"{word!r} matches {len(ops)} ops: {shown}; name one of them"
        raise SelectionError(message)
    quick = [case for case in _matching(word, short.all_cases) if case.op_id == ops[0]]
    return _sweep(ops[0], quick or found, found)


def _sweep(op: str, quick: Sequence[PlannedCase], found: Sequence[PlannedCase]) -> Sweep:
    axis = size_axis(_values(found))
    if axis is None:
        message = f"{op} has no numeric axis, so no sizes to compare at; choose another op"
        raise SelectionError(message)
    open_ = {name: texts for name, texts in _values(quick).items() if name != axis}
    for name, texts in open_.items():
        if len(texts) > 1:
            message = f"{op} leaves {name} open ({', '.join(texts)}); fix it with --set "
            raise SelectionError(message + term(name, next(iter(texts))))
    labels = {name: next(iter(texts)) for name, texts in open_.items()}
    case = found[0]
    all_sizes = _values(found)[axis]
    return Sweep(
        suite=case.suite,
        op=case.op,
        suite_path=case.suite_path,
        axis=axis,
        labels=labels,
        short=_sizes(_values(quick)[axis]) or _sizes(all_sizes),
        sizes=_sizes(all_sizes),
        whole=all(text.isdecimal() for text in all_sizes if size_of(text)),
    )


def _matching(word: str, cases: Sequence[PlannedCase]) -> list[PlannedCase]:
    named = [case for case in cases if case.op_id == word]
    test = None if named else expression(word, "op")
    return [case for case in cases if test.matches(case.id, case.params)] if test else named


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
    ops = list(dict.fromkeys(case.op_id for case in cases))
    near = difflib.get_close_matches(word, ops, n=_MOST_OPS_NAMED, cutoff=0.3)
    how = f"near: {', '.join(near)}" if near else "see all ops with: bench list"
    return f"{word!r} matches none of {len(ops)} ops; {how}"
