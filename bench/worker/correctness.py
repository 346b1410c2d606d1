"""Correctness check: a result compared with that of the op's reference, or with a property of it, outside the timing.

A fast wrong answer is worse than none, so the error is stored beside the time. Reference and property get
float64 copies of the arguments taken before the call, so ops that change their input can be checked.
"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bench.plan.case import Tolerance
from bench.worker.deviation import deviations
from bench.worker.exactness import Allowed, autocast_dtypes, dtypes_of
from bench.worker.input_values import doubt, input_ranges
from bench.worker.tensor_tree import for_reference
from bench.worker.torch_settings import precision_of
from bench.worker.value_digest import digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan.case import Call
    from bench.plan.plan import PlannedCase
    from bench.plan.suite import Op

_MOST_WORDS = 300
"""Characters of what a guest's code says of a failure: it stands in a cell of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is expected of a result: that it equals a reference's, has a property, and how exact it must be.

    `dtype` is that of the case, where it states one, and `precision` what float32 products may be computed in.
    """

    reference: Callable[..., Any] | None = None
    check: Callable[..., Any] | None = None
    tolerance: Tolerance = field(default_factory=Tolerance)
    dtype: str = ""
    precision: str = ""

    @classmethod
    def of(cls, op: Op, case: PlannedCase) -> Expectation:
        """As the op declares it, with what the case's labels say of dtype and precision."""
        return cls(
            reference=op.reference_of,
            check=op.check_of,
            tolerance=op.tolerance,
            dtype=case.dtype if "dtype" in case.labels else "",
            precision=precision_of(case.labels),
        )


def as_eager(expected: Expectation, build: Callable[[], Call]) -> Expectation:
    """What is expected of a call in another mode than eager: as its op declares, else what the eager call gives.

    Args:
        expected: by the op.
        build: makes the eager call, on the same inputs each time; where its results differ nothing is expected.
    """
    if expected.reference or expected.check:
        return expected
    one, other = build()(), build()()
    if digest(one) != digest(other):
        return expected
    return replace(expected, reference=lambda *_, **__: one)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correctness:
    """The result of the comparison.

    `correct` is None where there was none, and where the result is right, so that there is a
    `max_error`, but inputs are such that this shows nothing.
    """

    correct: bool | None
    max_error: float | None
    note: str = ""
    call_s: float = field(default=0.0, compare=False)
    """How long the call took, where that was asked for: the first one, so that what is done once is in it."""
    result: Any = field(default=None, compare=False, repr=False)
    """What the call gave."""


