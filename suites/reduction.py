"""Many numbers into one, or into one per row or column. Run it: bench run reduction"""

from __future__ import annotations

from typing import Any

import numpy as np
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


def signs(case: Case) -> Any:
    """n×n of -1, 0 and 1: the sum of their squares is exact in any order.

    The float32 norm of 4096² values in [0, 1) is off by 5e-4 on a CPU: few running sums grow large.
    """
    return case.ints(case["n"], case["n"], low=-1, high=2).to(case.dtype)


def to_one(case: Case, *, flop: float) -> Work:
    """So many FLOP per element; the matrix read, one element written."""
    elements, size = case["n"] ** 2, case.itemsize
    return Work(flop=flop * elements, read_bytes=elements * size, written_bytes=size)


def to_n(case: Case, *, flop: float) -> Work:
    """So many FLOP per element; the matrix read, a vector written."""
    n, size = case["n"], case.itemsize
    return Work(flop=flop * n * n, read_bytes=n * n * size, written_bytes=n * size)


# No float16: it ends at 65504, half of 362².
@suite.op(axes=[Axis("dtype", ["float32", "float64", "bfloat16", "int64"], quick=["float32"])])
def sum(case: Case) -> Call:  # noqa: A001 - the op is called as torch calls it
    """All elements of n×n into one."""
    return Call(torch.sum, uniform(case))


@suite.op
def sum_rows(case: Case) -> Call:
    """The sum of each row of n×n (dim=1): neighbours in memory are added up."""
    return Call(torch.sum, uniform(case), dim=1)


@suite.op
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


@suite.op(axes=[floats])
def mean_rows(case: Case) -> Call:
    """The mean of each row of n×n (dim=1), of values in [0, 1)."""
    return Call(torch.mean, uniform(case), dim=1)


@mean.reference
@mean_rows.reference
def averaged(x: torch.Tensor, dim: int | None = None) -> object:
    """The same means by NumPy."""
    return x.numpy().mean(axis=dim)


@suite.op(axes=[floats])
def norm(case: Case) -> Call:
    """The length of n×n as a vector: the root of the sum of all squares."""
    return Call(torch.norm, signs(case))


@suite.op(axes=[floats])
def norm_rows(case: Case) -> Call:
    """The length of each row of n×n (dim=1)."""
    return Call(torch.norm, signs(case), dim=1)


@norm.reference
@norm_rows.reference
def length(x: torch.Tensor, dim: int | None = None) -> object:
    """The same lengths by NumPy, step by step."""
    return np.sqrt((x.numpy() ** 2).sum(axis=dim))


@suite.op
def max(case: Case) -> Call:  # noqa: A001 - the op is called as torch calls it
    """The largest element of n×n."""
    return Call(torch.max, case.randn(case["n"], case["n"]))


max.reference(lambda x: x.numpy().max())


@suite.op
def argmax(case: Case) -> Call:
    """Where the largest element of n×n is, as a number from 0 to n²-1.

    One element is larger than all others: which of several largest torch names is left open.
    """
    n = case["n"]
    x = case.randn(n, n)
    x[n // 2, n // 3] = 100
    return Call(torch.argmax, x)


argmax.reference(lambda x: x.numpy().argmax())


# A single element has no deviation.
@suite.op(axes=[Axis("n", [4, 16, 64, 256, 1024, 4096], quick=[1024]), floats])
def std(case: Case) -> Call:
    """The standard deviation of n×n, of values in [0, 1)."""
    return Call(torch.std, uniform(case))


std.reference(lambda x: x.numpy().std(ddof=1))


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
    return to_n(case, flop=1)


@norm.work
def norm_work(case: Case) -> Work:
    """2n² FLOP, squares and sum; a matrix read, one element written."""
    return to_one(case, flop=2)


@norm_rows.work
def norm_rows_work(case: Case) -> Work:
    """2n² FLOP, squares and sums; a matrix read, a vector written."""
    return to_n(case, flop=2)


@std.work
def std_work(case: Case) -> Work:
    """4n² FLOP: a sum for the mean; difference, square and sum. A matrix read, one element written."""
    return to_one(case, flop=4)


@max.work
def max_work(case: Case) -> Work:
    """No FLOP, only comparisons; a matrix read, one element written."""
    return to_one(case, flop=0)


@argmax.work
def argmax_work(case: Case) -> Work:
    """No FLOP, only comparisons; a matrix read, one int64 written."""
    return Work(read_bytes=case["n"] ** 2 * case.itemsize, written_bytes=INDEX_BYTES)
