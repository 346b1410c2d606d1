"""The forward pass of the suite `graph` has a graph where it says so, and none where it says not."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bench.plan.case import with_inputs
from bench.plan.discover import load_all
from bench.plan.suite import make_case
from bench.worker.inputs import TensorInputs

(LOADED,) = load_all(["graph"])
OPS = LOADED.suite.ops


@pytest.mark.parametrize(("op", "has_graph"), [("requires_grad", True), ("no_grad", False)])
def test_forward_has_a_graph_unless_it_is_told_not_to(op: str, *, has_graph: bool) -> None:
    """Both give the polynomial, which is -30 at 1, from an x that requires a gradient."""
    plain = make_case(LOADED.suite, OPS[op], {"n": "1", "dtype": "float32"}, "cpu")
    call = OPS[op].build(with_inputs(plain, TensorInputs(plain.id, "cpu", plain.dtype_name)))
    (x,) = call.args
    x.data.fill_(1.0)
    result: Any = call()

    assert result.item() == -30.0
    assert (result.grad_fn is not None) is has_graph
    assert x.requires_grad
    assert torch.is_grad_enabled()
