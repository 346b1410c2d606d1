"""Products with sparse matrices, beside that of dense ones. Run it: bench run sparse

At which share of zeros does a sparse product pay, and in which layout?
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Linear, Parameter

from bench import Axis, Call, Case, Skip, Suite, Work

COLUMNS, BLOCK, KEPT, AMPERE = 64, 16, 2, (8, 0)
ON_CPU_ONLY = "torch.sparse.mm with a reduction has a kernel for the CPU only"
NO_TENSOR_CORES = "2:4 sparsity needs an NVIDIA GPU from Ampere on, and a torch with cuSPARSELt"

suite = Suite(
    "sparse",
    axes=[
        # n is the side of a square matrix, whose rows have equally many elements other than 0.
        Axis("n", [64, 256, 1024, 4096], quick=[1024]),
        Axis("zeros", [0.5, 0.9, 0.99], quick=[0.99]),
    ],
)
layouts = Axis("layout", ["csr", "coo", "bsr"], quick=["csr"])
floats = Axis("dtype", ["float32", "float64"], quick=["float32"])


def pattern(case: Case) -> tuple[int, int, int]:
    """The side of blocks (16 in BSR, else 1), rows of blocks, blocks in a row that are not zero (or one)."""
    block = BLOCK if case.values.get("layout") == "bsr" else 1
    rows: int = case["n"] // block
    share: float = 1 - case["zeros"]
    return block, rows, max(1, round(rows * share))


def matrix(case: Case, index: torch.dtype = torch.int64) -> Any:
    """A row is cut evenly into as many pieces as it has such blocks; each has one at a random place."""
    n, (block, rows, count) = case["n"], pattern(case)
    drawn = case.ints(rows, count, low=0, high=n)
    ends = torch.arange(count + 1, device=case.device) * rows // count
    columns = (ends[:-1] + drawn % ends.diff()).flatten()
    starts = torch.arange(rows + 1, device=case.device) * count
    values = case.randn(rows * count, *[block, block][: 2 * (block > 1)])
    kind: Any = torch.sparse_bsr if block > 1 else torch.sparse_csr
    given = starts.to(index), columns.to(index), values, (n, n)
    with warnings.catch_warnings(action="ignore"):  # that CSR and BSR are in a beta state
        made: Any = torch.sparse_compressed_tensor(*given, layout=kind, check_invariants=False)
    return made.to_sparse_coo() if case.values.get("layout") == "coo" else made


def narrow(case: Case) -> Any:
    """A dense matrix of n×64."""
    return case.randn(case["n"], COLUMNS)


@suite.op(axes=[layouts, floats])
def matmul(case: Case) -> Call:
    """A sparse n×n matrix times a dense one of n×64; in BSR it is of blocks of 16×16."""
    return Call(torch.matmul, matrix(case), narrow(case))


@suite.op(axes=[floats], without=["zeros"])
def dense_matmul(case: Case) -> Call:
    """A dense n×n matrix times one of n×64: what a product with a sparse one is to be faster than."""
    return Call(torch.matmul, case.randn(case["n"], case["n"]), narrow(case))


@suite.op(axes=[Axis("index", [torch.int64, torch.int32], quick=[torch.int64])], quick=False)
def vector(case: Case) -> Call:
    """A sparse n×n matrix in CSR, with row and column numbers in either dtype, times a vector."""
    return Call(torch.mv, matrix(case, case["index"]), case.randn(case["n"]))


@suite.op(quick=False)
def matmul_mean(case: Case) -> Call:
    """As matmul in CSR, but each row has the mean of its products, not the sum: a layer of a graph network."""
    if case.device != "cpu":
        raise Skip(ON_CPU_ONLY)
    return Call(torch.sparse.mm, matrix(case), narrow(case), "mean")


def forward(layer: Linear, x: Tensor, _: Tensor) -> object:
    """The layer's outputs; its weights are given once more for who checks."""
    return layer(x)


@suite.op(axes=[Axis("dtype", ["bfloat16", "float16"])], without=["zeros"], quick=False)
def semi_structured(case: Case) -> Call:
    """A layer of n×n weights, two of each four in a row zero (2:4 sparsity), for 64 samples."""
    if not case.device.startswith("cuda"):
        raise Skip(NO_TENSOR_CORES)
    n, x = case["n"], case.randn(COLUMNS, case["n"])
    capability = torch.cuda.get_device_capability(case.device)
    if capability < AMPERE or not torch.backends.cusparselt.is_available():
        raise Skip(NO_TENSOR_CORES)
    kept = case.rand(n, n // 4, 4).argsort().argsort() < KEPT
    weight, layer = case.randn(n, n) * kept.flatten(1), Linear(n, n, bias=False, device="meta")
    with warnings.catch_warnings(action="ignore"):  # that it is a prototype
        made = torch.sparse.to_sparse_semi_structured(weight)
    layer.weight = Parameter(made, requires_grad=False)
    return Call(forward, layer, x, weight)


def stored(case: Case, index_bytes: int = torch.int64.itemsize) -> tuple[int, int]:
    """Elements other than 0 of a sparse matrix, and bytes of the numbers of their rows and columns."""
    block, rows, count = pattern(case)
    numbers = 2 * rows * count if case.values.get("layout") == "coo" else rows + 1 + rows * count
    return rows * count * block**2, numbers * index_bytes


def product(case: Case, columns: int, elements: float, index_bytes: float) -> Work:
    """2 FLOP for each column and element other than 0; these and a dense matrix read, one written."""
    n, size = case["n"], case.itemsize
    read = elements * size + index_bytes + n * columns * size
    return Work(flop=2 * elements * columns, read_bytes=read, written_bytes=n * columns * size)


for op in (matmul, matmul_mean):
    op.work(lambda case: product(case, COLUMNS, *stored(case)))
dense_matmul.work(lambda case: product(case, COLUMNS, case["n"] ** 2, 0))
vector.work(lambda case: product(case, 1, *stored(case, case["index"].itemsize)))
# Half of the weights, and two bits for each of them that say where it is.
semi_structured.work(lambda case: product(case, COLUMNS, case["n"] ** 2 / 2, case["n"] ** 2 / 8))


def dense(x: Any) -> Any:
    """What a matrix stands for, by NumPy."""
    if x.layout is torch.strided:
        return x.numpy()
    made, given = np.zeros(x.shape), x.to_sparse_coo().coalesce()
    made[tuple(given.indices().numpy())] = given.values().numpy()
    return made


semi_structured.reference(lambda _, x, weight: x.numpy() @ weight.numpy().T)
matmul_mean.reference(
    lambda a, b, _: dense(a) @ dense(b) / a.crow_indices().diff().numpy()[:, None]
)
for op in (matmul, dense_matmul, vector):
    op.reference(lambda a, b: dense(a) @ dense(b))
