"""Fusion of kernels by torch.compile: three functions that should gain from it, two that should not. Run it: bench run fusion

Does compiling pay: bench run fusion --mode eager,compile?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench import Axis, Call, Case, Suite, Work

EPS = 1e-5

suite = Suite(
    "fusion",
    axes=[
        # n is the side of a square matrix: from 1 KB to 64 MB in float32, which no cache of a core holds.
        Axis("n", [16, 64, 256, 1024, 4096], quick=[256]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
    ],
)
to_1024 = Axis("n", [16, 64, 256, 1024], quick=[256])


def matrices(case: Case, count: int) -> list[Any]:
    """Matrices of n×n normal numbers."""
    return [case.randn(case["n"], case["n"]) for _ in range(count)]


def add_bias_gelu(x: Tensor, bias: Tensor) -> Tensor:
    """A bias and GELU in its tanh form, as in Megatron-LM."""
    y = x + bias
    return 0.5 * y * (1 + torch.tanh(0.79788456 * y * (1 + 0.044715 * y * y)))


@suite.op
def bias_gelu(case: Case) -> Call:
    """GELU of n×n plus a bias in ten calls; torch.compile pays: one kernel moves a tenth of the bytes."""
    return Call(add_bias_gelu, *matrices(case, 1), case.randn(case["n"]))


def add_rms_norm(x: Tensor, residual: Tensor, scale: Tensor) -> Tensor:
    """A residual sum, divided by the root of its mean square, times a scale."""
    total = x + residual
    return total * torch.rsqrt((total * total).mean(-1, keepdim=True) + EPS) * scale


@suite.op(quick=False)
def rms_norm_scale(case: Case) -> Call:
    """RMS normalisation of the sum of two n×n, times a scale, in seven calls; torch.compile pays: one kernel."""
    return Call(add_rms_norm, *matrices(case, 2), case.randn(case["n"]))


def scale_mask_softmax(x: Tensor, allowed: Tensor, scale: float) -> Tensor:
    """Softmax of scaled scores where a mask allows them, by exponentials and sums."""
    scores = torch.where(allowed, x * scale, -torch.inf)
    exponentials = torch.exp(scores - scores.amax(-1, keepdim=True))
    return exponentials / exponentials.sum(-1, keepdim=True)


@suite.op(quick=False)
def masked_softmax(case: Case) -> Call:
    """Softmax of a scaled, causally masked n×n in seven calls; torch.compile pays: one kernel."""
    n = case["n"]
    return Call(scale_mask_softmax, *matrices(case, 1), case.ones(n, n).tril() > 0, n**-0.5)


def product(a: Tensor, b: Tensor) -> Tensor:
    """One call, whose kernel a compiler leaves as it is."""
    return a @ b


@suite.op(axes=[to_1024])
def square_matmul(case: Case) -> Call:
    """n×n times n×n in one call; torch.compile does not pay: it calls the same BLAS library."""
    return Call(product, *matrices(case, 2))


def sorted_rows(x: Tensor) -> Tensor:
    """One call, whose kernel a compiler leaves as it is."""
    return torch.sort(x).values


@suite.op(quick=False, axes=[to_1024])
def sort(case: Case) -> Call:
    """Each row of n×n sorted in one call; torch.compile does not pay: it calls the same kernel."""
    return Call(sorted_rows, *matrices(case, 1))


def once(case: Case, *, matrices: int = 1, vectors: int = 0, masks: int = 0, flop: int = 0) -> Work:
    """Everything given read once and a matrix written: what a single kernel has to move."""
    n, size = case["n"], case.itemsize
    read = (matrices * n * n + vectors * n) * size + masks * n * n
    return Work(flop=flop, read_bytes=read, written_bytes=n * n * size)


bias_gelu.work(lambda case: once(case, vectors=1))
rms_norm_scale.work(lambda case: once(case, matrices=2, vectors=1))
masked_softmax.work(lambda case: once(case, masks=1))
square_matmul.work(lambda case: once(case, matrices=2, flop=2 * case["n"] ** 3))
sort.work(once)


@bias_gelu.reference
def bias_gelu_reference(x: Tensor, bias: Tensor) -> object:
    """The tanh as a logistic function of twice its argument, by NumPy."""
    y = x.numpy() + bias.numpy()
    return y / (1 + np.exp(-2 * np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)))


@rms_norm_scale.reference
def rms_norm_scale_reference(x: Tensor, residual: Tensor, scale: Tensor) -> object:
    """The sum divided by its length and multiplied by √n, by NumPy."""
    total = x.numpy() + residual.numpy()
    length = np.sqrt((total**2).sum(-1, keepdims=True) + total.shape[-1] * EPS)
    return total / length * total.shape[-1] ** 0.5 * scale.numpy()


@masked_softmax.reference
def masked_softmax_reference(x: Tensor, _: Tensor, scale: float) -> object:
    """Exponentials up to the diagonal, divided by the sum of their row, by NumPy."""
    exponentials = np.tril(np.exp(x.numpy() * scale))
    return exponentials / exponentials.sum(-1, keepdims=True)


square_matmul.reference(lambda a, b: a.numpy() @ b.numpy())
sort.reference(lambda x: np.sort(x.numpy()))
