"""Tensors of unlike shapes, stretched without a copy or with one. Run it: bench run broadcast

Does stretching a smaller tensor cost anything, and what does it save against copying it first?
"""

from __future__ import annotations

import numpy as np
import torch

from bench import Axis, Call, Case, Suite, Work

suite = Suite(
    "broadcast",
    axes=[
        # n is the side of a square matrix: from one element to 128 MB in float64.
        Axis("n", [1, 16, 64, 256, 1024, 4096], quick=[1024]),
        Axis("dtype", ["float32", "float64", "bfloat16", "float16", "int64"], quick=["float32"]),
    ],
)


@suite.op
def row(case: Case) -> Call:
    """n×n plus a row of 1×n, which is added to each row."""
    n = case["n"]
    return Call(torch.add, case.randn(n, n), case.randn(1, n))


@suite.op
def column(case: Case) -> Call:
    """n×n plus a column of n×1, which is added to each column."""
    n = case["n"]
    return Call(torch.add, case.randn(n, n), case.randn(n, 1))


@suite.op(quick=False)
def bias(case: Case) -> Call:
    """n×n plus a vector of n, as a layer adds its biases: the same as a row."""
    n = case["n"]
    return Call(torch.add, case.randn(n, n), case.randn(n))


@suite.op(quick=False)
def unit(case: Case) -> Call:
    """n×n plus a tensor of 1×1, one bias for all."""
    n = case["n"]
    return Call(torch.add, case.randn(n, n), case.randn(1, 1))


def add_copied(matrix: torch.Tensor, smaller: torch.Tensor) -> torch.Tensor:
    """The same sum without broadcasting: first a copy as large as the matrix is made."""
    return matrix + smaller.expand(matrix.shape).contiguous()


@suite.op
def row_materialised(case: Case) -> Call:
    """n×n plus a row that is copied n times first: x + row.expand(n, n).contiguous()."""
    n = case["n"]
    return Call(add_copied, case.randn(n, n), case.randn(1, n))


@suite.op
def column_materialised(case: Case) -> Call:
    """n×n plus a column that is copied n times first: x + column.expand(n, n).contiguous()."""
    n = case["n"]
    return Call(add_copied, case.randn(n, n), case.randn(n, 1))


@row.reference
@column.reference
@bias.reference
@unit.reference
@row_materialised.reference
@column_materialised.reference
def total(matrix: torch.Tensor, smaller: torch.Tensor) -> object:
    """The same sum by NumPy, of copies that are as large as the matrix."""
    stretched = np.broadcast_to(smaller.numpy(), matrix.shape)
    return matrix.numpy() + np.array(stretched)


@suite.op(quick=False)
def outer(case: Case) -> Call:
    """A column of n×1 times a row of 1×n: both are stretched, to n×n."""
    n = case["n"]
    return Call(torch.mul, case.randn(n, 1), case.randn(1, n))


outer.reference(lambda column, row: np.outer(column.numpy(), row.numpy()))


@suite.op(quick=False)
def expand(case: Case) -> Call:
    """A row of 1×n seen as n×n: row.expand(n, n), a view that copies nothing, so without work."""
    n = case["n"]
    return Call(torch.Tensor.expand, case.randn(1, n), n, n)


expand.reference(lambda row, rows, _: np.tile(row.numpy(), (rows, 1)))


@row.work
@column.work
@bias.work
@row_materialised.work
@column_materialised.work
def with_n(case: Case) -> Work:
    """n² FLOP; n² + n elements read, n² written. A copy in between is more than has to be done."""
    n, size = case["n"], case.itemsize
    return Work(flop=n * n, read_bytes=(n * n + n) * size, written_bytes=n * n * size)


@unit.work
def with_one(case: Case) -> Work:
    """n² FLOP; n² + 1 elements read, n² written."""
    n, size = case["n"], case.itemsize
    return Work(flop=n * n, read_bytes=(n * n + 1) * size, written_bytes=n * n * size)


@outer.work
def outer_work(case: Case) -> Work:
    """n² FLOP; two vectors read, n² elements written."""
    n, size = case["n"], case.itemsize
    return Work(flop=n * n, read_bytes=2 * n * size, written_bytes=n * n * size)
