"""Joining tensors with torch.cat. Run it: bench run cat

What does joining tensors cost, few large ones or many small ones?
"""

from __future__ import annotations

import numpy as np
import torch

from bench import Axis, Call, Case, Suite, Work

suite = Suite(
    "cat",
    axes=[
        # n is the side of a square matrix: from one element to 128 MB in float64.
        Axis("n", [1, 4, 16, 64, 256, 1024, 4096], quick=[64, 1024]),
        Axis("dtype", ["float32", "float64", "bfloat16", "float16", "int64"], quick=["float32"]),
    ],
)
# Both ops that count pieces make a vector of n² elements, the same for few pieces and for many.
from_16 = Axis("n", [16, 64, 256, 1024, 4096], quick=[64, 1024])
FEW, MANY = 4, 64
# Three matrices and what becomes of them: to 200 MB in float64.
to_2048 = Axis("n", [1, 4, 16, 64, 256, 1024, 2048], quick=[1024])


@suite.op
def rows(case: Case) -> Call:
    """Two n×n matrices, one below the other (dim=0): two blocks of memory to copy."""
    n = case["n"]
    return Call(torch.cat, [case.randn(n, n), case.randn(n, n)], dim=0)


@suite.op
def columns(case: Case) -> Call:
    """Two n×n matrices side by side (dim=1): 2n short stretches of memory to copy."""
    n = case["n"]
    return Call(torch.cat, [case.randn(n, n), case.randn(n, n)], dim=1)


@suite.op(axes=[to_2048, Axis("dim", [0, 1], quick=[1])], quick=False)
def three(case: Case) -> Call:
    """Three n×n matrices, one below the other (dim=0) or side by side (dim=1)."""
    n = case["n"]
    return Call(torch.cat, [case.randn(n, n) for _ in range(3)], dim=case["dim"])


@suite.op(axes=[to_2048, Axis("dim", [0, 1, 2], quick=[0])], quick=False)
def stack(case: Case) -> Call:
    """Three n×n matrices along a new dimension: 3×n×n (dim=0), n×3×n (dim=1) or n×n×3 (dim=2)."""
    n = case["n"]
    return Call(torch.stack, [case.randn(n, n) for _ in range(3)], dim=case["dim"])


@suite.op(axes=[from_16])
def few_large(case: Case) -> Call:
    """A vector of n² elements out of 4 pieces."""
    n = case["n"]
    return Call(torch.cat, [case.randn(n * n // FEW) for _ in range(FEW)])


@suite.op(axes=[from_16])
def many_small(case: Case) -> Call:
    """A vector of n² elements out of 64 pieces; what they cost beyond few_large is per piece."""
    n = case["n"]
    return Call(torch.cat, [case.randn(n * n // MANY) for _ in range(MANY)])


@rows.work
@columns.work
def two_matrices(case: Case) -> Work:
    """2n² elements read and written."""
    size = 2 * case["n"] ** 2 * case.itemsize
    return Work(read_bytes=size, written_bytes=size)


@three.work
@stack.work
def three_matrices(case: Case) -> Work:
    """3n² elements read and written."""
    size = 3 * case["n"] ** 2 * case.itemsize
    return Work(read_bytes=size, written_bytes=size)


@few_large.work
@many_small.work
def one_vector(case: Case) -> Work:
    """n² elements read and written."""
    size = case["n"] ** 2 * case.itemsize
    return Work(read_bytes=size, written_bytes=size)


@rows.reference
@columns.reference
@three.reference
@few_large.reference
@many_small.reference
def joined(pieces: list[torch.Tensor], dim: int = 0) -> object:
    """The same pieces joined by NumPy."""
    return np.concatenate([piece.numpy() for piece in pieces], axis=dim)


@stack.reference
def stacked(pieces: list[torch.Tensor], dim: int) -> object:
    """The same pieces by NumPy."""
    return np.stack([piece.numpy() for piece in pieces], axis=dim)
