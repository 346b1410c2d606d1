"""Layers, a network and a step of its training, padding. Run it: bench run nn"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import BCELoss, Linear, Module, Parameter, ReLU, Sequential, Sigmoid
from torch.nn.utils.rnn import pad_sequence as pad
from torch.optim import Adam

from bench import Axis, Call, Case, Suite, Work

Tensors = list[Tensor]
FLOATS = ["float32", "float64", "bfloat16", "float16"]
SAMPLES = 64
# The course takes 0.1. A step takes as long with this one, but 100,000 of them move a weight by about a
# hundredth: it stays the same network, whose units can't die and whose gradients can't fade.
LEARNING_RATE = 1e-7

suite = Suite(
    "nn",
    axes=[
        # n features, of which a network hides three fifths: of 5 the 3 of the course, of 2560 1536.
        Axis("n", [5, 40, 320, 2560], quick=[320]),
        Axis("dtype", FLOATS, quick=["float32"]),
    ],
)


def layer(case: Case, features: int, outputs: int) -> Linear:
    """A layer whose weights are the case's, of a size that neither grows nor fades."""
    made = Linear(features, outputs, device="meta")
    made.weight = Parameter(case.randn(outputs, features) / features**0.5)
    made.bias = Parameter(case.randn(outputs) / 8)
    return made


def sides(case: Case) -> tuple[int, int, int]:
    """Features, hidden features and outputs of the course's network."""
    return case["n"], case["n"] * 3 // 5, case["n"]


def network(case: Case) -> tuple[Sequential, Tensors]:
    """The course's network, and its weights."""
    first, second = (layer(case, *ends) for ends in pairwise(sides(case)))
    made = Sequential(first, ReLU(), second, Sigmoid())
    return made, list(made.parameters())


def forward(model: Module, x: Tensor, _: Tensors) -> object:
    """The model's outputs. Its weights are in it; they are named again for who checks and counts."""
    return model(x)


@suite.op(without=["n"])
def linear_small(case: Case) -> Call:
    """nn.Linear(4, 2) of 2×3×4, which gives 2×3×2."""
    model = layer(case, 4, 2)
    return Call(forward, model, case.randn(2, 3, 4), list(model.parameters()))


@suite.op
def linear(case: Case) -> Call:
    """nn.Linear(n, n) of 64 samples of n features."""
    n = case["n"]
    model, x = layer(case, n, n), case.randn(SAMPLES, n)
    return Call(forward, model, x, list(model.parameters()))


