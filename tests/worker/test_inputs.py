"""Tensors for cases and references: seeded, in the dtype asked for, within a normal range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from bench.errors import SuiteError
from bench.plan.case import ITEMSIZE_BYTES
from bench.worker.inputs import (
    InputsTooLarge,
    TensorInputs,
    for_reference,
    seed_of,
    storage_bytes,
    tensors_in,
)

if TYPE_CHECKING:
    from collections.abc import Callable

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


@pytest.mark.parametrize("dtype", ITEMSIZE_BYTES)
@pytest.mark.parametrize("maker", [name for name in MAKERS if name != "ints"])
def test_tensors_have_the_dtype_of_the_case(maker: str, dtype: str) -> None:
    """Every maker knows every dtype that a suite may name, and its size."""
    made = MAKERS[maker](inputs(dtype))
    assert (made.dtype, made.shape) == (getattr(torch, dtype), (50, 40))
    assert inputs(dtype).dtype == made.dtype
    assert made.element_size() == ITEMSIZE_BYTES[dtype]


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


def test_tensors_are_found_in_any_nest() -> None:
    """Lists, tuples, dicts, one in the other."""
    a, b, c = (torch.zeros(n) for n in (1, 2, 3))
    nest: Any = [a, (b, {"x": [c]}), 3, "text", None]
    assert [len(found) for found in tensors_in(nest)] == [1, 2, 3]


def test_memory_that_is_shared_counts_once() -> None:
    """A view costs nothing; what it is a view of counts in full."""
    whole = torch.zeros(100)
    assert storage_bytes([whole, whole.t(), whole[:10]]) == 400
    assert storage_bytes([whole[:10]]) == 400
    assert storage_bytes([whole, torch.zeros(1)]) == 404
    assert storage_bytes(["text", 3]) == 0


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        ("float16", torch.float64),
        ("bfloat16", torch.float64),
        ("float32", torch.float64),
        ("complex64", torch.complex128),
        ("int32", torch.int32),
        ("bool", torch.bool),
    ],
)
def test_a_reference_gets_the_most_precise_kind(dtype: str, kind: torch.dtype) -> None:
    """The same values, in float64; whole numbers and truths stay what they are."""
    value = inputs(dtype).randn(9)
    copy = for_reference(value)
    assert copy.dtype == kind
    assert torch.equal(copy.to(value.dtype), value)


def test_a_reference_gets_copies() -> None:
    """Of everything, in the same nest, so that an op which writes to its input can be checked."""
    value = inputs("float64").randn(3).requires_grad_()
    nest = for_reference({"x": [value, (value, "text", 3)]})
    assert nest == {"x": [nest["x"][0], (nest["x"][1][0], "text", 3)]}
    for copy in tensors_in(nest):
        assert not copy.requires_grad
        assert copy.data_ptr() != value.data_ptr()


class OnMps(torch.Tensor):
    """Stands for a tensor on MPS: it is not the CPU's, and won't be converted to what Metal lacks on the way there."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """What the device does itself."""
        if func == torch.Tensor.is_cpu.__get__:  # type: ignore[attr-defined]  # a property
            return False
        if func is torch.Tensor.to and torch.float64 in args:
            message = "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64"
            raise TypeError(message)
        found: Any = super().__torch_function__(func, types, args, kwargs or {})  # type: ignore[no-untyped-call]
        return found.as_subclass(torch.Tensor) if func is torch.Tensor.cpu else found


def test_a_reference_gets_what_a_device_without_float64_has() -> None:
    """Copied to the CPU first, and converted there."""
    value = inputs().randn(9)
    copy = for_reference(value.as_subclass(OnMps))
    assert (type(copy), copy.dtype) == (torch.Tensor, torch.float64)
    assert torch.equal(copy.to(torch.float32), value)


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
