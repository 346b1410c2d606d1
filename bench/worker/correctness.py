"""Correctness check: compares a result with that of the op's reference, once, outside the timing.

A fast wrong answer is worse than none, so the error is stored beside the time. The reference gets
float64 copies of the arguments taken before the call, so ops that change their input can be checked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bench.plan.case import Like
from bench.worker.input_values import doubt, input_ranges
from bench.worker.inputs import for_reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan.case import Call

TOLERANCE_EPSILONS = {"float64": 128, "complex128": 128, "float32": 32, "complex64": 32}
HALF_TOLERANCE_EPSILONS = 4
"""Allowed error in units of the dtype's epsilon, relative to the largest expected value.

Inputs are rounded to the dtype before the reference sees them, so what remains is the op's own
rounding. A float32 product of 4096² matrices is off by 3 to 8 epsilons (blocked sums of n terms); one
in float64 by 30, since its reference rounds as well. Half types accumulate in float32 and round at the
end, half an epsilon; a chain of a few ops adds up to two.
"""
_STANDARD_ERRORS = 6.0
"""How far a mean or deviation may be off by chance, in standard errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correctness:
    """The result of the comparison.

    `correct` is None where there was none, and where the result equals its reference, so that there is a
    `max_error`, but inputs are such that this shows nothing.
    """

    correct: bool | None
    max_error: float | None
    note: str = ""


def check(call: Call, reference: Callable[..., Any] | None, dtype_name: str) -> Correctness:
    """Make the call once and compare its result with the reference's.

    An exception of the call is the caller's to handle; one of the reference becomes a note.
    """
    if reference is None:
        call()
        return Correctness(correct=None, max_error=None, note="the op declares no reference")
    args, kwargs = for_reference(call.args), for_reference(call.kwargs)
    inputs = input_ranges(args, kwargs)  # before the reference has them, which may write to them
    result = call()
    try:
        expected = reference(*args, **kwargs)
        error = largest_error(result, expected)
    except Exception as problem:  # noqa: BLE001 - a guest's code; its failure is a fact of the row
        note = f"the reference failed: {type(problem).__name__}: {problem}"
        return Correctness(correct=None, max_error=None, note=note.partition("\n")[0])
    tolerance = tolerance_of(dtype_name)
    if not error <= tolerance:
        note = f"error {error:.2g} is above {tolerance:.2g}"
        return Correctness(correct=False, max_error=error, note=note)
    note = doubt(inputs, expected)
    return Correctness(correct=None if note else True, max_error=error, note=note)


def tolerance_of(dtype_name: str) -> float:
    """The allowed error for a dtype, as a share of the largest expected value; 0 for integers."""
    dtype: torch.dtype = getattr(torch, dtype_name)
    if dtype.is_floating_point or dtype.is_complex:
        return TOLERANCE_EPSILONS.get(dtype_name, HALF_TOLERANCE_EPSILONS) * torch.finfo(dtype).eps
    return 0.0


def largest_error(result: Any, expected: Any) -> float:
    """The largest deviation as a share of the largest expected value; infinite if shapes differ.

    A dtype or a device is no number: it is the expected one or infinitely far from it.
    """
    if isinstance(expected, (torch.dtype, torch.device)):
        return 0.0 if result == expected else math.inf
    if isinstance(expected, Like):
        return _unlikeness(_array(result), expected)
    if isinstance(expected, (list, tuple)) and isinstance(result, (list, tuple)):
        if len(expected) != len(result):
            return math.inf
        pairs = zip(result, expected, strict=True)
        return max((largest_error(r, e) for r, e in pairs), default=0.0)
    return _deviation(_array(result), _array(expected))


def _deviation(actual: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]) -> float:
    if actual.shape != wanted.shape:
        return math.inf
    if not actual.size:
        return 0.0
    both = np.isfinite(actual) & np.isfinite(wanted)
    if not _same_where(actual, wanted, ~both):
        return math.inf
    deviation = np.abs(actual[both] - wanted[both]).max(initial=0.0)
    scale = np.abs(wanted[both]).max(initial=0.0)
    return float(deviation / scale) if scale > 0 else float(deviation)


def _same_where(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], mask: Any) -> bool:
    return bool(np.array_equal(a[mask], b[mask], equal_nan=True))


def _array(value: Any) -> np.ndarray[Any, Any]:
    plain = for_reference(value)
    if isinstance(plain, torch.Tensor):
        plain = plain.resolve_conj().resolve_neg().numpy()
    array = np.asarray(plain)
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _unlikeness(actual: np.ndarray[Any, Any], like: Like) -> float:
    """0 where the values are as announced; how far its mean or deviation is off, beyond chance, where not."""
    if actual.shape != like.shape:
        return math.inf
    if not actual.size or (like.low, like.high, like.mean, like.std) == (None,) * 4:
        return 0.0
    below = like.low is not None and bool((actual < like.low).any())
    above = like.high is not None and bool((actual > like.high).any())
    if below or above or not np.isfinite(actual).all():
        return math.inf
    spread = like.std if like.std is not None else float(actual.std())
    chance = _STANDARD_ERRORS * spread / math.sqrt(actual.size)
    off = 0.0
    if like.mean is not None:
        off = max(off, abs(float(actual.mean()) - like.mean) - chance)
    if like.std is not None and actual.size > 1:
        off = max(off, abs(float(actual.std(ddof=1)) - like.std) - chance)
    return off
