"""What a layer does to its sums: tanh, ReLU, the logistic function. Run it: bench run activation

What does a layer's activation cost beside its product, and does a formula written out cost more than the op?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from bench import Axis, Call, Case, Suite, Work

suite = Suite(
    "activation",
    axes=[
        # n is the side of a square matrix: from one element to 128 MB in float64.
        Axis("n", [1, 16, 64, 256, 1024, 4096], quick=[1024]),
        Axis("dtype", ["float32", "float64", "bfloat16", "float16"], quick=["float32"]),
    ],
)


def normal(case: Case) -> Any:
    """An n×n matrix of normal numbers."""
    n = case["n"]
    return case.randn(n, n)


@suite.op
def tanh(case: Case) -> Call:
    """The hyperbolic tangent of n×n."""
    return Call(torch.tanh, normal(case))


@suite.op
def relu(case: Case) -> Call:
    """n×n with zeros in place of negative numbers."""
    return Call(torch.relu, normal(case))


@suite.op
def sigmoid(case: Case) -> Call:
    """The logistic function of n×n in one call: torch.sigmoid(x)."""
    return Call(torch.sigmoid, normal(case))


def sigmoid_in_steps(x: torch.Tensor) -> torch.Tensor:
    """The logistic function as it is written down: four calls, three of whose results are dropped."""
    return 1 / (1 + torch.exp(-x))


@suite.op
def sigmoid_by_hand(case: Case) -> Call:
    """The logistic function of n×n in four calls: 1 / (1 + torch.exp(-x))."""
    return Call(sigmoid_in_steps, normal(case))


tanh.reference(lambda x: np.tanh(x.numpy()))
relu.reference(lambda x: np.maximum(x.numpy(), 0))
# The logistic function is a hyperbolic tangent, moved and halved: another route to the same curve.
sigmoid.reference(lambda x: (1 + np.tanh(x.numpy() / 2)) / 2)
sigmoid_by_hand.reference(lambda x: (1 + np.tanh(x.numpy() / 2)) / 2)


@tanh.work
@relu.work
@sigmoid.work
@sigmoid_by_hand.work
def work(case: Case) -> Work:
    """An operation per element, n² FLOP, whatever it takes; a matrix read, one written."""
    size = case["n"] ** 2 * case.itemsize
    return Work(flop=case["n"] ** 2, read_bytes=size, written_bytes=size)
