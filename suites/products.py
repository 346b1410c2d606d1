"""Products of vectors and matrices, by the name that each has in torch. Run it: bench run products

Which product of vectors and matrices is bound by memory, and which by arithmetic?
"""

from __future__ import annotations

import torch

from bench import Axis, Call, Case, Skip, Suite, Work

SIDE = 32
LARGEST_HALF_ON_CPU = 256
HALF_IS_SLOW = (
    "torch multiplies float16 matrices on the CPU without a fast kernel: seconds per call"
)
FLOATS = ["float32", "float64", "bfloat16", "float16"]

suite = Suite(
    "products",
    axes=[
        # n is the side of a square matrix: from one element to 128 MB in float64.
        Axis("n", [1, 4, 16, 64, 256, 1024, 4096], quick=[1024]),
        Axis("dtype", FLOATS, quick=["float32"]),
    ],
)
to_1024 = Axis("n", [1, 4, 16, 64, 256, 1024], quick=[256])


def too_slow(case: Case) -> bool:
    """Whether one call would take seconds."""
    is_half_on_cpu = case.device == "cpu" and case["dtype"] == "float16"
    return is_half_on_cpu and case["n"] > LARGEST_HALF_ON_CPU


@suite.op(axes=[to_1024], quick=False)
def mm(case: Case) -> Call:
    """n×n times the transpose of n×n, as in a layer written out: torch.mm(x, w.t())."""
    if too_slow(case):
        raise Skip(HALF_IS_SLOW)
    n = case["n"]
    return Call(torch.mm, case.randn(n, n), case.randn(n, n).t())


@mm.work
def mm_work(case: Case) -> Work:
    """2n³ FLOP; two matrices read, one written."""
    n, size = case["n"], case.itemsize
    return Work(flop=2 * n**3, read_bytes=2 * n * n * size, written_bytes=n * n * size)


@suite.op
def bmm(case: Case) -> Call:
    """Products of 32×32 matrices, n of them in one call: the matrices stay small, n grows."""
    n = case["n"]
    return Call(torch.bmm, case.randn(n, SIDE, SIDE), case.randn(n, SIDE, SIDE))


@bmm.work
def bmm_work(case: Case) -> Work:
    """2·32³ FLOP per product; two matrices read, one written per product."""
    n, size = case["n"], case["n"] * SIDE**2 * case.itemsize
    return Work(flop=2 * SIDE**3 * n, read_bytes=2 * size, written_bytes=size)


@suite.op
def mv(case: Case) -> Call:
    """n×n times a vector of n."""
    n = case["n"]
    return Call(torch.mv, case.randn(n, n), case.randn(n))


@mv.work
def mv_work(case: Case) -> Work:
    """2n² FLOP; the matrix and a vector read, a vector written."""
    n, size = case["n"], case.itemsize
    return Work(flop=2 * n**2, read_bytes=(n * n + n) * size, written_bytes=n * size)


# No float16: it ends at 65504, a quarter of 512².
@suite.op(axes=[Axis("dtype", ["float32", "float64", "bfloat16"], quick=["float32"])])
def dot(case: Case) -> Call:
    """Two vectors of n² elements: torch.dot takes nothing but vectors.

    The elements are 0 and 1, so that the sum of their products is exact in any order.
    """
    n = case["n"]
    one, other = (case.ints(n * n, low=0, high=2).to(case.dtype) for _ in range(2))
    return Call(torch.dot, one, other)


@dot.work
def dot_work(case: Case) -> Work:
    """2n² FLOP; two vectors read, one element written."""
    elements, size = case["n"] ** 2, case.itemsize
    return Work(flop=2 * elements, read_bytes=2 * elements * size, written_bytes=size)


@mm.reference
@bmm.reference
@mv.reference
@dot.reference
def product(a: torch.Tensor, b: torch.Tensor) -> object:
    """The same product in float64 on the CPU, by NumPy."""
    return a.numpy() @ b.numpy()


@suite.op(quick=False)
def outer(case: Case) -> Call:
    """Every element of a vector of n times every element of another: n×n."""
    n = case["n"]
    return Call(torch.outer, case.randn(n), case.randn(n))


@outer.work
def outer_work(case: Case) -> Work:
    """n² FLOP; two vectors read, a matrix written, which sets the pace."""
    n, size = case["n"], case.itemsize
    return Work(flop=n * n, read_bytes=2 * n * size, written_bytes=n * n * size)


@outer.reference
def outer_reference(a: torch.Tensor, b: torch.Tensor) -> object:
    """A column times a row in float64, by NumPy."""
    return a.numpy()[:, None] * b.numpy()


@suite.op(axes=[to_1024], quick=False)
def linear(case: Case) -> Call:
    """A layer for n samples of n features: x @ w.T + b in one call of torch.nn.functional.linear."""
    if too_slow(case):
        raise Skip(HALF_IS_SLOW)
    n = case["n"]
    return Call(torch.nn.functional.linear, case.randn(n, n), case.randn(n, n), case.randn(n))


@linear.work
def linear_work(case: Case) -> Work:
    """2n³ FLOP: n products and, the bias among them, n sums each; all inputs read, n×n written."""
    n, size = case["n"], case.itemsize
    return Work(flop=2 * n**3, read_bytes=(2 * n * n + n) * size, written_bytes=n * n * size)


@linear.reference
def linear_reference(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> object:
    """The same layer in float64, by NumPy."""
    return x.numpy() @ weight.numpy().T + bias.numpy()
