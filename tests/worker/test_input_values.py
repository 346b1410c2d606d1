"""Can a right result show anything? Inputs that are constant, or not finite, and those that only look like it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from bench.plan.case import Call, Like
from bench.worker.input_values import doubt, input_ranges
from bench.worker.tensor_tree import for_reference

N = 6
VARIED = torch.arange(1.0, N + 1)
ZEROS, ONES = torch.zeros(N), torch.ones(N)
PLACES = torch.tensor([5, 0, 1, 2, 4, 3])
HOLE = torch.tensor([1.0, math.nan, 2.0])
MASK = torch.tensor([0.0, -math.inf, 0.0])
SHOWS_NOTHING = ", so that a right result shows nothing"


def said(call: Call, expected: Any = None) -> str:
    """What is said of a right result of this call; its expected result is the call's own, unless it is given."""
    args, kwargs = for_reference(call.args), for_reference(call.kwargs)
    found = input_ranges(args, kwargs)
    return doubt(found, call() if expected is None else expected)


@pytest.mark.parametrize(
    ("call", "seen"),
    [
        (Call(torch.neg, ZEROS), "0"),
        (Call(torch.neg, -ZEROS), "0"),
        (Call(torch.add, ONES, ONES), "1"),
        (Call(torch.add, ONES, 2.5 * ONES, alpha=3), "1 or 2.5"),
        (Call(torch.add, ZEROS, torch.tensor(3.0)), "0"),
        (Call(torch.cumsum, ONES, dim=0), "1"),
        (Call(torch.cat, [ZEROS, ZEROS]), "0"),
        (Call(lambda pair: pair["x"], {"x": ONES.to(torch.bfloat16)}), "1"),
        (Call(torch.neg, torch.full((N,), math.inf)), "inf"),
        (Call(torch.neg, torch.full((N,), 1 + 2j)), "1+2j"),
        (Call(torch.neg, torch.full((N,), 1 + 2j).conj()), "1-2j"),
        (Call(torch.neg, torch.full((N,), 1 + 0j)), "1"),
        (Call(torch.logical_not, ZEROS.bool()), "0"),
        (Call(torch.neg, torch.full((N,), -7)), "-7"),
        (Call(torch.clone, ONES.to(torch.uint16)), "1"),
        (Call(torch.neg, torch.zeros(3, 2).t()), "0"),
        (Call(torch.neg, torch.ones(1).expand(N)), "1"),
        (Call(torch.neg, torch.zeros(1)), "0"),
        (Call(torch.neg, torch.tensor(0.0)), "0"),
        (Call(torch.tensor, np.zeros(N)), "0"),
        (Call(torch.tensor, np.full(N, 2j)), "0+2j"),
        (Call(torch.tensor, [0.0] * N), "0"),
        (Call(torch.tensor, [[0] * N] * 2), "0"),
        (Call(torch.tensor, [1.5] * N), "1.5"),
        (Call(torch.mul, ONES, ONES, out=torch.rand(N)), "1"),
        (Call(torch.Tensor.zero_, ONES.clone()), "1"),
    ],
)
def test_inputs_of_one_value_show_nothing(call: Call, seen: str) -> None:
    """However they are nested, typed and laid out in memory; what was seen is said."""
    assert said(call) == f"every input is {seen} throughout{SHOWS_NOTHING}"


def test_many_values_are_not_named() -> None:
    """A note is a sentence."""
    pieces = [torch.full((2,), float(number)) for number in range(4)]
    assert said(Call(torch.cat, pieces)) == f"every input has one value throughout{SHOWS_NOTHING}"
    assert said(Call(torch.cat, pieces[:3])).startswith("every input is 0 or 1 or 2 throughout")


