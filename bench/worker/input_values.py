"""Input values: whether a call's inputs are such that a right result shows that something was computed.

Inputs of one value throughout, zeros above all, give a result that memory may hold to which nothing was written:
on a device whose kernels do not run, inputs, result and reference are all zero. And where NaN comes out of NaN,
the comparison takes any two of them for equal. A check that can't fail is no check.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bench.worker.tensor_tree import children, parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Array = torch.Tensor | np.ndarray[Any, Any]

_NO_MINIMUM = (torch.uint16, torch.uint32, torch.uint64)
"""torch finds no least value in these (2.13), NumPy does."""
_MOST_NAMED = 3
"""So many values are named in a sentence that is read in a cell of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRange:
    """The range of an array's values, as far as the check needs to know it."""

    size: int
    """The number of its elements: one at least."""
    constant: complex | None
    """The value of all its elements; None where they differ, or one is NaN."""
    finite: bool
    whole: bool
    """Whether its dtype is of whole numbers or booleans."""


def input_ranges(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[ValueRange]:
    """The range of each input of a call; each is read once and not copied.

    Inputs are tensors, which are to be in the CPU's memory, and NumPy's arrays, but for `out`, which is memory for
    the result. Python lists are inputs where there are none of these, and if they can't be a shape: with
    a float in them, or all zero. A number by itself is a setting.
    """
    inputs = [*args, *(value for name, value in kwargs.items() if name != "out")]
    lists = (one for value in inputs for one in _lists(value))
    data = (one for one in lists if not any(one) or any(isinstance(x, float) for x in one))
    return _ranges(_arrays(inputs)) or _ranges(np.asarray(one) for one in data)


def doubt(inputs: Sequence[ValueRange], expected: Any) -> str:
    """Why a right result shows nothing, in words; empty where it does show something.

    One input whose values differ is enough: a mask of ones or a bias of zeros may be beside it. But
    if only whole numbers differ, which mostly choose places, the expected result must differ too.
    NaN and infinity count where they reach the expected result: memory as it is found may hold them, and
    a mask may be made of them.
    """
    if _is_constant(inputs):
        return f"{_said(inputs)}, so that a right result shows nothing"
    others = [one for one in inputs if not one.whole]
    if _is_constant(others) and _is_constant(_expected_ranges(expected)):
        said = _said(others, " but whole numbers")
        return f"{said}, and the result has one value too, which shows nothing"
    if _is_finite(inputs) or _is_finite(_expected_ranges(expected)):
        return ""
    return "NaN or infinity is in the inputs and in the result, which shows nothing where they are"


def _is_constant(found: Sequence[ValueRange]) -> bool:
    """Whether each array has one value; where each has but one element, whether that is zero."""
    several = _several(found)
    if several:
        return all(one.constant is not None for one in several)
    return bool(found) and all(one.constant == 0 for one in found)


def _several(found: Sequence[ValueRange]) -> list[ValueRange]:
    return [one for one in found if one.size > 1]


def _is_finite(found: Iterable[ValueRange]) -> bool:
    return all(one.finite for one in found)


def _said(found: Sequence[ValueRange], but: str = "") -> str:
    """`every input is 0 throughout`, or `0 or 1`."""
    values = [one.constant for one in _several(found) or found if one.constant is not None]
    texts = dict.fromkeys(f"{v:g}" if v.imag else f"{v.real:g}" for v in values)
    if len(texts) > _MOST_NAMED:
        return f"every input{but} has one value throughout"
    return f"every input{but} is {' or '.join(texts)} throughout"


def _expected_ranges(expected: Any) -> list[ValueRange]:
    """The ranges of an expected result; of one that is random or no number there are none."""
    numbers = (np.asarray(one) for one in _lists([expected]))
    return _ranges([*_arrays(expected), *numbers])


def _arrays(value: Any) -> Iterator[Array]:
    """Every tensor and array of numbers, however containers nest it; what a sparse or nested one consists of."""
    if isinstance(value, torch.Tensor):
        yield from parts(value)
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in "biufc":
            yield value
    else:
        for item in _items(value):
            yield from _arrays(item)


def _lists(value: Any) -> Iterator[list[Any]]:
    """The numbers of every list, tuple and dict that has some, however they are nested."""
    numbers = [x for x in _items(value) if isinstance(x, (int, float, complex, np.number))]
    if numbers:
        yield numbers
    for item in _items(value):
        if isinstance(item, (list, tuple, dict)):
            yield from _lists(item)


def _items(value: Any) -> Sequence[Any]:
    _, items = children(value) or ((), ())
    return items


def _ranges(arrays: Iterable[Array]) -> list[ValueRange]:
    """The range of each array that has elements, and a dtype that torch can put in order."""
    found = []
    for one in arrays:
        if math.prod(one.shape):
            with suppress(NotImplementedError, RuntimeError):
                found.append(_range(one))
    return found


def _range(array: Array) -> ValueRange:
    if isinstance(array, torch.Tensor) and array.dtype in _NO_MINIMUM:
        array = array.numpy()
    kind = _kind(array)
    ends = [_ends(one) for one in ((array.real, array.imag) if kind == "c" else (array,))]
    is_constant = all(low == high for low, high in ends)
    return ValueRange(
        size=math.prod(array.shape),
        constant=complex(*(low for low, _ in ends)) + 0 if is_constant else None,  # -0 is 0
        finite=all(math.isfinite(end) for pair in ends for end in pair),
        whole=kind not in "fc",
    )


def _kind(array: Array) -> str:
    """The kind of its dtype as NumPy has it: `c` and `f` for complex and floating-point numbers."""
    if isinstance(array, np.ndarray):
        return str(array.dtype.kind)
    return "c" if array.is_complex() else "f" if array.is_floating_point() else "i"


def _ends(array: Array) -> tuple[float, float]:
    """The lowest and the highest value; both are NaN where one is."""
    if isinstance(array, np.ndarray):
        return array.min().item(), array.max().item()
    by_stride = sorted(range(array.ndim), key=array.stride, reverse=True)
    low, high = torch.aminmax(array.permute(by_stride))  # in another order torch makes a copy first
    return low.item(), high.item()
