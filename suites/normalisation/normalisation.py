"""Softmax, layer and root mean square normalisation of rows. Run it: bench run normalisation

Is RMSNorm cheaper than LayerNorm, and one call cheaper than the formula?
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as nnf

from bench import Axis, Call, Case, Skip, Suite, Work

ROWS, FEW_ROWS = 512, 64
EPS = 1e-5  # torch's default for layer_norm, and Llama 3's for rms_norm
INEXACT = "a CPU adds up the weight's gradient in the half type itself: it is off by some percent"

suite = Suite(
    "normalisation",
    axes=[
        # n numbers in a row: 768 is the width of GPT-2 small and BERT base, 4096 that of Llama 3 8B.
        Axis("n", [16, 128, 768, 4096], quick=[768]),
        Axis("dtype", ["float32", "bfloat16", "float16"], quick=["float32"]),
    ],
)
vocabulary = Axis("n", [16, 768, 4096, 128256], quick=[4096])  # 128256: vocabulary of Llama 3


@suite.op(axes=[vocabulary])
def softmax(case: Case) -> Call:
    """Softmax of each of 64 rows of n numbers."""
    return Call(torch.softmax, case.randn(FEW_ROWS, case["n"]), -1)


@suite.op(quick=False, axes=[vocabulary])
def log_softmax(case: Case) -> Call:
    """Logarithm of the softmax of each of 64 rows of n numbers, in one call."""
    return Call(torch.log_softmax, case.randn(FEW_ROWS, case["n"]), -1)


@suite.op
def layer_norm(case: Case) -> Call:
    """Layer normalisation of 512 rows of n numbers, with weight and bias."""
    n = case["n"]
    return Call(nnf.layer_norm, case.randn(ROWS, n), (n,), case.randn(n), case.randn(n))


@suite.op
def rms_norm(case: Case) -> Call:
    """Root mean square normalisation of 512 rows of n numbers, with weight, in one call."""
    n = case["n"]
    return Call(nnf.rms_norm, case.randn(ROWS, n), (n,), case.randn(n), EPS)


def in_steps(x: Tensor, _: tuple[int], weight: Tensor, eps: float) -> Tensor:
    """As the code of Llama has it: in float32, and rounded before the weight is applied."""
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).type_as(x) * weight


@suite.op(quick=False)
def rms_norm_by_hand(case: Case) -> Call:
    """What rms_norm computes, in elementary operations, as in the code of Llama."""
    n = case["n"]
    return Call(in_steps, case.randn(ROWS, n), (n,), case.randn(n), EPS)


def gradients(result: Tensor, inputs: list[Tensor], slope: Tensor) -> tuple[Tensor, ...]:
    """Backward alone, gradients returned; the graph that the forward left is kept for the next call."""
    return torch.autograd.grad(result, inputs, slope, retain_graph=True)


def inputs(case: Case, *shapes: tuple[int, ...]) -> list[Any]:
    """Rows, and weights of a row's length, of which gradients are wanted."""
    return [case.randn(shape).requires_grad_() for shape in shapes]


@suite.op(quick=False, axes=[vocabulary])
def softmax_backward(case: Case) -> Call:
    """Backward alone of softmax: the gradient of 64 rows of n numbers."""
    (x,) = inputs(case, (FEW_ROWS, case["n"]))
    return Call(gradients, torch.softmax(x, -1), [x], case.randn(x.shape))


@suite.op(quick=False)
def layer_norm_backward(case: Case) -> Call:
    """Backward alone of layer_norm: the gradients of 512 rows of n numbers, weight and bias."""
    if case.device == "cpu" and case["dtype"] != "float32":
        raise Skip(INEXACT)
    n = case["n"]
    x, *affine = inputs(case, (ROWS, n), (n,), (n,))
    return Call(gradients, nnf.layer_norm(x, (n,), *affine), [x, *affine], case.randn(ROWS, n))


@suite.op(quick=False)
def rms_norm_backward(case: Case) -> Call:
    """Backward alone of rms_norm: the gradients of 512 rows of n numbers and of the weight."""
    n = case["n"]
    x, weight = inputs(case, (ROWS, n), (n,))
    return Call(gradients, nnf.rms_norm(x, (n,), weight, EPS), [x, weight], case.randn(ROWS, n))


def work(case: Case, read: int, written: int) -> Work:
    """So many rows of n numbers read and written, of which a weight or a bias is one."""
    row = case["n"] * case.itemsize
    return Work(read_bytes=read * row, written_bytes=written * row)


softmax.work(partial(work, read=FEW_ROWS, written=FEW_ROWS))
log_softmax.work(partial(work, read=FEW_ROWS, written=FEW_ROWS))
layer_norm.work(partial(work, read=ROWS + 2, written=ROWS))
rms_norm.work(partial(work, read=ROWS + 1, written=ROWS))
rms_norm_by_hand.work(partial(work, read=ROWS + 1, written=ROWS))
# Softmax needs its result and the slope; the others what was normalised, the weight and the slope.
softmax_backward.work(partial(work, read=2 * FEW_ROWS, written=FEW_ROWS))
layer_norm_backward.work(partial(work, read=2 * ROWS + 1, written=ROWS + 2))
rms_norm_backward.work(partial(work, read=2 * ROWS + 1, written=ROWS + 1))


def normal(x: Any, *, centred: bool) -> tuple[Any, Any]:
    """Rows less their mean, if it is that of layers, divided by their spread; and that spread."""
    x = x - x.mean(-1, keepdims=True) if centred else x
    spread = np.sqrt((x**2).mean(-1, keepdims=True) + EPS)
    return x / spread, spread


@softmax.reference
def softmax_by_numpy(x: Tensor, axis: int) -> Any:
    """Exponentials divided by their sum."""
    exponentials = np.exp(x.numpy())
    return exponentials / exponentials.sum(axis, keepdims=True)


@softmax_backward.reference
def softmax_slopes(_: object, given: list[Tensor], slope: Tensor) -> object:
    """The softmax times what the slope is above its weighted mean."""
    result, g = softmax_by_numpy(given[0], -1), slope.numpy()
    return [result * (g - (result * g).sum(-1, keepdims=True))]


@layer_norm_backward.reference
@rms_norm_backward.reference
def norm_slopes(_: object, given: list[Tensor], slope: Tensor) -> object:
    """The chain rule by NumPy; with a bias it is that of layer_norm."""
    (x, weight, *bias), g = (one.numpy() for one in given), slope.numpy()
    y, spread = normal(x, centred=bool(bias))
    gw = g * weight
    dx = gw - y * (y * gw).mean(-1, keepdims=True) - (gw.mean(-1, keepdims=True) if bias else 0)
    return [dx / spread, (y * g).sum(0), *[g.sum(0) for _ in bias]]


log_softmax.reference(lambda x, axis: np.log(softmax_by_numpy(x, axis)))
layer_norm.reference(lambda x, _, w, b: normal(x.numpy(), centred=True)[0] * w.numpy() + b.numpy())
rms_norm.reference(lambda x, _, w, __: normal(x.numpy(), centred=False)[0] * w.numpy())
rms_norm_by_hand.reference(lambda x, _, w, __: normal(x.numpy(), centred=False)[0] * w.numpy())
