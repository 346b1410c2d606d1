"""Known answers of the slide deck, and what is true where it is wrong.

The slide deck: "Introduction to Pytorch: A Deep Learning Python library".
"""

from __future__ import annotations

import math
import operator
from typing import Any

import pytest
import torch

from tests.suites.course import timed

LINES = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_tensor_of_5_is_five_numbers() -> None:
    """The slide deck has torch.Tensor(5) for the number 5; that is space for five."""
    assert torch.Tensor(5).shape == (5,)
    with pytest.raises(RuntimeError, match="5 elements"):
        torch.Tensor(5).item()


def test_a_number_comes_back_by_item() -> None:
    """The slide deck: t.item(), right for torch.tensor(5), with a small t."""
    x = 5
    t = torch.tensor(x)
    assert t.item() == 5
    assert isinstance(t.item(), int)


@pytest.mark.parametrize(
    ("data", "said", "rank"),
    [(5, 1, 0), ([0, 1, 2, 3], 2, 1), (LINES, 3, 2)],
    ids=["scalar", "vector", "matrix"],
)
def test_a_rank_is_the_number_of_dimensions(data: Any, said: int, rank: int) -> None:
    """The slide deck calls scalar, vector, matrix rank 1, 2, 3; they are 0, 1, 2."""
    assert torch.tensor(data).ndim == rank == said - 1


def test_a_matrix_is_a_tensor() -> None:
    """The slide deck: three rows of four, in floats, as torch.Tensor always makes them."""
    t = torch.Tensor(LINES)
    assert t.shape == (3, 4)
    assert t.dtype == torch.float32
    assert torch.equal(timed("creation/from_list", LINES, dtype="float32"), t)


def test_a_tensor_may_hold_matrices() -> None:
    """The slide deck: a vector of matrices, a matrix of matrices."""
    assert torch.Tensor([LINES, LINES]).shape == (2, 3, 4)
    assert torch.Tensor([[LINES, LINES]]).shape == (1, 2, 3, 4)


def test_a_list_comes_back_by_tolist_as_floats() -> None:
    """The slide deck: the list goes in and out; its whole numbers come out as floats."""
    back = torch.Tensor([0, 1, 2, 3]).tolist()
    assert back == [0, 1, 2, 3]
    assert {type(one) for one in back} == {float}


def test_lists_are_not_multiplied() -> None:
    """The slide deck prints l1 * l2 of two lists; Python refuses."""
    l1: Any = [0, 1, 2, 3]
    l2: Any = [4, 5, 6, 7]
    with pytest.raises(TypeError, match="can't multiply"):
        operator.mul(l1, l2)


def test_tensors_are_multiplied_element_by_element() -> None:
    """The slide deck: print(t1 * t2)."""
    t1 = torch.Tensor([0, 1, 2, 3])
    t2 = torch.Tensor([4, 5, 6, 7])
    assert str(t1 * t2) == "tensor([ 0.,  5., 12., 21.])"
    assert torch.equal(timed("mul/matrices", t1, t2), t1 * t2)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (operator.add, [4.0, 6.0, 8.0, 10.0]),
        (operator.sub, [-4.0, -4.0, -4.0, -4.0]),
        (operator.truediv, [0.0, 0.2, 1 / 3, 3 / 7]),
        (operator.pow, [0.0, 1.0, 64.0, 2187.0]),
    ],
)
def test_other_arithmetic_is_by_element_too(how: Any, expected: list[float]) -> None:
    """The slide deck: add, subtract, divide, raise to a power."""
    t1, t2 = torch.Tensor([0, 1, 2, 3]), torch.Tensor([4, 5, 6, 7])
    assert how(t1, t2).tolist() == pytest.approx(expected)


def test_a_number_multiplies_every_element() -> None:
    """The slide deck: its question, torch.Tensor([1, 2, 3]) * 4."""
    assert (torch.Tensor([1, 2, 3]) * 4).tolist() == [4.0, 8.0, 12.0]


def test_hadamard_and_matrix_products_differ() -> None:
    """The slide deck: * by element; @ and torch.mm as matrices."""
    a = torch.Tensor([[1, 2], [3, 4]])
    assert (a * a).tolist() == [[1.0, 4.0], [9.0, 16.0]]
    assert (a @ a).tolist() == torch.mm(a, a).tolist() == [[7.0, 10.0], [15.0, 22.0]]
    assert timed("matmul/spelling", a, a, call="torch.mm").tolist() == (a @ a).tolist()


