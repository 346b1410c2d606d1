"""How far numbers lie from zero and from each other: lengths, deviation. Run it: bench run spread

What do norms and deviations cost against a sum?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from bench import Axis, Call, Case, Suite, Work

suite = Suite(
    "spread",
    axes=[
        # n is the side of a square matrix: from one element to 128 MB in float64.
        Axis("n", [1, 4, 16, 64, 256, 1024, 4096], quick=[1024]),
        Axis("dtype", ["float32", "float64", "bfloat16", "float16"], quick=["float32"]),
    ],
)


def signs(case: Case) -> Any:
    """n×n of -1, 0 and 1: the sum of their squares is exact in any order.

    The float32 norm of 4096² values in [0, 1) is off by 5e-4 on a CPU: few running sums grow large.
    """
    return case.ints(case["n"], case["n"], low=-1, high=2).to(case.dtype)


@suite.op
def norm(case: Case) -> Call:
    """The length of n×n as a vector: the root of the sum of all squares."""
    return Call(torch.norm, signs(case))


@suite.op(quick=False)
def norm_rows(case: Case) -> Call:
    """The length of each row of n×n (dim=1)."""
    return Call(torch.norm, signs(case), dim=1)


@norm.reference
@norm_rows.reference
def length(x: torch.Tensor, dim: int | None = None) -> object:
    """The same lengths by NumPy, step by step."""
    return np.sqrt((x.numpy() ** 2).sum(axis=dim))


# A single element has no deviation. Of 4096² numbers torch's float64 result is off by 6e-14 on a CPU: it
# updates a mean as it goes.
@suite.op(axes=[Axis("n", [4, 16, 64, 256, 1024], quick=[1024])])
def std(case: Case) -> Call:
    """The standard deviation of n×n, of values in [0, 1)."""
    return Call(torch.std, case.rand(case["n"], case["n"]))


std.reference(lambda x: x.numpy().std(ddof=1))


def reading_all(case: Case, *, flop: int, written: int) -> Work:
    """So many FLOP per element; the matrix read, so many elements written."""
    elements, size = case["n"] ** 2, case.itemsize
    return Work(flop=flop * elements, read_bytes=elements * size, written_bytes=written * size)


norm.work(lambda case: reading_all(case, flop=2, written=1))  # squares and their sum
norm_rows.work(lambda case: reading_all(case, flop=2, written=case["n"]))  # squares and their sums
std.work(lambda case: reading_all(case, flop=4, written=1))  # a sum; difference, square and sum
