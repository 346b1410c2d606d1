"""Taking parts of a matrix and writing into them. Run it: bench run indexing

Which ways to take a part of a matrix copy it, and what does each cost?
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import Axis, Call, Case, Suite, Work

if TYPE_CHECKING:
    import torch

FLOATS = ["float32", "float64", "bfloat16", "float16"]

suite = Suite(
    "indexing",
    axes=[
        # n is the side of a square matrix: from 2 KB to 128 MB in float64.
        Axis("n", [16, 64, 256, 1024, 4096], quick=[1024]),
        Axis("dtype", [*FLOATS, "int64"], quick=["float32"]),
    ],
)
# Numbers and slices give views, which cost the same for every size and dtype and move no data.
views = Axis("n", [16, 64, 1024], quick=[1024])
floats = Axis("dtype", FLOATS, quick=["float32"])


def n_by_n(case: Case) -> Any:
    """A matrix of normal values."""
    return case.randn(case["n"], case["n"])


def middle(n: int) -> tuple[slice, slice]:
    """The n/2 × n/2 block in the middle of n×n."""
    return slice(n // 4, 3 * n // 4), slice(n // 4, 3 * n // 4)


@suite.op(axes=[views], without=["dtype"], quick=False)
def element(case: Case) -> Call:
    """One element of n×n, x[2, 3]: still a tensor, and a view."""
    return Call(operator.getitem, n_by_n(case), (2, 3))


@suite.op(axes=[views], without=["dtype"])
def row(case: Case) -> Call:
    """The last row of n×n, x[-1]: a view."""
    return Call(operator.getitem, n_by_n(case), -1)


@suite.op(axes=[views], without=["dtype"], quick=False)
def column(case: Case) -> Call:
    """A column of n×n, x[:, 3]: a view whose elements lie n apart."""
    return Call(operator.getitem, n_by_n(case), (slice(None), 3))


@suite.op(axes=[views], without=["dtype"])
def block(case: Case) -> Call:
    """The middle quarter of n×n, x[a:b, c:d]: a view."""
    return Call(operator.getitem, n_by_n(case), middle(case["n"]))


@suite.op(quick=False)
def rows_by_list(case: Case) -> Call:
    """Three rows of n×n by a list, x[[0, 2, 4]]: a copy.

    The list becomes a tensor at every call; for a GPU it is sent there as well.
    """
    return Call(operator.getitem, n_by_n(case), [0, 2, 4])


@element.reference
@row.reference
@column.reference
@block.reference
@rows_by_list.reference
def taken(x: torch.Tensor, where: Any) -> object:
    """The same part by NumPy."""
    return x.numpy()[where]


@rows_by_list.work
def three_rows(case: Case) -> Work:
    """Three rows read and written."""
    size = 3 * case["n"] * case.itemsize
    return Work(read_bytes=size, written_bytes=size)


def assign(x: torch.Tensor, where: tuple[slice, slice], value: int) -> torch.Tensor:
    """Write one number into a part of x; returns x."""
    x[where] = value
    return x


@suite.op(in_place=True, quick=False)
def assign_block(case: Case) -> Call:
    """The number 4 into the middle quarter of n×n: x[a:b, c:d] = 4."""
    return Call(assign, n_by_n(case), middle(case["n"]), 4)


@assign_block.work
def assign_block_work(case: Case) -> Work:
    """Nothing read, a quarter of the matrix written."""
    return Work(written_bytes=case["n"] ** 2 // 4 * case.itemsize)


@assign_block.reference
def assigned(x: torch.Tensor, where: tuple[slice, slice], value: int) -> object:
    """The same matrix by NumPy, put together from what is inside and what is outside."""
    inside = np.zeros(x.shape, bool)
    inside[where] = True
    return np.where(inside, value, x.numpy())


def positive(x: torch.Tensor) -> torch.Tensor:
    """The elements above 0, as a vector."""
    return x[x > 0]


@suite.op(axes=[floats])
def mask(case: Case) -> Call:
    """The elements of n×n above 0, x[x > 0]: the mask is made, then what it marks is copied.

    How many there are shows in the values only, so that on a GPU the CPU waits for the count.
    """
    return Call(positive, n_by_n(case))


mask.reference(lambda x: np.compress(x.numpy().ravel() > 0, x.numpy()))


def raise_negative(x: torch.Tensor) -> torch.Tensor:
    """Make every element below 0 a -1; returns x."""
    x[x < 0] = -1
    return x


@suite.op(axes=[floats], in_place=True, quick=False)
def mask_assign(case: Case) -> Call:
    """-1 into all elements of n×n below 0, x[x < 0] = -1: as -1 is one, every call finds the same."""
    return Call(raise_negative, n_by_n(case))


mask_assign.reference(lambda x: np.where(x.numpy() < 0, -1, x.numpy()))


@mask.work
@mask_assign.work
def half_marked(case: Case) -> Work:
    """The matrix read and half of it written: so many normal values, but for chance, are marked."""
    size = case["n"] ** 2 * case.itemsize
    return Work(read_bytes=size, written_bytes=size / 2)
