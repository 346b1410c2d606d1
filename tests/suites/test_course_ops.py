"""Known answers of the course, given by what the shipped ops time: the texts' values in, their results out.

Each case is named by its text and by the text's own line. What a line gives in plain torch, and where a
text is wrong, is in the test file of that text.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.suites.course import timed

VIDEO, TRANSCRIPT, SLIDES = "video", "transcript", "slides"
CS224N, NOTEBOOK = "CS224N", "notebook"

T1, T2 = torch.Tensor([0, 1, 2, 3]), torch.Tensor([4, 5, 6, 7])
ROWS = torch.Tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
TWO_ROWS = torch.tensor([[1, 2, 3], [4, 5, 6]])
ONES = torch.ones(4, 4)
X = torch.tensor([[0.0799, -1.5639], [-0.3006, -1.6935]])
C = torch.tensor(
    [[-0.4912, -0.0591, -1.5653, 0.4258, -1.4818], [-0.4766, 0.2480, 0.1559, -0.1607, 0.4172]]
)
W = torch.tensor(
    [[0.7536, 0.0727, 0.6463, 0.9804, 0.9441], [0.4921, 0.6659, 0.0310, 0.3406, 0.7438]]
)
EVERY, FIRST = slice(None), slice(0, 1)
PRINTED = 1e-4
"""One of the last digit that torch prints."""

KNOWN: list[tuple[str, str, str, tuple[Any, ...], Any]] = [
    (VIDEO, "tensor.shape", "metadata/shape", (torch.rand(3, 4),), (3, 4)),
    (VIDEO, "tensor.dtype", "metadata/dtype", (torch.rand(3, 4), "dtype"), torch.float32),
    (VIDEO, "tensor.device", "metadata/device", (ONES, "device"), torch.device("cpu")),
    (VIDEO, "tensor.T", "view/T", (TWO_ROWS,), [[1, 4], [2, 5], [3, 6]]),
    (TRANSCRIPT, "x + 10", "elementwise/add_scalar", (torch.tensor(5.5), 10), 15.5),
    (TRANSCRIPT, "x.requires_grad", "metadata/requires_grad", (torch.tensor(5.5),), False),
    (SLIDES, "torch.Tensor(l)", "creation/tensor_class", ([0, 1, 2, 3],), [0.0, 1.0, 2.0, 3.0]),
    (SLIDES, "t.item()", "interop/item", (torch.tensor(5),), 5),
    (SLIDES, "t.tolist()", "interop/tolist", (T1,), [0.0, 1.0, 2.0, 3.0]),
    (SLIDES, "t1 * t2", "loop/tensor_mul", (T1, T2), [0.0, 5.0, 12.0, 21.0]),
    (SLIDES, "out[i] = a[i] * b[i]", "loop/list_loop", ([0, 1, 2], [4, 5, 6]), [0, 5, 12]),
    (SLIDES, "t1 + t2", "elementwise/add", (T1, T2), [4.0, 6.0, 8.0, 10.0]),
    (SLIDES, "t1 - t2", "elementwise/sub", (T1, T2), [-4.0, -4.0, -4.0, -4.0]),
    (SLIDES, "t1 / t2", "elementwise/div", (T1, T2), [0.0, 0.2, 1 / 3, 3 / 7]),
    (SLIDES, "t1 ** t2", "elementwise/pow", (T1, T2), [0.0, 1.0, 64.0, 2187.0]),
    (SLIDES, "t * 4", "mul/scalar", (torch.Tensor([1, 2, 3]), 4), [4.0, 8.0, 12.0]),
    (SLIDES, "torch.mm(a, a)", "products/mm", (ROWS[:2, :2], ROWS[:2, :2]), [[9, 12], [24, 33]]),
    (SLIDES, "t.sum()", "reduction/sum", (torch.Tensor([1, 2, 3]),), 6.0),
    (SLIDES, "t.mean()", "reduction/mean", (torch.Tensor([1, 2, 3]),), 2.0),
    (SLIDES, "t.abs()", "elementwise/abs", (torch.Tensor([-1, -2, 3]),), [1.0, 2.0, 3.0]),
    (SLIDES, "torch.norm(t)", "spread/norm", (torch.Tensor([-1, -2, 3]),), 14**0.5),
    (SLIDES, "torch.zeros((5, 10))", "creation/zeros", ((5, 10),), [[0.0] * 10] * 5),
    (SLIDES, "torch.ones((5, 10))", "creation/ones", ((5, 10),), [[1.0] * 10] * 5),
    (SLIDES, "t.type(torch.float32)", "metadata/type", (TWO_ROWS, torch.float32), [[1, 2, 3], [4, 5, 6]]),
    (SLIDES, "t.shape", "metadata/shape", (torch.arange(100).reshape(4, 25),), (4, 25)),
    (SLIDES, "t[0]", "indexing/row", (ROWS, 0), [1.0, 2.0, 3.0]),
    (SLIDES, "t[-1]", "indexing/row", (ROWS, -1), [7.0, 8.0, 9.0]),
    (SLIDES, "t[0:1]", "indexing/block", (ROWS, FIRST), [[1.0, 2.0, 3.0]]),
    (SLIDES, "t[:, 0:1]", "indexing/block", (ROWS, (EVERY, FIRST)), [[1.0], [4.0], [7.0]]),
    (
        SLIDES,
        "t[:, 0:1] = 4",
        "indexing/assign_block",
        (ROWS.clone(), (EVERY, FIRST), 4),
        [[4.0, 2.0, 3.0], [4.0, 5.0, 6.0], [4.0, 8.0, 9.0]],
    ),
    (CS224N, "rr + 2", "elementwise/add_scalar", (torch.arange(1, 4), 2), [3, 4, 5]),
    (CS224N, "data.sum(dim=0)", "reduction/sum_columns", (TWO_ROWS,), [5, 7, 9]),
    (CS224N, "data.sum(dim=1)", "reduction/sum_rows", (TWO_ROWS,), [6, 15]),
    (
        CS224N,
        "matr[[0, 2, 4]]",
        "indexing/rows_by_list",
        (torch.arange(1, 16).view(5, 3),),
        [[1, 2, 3], [7, 8, 9], [13, 14, 15]],
    ),
    (CS224N, "tensor(1.).item()", "interop/item", (torch.tensor(1.0),), 1.0),
    (CS224N, "batch + bias", "broadcast/bias", (TWO_ROWS, torch.tensor([1, 0, 1])), [[2, 2, 4], [5, 5, 7]]),
    (
        CS224N,
        "jagged lists padded",
        "nn/pad_sequence",
        ([torch.tensor([1, 2, 3]), torch.tensor([4, 5])],),
        [[1, 2, 3], [4, 5, 0]],
    ),
    (NOTEBOOK, "t.numpy()", "interop/numpy", (TWO_ROWS,), [[1, 2, 3], [4, 5, 6]]),
    (NOTEBOOK, "x.ndim", "metadata/ndim", (X,), 2),
    (NOTEBOOK, "x.view(-1)", "view/view_infer", (X,), [0.0799, -1.5639, -0.3006, -1.6935]),
    (NOTEBOOK, "torch.manual_seed(2)", "creation/seeded", (2, 3), [0.6147, 0.3810, 0.6371]),
    (NOTEBOOK, "torch.dot(a, b)", "products/dot", (torch.tensor([2, 3]), torch.tensor([2, 1])), 7),
    (NOTEBOOK, "sigmoid(i)", "activation/sigmoid_by_hand", (torch.zeros(2),), [0.5, 0.5]),
    (NOTEBOOK, "torch.sigmoid(i)", "activation/sigmoid", (torch.zeros(2),), [0.5, 0.5]),
    (NOTEBOOK, "z + b", "broadcast/unit", (X.round(), torch.tensor([[1.0]])), [[1, -1], [1, -1]]),
    (
        NOTEBOOK,
        "column * row",
        "broadcast/outer",
        (torch.tensor([[1], [2], [3]]), torch.tensor([[10, 20]])),
        [[10, 20], [20, 40], [30, 60]],
    ),
    (
        NOTEBOOK,
        "sigmoid(torch.mm(c, w.T) + b)",
        "nn/sigmoid_layer",
        (C, W, torch.tensor([2, 1])),
        [[0.4091, 0.4288], [0.8804, 0.7669]],
    ),
]  # fmt: skip


def leaf(*values: float) -> torch.Tensor:
    """Values that gradients are wanted for."""
    return torch.tensor(values, dtype=torch.float32, requires_grad=True)


def plain(value: Any) -> Any:
    """Tensors and arrays as lists of numbers."""
    return value.tolist() if isinstance(value, torch.Tensor | np.ndarray) else value


@pytest.mark.parametrize(
    ("op", "args", "expected"),
    [
        pytest.param(op, args, answer, id=f"{text}: {code}")
        for text, code, op, args, answer in KNOWN
    ],
)
def test_an_op_gives_what_the_text_shows(op: str, args: tuple[Any, ...], expected: Any) -> None:
    """The text's values through the op's own function give the text's result, or the true one."""
    found = plain(timed(op, *args))
    if isinstance(expected, list) and isinstance(expected[0], list):
        np.testing.assert_allclose(found, expected, atol=PRINTED)
    elif isinstance(expected, float | list):
        assert found == pytest.approx(expected, abs=PRINTED)
    else:
        assert found == expected


