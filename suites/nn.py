"""Layers, a network, padding. Run it: bench run nn

What do the layers of a small network cost, and the network as a whole?
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Linear, Module, Parameter, ReLU, Sequential, Sigmoid
from torch.nn.utils.rnn import pad_sequence as pad

from bench import Axis, Call, Case, Suite, Work

Tensors = list[Tensor]
FLOATS = ["float32", "float64", "bfloat16", "float16"]
SAMPLES = 64

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


def forward(model: Module, x: Tensor, _: Tensors) -> object:
    """The model's outputs. Its weights are in it; they are named again for who checks and counts."""
    return model(x)


@suite.op(without=["n"], quick=False)
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


@suite.op(quick=False)
def sigmoid_layer(case: Case) -> Call:
    """1 / (1 + exp(-(c @ w.T + b))) by hand: c of 64 samples of n, w of n×n, b a single number."""
    n = case["n"]
    return Call(sigmoid_of, case.randn(SAMPLES, n), case.randn(n, n) / n**0.5, case.randn(1, 1))


@suite.op
def mlp(case: Case) -> Call:
    """Forward of 64 samples through Linear, ReLU, Linear, Sigmoid: n features, 3n/5 hidden, n out."""
    first, second = (layer(case, *ends) for ends in pairwise(sides(case)))
    model = Sequential(first, ReLU(), second, Sigmoid())
    return Call(forward, model, case.randn(SAMPLES, case["n"]), list(model.parameters()))


@suite.op(axes=[Axis("dtype", [*FLOATS, "int64"], quick=["float32"])], quick=False)
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


@pad_sequence.work
def pad_sequence_work(case: Case) -> Work:
    """All n(n+1)/2 elements read, n² written."""
    n, size = case["n"], case.itemsize
    return Work(read_bytes=n * (n + 1) // 2 * size, written_bytes=n * n * size)


def affine(x: Any, w: Tensor, b: Tensor) -> Any:
    """What a layer gives, by NumPy."""
    return np.asarray(x) @ w.numpy().T + b.numpy()


def mlp_by_hand(_: Module, x: Tensor, weights: Tensors) -> object:
    """What the network gives, layer by layer, by NumPy."""
    hidden = np.maximum(affine(x, *weights[:2]), 0)
    return 1 / (1 + np.exp(-affine(hidden, *weights[2:])))


linear_small.reference(lambda _, x, weights: affine(x, *weights))
linear.reference(lambda _, x, weights: affine(x, *weights))
sigmoid_layer.reference(lambda c, w, b: 1 / (1 + np.exp(-affine(c, w, b))))
mlp.reference(mlp_by_hand)
pad_sequence.reference(  # the last row is the longest
    lambda rows, **_: np.stack([np.pad(r.numpy(), (0, len(rows[-1]) - len(r))) for r in rows])
)
