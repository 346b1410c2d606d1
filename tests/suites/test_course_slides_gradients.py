"""Known answers of the slide deck from derivatives on, and what is true where it is wrong.

The slide deck: "Introduction to Pytorch: A Deep Learning Python library".
"""

from __future__ import annotations

import pytest
import torch

from tests.suites.course import timed

ROWS = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_the_gradient_is_every_derivative() -> None:
    """The slide deck: F(x, y) = x²y²; at (2, 3) its derivatives are 36 and 24."""
    x = torch.tensor(2.0, requires_grad=True)
    y = torch.tensor(3.0, requires_grad=True)
    (x**2 * y**2).backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert y.grad is not None
    assert (x.grad.item(), y.grad.item()) == (2 * 2 * 3**2, 2 * 2**2 * 3)


def test_the_gradient_of_a_sum_of_squares_is_2x() -> None:
    """The slide deck: its question about [10, 12, 14, 16]."""
    x = torch.Tensor([10, 12, 14, 16]).requires_grad_()
    z = x * x
    z = torch.sum(z)
    z.backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert x.grad.tolist() == [20.0, 24.0, 28.0, 32.0]
    assert z.item() == 10**2 + 12**2 + 14**2 + 16**2


def test_backward_without_a_slope_takes_a_scalar() -> None:
    """The slide deck: z = x * x has four elements, and z.backward() is refused."""
    x = torch.Tensor([10, 12, 14, 16]).requires_grad_()
    with pytest.raises(RuntimeError, match="only for scalar outputs"):
        (x * x).backward()  # type: ignore[no-untyped-call]


def test_backward_with_a_slope_takes_a_vector() -> None:
    """The slide deck says that a scalar is needed; a slope per element does as well."""
    x = torch.Tensor([10, 12, 14, 16]).requires_grad_()
    (x * x).backward(torch.ones(4))  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert x.grad.tolist() == [20.0, 24.0, 28.0, 32.0]


def test_a_derivative_of_0_lets_a_function_change() -> None:
    """The slide deck says it does not change a bit; x³ is flat at 0, and greater at 1."""
    x = torch.tensor(0.0, requires_grad=True)
    (x**3).backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert x.grad.item() == 0
    assert (x + 1) ** 3 > x**3


def test_a_positive_derivative_speaks_of_small_steps() -> None:
    """The slide deck says that the function grows; sin does at 0, but is 0 again at π."""
    x = torch.tensor(0.0, requires_grad=True)
    torch.sin(x).backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert x.grad.item() == 1
    assert torch.sin(x + 0.1) > torch.sin(x)
    assert torch.sin(x + 4) < torch.sin(x)


def test_one_row_is_broadcast_over_two() -> None:
    """The slide deck: (1, 5) times (2, 5)."""
    row = torch.tensor([[1, 2, 3, 4, 5]])
    rows = torch.tensor([[1, 2, 3, 4, 5], [4, 5, 6, 7, 8]])
    assert (row * rows).tolist() == [[1, 4, 9, 16, 25], [4, 10, 18, 28, 40]]
    assert torch.equal(timed("mul/broadcast", row, rows), row * rows)


def test_broadcasting_duplicates_nothing() -> None:
    """The slide deck says that the row is duplicated; both rows are one, in one memory."""
    row = torch.tensor([[1, 2, 3, 4, 5]])
    seen = row.expand(2, 5)
    assert seen.tolist() == [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]
    assert seen.stride() == (0, 1)
    assert seen.data_ptr() == row.data_ptr()


@pytest.mark.parametrize(("which", "line"), [(0, [1, 2, 3]), (-1, [7, 8, 9]), (2, [7, 8, 9])])
def test_a_line_is_picked(which: int, line: list[float]) -> None:
    """The slide deck: t[0] is the first line, t[-1] and t[2] the last."""
    assert torch.Tensor(ROWS)[which].tolist() == line


def test_0_to_1_is_one_line() -> None:
    """The slide deck says that t[0:1] is two lines; it is one, and t[0:2] is two."""
    t = torch.Tensor(ROWS)
    assert t[0:1].tolist() == [[1, 2, 3]]
    assert t[0:2].tolist() == [[1, 2, 3], [4, 5, 6]]


def test_0_to_1_is_one_column() -> None:
    """The slide deck says that t[:, 0:1] is two columns; t[:, 0:2] is."""
    t = torch.Tensor(ROWS)
    assert t[:, 0:1].tolist() == [[1], [4], [7]]
    assert t[:, 0:2].tolist() == [[1, 2], [4, 5], [7, 8]]


def test_0_to_1_is_one_column_to_write() -> None:
    """The slide deck says that t[:, 0:1] = 4 sets two columns; it sets one."""
    t = torch.Tensor(ROWS)
    t[:, 0:1] = 4
    assert t.tolist() == [[4, 2, 3], [4, 5, 6], [4, 8, 9]]