@pytest.mark.parametrize(("dim", "shape"), [("0", (12, 4)), ("1", (4, 12))])
def test_three_matrices_are_joined(dim: str, shape: tuple[int, int]) -> None:
    """The video: torch.cat([tensor, tensor, tensor], dim=…)."""
    assert timed("cat/three", [ONES, ONES, ONES], dim=dim).shape == shape


def test_random_numbers_take_a_shape_or_a_dtype() -> None:
    """The video: torch.rand((2, 3,)), torch.rand_like(x_data, dtype=torch.float)."""
    assert timed("creation/rand_shape", (2, 3)).shape == (2, 3)
    liked = timed("like/rand_like_dtype", torch.tensor([[1, 2], [3, 4]]), dtype="float32")
    assert (liked.shape, liked.dtype) == ((2, 2), torch.float32)


@pytest.mark.parametrize(
    ("op", "at", "slope"),
    [
        ("polynomial", 1, 31),
        ("polynomial", 2, 14),
        ("chain", 1, 15),
        ("accumulate", 2, 24),
        ("zeroed", 2, 12),
        ("retain_graph", 2, 24),
    ],
)
def test_an_op_has_the_slope(op: str, at: float, slope: float) -> None:
    """The transcript: 31, 14 and 15; CS224N: 24, or 12 if cleared."""
    assert timed(f"autograd/{op}", leaf(at)).tolist() == [slope]


