"""Deviation: how far a result is from what was expected, part by part, as a share of the largest expected value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from bench.plan.case import Like
from bench.worker.exactness import Allowed
from bench.worker.tensor_tree import children, dense, for_reference

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_STANDARD_ERRORS = 6.0
"""How far a mean or deviation may be off by chance, in standard errors."""
_FEW_NUMBERS = 16
"""A longer list of plain numbers is one array; each number of a shorter one is a result of its own."""
_WHOLE_KINDS = "biu"


class Deviation(NamedTuple):
    """The error of one part of a result, and what is allowed of it; infinite where the two can't be equal."""

    error: float
    allowed: float


def deviations(result: Any, expected: Any, allowed: Allowed) -> list[Deviation]:
    """The deviation of each part of a result: of each tensor, array or number in it.

    Containers may differ in kind where they hold the same: a dict and a dataclass by their keys, others in order.

    Raises:
        TypeError, ValueError, RuntimeError: a part is neither a number nor equal to what was expected.
    """
    if isinstance(expected, Like):
        return [Deviation(_unlikeness(_array(result), expected), allowed.at(1.0, whole=False))]
    pairs = _pairs(result, expected)
    if pairs is None:
        return [_deviation(result, expected, allowed)]
    if pairs == "unlike":
        return [Deviation(math.inf, 0.0)]
    return [one for r, e in pairs for one in deviations(r, e, allowed)]


def largest_error(result: Any, expected: Any) -> float:
    """The largest error of all parts, whatever is allowed."""
    found = deviations(result, expected, Allowed(share=0.0))
    return max((one.error for one in found), default=0.0)


def _pairs(result: Any, expected: Any) -> Any:
    """The parts of two containers, pair by pair; None where one is none, `unlike` where they don't hold the same."""
    mine, wanted = _parts(result), _parts(expected)
    if mine is None or wanted is None:
        return None
    (keys, values), (wanted_keys, wanted_values) = mine, wanted
    if len(keys) != len(wanted_keys):
        return "unlike"
    if _ordered(keys) or _ordered(wanted_keys):
        return list(zip(values, wanted_values, strict=True))
    if set(keys) != set(wanted_keys):
        return "unlike"
    by_key = dict(zip(keys, values, strict=True))
    return [(by_key[key], one) for key, one in zip(wanted_keys, wanted_values, strict=True)]


def _parts(value: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """The parts of a container or of a nested tensor; None for one array or number."""
    if isinstance(value, torch.Tensor):
        if not value.is_nested:
            return None
        value = list(value.unbind())
    found = children(value)
    if found is None or (len(found[1]) > _FEW_NUMBERS and all(map(_is_number, found[1]))):
        return None
    return found


def _ordered(keys: tuple[Any, ...]) -> bool:
    return keys == tuple(range(len(keys)))


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float, complex))


def _deviation(result: Any, expected: Any, allowed: Allowed) -> Deviation:
    """Of one part; what is no number, such as a dtype or a text, is the expected one or infinitely far from it."""
    if not _is_numeric(expected) or not _is_numeric(result):
        return Deviation(
            0.0 if type(result) is type(expected) and result == expected else math.inf, 0.0
        )
    actual, wanted = _array(result), _array(expected)
    whole = _is_whole(result, actual)
    if whole and wanted.dtype.kind in _WHOLE_KINDS and actual.shape == wanted.shape:
        error = _whole_error(actual, wanted)
        scale = float(np.abs(wanted.astype(np.float64)).max(initial=0.0))
    else:
        error, scale = _error(_wide(actual), _wide(wanted))
    return Deviation(error, allowed.at(scale, whole=whole))


def _is_numeric(value: Any) -> bool:
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)) or _is_number(value):
        return True
    return isinstance(value, (list, tuple))


def _is_whole(result: Any, actual: Array) -> bool:
    if isinstance(result, torch.Tensor) and result.is_quantized:
        return False
    return actual.dtype.kind in _WHOLE_KINDS


def _whole_error(actual: Array, wanted: Array) -> float:
    """Of whole numbers, compared as they are: a float64 does not hold all of 64 bits."""
    if np.array_equal(actual, wanted):
        return 0.0
    error, _ = _error(_wide(actual), _wide(wanted))
    return error or math.ulp(1.0)


def _error(actual: Array, wanted: Array) -> tuple[float, float]:
    """The largest deviation as a share of the largest expected value, and that value; infinite if shapes differ."""
    if actual.shape != wanted.shape:
        return math.inf, 0.0
    both = np.isfinite(actual) & np.isfinite(wanted)
    same = bool(both.all()) or _same_where(actual, wanted, ~both)
    if not both.all():  # else no copies are needed, which take longer than the comparison
        actual, wanted = actual[both], wanted[both]
    scale = float(np.abs(wanted).max(initial=0.0))
    if not same:
        return math.inf, scale
    off = float(np.abs(actual - wanted).max(initial=0.0))
    return (off / scale if scale > 0 else off), scale


def _same_where(a: Array, b: Array, mask: Any) -> bool:
    return bool(np.array_equal(a[mask], b[mask], equal_nan=True))


def _array(value: Any) -> Array:
    """A tensor, array or number as an array, of whole numbers where it is of these."""
    plain = for_reference(value)
    if isinstance(plain, torch.Tensor):
        plain = dense(plain)
        try:
            return plain.numpy()
        except TypeError:  # a dtype that NumPy lacks and torch can't convert: its bits are compared
            return plain.view(torch.uint8).numpy()
    return np.asarray(plain)


def _wide(array: Array) -> Array:
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64, copy=False)


def _unlikeness(actual: Array, like: Like) -> float:
    """0 where the values are as announced; how far its mean or deviation is off, beyond chance, where not."""
    actual = _wide(actual)
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
