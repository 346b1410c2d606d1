"""The layers of the suite `nn` are the course's, and so is its padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from bench.plan.case import with_inputs
from bench.plan.discover import load_all
from bench.plan.suite import make_case
from bench.worker.inputs import TensorInputs

if TYPE_CHECKING:
    from bench.plan.case import Call

(LOADED,) = load_all(["nn"])
OPS = LOADED.suite.ops


def call_of(op: str) -> Call:
    """The op's call for the course's five features."""
    labels = {axis: {"n": "5", "dtype": "float32"}[axis] for axis in OPS[op].axes}
    plain = make_case(LOADED.suite, OPS[op], labels, "cpu")
    return OPS[op].build(with_inputs(plain, TensorInputs(plain.id, "cpu", plain.dtype_name)))


def test_a_linear_layer_keeps_all_dimensions_but_the_last() -> None:
    """As the course shows it: 2×3×4 becomes 2×3×2."""
    call = call_of("linear_small")
    assert call.args[1].shape == (2, 3, 4)
    assert call().shape == (2, 3, 2)


def test_the_network_has_the_courses_layers() -> None:
    """Five features, of which three are hidden."""
    shapes = [tuple(weight.shape) for weight in call_of("mlp").args[2]]
    assert shapes == [(3, 5), (3,), (5, 3), (5,)]


@pytest.mark.parametrize("op", ["linear_small", "linear", "mlp"])
def test_the_weights_named_are_those_of_the_model(op: str) -> None:
    """The reference computes with them, so they must be the same tensors."""
    model, *_, weights = call_of(op).args
    assert all(a is b for a, b in zip(model.parameters(), weights, strict=True))


def test_padding_goes_behind() -> None:
    """Five vectors of one to five elements make a square; zeros are above its diagonal."""
    padded = call_of("pad_sequence")()
    assert padded.shape == (5, 5)
    assert torch.equal(padded, padded.tril())
    assert bool((padded.diagonal() != 0).all())
