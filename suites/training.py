"""A step of training a network, and dropping its gradients. Run it: bench run training

What does a step of training cost, and which way to clear gradients costs less?
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import BCELoss, Linear, Module, Parameter, ReLU, Sequential, Sigmoid
from torch.optim import Adam

from bench import Axis, Call, Case, Suite, Work

Tensors = list[Tensor]
SAMPLES = 64
# The course takes 0.1. A step takes as long with this one, but 100,000 of them move a weight by about a
# hundredth: it stays the same network, whose units can't die and whose gradients can't fade.
LEARNING_RATE = 1e-7

suite = Suite(
    "training",
    axes=[
        # n features, of which the network hides three fifths: of 5 the 3 of the course, of 2560 1536.
        Axis("n", [5, 40, 320, 2560], quick=[320]),
        Axis("dtype", ["float32", "float64", "bfloat16", "float16"], quick=["float32"]),
    ],
)


def layer(case: Case, features: int, outputs: int) -> Linear:
    """A layer whose weights are the case's, of a size that neither grows nor fades."""
    made = Linear(features, outputs, device="meta")
    made.weight = Parameter(case.randn(outputs, features) / features**0.5)
    made.bias = Parameter(case.randn(outputs) / 8)
    return made


def hidden_of(case: Case) -> int:
    """How many features the network hides."""
    n: int = case["n"]
    return n * 3 // 5


def network(case: Case) -> tuple[Sequential, Tensors]:
    """The course's network of two layers, and its weights."""
    n, hidden = case["n"], hidden_of(case)
    made = Sequential(layer(case, n, hidden), ReLU(), layer(case, hidden, n), Sigmoid())
    return made, list(made.parameters())


def step(
    model: Module, adam: Adam, loss_of: Module, x: Tensor, target: Tensor, weights: Tensors
) -> object:
    """All of a step; returns the loss before it and the gradients of the last layer."""
    adam.zero_grad()
    loss = loss_of(model(x), target)
    loss.backward()
    adam.step()
    return [loss, *(weight.grad for weight in weights[2:])]


# Not in float16: what Adam divides by, the square of a gradient, is 0 there.
@suite.op(
    axes=[Axis("dtype", ["float32", "float64", "bfloat16"], quick=["float32"])], in_place=True
)
def train_step(case: Case) -> Call:
    """A step of training on 64 samples: zero_grad, forward, BCELoss, backward, and Adam's step.

    Linear, ReLU, Linear, Sigmoid, as in nn/mlp: n features, 3n/5 hidden, n out.
    """
    model, weights = network(case)
    x, target = case.randn(SAMPLES, case["n"]), case.rand(SAMPLES, case["n"])
    return Call(step, model, Adam(weights, lr=LEARNING_RATE), BCELoss(), x, target, weights)


def zero_grad(adam: Adam, weights: Tensors, gradients: Tensors, *, set_to_none: bool) -> object:
    """Gradients attached, then dropped or set to 0; returns those that are left."""
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient
    adam.zero_grad(set_to_none=set_to_none)
    return [weight.grad for weight in weights if weight.grad is not None]


def zeroing(case: Case, *, set_to_none: bool) -> Call:
    """The weights of the network, a gradient for each, and what is to become of these."""
    _, weights = network(case)
    gradients = [case.randn(*weight.shape) for weight in weights]
    return Call(zero_grad, Adam(weights), weights, gradients, set_to_none=set_to_none)


@suite.op
def zero_grad_none(case: Case) -> Call:
    """zero_grad() of the network's four gradients, attached anew before: drops them, moves no data."""
    return zeroing(case, set_to_none=True)


@suite.op(in_place=True)
def zero_grad_zero(case: Case) -> Call:
    """zero_grad(set_to_none=False) of the same four gradients: writes zeros over them."""
    return zeroing(case, set_to_none=False)


def weight_bytes(case: Case) -> int:
    """Bytes of two matrices of weights and two vectors of biases."""
    n: int = case["n"]
    hidden = hidden_of(case)
    return (2 * n * hidden + hidden + n) * case.itemsize


@train_step.work
def train_step_work(case: Case) -> Work:
    """Five products; samples, targets, weights read, weights and loss written, Adam's own left out."""
    n, size, weights = case["n"], case.itemsize, weight_bytes(case)
    flop, samples = 5 * 2 * SAMPLES * n * hidden_of(case), 2 * SAMPLES * n * size
    return Work(flop=flop, read_bytes=samples + weights, written_bytes=weights + size)


zero_grad_zero.work(lambda case: Work(written_bytes=weight_bytes(case)))


def affine(x: Any, w: Tensor, b: Tensor) -> Any:
    """What a layer gives, by NumPy."""
    return np.asarray(x) @ w.numpy().T + b.numpy()


@train_step.reference
def train_step_reference(*given: Any) -> object:
    """The loss of the first step and the chain rule through the last layer, by NumPy."""
    *_, x, target, weights = given
    hidden, t = np.maximum(affine(x, *weights[:2]), 0), target.numpy()
    p = 1 / (1 + np.exp(-affine(hidden, *weights[2:])))
    loss, slope = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)), (p - t) / t.size
    return [loss, slope.T @ hidden, slope.sum(axis=0)]


zero_grad_none.reference(lambda *_, **__: [])
zero_grad_zero.reference(lambda _, __, gradients, **___: [np.zeros(g.shape) for g in gradients])
