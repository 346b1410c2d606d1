"""Who shares memory with whom in the suite `interop`; and that all loops of `loop` give the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from bench.plan.case import with_inputs
from bench.plan.discover import load_all
from bench.plan.suite import make_case
from bench.worker.deviation import largest_error
from bench.worker.inputs import TensorInputs

if TYPE_CHECKING:
    from bench.plan.case import Call

SUITES = {one.suite.name: one.suite for one in load_all(["interop", "loop"])}


def call_of(suite: str, op: str) -> Call:
    """The op's call for eight elements of float32."""
    found = SUITES[suite].ops[op]
    known = {"n": "8", "dtype": "float32"}
    labels = {axis: text for axis, text in known.items() if axis in found.axes}
    plain = make_case(SUITES[suite], found, labels, "cpu")
    return found.build(with_inputs(plain, TensorInputs(plain.id, "cpu", plain.dtype_name)))


@pytest.mark.parametrize(
    ("op", "shares"), [("numpy", True), ("detach", True), ("array", False), ("clone", False)]
)
def test_what_copies_and_what_shares(op: str, *, shares: bool) -> None:
    """What is written into the tensor shows in an array or tensor that shares its memory."""
    call = call_of("interop", op)
    result = call()
    call.args[0].data.fill_(77)
    assert bool((result == 77).all()) is shares


def test_a_detached_tensor_has_left_the_graph() -> None:
    """It is taken from one that requires a gradient."""
    call = call_of("interop", "detach")
    assert call.args[0].requires_grad
    assert not call().requires_grad


@pytest.mark.parametrize("op", ["tolist", "item_loop"])
def test_a_list_is_of_pythons_own_numbers(op: str) -> None:
    """Both ways give the same list, and nothing of torch is in it."""
    result = call_of("interop", op)()
    assert [type(value) for value in result] == [float] * 8


def test_an_item_is_a_number_of_python() -> None:
    """It comes from a tensor without dimensions."""
    call = call_of("interop", "item")
    assert call.args[0].shape == ()
    assert type(call()) is float


@pytest.mark.parametrize(
    ("op", "kind"),
    [
        ("list_loop", list),
        ("comprehension", list),
        ("tensor_mul", torch.Tensor),
        ("numpy_mul", np.ndarray),
    ],
)
def test_each_way_to_multiply_stays_in_its_own_kind(op: str, kind: type) -> None:
    """Both factors and the product are of it, so that no conversion is timed."""
    call = call_of("loop", op)
    assert [type(value) for value in (*call.args, call())] == [kind] * 3


def test_each_way_to_add_gives_the_same() -> None:
    """One element after the other or all at once, from the same values."""
    one_by_one, at_once = call_of("loop", "item_sum"), call_of("loop", "tensor_sum")
    values = one_by_one.args[0]
    assert largest_error(at_once.function(values), one_by_one()) < 1e-6