def check(call: Call, expected: Expectation) -> Correctness:
    """Make the call once and compare its result with what is expected of it.

    An exception of the call is the caller's to handle; one of the reference or the check becomes a note.

    Args:
        call: whose inputs are as they are to be measured; one with a `setup` on the inputs of one call.
        expected: of its result.
    """
    if expected.reference is None and expected.check is None:
        return _unchecked("the op declares no reference", call())
    try:
        args, kwargs = for_reference(call.args), for_reference(call.kwargs)
        inputs = input_ranges(
            args, kwargs
        )  # before the reference has them, which may write to them
    except Exception as problem:  # noqa: BLE001 - our own conversion; it ends no case
        note = f"the inputs can't be made float64 CPU tensors: {_said(problem)}"
        return _unchecked(note, call())
    with autocast_dtypes() as cast:
        result = call()
    dtypes = {*dtypes_of([call.function, call.args, call.kwargs, result]), *cast}
    allowed = Allowed.of(dtypes, expected.tolerance, expected.dtype, expected.precision)
    judged = []
    if expected.check:  # first, since the reference may write to its arguments
        copies = for_reference(args), for_reference(kwargs)
        judged.append(_has_property(expected.check, copies, result, allowed))
    if expected.reference:
        judged.append(_equals(expected.reference, (args, kwargs), result, allowed))
    found = _worst(judged)
    vacuous = doubt(inputs, found.wanted) if found.correct else ""
    return Correctness(
        correct=None if vacuous else found.correct,
        max_error=found.error,
        note=vacuous or found.note,
        result=result,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What a reference or a check says; `wanted` is the right result, to see whether it shows anything."""

    correct: bool | None
    error: float | None = None
    note: str = ""
    wanted: Any = None


def _worst(judged: list[_Judged]) -> _Judged:
    """A wrong one before one that says nothing, and that before a right one."""
    order = (False, None, True)
    return min(judged, key=lambda one: order.index(one.correct))


def _unchecked(note: str, result: Any) -> Correctness:
    return Correctness(correct=None, max_error=None, note=note, result=result)


def _equals(
    reference: Callable[..., Any],
    copies: tuple[tuple[Any, ...], dict[str, Any]],
    result: Any,
    allowed: Allowed,
) -> _Judged:
    """Whether the result equals the reference's."""
    args, kwargs = copies
    try:
        wanted = reference(*args, **kwargs)
    except Exception as problem:  # noqa: BLE001 - a guest's code; its failure is a fact of the row
        return _Judged(correct=None, note=f"the reference failed: {_said(problem)}")
    try:
        found = deviations(result, wanted, allowed)
    except Exception as problem:  # noqa: BLE001 - ours, and no fault of the reference
        note = f"the result can't be compared with its reference's: {_said(problem)}"
        return _Judged(correct=None, note=note)
    error = max((one.error for one in found), default=0.0)
    failed = [one for one in found if not one.error <= one.allowed]
    note = f"error {failed[0].error:.2g} is above {failed[0].allowed:.2g}" if failed else ""
    return _Judged(correct=not failed, error=error, note=note, wanted=wanted)


def _has_property(
    check_of: Callable[..., Any],
    copies: tuple[tuple[Any, ...], dict[str, Any]],
    result: Any,
    allowed: Allowed,
) -> _Judged:
    """Whether the result has the property that the op declares."""
    try:
        wanted = for_reference(result)
    except Exception as problem:  # noqa: BLE001 - ours, and no fault of the check
        note = f"the result can't be made float64 CPU tensors: {_said(problem)}"
        return _Judged(correct=None, note=note)
    try:
        said = _asked(check_of, copies, wanted, allowed.share)
    except AssertionError as problem:
        return _Judged(correct=False, note=f"the check says: {_said(problem)}")
    except Exception as problem:  # noqa: BLE001 - a guest's code; its failure is a fact of the row
        return _Judged(correct=None, note=f"the check failed: {_said(problem)}")
    return _answered(said, wanted, allowed.share)


def _asked(
    check_of: Callable[..., Any],
    copies: tuple[tuple[Any, ...], dict[str, Any]],
    result: Any,
    tolerance: float,
) -> Any:
    """The check's answer; the result is its last argument, or that of its name, as the tolerance is."""
    args, kwargs = copies
    named = inspect.signature(check_of).parameters
    extra = {"tolerance": tolerance} if "tolerance" in named else {}
    if "result" not in named:
        return check_of(*args, result, **kwargs, **extra)
    places = [n for n, p in named.items() if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    if "result" not in places[: len(args) + 1]:
        return check_of(*args, **kwargs, **extra, result=result)
    given = list(args)
    given.insert(places.index("result"), result)
    return check_of(*given, **kwargs, **extra)


def _answered(said: Any, wanted: Any, tolerance: float) -> _Judged:
    """What a check's answer means: yes, no, a reason why not, an error as a share, or that and what is allowed."""
    if isinstance(said, tuple) and len(said) == 2 and isinstance(said[1], (int, float)):  # noqa: PLR2004
        said, tolerance = said
    if isinstance(said, (torch.Tensor, np.ndarray, np.generic)) and math.prod(said.shape) == 1:
        said = said.item()
    if isinstance(said, bool):
        note = "" if said else "the check says that it is wrong"
        return _Judged(correct=said, error=0.0 if said else None, note=note, wanted=wanted)
    if isinstance(said, str):
        note = f"the check says: {said}"[:_MOST_WORDS]
        return _Judged(correct=False, note=note)
    if isinstance(said, (int, float)):
        right = said <= tolerance
        note = "" if right else f"error {said:.2g} is above {tolerance:.2g}"
        return _Judged(correct=right, error=float(said), note=note, wanted=wanted)
    forms = "True, a reason, an error as a share, or that and the share allowed"
    note = f"the check returned {type(said).__name__}; return {forms}"
    return _Judged(correct=None, note=note)


def _said(problem: BaseException) -> str:
    words = f"{type(problem).__name__}: {problem}".strip().partition("\n")[0]
    return words.removesuffix(":").rstrip()[:_MOST_WORDS]
