"""Elementwise multiplication of matrices. Run it: bench run mul

What does multiplying element by element cost, into a new tensor, in place, or into memory that is there?
"""

from __future__ import annotations

import operator

import torch

from bench import Axis, Call, Case, Suite, Work

suite = Suite(
    "mul",
    axes=[
        # n is the side of a square matrix: from one element to 128 MB in float64.
        Axis("n", [1, 4, 16, 64, 256, 1024, 4096], quick=[16, 64, 1024]),
        Axis("dtype", ["float32", "float64", "bfloat16", "float16", "int64"], quick=["float32"]),
    ],
)


def n_by_n(case: Case, *, read: float, written: float = 1) -> Work:
    """n² FLOP, and so many n×n matrices read and written."""
    n_squared, size = case["n"] ** 2, case.itemsize
    return Work(
        flop=n_squared,
        read_bytes=read * n_squared * size,
        written_bytes=written * n_squared * size,
    )


@suite.op
def matrices(case: Case) -> Call:
    """n×n by n×n, element by element, into a new tensor."""
    n = case["n"]
    return Call(torch.mul, case.randn(n, n), case.randn(n, n))


@matrices.work
def matrices_work(case: Case) -> Work:
    """n² FLOP; two matrices read, one written."""
    return n_by_n(case, read=2)


@suite.op(quick=False)
def scalar(case: Case) -> Call:
    """n×n by the Python number 3 into a new tensor."""
    n = case["n"]
    return Call(torch.mul, case.randn(n, n), 3)


@scalar.work
def scalar_work(case: Case) -> Work:
    """n² FLOP; one matrix read, one written."""
    return n_by_n(case, read=1)


@suite.op
def broadcast(case: Case) -> Call:
    """One row of n by each row of n×n into a new tensor."""
    n = case["n"]
    return Call(torch.mul, case.randn(1, n), case.randn(n, n))


@broadcast.work
def broadcast_work(case: Case) -> Work:
    """n² FLOP; one matrix and one row, that is an n-th of a matrix, read; one matrix written."""
    return n_by_n(case, read=1 + 1 / case["n"])


@suite.op(in_place=True)
def in_place(case: Case) -> Call:
    """n×n by n×n into the first: x.mul_(signs), where signs of ±1 keep x as large as it is."""
    n = case["n"]
    signs = case.ints(n, n, low=0, high=2) * 2 - 1
    return Call(torch.Tensor.mul_, case.randn(n, n), signs.to(case.dtype))


in_place.work(matrices_work)


@suite.op(quick=False)
def out(case: Case) -> Call:
    """n×n by n×n into a tensor that is there already: torch.mul(…, out=…)."""
    n = case["n"]
    return Call(torch.mul, case.randn(n, n), case.randn(n, n), out=case.empty(n, n))


out.work(matrices_work)


@suite.op(
    axes=[
        Axis("n", [1, 16, 256], quick=[16]),
        Axis("call", {"*": operator.mul, "Tensor.mul": torch.Tensor.mul, "torch.mul": torch.mul}),
    ],
    without=["dtype"],
)
def spelling(case: Case) -> Call:
    """n×n by n×n, in each of the ways to write it; what differs is what the call itself costs."""
    n = case["n"]
    return Call(case["call"], case.randn(n, n), case.randn(n, n))


spelling.work(matrices_work)


@matrices.reference
@broadcast.reference
@in_place.reference
@out.reference
@spelling.reference
def product(a: torch.Tensor, b: torch.Tensor, **_: torch.Tensor) -> object:
    """The same products in float64 on the CPU, by NumPy; where they are put does not matter."""
    return a.numpy() * b.numpy()


@scalar.reference
def scalar_product(a: torch.Tensor, factor: int) -> object:
    """The same products in float64 on the CPU, by NumPy."""
    return a.numpy() * factor
