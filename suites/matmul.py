"""Matrix multiplication. Run it: bench run matmul

How fast are products of matrices, from which size on does a GPU win, and what do half types gain?
"""

from __future__ import annotations

import operator

import torch

from bench import Axis, Call, Case, Skip, Suite, Work

BATCH = 16
LARGEST_HALF_ON_CPU = 256
HALF_IS_SLOW = (
    "torch multiplies float16 matrices on the CPU without a fast kernel: seconds per call"
)

suite = Suite(
    "matmul",
    axes=[
        # n is the side of a square matrix: from one element to 128 MB in float64.
        Axis("n", [1, 4, 16, 64, 256, 1024, 4096], quick=[16, 64, 256, 1024]),
        Axis("dtype", ["float32", "float64", "bfloat16", "float16"], quick=["float32"]),
    ],
)
to_1024 = Axis("n", [1, 4, 16, 64, 256, 1024], quick=[256])


def too_slow(case: Case) -> bool:
    """Whether one call would take seconds."""
    is_half_on_cpu = case.device == "cpu" and case["dtype"] == "float16"
    return is_half_on_cpu and case["n"] > LARGEST_HALF_ON_CPU


@suite.op
def square(case: Case) -> Call:
    """n×n times n×n into a new tensor."""
    if too_slow(case):
        raise Skip(HALF_IS_SLOW)
    n = case["n"]
    return Call(torch.matmul, case.randn(n, n), case.randn(n, n))


@square.work
def square_work(case: Case) -> Work:
    """2n³ FLOP; two matrices read, one written."""
    n, size = case["n"], case.itemsize
    return Work(flop=2 * n**3, read_bytes=2 * n * n * size, written_bytes=n * n * size)


@suite.op(axes=[to_1024])
def rectangular(case: Case) -> Call:
    """n×4n times 4n×n, as in a network's layers: four times the work of a square."""
    if too_slow(case):
        raise Skip(HALF_IS_SLOW)
    n = case["n"]
    return Call(torch.matmul, case.randn(n, 4 * n), case.randn(4 * n, n))


@rectangular.work
def rectangular_work(case: Case) -> Work:
    """8n³ FLOP; two matrices of 4n² elements read, n² written."""
    n, size = case["n"], case.itemsize
    return Work(flop=8 * n**3, read_bytes=8 * n * n * size, written_bytes=n * n * size)


@suite.op(axes=[to_1024])
def batched(case: Case) -> Call:
    """16 products of n×n matrices in one call of torch.bmm."""
    if too_slow(case):
        raise Skip(HALF_IS_SLOW)
    n = case["n"]
    return Call(torch.bmm, case.randn(BATCH, n, n), case.randn(BATCH, n, n))


@batched.work
def batched_work(case: Case) -> Work:
    """2n³ FLOP per product; two matrices read, one written per product."""
    n, size = case["n"], BATCH * case.itemsize
    return Work(flop=2 * n**3 * BATCH, read_bytes=2 * n * n * size, written_bytes=n * n * size)


@suite.op
def vector(case: Case) -> Call:
    """An n×n matrix times a vector: every element is used once, so memory sets the pace."""
    n = case["n"]
    return Call(torch.mv, case.randn(n, n), case.randn(n))


@vector.work
def vector_work(case: Case) -> Work:
    """2n² FLOP; the matrix and a vector read, a vector written."""
    n, size = case["n"], case.itemsize
    return Work(flop=2 * n**2, read_bytes=(n * n + n) * size, written_bytes=n * size)


@suite.op(
    axes=[
        Axis("n", [1, 16, 256], quick=[16]),
        Axis(
            "call",
            {
                "@": operator.matmul,
                "Tensor.matmul": torch.Tensor.matmul,
                "torch.matmul": torch.matmul,
                "torch.mm": torch.mm,
            },
        ),
    ],
    without=["dtype"],
)
def spelling(case: Case) -> Call:
    """n×n times n×n, in each of the ways to write it; what differs is what the call itself costs."""
    n = case["n"]
    return Call(case["call"], case.randn(n, n), case.randn(n, n))


@suite.op(
    axes=[
        Axis("n", [1, 4, 16, 64, 256, 1024, 4096], quick=[256]),
        Axis(
            "float32_matmul_precision", ["highest", "high", "medium"], quick=["highest", "medium"]
        ),
    ],
    without=["dtype"],
)
def precision(case: Case) -> Call:
    """n×n times n×n in float32, with as many bits as torch is told to keep."""
    n = case["n"]
    return Call(torch.matmul, case.randn(n, n), case.randn(n, n))


spelling.work(square_work)
precision.work(square_work)


@square.reference
@rectangular.reference
@batched.reference
@vector.reference
@spelling.reference
@precision.reference
def product(a: torch.Tensor, b: torch.Tensor) -> object:
    """The same product in float64 on the CPU, by NumPy."""
    return a.numpy() @ b.numpy()
