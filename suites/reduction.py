"""Many numbers into one, or into one per row or column. Run it: bench run reduction

What does a sum, a mean or a maximum cost, along rows, along columns and over all?
"""

from __future__ import annotations

from typing import Any

import torch

from bench import Axis, Call, Case, Suite, Work

INDEX_BYTES = 8  # torch counts in int64
FLOATS = ["float32", "float64", "bfloat16", "float16"]

suite = Suite(
    "reduction",
    axes=[
        # n is the side of a square matrix: from one element to 128 MB in float64.
        Axis("n", [1, 4, 16, 64, 256, 1024, 4096], quick=[1024]),
        Axis("dtype", [*FLOATS, "int64"], quick=["float32"]),
    ],
)
floats = Axis("dtype", FLOATS, quick=["float32"])


def uniform(case: Case) -> Any:
    """n×n of values in [0, 1), or of 0 and 1: their sum is large, so that it tells right from wrong."""
    return case.rand(case["n"], case["n"])


def to_one(case: Case, *, flop: float) -> Work:
    """So many FLOP per element; the matrix read, one element written."""
    elements, size = case["n"] ** 2, case.itemsize
    return Work(flop=flop * elements, read_bytes=elements * size, written_bytes=size)


# No float16: it ends at 65504, half of 362².
@suite.op(axes=[Axis("dtype", ["float32", "float64", "bfloat16", "int64"], quick=["float32"])])
def sum(case: Case) -> Call:  # noqa: A001 - the op is called as torch calls it
    """All elements of n×n into one."""
    return Call(torch.sum, uniform(case))


@suite.op
def sum_rows(case: Case) -> Call:
    """The sum of each row of n×n (dim=1): neighbours in memory are added up."""
    return Call(torch.sum, uniform(case), dim=1)


@suite.op(quick=False)
def sum_columns(case: Case) -> Call:
    """The sum of each column of n×n (dim=0): whole rows are added up."""
    return Call(torch.sum, uniform(case), dim=0)


@sum.reference
@sum_rows.reference
@sum_columns.reference
def summed(x: torch.Tensor, dim: int | None = None) -> object:
    """The same sums by NumPy."""
    return x.numpy().sum(axis=dim)


@suite.op(axes=[floats])
def mean(case: Case) -> Call:
    """The mean of n×n, of values in [0, 1)."""
    return Call(torch.mean, uniform(case))


@suite.op(axes=[floats], quick=False)
def mean_rows(case: Case) -> Call:
    """The mean of each row of n×n (dim=1), of values in [0, 1)."""
    return Call(torch.mean, uniform(case), dim=1)


@mean.reference
@mean_rows.reference
def averaged(x: torch.Tensor, dim: int | None = None) -> object:
    """The same means by NumPy."""
    return x.numpy().mean(axis=dim)


@suite.op
def max(case: Case) -> Call:  # noqa: A001 - the op is called as torch calls it
    """The largest element of n×n."""
    return Call(torch.max, case.randn(case["n"], case["n"]))


max.reference(lambda x: x.numpy().max())


@suite.op(quick=False)
def argmax(case: Case) -> Call:
    """Where the largest element of n×n is, as a number from 0 to n²-1.

    One element is larger than all others: which of several largest torch names is left open.
    """
    n = case["n"]
    x = case.randn(n, n)
    x[n // 2, n // 3] = 100
    return Call(torch.argmax, x)


argmax.reference(lambda x: x.numpy().argmax())


@sum.work
@mean.work
def sum_work(case: Case) -> Work:
    """n² FLOP; a matrix read, one element written."""
    return to_one(case, flop=1)


@sum_rows.work
@sum_columns.work
@mean_rows.work
def sums_work(case: Case) -> Work:
    """n² FLOP; a matrix read, a vector written."""
    n, size = case["n"], case.itemsize
    return Work(flop=n * n, read_bytes=n * n * size, written_bytes=n * size)


@max.work
def max_work(case: Case) -> Work:
    """No FLOP, only comparisons; a matrix read, one element written."""
    return to_one(case, flop=0)


@argmax.work
def argmax_work(case: Case) -> Work:
    """No FLOP, only comparisons; a matrix read, one int64 written."""
    return Work(read_bytes=case["n"] ** 2 * case.itemsize, written_bytes=INDEX_BYTES)
