"""Ten calls that every tool is asked about: four that are tiny on a large GPU, three of 50 µs, three of 5 ms.

It is a suite as well, so that a worker can time them as it times any other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from bench import Axis, Call, Suite

if TYPE_CHECKING:
    from bench import Case

TINY, MEDIUM, LONG = "tiny", "medium", "long"
SMALL_SIDE = 64
"""In a rehearsal without a GPU no side is longer than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One call that everybody times: a function of torch, and what it is given."""

    name: str
    size: str
    """How long it takes on an H100: tiny (2 µs), medium (50 µs) or long (5 ms)."""
    function: str
    shapes: tuple[tuple[int, ...], ...]
    dtype: str = "float32"
    extra: tuple[Any, ...] = ()
    """What follows the tensors."""

    @property
    def text(self) -> str:
        """The call in words."""
        shapes = ", ".join("×".join(map(str, shape)) for shape in self.shapes)
        return f"torch.{self.function} of {shapes}, {self.dtype}"

    @property
    def elements(self) -> int:
        """Of all tensors that it is given."""
        return sum(math.prod(shape) for shape in self.shapes)

    def small(self) -> Subject:
        """The same call of tensors that any machine has memory and time for."""
        cut = tuple(tuple(min(side, SMALL_SIDE) for side in shape) for shape in self.shapes)
        return replace(self, shapes=cut)

    def call(self, device: str) -> Call:
        """The call, with random tensors on a device."""
        torch.manual_seed(0)
        dtype = getattr(torch, self.dtype)
        tensors = [torch.randn(shape, device=device, dtype=dtype) for shape in self.shapes]
        return Call(getattr(torch, self.function), *tensors, *self.extra)


def _square(side: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return (side, side), (side, side)


def _rows(count: int) -> tuple[tuple[int], tuple[int]]:
    return (count,), (count,)


SUBJECTS = (
    Subject(name="add-16", size=TINY, function="add", shapes=_rows(16)),
    Subject(name="mul-256x256", size=TINY, function="mul", shapes=_square(256)),
    Subject(name="relu-64k", size=TINY, function="relu", shapes=((65_536,),)),
    Subject(name="sum-4096", size=TINY, function="sum", shapes=((4_096,),)),
    Subject(name="add-12M", size=MEDIUM, function="add", shapes=_rows(12 * 2**20)),
    Subject(name="matmul-1024", size=MEDIUM, function="matmul", shapes=_square(1024)),
    Subject(
        name="softmax-4096x4096",
        size=MEDIUM,
        function="softmax",
        shapes=((4096, 4096),),
        extra=(-1,),
    ),
    Subject(name="add-1G", size=LONG, function="add", shapes=_rows(2**30)),
    Subject(name="matmul-5120", size=LONG, function="matmul", shapes=_square(5120)),
    Subject(
        name="matmul-bfloat16-12288",
        size=LONG,
        function="matmul",
        shapes=_square(12_288),
        dtype="bfloat16",
    ),
)
WHOLE, SMALL = "whole", "small"
suite = Suite(
    "peers", axes=[Axis("subject", [s.name for s in SUBJECTS]), Axis("extent", [WHOLE, SMALL])]
)


@suite.op
def call(case: Case) -> Call:
    """One of the ten."""
    return named(case["subject"], small=case["extent"] == SMALL).call(case.device)


def named(name: str, *, small: bool) -> Subject:
    """The subject of this name."""
    (found,) = (one for one in SUBJECTS if one.name == name)
    return found.small() if small else found
