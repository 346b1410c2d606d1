"""Tensors for cases and references: seeded, in the dtype asked for, within a normal range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from bench.errors import SuiteError
from bench.plan.case import itemsize_bytes
from bench.worker.inputs import InputsTooLarge, TensorInputs, seed_of

if TYPE_CHECKING:
    from collections.abc import Callable

DTYPES = (
    *("float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"),
    *("int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64", "bool"),
    *("complex64", "complex128"),
)
MAKERS: dict[str, Callable[[TensorInputs], torch.Tensor]] = {
    "randn": lambda inputs: inputs.randn(50, 40),
    "rand": lambda inputs: inputs.rand(50, 40),
    "ints": lambda inputs: inputs.ints(50, 40),
    "zeros": lambda inputs: inputs.zeros(50, 40),
    "ones": lambda inputs: inputs.ones(50, 40),
    "empty": lambda inputs: inputs.empty(50, 40),
}


def inputs(dtype: str = "float32", identity: str = "s/op[n=1]") -> TensorInputs:
    """Inputs of a case on the CPU."""
    return TensorInputs(identity, "cpu", dtype)


def test_a_seed_is_the_same_everywhere() -> None:
    """It is a hash of the id, and no more than a generator takes."""
    assert seed_of("matmul/square[n=16,dtype=float32]") == 6120576824054447579
    assert all(0 <= seed_of(str(number)) < 2**63 for number in range(100))


@pytest.mark.parametrize("maker", ["randn", "rand", "ints"])
def test_inputs_repeat(maker: str) -> None:
    """The same case gets the same values in every worker, another case others."""
    make = MAKERS[maker]
    assert torch.equal(make(inputs()), make(inputs()))
    assert not torch.equal(make(inputs()), make(inputs(identity="s/op[n=2]")))


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize(
    "shape", [((5, 4),), ([5, 4],), (torch.Size([5, 4]),), (np.int64(5), np.int32(4))]
)
def test_a_shape_is_given_as_torch_allows(maker: str, shape: tuple[Any, ...]) -> None:
    """In one piece as well, with the same values."""
    made = getattr(inputs(), maker)(*shape)
    assert made.shape == (5, 4)
    if maker != "empty":
        assert torch.equal(made, getattr(inputs(), maker)(5, 4))
    assert getattr(inputs(), maker)().shape == getattr(inputs(), maker)(()).shape == ()


@pytest.mark.parametrize("maker", ["randn", "rand", "zeros", "ones", "empty"])
def test_a_gradient_can_be_asked_for(maker: str) -> None:
    """Of numbers that have one; the tensor is a leaf, with the values that it has without."""
    for dtype in ("float32", "bfloat16", "complex64"):
        made = getattr(inputs(dtype), maker)(3, requires_grad=True)
        assert (made.requires_grad, made.is_leaf) == (True, True)
        if maker != "empty":
            assert torch.equal(made.detach(), getattr(inputs(dtype), maker)(3))
    for dtype in ("int64", "bool"):
        with pytest.raises(
            SuiteError, match=f"needs a floating or complex dtype, and this is torch.{dtype}"
        ):
            getattr(inputs(dtype), maker)(3, requires_grad=True)


@pytest.mark.parametrize("shape", [(2.5,), ("4",), ((2, 3), 4)])
def test_a_shape_of_anything_else_is_refused(shape: tuple[Any, ...]) -> None:
    """As torch does."""
    with pytest.raises(TypeError):
        inputs().randn(*shape)


def test_a_single_whole_number_is_not_zero_where_it_need_not_be() -> None:
    """Of 0 most ops make 0, computed or not; others are as they are drawn."""
    made = [inputs("int64", str(seed)) for seed in range(40)]
    assert all(one.randn(1, 1).item() in {*range(-8, 9)} - {0} for one in made)
    assert {one.ints(1, low=-1, high=1).item() for one in made} == {-1}
    assert {one.ints(1, low=0, high=1).item() for one in made} == {0}
    assert {one.rand(2).sum().item() for one in made} == {0, 1, 2}


def test_two_inputs_of_a_case_differ() -> None:
    """They are drawn one after the other from one generator."""
    both = inputs()
    assert not torch.equal(both.randn(9), both.randn(9))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("maker", [name for name in MAKERS if name != "ints"])
def test_tensors_have_the_dtype_of_the_case(maker: str, dtype: str) -> None:
    """Every maker knows every dtype that a suite may name, and its size."""
    made = MAKERS[maker](inputs(dtype))
    assert (made.dtype, made.shape) == (getattr(torch, dtype), (50, 40))
    assert inputs(dtype).dtype == made.dtype
    assert made.element_size() == itemsize_bytes(dtype)


@pytest.mark.parametrize(
    ("dtype", "kind", "low", "high"),
    [
        ("float32", torch.int64, -8, 8),
        ("complex64", torch.int64, -8, 8),
        ("int8", torch.int8, -8, 8),
        ("uint8", torch.uint8, 0, 8),
        ("bool", torch.bool, 0, 1),
    ],
)
def test_whole_numbers_are_whole(dtype: str, kind: torch.dtype, low: int, high: int) -> None:
    """As int64 unless the dtype is an integer type; all values of the range occur."""
    made = inputs(dtype).ints(50, 40)
    assert made.dtype == kind
    assert (int(made.min()), int(made.max())) == (low, high)


def test_uniform_values_lie_in_the_unit_interval() -> None:
    """In an integer dtype they are 0 or 1."""
    assert 0 <= float(inputs().rand(999).min()) < float(inputs().rand(999).max()) < 1
    assert set(inputs("int32").rand(99).tolist()) == {0, 1}


@pytest.mark.parametrize("maker", ["randn", "rand", "ints", "zeros", "ones", "empty"])
@pytest.mark.parametrize(("dtype", "item"), [("float32", 4), ("int16", 2)])
def test_inputs_are_weighed_before_they_are_made(maker: str, dtype: str, item: int) -> None:
    """All of a case's together: three of this size may be made, the fourth may not."""
    size = 8 if maker == "ints" and dtype == "float32" else item  # whole numbers are int64
    inputs = TensorInputs("s/op", "cpu", dtype, input_limit_bytes=3 * 10 * size)
    for _ in range(3):
        assert getattr(inputs, maker)(2, 5).nbytes == 10 * size
    with pytest.raises(InputsTooLarge, match=f"inputs of {40 * size} bytes do not fit"):
        getattr(inputs, maker)(2, 5)
