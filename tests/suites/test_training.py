"""The suite `training`: a step is Adam's, it can be repeated at will, and it can learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bench.plan.case import with_inputs
from bench.plan.discover import load_all
from bench.plan.suite import make_case
from bench.worker.inputs import TensorInputs

if TYPE_CHECKING:
    import torch

    from bench.plan.case import Call

(LOADED,) = load_all(["training"])
OPS = LOADED.suite.ops


def call_of(op: str, dtype: str = "float32") -> Call:
    """The op's call for the course's five features."""
    plain = make_case(LOADED.suite, OPS[op], {"n": "5", "dtype": dtype}, "cpu")
    return OPS[op].build(with_inputs(plain, TensorInputs(plain.id, "cpu", plain.dtype_name)))


def copies(weights: list[torch.Tensor]) -> list[Any]:
    """What the weights are now, as arrays of their own."""
    return [weight.detach().clone().double().numpy() for weight in weights]


def gradients_by_hand(x: Any, target: Any, weights: list[Any]) -> list[Any]:
    """The chain rule through both layers, by NumPy."""
    w, b, v, c = weights
    hidden = np.maximum(x @ w.T + b, 0)
    output = 1 / (1 + np.exp(-(hidden @ v.T + c)))
    slope = (output - target) / target.size
    inner = slope @ v * (hidden > 0)
    return [inner.T @ x, inner.sum(axis=0), slope.T @ hidden, slope.sum(axis=0)]


def test_the_network_has_the_courses_layers() -> None:
    """Five features, of which three are hidden."""
    shapes = [tuple(weight.shape) for weight in call_of("train_step").args[-1]]
    assert shapes == [(3, 5), (3,), (5, 3), (5,)]


def test_the_weights_named_are_those_of_the_model() -> None:
    """The reference computes with them, so they must be the same tensors."""
    model, *_, weights = call_of("train_step").args
    assert all(a is b for a, b in zip(model.parameters(), weights, strict=True))


def test_two_steps_are_adams() -> None:
    """Weights after each are those of the published rule (Kingma & Ba 2015, algorithm 1) by NumPy."""
    call = call_of("train_step", "float64")
    _, adam, _, x, target, weights = call.args
    (group,) = adam.param_groups
    (beta, gamma), rate, epsilon = group["betas"], group["lr"], group["eps"]
    expected = copies(weights)
    mean = square = [np.zeros_like(one) for one in expected]
    for t in (1, 2):
        gradients = gradients_by_hand(x.numpy(), target.numpy(), expected)
        mean = [beta * m + (1 - beta) * g for m, g in zip(mean, gradients, strict=True)]
        square = [gamma * s + (1 - gamma) * g**2 for s, g in zip(square, gradients, strict=True)]
        expected = [
            w - rate * (m / (1 - beta**t)) / (np.sqrt(s / (1 - gamma**t)) + epsilon)
            for w, m, s in zip(expected, mean, square, strict=True)
        ]
        call()
        for found, wanted in zip(copies(weights), expected, strict=True):
            assert np.abs(found - wanted).max() < rate * 1e-6


def test_a_hundred_thousand_steps_leave_the_network_as_it_was() -> None:
    """After a thousand no weight has moved by more than a ten-thousandth, rounding aside."""
    call = call_of("train_step")
    weights = call.args[-1]
    before = copies(weights)
    for _ in range(1000):
        call()
    moved = [np.abs(a - b).max() for a, b in zip(copies(weights), before, strict=True)]
    assert 0 < max(moved) < 2e-4


def test_the_network_learns_at_the_courses_rate() -> None:
    """Ten epochs at 0.1 towards ones, as in the course: the loss falls each time, to a third at most."""
    call = call_of("train_step")
    adam, target = call.args[1], call.args[4]
    target.fill_(1.0)
    adam.param_groups[0]["lr"] = 0.1
    losses = [call()[0].item() for _ in range(10)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] / 3


@pytest.mark.parametrize("op", ["zero_grad_none", "zero_grad_zero"])
def test_a_gradient_is_there_at_each_call(op: str) -> None:
    """Without it a second call would find nothing to drop, and time that."""
    call = call_of(op)
    adam, weights, gradients = call.args
    found: list[int] = []
    adam.zero_grad = lambda **_: found.append(sum(w.grad is not None for w in weights))
    call()
    call()
    assert found == [4, 4]
    assert all(w.grad is g for w, g in zip(weights, gradients, strict=True))


def test_gradients_are_dropped_or_overwritten() -> None:
    """Dropped ones stay what they were; zeroed ones stay where they were."""
    dropped, overwritten = call_of("zero_grad_none"), call_of("zero_grad_zero")
    assert dropped() == []
    assert all(bool(gradient.any()) for gradient in dropped.args[2])
    assert [g.data_ptr() for g in overwritten()] == [g.data_ptr() for g in overwritten.args[2]]