def sigmoid_of(c: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """A layer as the course writes it out."""
    return 1 / (1 + torch.exp(-(torch.mm(c, w.T) + b)))


@suite.op
def sigmoid_layer(case: Case) -> Call:
    """1 / (1 + exp(-(c @ w.T + b))) by hand: c of 64 samples of n, w of n×n, b a single number."""
    n = case["n"]
    return Call(sigmoid_of, case.randn(SAMPLES, n), case.randn(n, n) / n**0.5, case.randn(1, 1))


@suite.op
def mlp(case: Case) -> Call:
    """Forward of 64 samples through Linear, ReLU, Linear, Sigmoid: n features, 3n/5 hidden, n out."""
    model, weights = network(case)
    return Call(forward, model, case.randn(SAMPLES, case["n"]), weights)


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
@suite.op(axes=[Axis("dtype", ["float32", "float64", "bfloat16"], quick=["float32"])])
def train_step(case: Case) -> Call:
    """A step of training mlp: zero_grad, forward, BCELoss, backward, and Adam's step."""
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
    """The weights of mlp, a gradient for each, and what is to become of these."""
    _, weights = network(case)
    gradients = [case.randn(*weight.shape) for weight in weights]
    return Call(zero_grad, Adam(weights), weights, gradients, set_to_none=set_to_none)


@suite.op
def zero_grad_none(case: Case) -> Call:
    """zero_grad() of the four gradients of mlp, attached anew before: drops them and moves no data."""
    return zeroing(case, set_to_none=True)


@suite.op
def zero_grad_zero(case: Case) -> Call:
    """zero_grad(set_to_none=False) of the same four gradients: writes zeros over them."""
    return zeroing(case, set_to_none=False)


@suite.op(axes=[Axis("dtype", [*FLOATS, "int64"], quick=["float32"])])
def pad_sequence(case: Case) -> Call:
    """Vectors of 1, 2, … n elements as an n×n matrix, with zeros behind the shorter ones."""
    return Call(pad, [case.randn(length + 1) for length in range(case["n"])], batch_first=True)


def layers(case: Case, samples: int, *sides: int, weights: int = 0) -> Work:
    """2 FLOP per sample and product; samples and weights read, the last outputs written."""
    pairs, size = list(pairwise(sides)), case.itemsize
    read = samples * sides[0] + (weights or sum((a + 1) * b for a, b in pairs))
    flop, written = 2 * samples * sum(a * b for a, b in pairs), samples * sides[-1]
    return Work(flop=flop, read_bytes=read * size, written_bytes=written * size)


linear_small.work(lambda case: layers(case, 6, 4, 2))
linear.work(lambda case: layers(case, SAMPLES, case["n"], case["n"]))
sigmoid_layer.work(lambda case: layers(case, SAMPLES, *[case["n"]] * 2, weights=case["n"] ** 2 + 1))
mlp.work(lambda case: layers(case, SAMPLES, *sides(case)))


@train_step.work
def train_step_work(case: Case) -> Work:
    """Five products; samples, targets, weights read, weights and loss written, Adam's own left out."""
    forward, weights = (layers(case, samples, *sides(case)) for samples in (SAMPLES, 0))
    read, written = forward.read_bytes + forward.written_bytes, weights.read_bytes + case.itemsize
    return Work(flop=forward.flop / 2 * 5, read_bytes=read, written_bytes=written)


zero_grad_zero.work(lambda case: Work(written_bytes=layers(case, 0, *sides(case)).read_bytes))


@pad_sequence.work
def pad_sequence_work(case: Case) -> Work:
    """All n(n+1)/2 elements read, n² written."""
    n, size = case["n"], case.itemsize
    return Work(read_bytes=n * (n + 1) // 2 * size, written_bytes=n * n * size)


def affine(x: Any, w: Tensor, b: Tensor) -> Any:
    """What a layer gives, by NumPy."""
    return np.asarray(x) @ w.numpy().T + b.numpy()


def by_hand(x: Tensor, weights: Tensors) -> tuple[Any, Any]:
    """What the hidden layer and the network give, by NumPy."""
    hidden = np.maximum(affine(x, *weights[:2]), 0)
    return hidden, 1 / (1 + np.exp(-affine(hidden, *weights[2:])))


linear_small.reference(lambda _, x, weights: affine(x, *weights))
linear.reference(lambda _, x, weights: affine(x, *weights))
sigmoid_layer.reference(lambda c, w, b: 1 / (1 + np.exp(-affine(c, w, b))))
mlp.reference(lambda _, x, weights: by_hand(x, weights)[1])


@train_step.reference
def train_step_reference(*given: Any) -> object:
    """The loss of the first step and the chain rule through the last layer, by NumPy."""
    *_, x, target, weights = given
    (hidden, p), t = by_hand(x, weights), target.numpy()
    loss, slope = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)), (p - t) / t.size
    return [loss, slope.T @ hidden, slope.sum(axis=0)]


zero_grad_none.reference(lambda *_, **__: [])
zero_grad_zero.reference(lambda _, __, gradients, **___: [np.zeros(g.shape) for g in gradients])
pad_sequence.reference(  # the last row is the longest
    lambda rows, **_: np.stack([np.pad(r.numpy(), (0, len(rows[-1]) - len(r))) for r in rows])
)
