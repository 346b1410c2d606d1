"""Exactness: the error that a result may have, by the least exact dtype that takes part, or as the op states it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bench.plan.case import DEFAULT_DTYPE
from bench.worker.tensor_tree import children

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bench.plan.case import Tolerance

_FACTORS = ((1e-12, 128), (1e-6, 32), (0.01, 4))
"""Allowed error in units of the dtype's epsilon, relative to the largest expected value: (epsilon below, units).

Inputs are rounded to the dtype before the reference sees them, so what remains is the op's own
rounding. A float32 product of 4096² matrices is off by 3 to 8 epsilons (blocked sums of n terms); one
in float64 by 30, since its reference rounds as well. Half types accumulate in float32 and round at the
end, half an epsilon; a chain of a few ops adds up to two. What is less exact than that is allowed
one epsilon: twice what rounding once makes.
"""
_QUANTIZED_SHARE = 2**-6
"""A value of 8 bits is off by half a step when it is rounded, and by a step or two after an op: a share of 1/127 each."""
_PRECISE = frozenset({torch.float32, torch.complex64})
"""Dtypes whose products torch may be allowed to compute less exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """The error allowed: `share` of the largest expected value, and `absolute` beside it.

    Whole numbers are to be exact, unless the op states otherwise.
    """

    share: float
    absolute: float = 0.0
    stated: bool = False

    @classmethod
    def of(
        cls, dtypes: Iterable[torch.dtype], tolerance: Tolerance, stated_dtype: str, precision: str
    ) -> Allowed:
        """What the dtypes that take part allow, or the op.

        Args:
            dtypes: of inputs and result, and what autocast computed in.
            tolerance: as the op states it.
            stated_dtype: the case's, where an axis says so; empty where none does.
            precision: the dtype whose epsilon holds for products in float32; empty where that is their own.
        """
        known = set(dtypes)
        if stated_dtype:
            known.add(getattr(torch, stated_dtype))
        if precision and known & _PRECISE:
            known.add(getattr(torch, precision))
        share = max(
            (share_of(one) for one in known or {getattr(torch, DEFAULT_DTYPE)}), default=0.0
        )
        return cls(
            share=share if tolerance.rtol is None else tolerance.rtol,
            absolute=tolerance.atol or 0.0,
            stated=tolerance.rtol is not None or tolerance.atol is not None,
        )

    def at(self, scale: float, *, whole: bool) -> float:
        """The error allowed of values whose largest is `scale`, as a share of it; absolute where that is 0.

        Args:
            scale: the largest expected value.
            whole: whether the result is of whole numbers or booleans.
        """
        share = 0.0 if whole and not self.stated else self.share
        if scale > 0:
            return share + self.absolute / scale
        return self.absolute if self.stated else share


def share_of(dtype: torch.dtype) -> float:
    """The error that one dtype allows, as a share of the largest expected value; 0 for whole numbers."""
    if str(dtype).startswith(("torch.q", "torch.float4")):
        return _QUANTIZED_SHARE if "q" in str(dtype) else 1.0
    if not (dtype.is_floating_point or dtype.is_complex):
        return 0.0
    epsilon = torch.finfo(dtype).eps
    return epsilon * next((units for below, units in _FACTORS if epsilon < below), 1)


def dtypes_of(value: Any) -> set[torch.dtype]:
    """The dtypes of all tensors and arrays in a value, and of the parameters of modules."""
    if isinstance(value, torch.Tensor):
        return {value.dtype}
    if isinstance(value, torch.nn.Module):
        return {one.dtype for one in value.parameters()}
    if isinstance(value, (np.ndarray, np.generic)):
        return _numpy_dtype(value)
    if isinstance(owner := getattr(value, "__self__", None), torch.nn.Module):
        return dtypes_of(owner)
    _, items = children(value) or ((), ())
    return {dtype for item in items for dtype in dtypes_of(item)}


def _numpy_dtype(value: Any) -> set[torch.dtype]:
    found = getattr(torch, str(value.dtype), None)
    return {found} if isinstance(found, torch.dtype) else set()


@contextmanager
def autocast_dtypes() -> Iterator[set[torch.dtype]]:
    """The dtypes of every autocast that is entered meanwhile, wherever the code that does so is."""
    kind: Any = torch.autocast
    seen: set[torch.dtype] = set()
    original = kind.__enter__

    def entered(self: Any) -> Any:
        if self._enabled:
            seen.add(self.fast_dtype)
        return original(self)

    kind.__enter__ = entered
    try:
        yield seen
    finally:
        kind.__enter__ = original
