"""Einstein summation, and the same by other calls. Run it: bench run einsum

Does einsum cost more than the call that it stands for?
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.backends import opt_einsum
from torch.nn import functional

from bench import Axis, Call, Case, Suite, Work

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH, SIDE, COLUMNS, SAMPLES = 16, 16, 16, 64
CHAIN = "ij,jk,kl->il"
HEADS, WIDTH = 32, 128  # Llama 3 8B

suite = Suite(
    "einsum",
    axes=[
        Axis("n", [4, 32, 256, 1024], quick=[256]),
        Axis("dtype", ["float32", "float64", "bfloat16"], quick=["float32"]),
    ],
)
to_256 = Axis("n", [4, 32, 256], quick=[32])


def ways(equation: str, other: str, function: Callable[..., Any]) -> Axis:
    """torch.einsum with its equation, or another call that does the same."""
    return Axis("call", {"torch.einsum": (torch.einsum, equation), other: (function,)})


@suite.op(axes=[ways("ij,jk->ik", "torch.mm", torch.mm)], quick=False)
def matmul(case: Case) -> Call:
    """n×n times n×n: 'ij,jk->ik' or torch.mm."""
    n = case["n"]
    return Call(*case["call"], case.randn(n, n), case.randn(n, n))


@suite.op(axes=[to_256, ways("bij,bjk->bik", "torch.bmm", torch.bmm)])
def batched(case: Case) -> Call:
    """16 products of n×n matrices: 'bij,bjk->bik' or torch.bmm."""
    n = case["n"]
    return Call(*case["call"], case.randn(BATCH, n, n), case.randn(BATCH, n, n))


@suite.op(axes=[ways("i,j->ij", "torch.outer", torch.outer)], quick=False)
def outer(case: Case) -> Call:
    """All products of two vectors of n: 'i,j->ij' or torch.outer."""
    return Call(*case["call"], case.randn(case["n"]), case.randn(case["n"]))


@suite.op(axes=[ways("ij,ij->i", "(a * b).sum(1)", lambda a, b: (a * b).sum(1))], quick=False)
def row_dots(case: Case) -> Call:
    """Dot products of the rows of n×n with those of another: 'ij,ij->i' or (a * b).sum(1)."""
    n = case["n"]
    return Call(*case["call"], case.rand(n, n), case.rand(n, n))


@suite.op(axes=[ways("ij,ji->", "(a @ b).trace()", lambda a, b: (a @ b).trace())], quick=False)
def trace_of_product(case: Case) -> Call:
    """The trace of n×n times n×n: 'ij,ji->', which needs no product, or (a @ b).trace()."""
    n = case["n"]
    return Call(*case["call"], case.rand(n, n), case.rand(n, n))


@suite.op(axes=[to_256, ways("bhqd,bhkd->bhqk", "q @ k.mT", lambda q, k: q @ k.mT)], quick=False)
def attention_scores(case: Case) -> Call:
    """Products of n queries with n keys in 32 heads of 128: 'bhqd,bhkd->bhqk' or q @ k.mT."""
    shape = 1, HEADS, case["n"], WIDTH
    return Call(*case["call"], case.randn(shape), case.randn(shape))


@suite.op(axes=[to_256, ways("bi,bj,oij->bo", "F.bilinear", functional.bilinear)], quick=False)
def bilinear(case: Case) -> Call:
    """Bilinear forms, n of each of 64 pairs of vectors of n: 'bi,bj,oij->bo' or nn.functional.bilinear."""
    n = case["n"]
    return Call(*case["call"], case.randn(SAMPLES, n), case.randn(SAMPLES, n), case.randn(n, n, n))


contracted = partial(torch.tensordot, dims=([0, 2], [1, 0]))


@suite.op(axes=[ways("kil,lkj->ij", "torch.tensordot", contracted)], quick=False)
def tensordot(case: Case) -> Call:
    """16×n×16 times 16×16×n, two sides out of order summed up: 'kil,lkj->ij' or torch.tensordot."""
    n = case["n"]
    return Call(*case["call"], case.randn(SIDE, n, SIDE), case.randn(SIDE, SIDE, n))


def from_the_left(*matrices: Tensor) -> Tensor:
    """torch.einsum as it is without the package opt_einsum: the first two first."""
    with opt_einsum.flags(enabled=False):
        return torch.einsum(CHAIN, *matrices)


def from_the_right(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """torch.einsum twice, the last two first, as opt_einsum chooses here."""
    return torch.einsum("ij,jl->il", a, torch.einsum("jk,kl->jl", b, c))


ORDERS = {
    "einsum from the left": from_the_left,
    "einsum from the right": from_the_right,
    "a @ (b @ c)": lambda a, b, c: a @ (b @ c),
    "multi_dot": lambda *matrices: torch.linalg.multi_dot(matrices),
}


@suite.op(axes=[Axis("call", ORDERS, quick=[*ORDERS][:2])])
def chain(case: Case) -> Call:
    """n×n times n×n times n×16: 'ij,jk,kl->il' in either order, by hand or by torch.linalg.multi_dot."""
    n = case["n"]
    return Call(case["call"], case.randn(n, n), case.randn(n, n), case.randn(n, COLUMNS))


# The FLOP that are needed, elements read, elements written.
COUNTS: dict[Any, Callable[[int], tuple[int, int, int]]] = {
    matmul: lambda n: (2 * n**3, 2 * n**2, n**2),
    batched: lambda n: (2 * BATCH * n**3, 2 * BATCH * n**2, BATCH * n**2),
    outer: lambda n: (n**2, 2 * n, n**2),
    row_dots: lambda n: (2 * n**2, 2 * n**2, n),
    trace_of_product: lambda n: (2 * n**2, 2 * n**2, 1),
    attention_scores: lambda n: (2 * HEADS * WIDTH * n**2, 2 * HEADS * WIDTH * n, HEADS * n**2),
    bilinear: lambda n: (2 * SAMPLES * n**3, 2 * SAMPLES * n + n**3, SAMPLES * n),
    tensordot: lambda n: (2 * SIDE**2 * n**2, 2 * SIDE**2 * n, n**2),
    chain: lambda n: (2 * n**2 * (COLUMNS + min(n, COLUMNS)), 2 * n**2 + COLUMNS * n, COLUMNS * n),
}


def work(of: Callable[[int], tuple[int, int, int]], case: Case) -> Work:
    """The counts as FLOP and bytes."""
    flop, read, written = of(case["n"])
    return Work(flop=flop, read_bytes=read * case.itemsize, written_bytes=written * case.itemsize)


def by_numpy(equation: str, *given: Any) -> object:
    """The same by numpy.einsum, of the tensors among the arguments."""
    return np.einsum(equation, *filter(torch.is_tensor, given), optimize=True)


for op, of in COUNTS.items():
    op.work(partial(work, of))
    equation = CHAIN if op is chain else op.axes["call"].value("torch.einsum")[1]
    op.reference(partial(by_numpy, equation))