def test_t_switches_rows_and_columns() -> None:
    """The slide deck: .T of two rows of three."""
    t = torch.Tensor([[1, 2, 3], [4, 5, 6]])
    assert t.T.tolist() == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    assert torch.equal(timed("view/t", t), t.T)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (torch.Tensor([1, 2, 3]).sum(), 6),
        (torch.Tensor([1, 2, 3]).mean(), 2),
        (torch.norm(torch.Tensor([-1, -2, 3])), math.sqrt(1 + 4 + 9)),
    ],
    ids=["sum", "mean", "norm"],
)
def test_reductions_give_one_number(value: torch.Tensor, expected: float) -> None:
    """The slide deck: sum 6, mean 2, norm √14."""
    assert value.shape == ()
    assert bool(value == expected)


def test_tensors_are_compared_element_by_element() -> None:
    """The slide deck has .abs() == … as one fact; == gives an answer for each element."""
    found = torch.Tensor([-1, -2, 3]).abs()
    assert (found == torch.Tensor([1, 2, 3])).tolist() == [True, True, True]
    with pytest.raises(RuntimeError, match="ambiguous"):
        bool(found == torch.Tensor([1, 2, 3]))
    assert torch.equal(found, torch.Tensor([1, 2, 3]))


def test_arange_counts_from_0_to_9() -> None:
    """The slide deck: torch.arange(10)."""
    assert torch.arange(10).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert torch.equal(timed("creation/arange", 10, dtype="int64"), torch.arange(10))


@pytest.mark.parametrize("shape", [(2, 5), (-1, 5)], ids=str)
def test_reshape_finds_the_size_left_out(shape: tuple[int, int]) -> None:
    """The slide deck: reshape(2, 5) and reshape(-1, 5) are the same."""
    made = torch.arange(10).reshape(*shape)
    assert made.tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert torch.equal(timed("view/reshape", torch.arange(10), shape), made)


@pytest.mark.parametrize(("make", "value"), [(torch.zeros, 0), (torch.ones, 1)])
def test_filled_tensors_have_one_value(make: Any, value: float) -> None:
    """The slide deck: zeros and ones of (5, 10)."""
    assert make((5, 10)).tolist() == [[float(value)] * 10] * 5


def test_full_calls_its_value_fill_value() -> None:
    """The slide deck has torch.full((5, 10), value=15), which is refused."""
    refused: Any = torch.full
    with pytest.raises(TypeError, match="fill_value"):
        refused((5, 10), value=15)
    assert torch.full((5, 10), fill_value=15).tolist() == [[15] * 10] * 5
    assert timed("creation/full", (5, 10), 15, dtype="int64").tolist() == [[15] * 10] * 5


@pytest.mark.parametrize("make", [torch.rand, torch.randn])
def test_random_tensors_have_their_shape_mean_and_variance(make: Any) -> None:
    """The slide deck: rand is in [0, 1), randn has mean 0 and (it leaves out) variance 1."""
    torch.manual_seed(0)
    assert make((2, 3, 4)).shape == (2, 3, 4)
    many = make((100, 1000))
    mean, variance = (0.5, 1 / 12) if make is torch.rand else (0, 1)
    assert many.mean().item() == pytest.approx(mean, abs=0.02)
    assert many.var().item() == pytest.approx(variance, abs=0.02)
    is_inside = many.min().item() >= 0 and many.max().item() < 1
    assert is_inside is (make is torch.rand)


def test_dtype_is_found_and_set() -> None:
    """The slide deck: arange is int64, also called long; .type(…) makes it float32."""
    assert torch.arange(10).dtype == torch.int64 == torch.long
    assert torch.arange(10).type(torch.float32).dtype == torch.float32


@pytest.mark.parametrize(
    ("tensor", "printed"),
    [
        (torch.arange(10), "torch.Size([10])"),
        (torch.arange(100).reshape(4, 25), "torch.Size([4, 25])"),
    ],
)
def test_a_shape_is_a_size(tensor: torch.Tensor, printed: str) -> None:
    """The slide deck shows torch.size, in small letters, which does not exist."""
    assert str(tensor.shape) == printed
    assert not hasattr(torch, "size")


def test_moving_to_where_it_is_gives_the_same_tensor() -> None:
    """The slide deck: t.to("cpu") of a tensor on the CPU; nothing is moved."""
    t = torch.arange(10)
    assert t.to("cpu") is t
