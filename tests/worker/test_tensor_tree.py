"""Tensors in any nest and of any kind: found, weighed, and copied for a reference."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bench.worker.inputs import TensorInputs
from bench.worker.tensor_tree import for_reference, storage_bytes, tensors_in


def inputs(dtype: str = "float32") -> TensorInputs:
    """Inputs of a case on the CPU."""
    return TensorInputs("s/op[n=1]", "cpu", dtype)


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
