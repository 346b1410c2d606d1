"""Multi-tensor functions: torch._foreach, gradient clipping, averages. Run it: bench run optimizer

When does one call over a list of tensors pay against a loop?
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, get_total_norm

from bench import Axis, Call, Case, Suite, Work

Tensors = list[Tensor]
SIDE, SHARE = 64, 1e-3

suite = Suite(
    "optimizer",
    axes=[
        # n is the number of tensors, each of 64×64: GPT-2 has 148, ResNet-50 161, Llama 3 8B 291.
        Axis("n", [1, 10, 100, 1000], quick=[100]),
        Axis("implementation", {"for-loop": {"foreach": False}, "foreach": {"foreach": True}}),
    ],
)


def matrices(case: Case) -> Tensors:
    """As many as n says; elements are small, as those of weights and gradients are."""
    return [case.randn(SIDE, SIDE) / 8 for _ in range(case["n"])]


def each(function: Any, xs: Tensors, ys: Tensors, **settings: Any) -> Tensors:
    """One pair after the other."""
    return [function(x, y, **settings) for x, y in zip(xs, ys, strict=True)]


def either(one: Any, together: Any) -> Axis:
    """A function of two tensors, called in a loop, and one of two lists."""
    return Axis("implementation", {"for-loop": partial(each, one), "foreach": together})


together = torch._foreach_add  # noqa: SLF001 - torch documents it by this name
floats = Axis("dtype", ["float32", "bfloat16"], quick=["float32"])


@suite.op(axes=[either(torch.add, together), floats])
def foreach_add(case: Case) -> Call:
    """The sums of n pairs of 64×64 tensors, new ones: torch.add in a loop, or torch._foreach_add."""
    return Call(case["implementation"], matrices(case), matrices(case))


@suite.op(axes=[either(Tensor.lerp_, torch._foreach_lerp_)], quick=False, in_place=True)
def ema(case: Case) -> Call:
    """Moving averages of n weights of 64×64 brought a thousandth of the way to them: lerp_."""
    return Call(case["implementation"], matrices(case), matrices(case), weight=SHARE)


@suite.op(axes=[either(Tensor.copy_, torch._foreach_copy_)], quick=False, in_place=True)
def foreach_copy(case: Case) -> Call:
    """Weights of n 64×64 tensors in float32 written into others in bfloat16: copy_."""
    return Call(case["implementation"], [x.bfloat16() for x in matrices(case)], matrices(case))


@suite.op(quick=False)
def grad_norm(case: Case) -> Call:
    """The norm of all elements of n 64×64 tensors: torch.nn.utils.get_total_norm."""
    return Call(get_total_norm, matrices(case), **case["implementation"])


def clipped(clip: Any, weights: Tensors, gradients: Tensors, most: float, **how: Any) -> object:
    """What the clipping returns, a norm or None, and the gradients that it changed."""
    return [clip(weights, most, **how), gradients]


def clipping(case: Case, clip: Any, most: float) -> Call:
    """The clipping of gradients of weights."""
    weights, gradients = [Parameter(one) for one in matrices(case)], matrices(case)
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient
    return Call(clipped, clip, weights, gradients, most, **case["implementation"])


@suite.op(in_place=True)
def clip_grad_norm(case: Case) -> Call:
    """Gradients of n 64×64 tensors scaled so that their norm, of all elements, is 1: clip_grad_norm_."""
    return clipping(case, clip_grad_norm_, 1.0)


@suite.op(quick=False, in_place=True)
def clip_grad_value(case: Case) -> Call:
    """Gradients of n 64×64 tensors, each element limited to ±0.1: clip_grad_value_."""
    return clipping(case, clip_grad_value_, 0.1)


def unscaled(gradients: Tensors, factor: Tensor) -> object:
    """Whether one is infinite or NaN, as a float, and the gradients, which it changed."""
    found = torch.zeros_like(factor)
    torch._amp_foreach_non_finite_check_and_unscale_(gradients, found, factor)
    return [found, gradients]


@suite.op(without=["implementation"], quick=False, in_place=True)
def unscale(case: Case) -> Call:
    """What torch.amp.GradScaler does to n gradients of 64×64: a product, and a look for infinity and NaN."""
    return Call(unscaled, matrices(case), -case.ones(()))  # by -1, so that they stay as large


def moved(case: Case, read: float, written: float, *single: int) -> Work:
    """So many tensors for each of n read and written, and so many single float32 besides."""
    size, numbers = case["n"] * SIDE**2 * case.itemsize, [4 * one for one in single or (0, 0)]
    return Work(read_bytes=read * size + numbers[0], written_bytes=written * size + numbers[1])


foreach_add.work(lambda case: moved(case, 2, 1))
ema.work(lambda case: moved(case, 2, 1))
foreach_copy.work(lambda case: moved(case, 1, 1 / 2))
grad_norm.work(lambda case: moved(case, 1, 0, 0, 1))
clip_grad_norm.work(lambda case: moved(case, 1, 1, 0, 1))
clip_grad_value.work(lambda case: moved(case, 1, 1))
unscale.work(lambda case: moved(case, 1, 1, 1, 1))
foreach_add.reference(lambda xs, ys: [x.numpy() + y.numpy() for x, y in zip(xs, ys, strict=True)])
ema.reference(lambda xs, ys, weight: [x + weight * (y - x) for x, y in zip(xs, ys, strict=True)])
foreach_copy.reference(lambda _, weights: weights)
unscale.reference(lambda gradients, factor: [0, [one * factor for one in gradients]])


@grad_norm.reference
def norm_reference(xs: Tensors, **_: Any) -> Any:
    """The root of the sum of all squares, by NumPy."""
    return np.sqrt(sum(np.square(x.numpy()).sum() for x in xs))


@clip_grad_norm.reference
def clip_grad_norm_reference(*given: Any, **__: Any) -> object:
    """The norm, and as torch's documentation has it a factor of at most 1."""
    *_, gradients, most = given
    norm = norm_reference(gradients)
    return [norm, [one * min(1, most / (norm + 1e-6)) for one in gradients]]


@clip_grad_value.reference
def clip_grad_value_reference(*given: Any, **__: Any) -> object:
    """The same limits by NumPy."""
    *_, gradients, most = given
    return [None, [one.numpy().clip(-most, most) for one in gradients]]
