"""Known answers of "CS224N PyTorch Tutorial" up to reductions and padding, and where it is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.suites.course import timed


def test_a_nested_list_has_two_rows() -> None:
    """CS224N: torch.tensor([[1, 2, 3], [4, 5, 6]]) is 2x3."""
    data = [[1, 2, 3], [4, 5, 6]]
    assert torch.tensor(data).shape == (2, 3)
    assert timed("creation/from_list", data, dtype="int64").tolist() == data


def test_a_dtype_can_be_given() -> None:
    """CS224N: [[1, 2], [3, 4]] as float32 prints with points."""
    data = [[1, 2], [3, 4]]
    made = torch.tensor(data, dtype=torch.float32)
    assert str(made) == "tensor([[1., 2.],\n        [3., 4.]])"
    assert torch.equal(timed("creation/from_list", data, dtype="float32"), made)


def test_filled_tensors_have_their_shapes() -> None:
    """CS224N: zeros of 2x5, ones of 3x4."""
    assert torch.zeros((2, 5)).tolist() == [[0.0] * 5] * 2
    assert torch.ones((3, 4)).tolist() == [[1.0] * 4] * 3


def test_arange_stops_before_its_end() -> None:
    """CS224N: torch.arange(1, 10), and rr + 2."""
    rr = torch.arange(1, 10)
    assert str(rr) == "tensor([1, 2, 3, 4, 5, 6, 7, 8, 9])"
    assert str(rr + 2) == "tensor([ 3,  4,  5,  6,  7,  8,  9, 10, 11])"


@pytest.mark.parametrize("call", ["@", "Tensor.matmul"])
def test_3x2_times_2x4_is_3x4(call: str) -> None:
    """CS224N: a.matmul(b), or a @ b."""
    a, b = torch.rand(3, 2), torch.rand(2, 4)
    assert a.matmul(b).shape == (a @ b).shape == (3, 4)
    assert torch.equal(timed("matmul/spelling", a, b, call=call), a @ b)


def test_a_vector_is_viewed_as_five_rows() -> None:
    """CS224N: 1 to 15 by rr.view(5, 3)."""
    rr = torch.arange(1, 16)
    assert rr.shape == (15,)
    rows = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12], [13, 14, 15]]
    assert rr.view(5, 3).tolist() == rows
    assert timed("view/view", rr, (5, 3)).tolist() == rows


def test_an_array_goes_in_as_a_copy_and_comes_out_shared() -> None:
    """CS224N: torch.tensor(arr), then data.numpy(); only the second shares."""
    arr = np.array([[1, 0, 5]])
    data = torch.tensor(arr)
    new_arr = data.numpy()
    arr[0, 1] = 7
    assert new_arr.tolist() == [[1, 0, 5]]
    data[0, 1] = 9
    assert new_arr.tolist() == [[1, 9, 5]]
    assert timed("creation/copy_numpy", np.array([[1, 0, 5]])).tolist() == [[1, 0, 5]]


@pytest.mark.parametrize(("dim", "shape"), [(0, (7,)), (1, (5,))])
def test_the_dimension_summed_over_is_gone(dim: int, shape: tuple[int]) -> None:
    """CS224N: of 5x7, dim=0 leaves the 7 column sums, dim=1 the 5 row sums."""
    data = torch.arange(35).view(5, 7)
    assert data.sum(dim=dim).shape == shape
    assert data.sum(dim=dim).tolist() == data.numpy().sum(axis=dim).tolist()


def test_a_list_of_rows_is_picked() -> None:
    """CS224N: matr[[0, 2, 4]] of 5x3 is 3x3."""
    matr = torch.arange(1, 16).view(5, 3)
    assert matr[[0, 2, 4]].tolist() == [[1, 2, 3], [7, 8, 9], [13, 14, 15]]


def test_a_scalar_has_no_shape() -> None:
    """CS224N calls tensor(1.) 1x1; it has no dimension. item() takes either."""
    assert torch.tensor(1.0).shape == ()
    assert torch.tensor(1.0).item() == torch.tensor([[1.0]]).item() == 1.0
    assert isinstance(torch.tensor(1.0).item(), float)


def test_a_bias_is_added_to_a_whole_batch() -> None:
    """CS224N: one vector to every row of every matrix, without copies of it."""
    bias = torch.tensor([1.0, 2.0])
    batch = torch.zeros(4, 3, 2) + bias
    assert batch.tolist() == [[[1.0, 2.0]] * 3] * 4
    assert bias.expand(4, 3, 2).data_ptr() == bias.data_ptr()


def test_batches_of_products_are_broadcast() -> None:
    """CS224N: also in batched matrix multiplications."""
    assert (torch.rand(2, 1, 3, 4) @ torch.rand(5, 4, 2)).shape == (2, 5, 3, 2)


def test_a_wrong_shape_may_pass_unseen() -> None:
    """CS224N: shapes broadcast without a word; a column less a row is a matrix."""
    assert (torch.ones(3, 1) - torch.ones(3)).shape == (3, 3)


def test_jagged_lists_are_refused() -> None:
    """CS224N says an error or a slow fallback; there is no fallback."""
    jagged: Any = [[1, 2, 3], [4, 5]]
    with pytest.raises(ValueError, match="expected sequence of length 3"):
        torch.tensor(jagged)


def test_jagged_lists_are_padded() -> None:
    """CS224N: with zeros, to the longest."""
    pieces = [torch.tensor([1, 2, 3]), torch.tensor([4, 5])]
    padded = nn.utils.rnn.pad_sequence(pieces, batch_first=True)
    assert padded.tolist() == [[1, 2, 3], [4, 5, 0]]


def test_jagged_rows_have_a_tensor_of_their_own() -> None:
    """CS224N says that all must be rectangular; a nested tensor need not."""
    pieces = [torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 5.0])]
    nested = torch.nested.nested_tensor(pieces, layout=torch.jagged)
    assert [one.tolist() for one in (nested * 2).unbind()] == [[2.0, 4.0, 6.0], [8.0, 10.0]]