def test_the_network_has_both_slopes() -> None:
    """The transcript: 44 and -6."""
    assert [one.item() for one in timed("autograd/four_nodes", leaf(2), leaf(3))] == [44, -6]


@pytest.mark.parametrize("op", ["requires_grad", "no_grad"])
def test_the_polynomial_has_its_value(op: str) -> None:
    """The transcript: -8 at 2, with a graph or without."""
    y = timed(f"graph/{op}", leaf(2))
    assert y.tolist() == [-8]
    assert y.requires_grad is (op == "requires_grad")


def test_linear_gives_2x3x2() -> None:
    """CS224N: nn.Linear(4, 2) of 2x3x4."""
    assert timed("nn/linear_small").shape == (2, 3, 2)


def test_ten_training_steps_lower_the_loss() -> None:
    """CS224N: its loop, each epoch by the function that is timed."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 5), nn.Sigmoid())
    y = torch.ones(10, 5)
    x = y + torch.randn_like(y)
    weights = list(model.parameters())
    adam = torch.optim.Adam(weights, lr=1e-1)
    given = model, adam, nn.BCELoss(), x, y, weights
    losses = [timed("training/train_step", *given)[0].item() for _ in range(10)]
    assert all(later < earlier for earlier, later in pairwise(losses))


def test_dot_refuses_matrices() -> None:
    """The notebook: the RuntimeError that it prints."""
    with pytest.raises(RuntimeError, match="1D tensors expected, but got 2D and 2D tensors"):
        timed("products/dot", W, C.T)


def test_an_expanded_row_takes_no_memory() -> None:
    """The notebook: the smaller tensor is stretched in words only."""
    row = torch.ones(1, 5)
    assert timed("broadcast/expand", row, 1000, 5).data_ptr() == row.data_ptr()
