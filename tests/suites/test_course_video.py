"""Known answers of the video, and what is true where it is wrong.

The video: "Introduction to PyTorch and Tensors".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.overrides import get_overridable_functions

from tests.suites.course import timed

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = [[1, 2], [3, 4]]
SHAPE = (2, 3)
MAKERS = pytest.mark.parametrize("make", [torch.rand, torch.ones, torch.zeros])


def test_a_list_prints_as_a_matrix() -> None:
    """The video: torch.tensor(data) prints two rows, and finds the dtype itself."""
    x_data = torch.tensor(DATA)
    assert str(x_data) == "tensor([[1, 2],\n        [3, 4]])"
    assert x_data.dtype == torch.int64
    assert torch.equal(timed("creation/from_list", DATA, dtype="int64"), x_data)


def test_an_array_prints_as_the_same_matrix() -> None:
    """The video: torch.from_numpy(np_array) prints what the list gave."""
    np_array = np.array(DATA)
    x_np = torch.from_numpy(np_array)
    assert str(x_np) == "tensor([[1, 2],\n        [3, 4]])"
    assert torch.equal(timed("creation/from_numpy", np_array), x_np)


def test_an_array_and_its_tensor_share_memory() -> None:
    """The video: a change of the array shows in the tensor, but not in a copy."""
    np_array = np.array(DATA)
    x_np = torch.from_numpy(np_array)
    x_timed = timed("creation/from_numpy", np_array)
    x_copy = timed("creation/copy_numpy", np_array)
    np_array[0, 0] = 9
    assert x_np[0, 0] == 9
    assert x_timed[0, 0] == 9
    assert x_copy[0, 0] == 1


def test_ones_like_takes_shape_and_dtype() -> None:
    """The video: torch.ones_like(x_data) prints whole ones."""
    x_ones = torch.ones_like(torch.tensor(DATA))
    assert f"Ones Tensor: \n {x_ones} \n" == (
        "Ones Tensor: \n tensor([[1, 1],\n        [1, 1]]) \n"
    )
    assert torch.equal(timed("like/ones_like", torch.tensor(DATA)), x_ones)


def test_rand_like_takes_the_shape_and_a_dtype_of_its_own() -> None:
    """The video: torch.rand_like(x_data, dtype=torch.float), values vary."""
    x_rand = torch.rand_like(torch.tensor(DATA), dtype=torch.float)
    assert x_rand.shape == (2, 2)
    assert x_rand.dtype == torch.float32
    assert 0 <= float(x_rand.min()) <= float(x_rand.max()) < 1


def test_rand_like_of_whole_numbers_needs_that_dtype() -> None:
    """The video: the dtype is overridden, as there are no random int64 in [0, 1)."""
    with pytest.raises(RuntimeError, match="Long"):
        torch.rand_like(torch.tensor(DATA))


@MAKERS
def test_a_shape_may_be_a_tuple(make: Callable[..., torch.Tensor]) -> None:
    """The video: rand, ones and zeros of the shape (2, 3,)."""
    made = make(SHAPE)
    assert made.shape == make(2, 3).shape == SHAPE
    assert made.dtype == torch.float32
    if make is not torch.rand:
        assert made.tolist() == [[float(make is torch.ones)] * 3] * 2


def test_attributes_print_as_shown() -> None:
    """The video: shape, dtype and device of torch.rand(3, 4), as printed."""
    tensor = torch.rand(3, 4)
    assert f"Shape of tensor: {tensor.shape}" == "Shape of tensor: torch.Size([3, 4])"
    assert f"Datatype of tensor: {tensor.dtype}" == "Datatype of tensor: torch.float32"
    assert f"Device tensor is stored on: {tensor.device}" == "Device tensor is stored on: cpu"


def test_a_shape_is_a_tuple() -> None:
    """The video: tensor.shape is a tuple of the sizes."""
    assert isinstance(torch.rand(3, 4).shape, tuple)


@pytest.mark.parametrize(
    ("dim", "op", "shape"), [(1, "cat/columns", (4, 12)), (0, "cat/rows", (12, 4))]
)
def test_three_matrices_are_joined(dim: int, op: str, shape: tuple[int, int]) -> None:
    """The video: dim=1 gives 4x12, side by side; dim=0 gives 12x4."""
    tensor = torch.ones(4, 4)
    joined = torch.cat([tensor, tensor, tensor], dim=dim)
    assert joined.shape == shape
    assert bool((joined == 1).all())
    assert torch.equal(timed(op, [tensor, tensor, tensor]), joined)


def test_cat_has_a_dimension_of_its_own() -> None:
    """The video says that dim must be given; without it, rows are joined."""
    tensor = torch.ones(4, 4)
    assert torch.cat([tensor, tensor, tensor]).shape == (12, 4)


@pytest.mark.parametrize("call", ["@", "Tensor.matmul", "torch.matmul"])
def test_three_ways_to_multiply_matrices_agree(call: str) -> None:
    """The video: @, .matmul and torch.matmul of ones with their transpose: fours."""
    tensor = torch.ones(4, 4)
    y1 = tensor @ tensor.T
    y2 = tensor.matmul(tensor.T)
    y3 = torch.matmul(tensor, tensor.T)
    assert y1.tolist() == y2.tolist() == y3.tolist() == [[4.0] * 4] * 4
    assert torch.equal(timed("matmul/spelling", tensor, tensor.T, call=call), y1)


def test_inner_sizes_must_match() -> None:
    """The video: (m x n) times (n x p) is (m x p), and no other n will do."""
    assert torch.matmul(torch.ones(2, 3), torch.ones(3, 4)).shape == (2, 4)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        torch.matmul(torch.ones(2, 3), torch.ones(4, 3))


@pytest.mark.parametrize("call", ["*", "Tensor.mul", "torch.mul"])
def test_three_ways_to_multiply_elements_agree(call: str) -> None:
    """The video: *, .mul and torch.mul give each element times its partner."""
    tensor = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    z1 = tensor * tensor
    z2 = tensor.mul(tensor)
    z3 = torch.mul(tensor, tensor)
    assert z1.tolist() == z2.tolist() == z3.tolist() == [[1.0, 4.0], [9.0, 16.0]]
    assert torch.equal(timed("mul/spelling", tensor, tensor, call=call), z1)


def test_matmul_and_mul_are_two_things() -> None:
    """The video: of the same ones, matmul gives fours and mul gives ones."""
    tensor = torch.ones(4, 4)
    assert torch.matmul(tensor, tensor)[0, 0] == 4
    assert torch.mul(tensor, tensor)[0, 0] == 1


@pytest.mark.parametrize("other", [(2, 3), (1, 3), (2, 1), (3,), ()], ids=str)
def test_shapes_of_a_product_may_differ(other: tuple[int, ...]) -> None:
    """The video says both must have one shape; shapes that broadcast will do."""
    product = torch.ones(2, 3) * torch.full(other, 5.0)
    assert product.tolist() == [[5.0] * 3] * 2
    assert torch.equal(timed("mul/broadcast", torch.full(other, 5.0), torch.ones(2, 3)), product)


def test_shapes_that_do_not_broadcast_are_refused() -> None:
    """The video: what is left of its rule of one shape."""
    with pytest.raises(RuntimeError, match="must match"):
        torch.mul(torch.ones(2, 3), torch.ones(3, 2))


def test_a_list_goes_through_an_array() -> None:
    """The video: the answer to its question 3."""
    np_arr = np.array([[5, 10], [15, 20]])
    assert torch.from_numpy(np_arr).tolist() == [[5, 10], [15, 20]]


def test_zeros_like_is_zeros_of_the_shape() -> None:
    """The video: both answers to its question 5 are right for t = rand(5, 10)."""
    t: Any = torch.rand(5, 10)
    assert torch.equal(torch.zeros_like(t), torch.zeros(t.shape))
    assert torch.equal(timed("like/zeros_like", t), torch.zeros(5, 10))


def test_zeros_of_the_shape_forget_the_dtype() -> None:
    """The video gives both as one; they differ for any dtype but the default."""
    t = torch.tensor(DATA)
    assert torch.zeros_like(t).dtype == torch.int64
    assert torch.zeros(t.shape).dtype == torch.float32


def test_there_are_more_than_1200_operations() -> None:
    """The video: over 1200, which the functions that can be overridden confirm."""
    assert sum(len(functions) for functions in get_overridable_functions().values()) > 1200
