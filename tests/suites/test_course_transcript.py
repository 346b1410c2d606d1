"""Known answers of the transcript, and what is true where it is wrong.

The transcript: "Foundations and Core Concepts of PyTorch".
"""

from __future__ import annotations

import numpy as np
import pytest
import torch


def y_function(val: float) -> float:
    """The text's polynomial."""
    return (val - 3) * (val - 6) * (val - 4)


def chain() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The nodes x, y and z of the text's code, each made of the one before."""
    x = torch.tensor(1.0, requires_grad=True)
    y = x**3
    return x, y, 5 * y - 4


def test_a_sum_prints_as_a_number() -> None:
    """The transcript: 5.5 and 10 make 15.5, as they do in NumPy."""
    x = torch.tensor(5.5)
    y = x + 10
    assert str(y) == "tensor(15.5000)"
    assert y.item() == np.float64(5.5) + 10


def test_one_number_is_no_vector() -> None:
    """The transcript calls torch.tensor(5.5) a vector; it has no dimension at all."""
    assert torch.tensor(5.5).ndim == 0
    assert torch.tensor([5.5]).ndim == 1


def test_gradients_are_off_unless_asked_for() -> None:
    """The transcript: requires_grad is False, until requires_grad_() sets it."""
    x = torch.tensor(5.5)
    assert x.requires_grad is False
    x.requires_grad_()
    assert x.requires_grad is True


def test_gradients_can_be_asked_for_at_once() -> None:
    """The transcript: torch.tensor(2.0, requires_grad=True) prints True."""
    assert torch.tensor(2.0, requires_grad=True).requires_grad is True


@pytest.mark.parametrize("value", [1, 3])
def test_whole_numbers_have_no_gradient(value: int) -> None:
    """The transcript speaks of the values 1 and 3; its code has 1.0 and 3.0, as it must."""
    with pytest.raises(RuntimeError, match="floating point"):
        torch.tensor(value, requires_grad=True)


def test_the_range_has_101_points() -> None:
    """The transcript: from 0 to 10; the curve meets 0 at 3, 4 and 6."""
    x_range = np.linspace(0, 10, 101)
    y_range = [y_function(i) for i in x_range]
    assert len(y_range) == 101
    assert (x_range[0], x_range[-1]) == (0, 10)
    assert [round(float(x), 6) for x, y in zip(x_range, y_range, strict=True) if abs(y) < 1e-9] == [
        3,
        4,
        6,
    ]


def test_y_at_two_prints_its_function() -> None:
    """The transcript: print(y) at x = 2 shows a value and where it came from."""
    x = torch.tensor(2.0, requires_grad=True)
    y = (x - 3) * (x - 6) * (x - 4)
    assert str(y) == "tensor(-8., grad_fn=<MulBackward0>)"


@pytest.mark.parametrize(("at", "slope"), [(1.0, 31.0), (2.0, 14.0)])
def test_the_slope_of_the_polynomial(at: float, slope: float) -> None:
    """The transcript: 31 at x = 1 and 14 at x = 2."""
    x = torch.tensor(at, requires_grad=True)
    y = (x - 3) * (x - 6) * (x - 4)
    y.backward()  # type: ignore[no-untyped-call]
    assert str(x.grad) == f"tensor({slope:.0f}.)"
    step = 1e-6
    assert (y_function(at + step) - y_function(at - step)) / (2 * step) == pytest.approx(slope)


def test_there_is_no_gradient_before_backward() -> None:
    """The transcript says 14, but its code at x = 2 ends before y.backward()."""
    x = torch.tensor(2.0, requires_grad=True)
    y = (x - 3) * (x - 6) * (x - 4)
    assert y.requires_grad
    assert x.grad is None


def test_the_chain_has_a_slope_of_15() -> None:
    """The transcript says that x.grad is 5; its code gives 5 times 3x², which is 15."""
    x, _, z = chain()
    z.backward()  # type: ignore[no-untyped-call]
    assert str(x.grad) == "tensor(15.)"


def test_the_links_of_the_chain_have_slopes_of_5_and_3() -> None:
    """The transcript: dz/dy is 5, dy/dx is 3x²; the spoken 5 is the first of them."""
    x, y, z = chain()
    (dz_dy,) = torch.autograd.grad(z, y, retain_graph=True)
    (dy_dx,) = torch.autograd.grad(y, x)
    assert (dz_dy.item(), dy_dx.item()) == (5.0, 3.0)


def test_backward_keeps_the_gradients_of_leaves() -> None:
    """The transcript says that all are updated; those between are used and dropped."""
    x, y, z = chain()
    z.backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    with pytest.warns(UserWarning, match="not a leaf"):
        assert y.grad is None


def test_a_gradient_between_is_kept_on_request() -> None:
    """The transcript: its 5 is what y keeps after retain_grad()."""
    _, y, z = chain()
    y.retain_grad()
    z.backward()  # type: ignore[no-untyped-call]
    assert y.grad is not None
    assert y.grad.item() == 5.0


def test_the_network_has_slopes_of_44_and_minus_6() -> None:
    """The transcript: two inputs, two nodes, one output."""
    x11 = torch.tensor(2.0, requires_grad=True)
    x21 = torch.tensor(3.0, requires_grad=True)
    x12 = 5 * x11 - 3 * x21
    x22 = 2 * x11**2 + 2 * x21
    y = 4 * x12 + 3 * x22
    y.backward()  # type: ignore[no-untyped-call]
    assert (str(x11.grad), str(x21.grad)) == ("tensor(44.)", "tensor(-6.)")
    assert y.item() == 46.0


def test_the_network_as_spoken_has_another_slope() -> None:
    """The transcript says 2·x11 in the second node; 44 takes the code's 2·x11²."""
    x11 = torch.tensor(2.0, requires_grad=True)
    x21 = torch.tensor(3.0, requires_grad=True)
    x22 = 2 * x11 + 2 * x21
    y = 4 * (5 * x11 - 3 * x21) + 3 * x22
    y.backward()  # type: ignore[no-untyped-call]
    assert (str(x11.grad), str(x21.grad)) == ("tensor(26.)", "tensor(-6.)")
