"""The formulas of the suite `autograd` have the slopes that the course prints, at each call again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.plan.case import with_inputs
from bench.plan.discover import load_all
from bench.plan.suite import make_case
from bench.worker.inputs import TensorInputs
from bench.worker.tensor_tree import tensors_in

if TYPE_CHECKING:
    from bench.plan.case import Call

(LOADED,) = load_all(["autograd"])
OPS = LOADED.suite.ops
PRINTED = [
    ("polynomial", [1.0], [31.0]),
    ("polynomial", [2.0], [14.0]),
    ("chain", [1.0], [15.0]),
    ("four_nodes", [2.0, 3.0], [44.0, -6.0]),
    ("zeroed", [2.0], [12.0]),
    ("accumulate", [2.0], [24.0]),
    ("retain_graph", [2.0], [24.0]),
]
"""Op, inputs, gradients."""


def call_of(op: str, values: list[float], dtype: str = "float32") -> Call:
    """The op's call for one element, with these inputs in place of random ones."""
    plain = make_case(LOADED.suite, OPS[op], {"n": "1", "dtype": dtype}, "cpu")
    call = OPS[op].build(with_inputs(plain, TensorInputs(plain.id, "cpu", plain.dtype_name)))
    for tensor, value in zip(tensors_in(call.args), values, strict=True):
        tensor.data.fill_(value)
    return call


@pytest.mark.parametrize(("op", "values", "gradients"), PRINTED)
def test_gradients_are_those_that_the_course_prints(
    op: str, values: list[float], gradients: list[float]
) -> None:
    """At the course's inputs the op's result is what it says."""
    assert [float(found) for found in tensors_in(call_of(op, values)())] == gradients


@pytest.mark.parametrize(("op", "values", "gradients"), PRINTED)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_gradients_do_not_add_up_from_call_to_call(
    op: str, dtype: str, values: list[float], gradients: list[float]
) -> None:
    """Each call begins without a gradient, so none can overflow however often it is made."""
    call = call_of(op, values, dtype)
    call()
    call()
    assert [float(found) for found in tensors_in(call())] == gradients