@pytest.mark.parametrize(
    "call",
    [
        Call(torch.neg, VARIED),
        Call(torch.neg, VARIED + 1j),
        Call(torch.neg, torch.complex(ONES, VARIED)),
        Call(torch.mul, VARIED, ONES),
        Call(torch.addcmul, ZEROS, VARIED, ONES),
        Call(torch.add, VARIED, VARIED, out=torch.zeros(N)),
        Call(torch.where, VARIED > 2, ONES, ZEROS),
        Call(torch.index_select, VARIED, 0, torch.zeros(N, dtype=torch.int64)),
        Call(torch.sub, VARIED, VARIED),
        Call(torch.zeros_like, VARIED),
        Call(torch.neg, torch.tensor([0.5])),
        Call(torch.matmul, torch.tensor([[0.5]]), torch.tensor([[0.0]])),
        Call(torch.logical_not, torch.tensor([True])),
        Call(torch.neg, torch.empty(0)),
        Call(torch.cat, [torch.empty(0), VARIED]),
        Call(torch.zeros, N),
        Call(torch.zeros, (N, N)),
        Call(torch.zeros, [N, N]),
        Call(torch.full, (N,), 0.0),
        Call(torch.arange, N, out=torch.zeros(N)),
        Call(torch.tensor, [0.5]),
        Call(torch.tensor, np.arange(N)[::-1].copy()),
        Call(np.negative, np.arange(N)[::-1]),
        Call(np.char.upper, np.array(["a", "a"])),
        Call(torch.clone, VARIED.to(torch.uint32)),
        Call(torch.Tensor.to_dense, VARIED.to_sparse()),
    ],
)
def test_one_varied_input_is_enough(call: Call) -> None:
    """A mask of ones beside it does not matter; where there is no input there is none to doubt."""
    assert said(call) == ""


def test_whole_numbers_choose_places_among_equal_values() -> None:
    """So that where the result is constant too, nothing was at stake; a histogram is another matter."""
    chosen = Call(torch.index_select, ONES, 0, PLACES)
    assert said(chosen) == (
        "every input but whole numbers is 1 throughout, and the result has one value too, which shows nothing"
    )
    assert said(Call(torch.where, VARIED > 2, ZEROS, ZEROS)).startswith("every input but whole")
    assert said(Call(torch.index_add, ZEROS, 0, PLACES // 2 * 2, ONES)) == ""
    assert said(Call(torch.where, VARIED > 2, ONES, ZEROS)) == ""
    assert said(Call(torch.neg, PLACES)) == ""
    assert said(Call(torch.sub, PLACES, PLACES)) == ""


@pytest.mark.parametrize(
    "call",
    [
        Call(torch.neg, HOLE),
        Call(torch.sum, HOLE),
        Call(lambda x: x.sum().item(), HOLE),
        Call(lambda x: [3.0, x.numpy()], HOLE),
        Call(torch.add, MASK, VARIED[:3]),
        Call(torch.neg, torch.tensor([1j, complex(0, math.inf)])),
        Call(torch.tensor, [1.0, math.nan]),
        Call(torch.tensor, np.array([1.0, -math.inf])),
        Call(torch.neg, torch.full((2,), math.nan)),
    ],
)
def test_nan_that_goes_through_shows_nothing(call: Call) -> None:
    """Any NaN equals any other."""
    assert said(call).startswith("NaN or infinity is in the inputs and in the result")


@pytest.mark.parametrize(
    "call",
    [
        Call(torch.nan_to_num, HOLE),
        Call(torch.Tensor.copy_, HOLE.clone(), VARIED[:3]),
        Call(torch.softmax, MASK, 0),
        Call(torch.log, VARIED - 1),
        Call(torch.add, VARIED, VARIED, out=torch.full((N,), math.nan)),
    ],
)
def test_nan_on_one_side_alone_is_compared(call: Call) -> None:
    """Memory as it is found may hold some, and so may a mask or a result."""
    assert said(call) == ""


def test_what_is_no_number_is_not_looked_into() -> None:
    """A random result, a dtype or a text is compared as it is."""
    results: list[Any] = [Like(shape=(3,)), torch.float32, "text", [], {"dtype": torch.int8}]
    for expected in results:
        assert said(Call(torch.neg, HOLE), expected) == ""


def test_large_whole_numbers_are_told_apart() -> None:
    """float64 can't."""
    assert said(Call(torch.neg, torch.tensor([2**53, 2**53 + 1]))) == ""


def test_inputs_are_read_in_the_order_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else torch would copy them first."""
    is_in_order: list[bool] = []
    look = torch.aminmax

    def watched(array: torch.Tensor) -> object:
        is_in_order.append(array.is_contiguous())
        return look(array)

    monkeypatch.setattr(torch, "aminmax", watched)
    cube = torch.rand(3, 4, 5)
    for one in (cube, cube.permute(2, 0, 1), cube[:, 1].t(), torch.tensor(1.0)):
        input_ranges(for_reference((one,)), {})
    assert is_in_order == [True] * 4
