"""Elements and rows chosen by a tensor of numbers or by a mask. Run it: bench run gathering

What do elements and rows at random places cost against those side by side?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from bench import Axis, Call, Case, Suite, Work

INDEX_BYTES = 8  # torch counts in int64

suite = Suite(
    "gathering",
    axes=[
        # n is the side of a square matrix: from 2 KB to 128 MB in float64.
        Axis("n", [16, 64, 256, 1024, 4096], quick=[1024]),
        Axis("dtype", ["float32", "float64", "bfloat16", "float16", "int64"], quick=["float32"]),
    ],
)


def n_by_n(case: Case) -> Any:
    """A matrix of normal values."""
    return case.randn(case["n"], case["n"])


@suite.op
def gather(case: Case) -> Call:
    """From each row of n×n, n elements at random places: torch.gather(x, 1, places)."""
    n = case["n"]
    return Call(torch.gather, n_by_n(case), 1, case.ints(n, n, low=0, high=n))


@gather.work
def gather_work(case: Case) -> Work:
    """A matrix and a matrix of int64 read, a matrix written."""
    elements, size = case["n"] ** 2, case.itemsize
    return Work(read_bytes=elements * (size + INDEX_BYTES), written_bytes=elements * size)


gather.reference(lambda x, dim, places: np.take_along_axis(x.numpy(), places.numpy(), dim))


@suite.op
def index_select(case: Case) -> Call:
    """Every second row of n×n by a tensor of their numbers: a copy, where x[::2] is a view."""
    rows = torch.arange(0, case["n"], 2, device=case.device)
    return Call(torch.index_select, n_by_n(case), 0, rows)


@index_select.work
def index_select_work(case: Case) -> Work:
    """Half of the matrix and n/2 int64 read, half of a matrix written."""
    rows, size = case["n"] // 2, case["n"] * case.itemsize
    return Work(read_bytes=rows * (size + INDEX_BYTES), written_bytes=rows * size)


index_select.reference(lambda x, *_: x.numpy()[::2])


@suite.op(quick=False)
def where(case: Case) -> Call:
    """Each element from one n×n or from another, as a mask made before says: torch.where."""
    return Call(torch.where, n_by_n(case) > 0, n_by_n(case), n_by_n(case))


@where.work
def where_work(case: Case) -> Work:
    """A mask of one byte per element and two matrices read, one written."""
    elements, size = case["n"] ** 2, case.itemsize
    return Work(read_bytes=elements * (1 + 2 * size), written_bytes=elements * size)


where.reference(lambda marked, one, other: np.where(marked.numpy(), one.numpy(), other.numpy()))
