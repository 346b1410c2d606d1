"""Sparse matrices as results: conversions, sums, sparse products. Run it: bench run sparse

What do conversions, sums and products cost whose results are sparse?
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench import Axis, Call, Case, Skip, Suite, Work

COLUMNS, INDEX_BYTES = 64, 8
MOST_PRODUCTS, MANY_PRODUCTS = 10**8, "more than 10⁸ products of two elements: a second or more"
COO: Any = torch.sparse_coo

suite = Suite(
    "sparse",
    axes=[
        # n is the side of a square matrix, whose rows have equally many elements other than 0.
        Axis("n", [64, 256, 1024, 4096], quick=[1024]),
        Axis("zeros", [0.5, 0.9, 0.99], quick=[0.99]),
    ],
)
to_1024 = Axis("n", [64, 256, 1024], quick=[1024])
layouts = Axis("layout", {"csr": torch.sparse_csr, "coo": COO})


def elements(case: Case, rows: int = 0) -> int:
    """Elements other than 0, of all rows or of so many: the share that zeros leaves, at least one a row."""
    n, share = int(case["n"]), 1 - case["zeros"]
    return (rows or n) * max(1, round(n * float(share)))


def matrix(case: Case, layout: Any = None) -> Any:
    """A row is cut evenly into as many pieces as it has such elements; each has one at a random place."""
    n, count = case["n"], elements(case, 1)
    drawn = case.ints(n, count, low=0, high=n)
    ends = torch.arange(count + 1, device=case.device) * n // count
    columns = ends[:-1] + drawn % ends.diff()
    starts = torch.arange(n + 1, device=case.device) * count
    given = starts, columns.flatten(), case.randn(n * count), (n, n)
    with warnings.catch_warnings(action="ignore"):  # that CSR is in a beta state
        made: Any = torch.sparse_csr_tensor(*given, check_invariants=False)
    return made.to_sparse_coo() if layout is COO else made


@suite.op(axes=[layouts])
def to_dense(case: Case) -> Call:
    """A sparse n×n matrix written out with its zeros: Tensor.to_dense."""
    return Call(Tensor.to_dense, matrix(case, case["layout"]))


@suite.op(axes=[layouts])
def from_dense(case: Case) -> Call:
    """A dense n×n matrix without its zeros: Tensor.to_sparse."""
    return Call(Tensor.to_sparse, matrix(case).to_dense(), layout=case["layout"])


@suite.op(axes=[to_1024], quick=False)
def coalesce(case: Case) -> Call:
    """A sparse n×n matrix in COO that has each element twice: sorted, and equal places added up."""
    one = matrix(case, COO)
    places = torch.cat([one.indices(), one.indices().flip(1)], 1)
    values = torch.cat([one.values(), case.randn(elements(case))])
    made = torch.sparse_coo_tensor(places, values, one.shape, check_invariants=False)
    return Call(Tensor.coalesce, made)


@suite.op(axes=[layouts], quick=False)
def add(case: Case) -> Call:
    """The sum of two sparse n×n matrices that have elements at the same places."""
    one = matrix(case, case["layout"])
    return Call(torch.add, one, one * 3)


@suite.op(quick=False)
def softmax(case: Case) -> Call:
    """The softmax of each row of a sparse n×n matrix in COO, where what is not there counts as -∞."""
    return Call(torch.sparse.softmax, matrix(case, COO), 1)


@suite.op(axes=[to_1024], quick=False)
def sparse_matmul(case: Case) -> Call:
    """A sparse n×n matrix in CSR times another, into a sparse one."""
    if case["n"] * elements(case, 1) ** 2 > MOST_PRODUCTS:
        raise Skip(MANY_PRODUCTS)
    return Call(torch.matmul, matrix(case), matrix(case))


@suite.op(quick=False)
def sampled_addmm(case: Case) -> Call:
    """A sparse n×n matrix in CSR plus n×64 times 64×n, which is computed where it has elements only."""
    one, other = case.randn(case["n"], COLUMNS), case.randn(COLUMNS, case["n"])
    return Call(torch.sparse.sampled_addmm, matrix(case), one, other)


def stored(case: Case, layout: Any = None) -> int:
    """Bytes of a sparse matrix: elements, for each one number or in COO two, and in CSR one for each row."""
    is_coo = (layout or case.values.get("layout")) is COO
    numbers = 2 * elements(case) if is_coo else case["n"] + 1 + elements(case)
    return elements(case) * case.itemsize + numbers * INDEX_BYTES


def moved(case: Case, read: float, written: float, layout: Any = None) -> Work:
    """So many sparse matrices."""
    size = stored(case, layout)
    return Work(read_bytes=read * size, written_bytes=written * size)


@sampled_addmm.work
def sampled_addmm_work(case: Case) -> Work:
    """2 FLOP for each element and each of 64; a sparse matrix and two dense ones read, a sparse one written."""
    size, read = stored(case), 2 * case["n"] * COLUMNS * case.itemsize
    return Work(flop=2 * COLUMNS * elements(case), read_bytes=size + read, written_bytes=size)


from_dense.work(lambda case: Work(read_bytes=4 * case["n"] ** 2, written_bytes=stored(case)))
to_dense.work(lambda case: Work(read_bytes=stored(case), written_bytes=4 * case["n"] ** 2))
add.work(lambda case: moved(case, 2, 1))
coalesce.work(lambda case: moved(case, 2, 1, COO))
softmax.work(lambda case: moved(case, 1, 1, COO))
# As many bytes as chance has it: the product has elements at other places.
sparse_matmul.work(lambda case: Work(flop=2 * elements(case) * elements(case, 1)))


def dense(x: Any, *, count: bool = False) -> Any:
    """What a matrix stands for, by NumPy, elements at one place added up; or how many are at each place."""
    if x.layout is torch.strided:
        return x.numpy()
    x, side = x.to_sparse_coo(), len(x)
    rows, columns = x._indices().numpy()  # noqa: SLF001 - indices() refuses what is not coalesced
    values = None if count else x._values()  # noqa: SLF001 - as above
    return np.bincount(rows * side + columns, values, side**2).reshape(side, side)


@softmax.reference
def softmax_reference(x: Any, _: int) -> Any:
    """Its definition, over the elements that are there."""
    powers = np.exp(dense(x)) * dense(x, count=True)
    return powers / powers.sum(axis=1, keepdims=True)


add.reference(lambda a, b: dense(a) + dense(b))
sparse_matmul.reference(lambda a, b: dense(a) @ dense(b))
sampled_addmm.reference(lambda s, a, b: dense(s) + dense(s, count=True) * (dense(a) @ dense(b)))
for op in (to_dense, from_dense, coalesce):
    op.reference(lambda x, **_: dense(x))
coalesce.check(lambda x, result: result.is_coalesced() and 2 * len(result.values()) == x._nnz())  # noqa: SLF001
