"""Known answers of the notebook up to its gradients, and where it is wrong.

The notebook: "PyTorch is an open-source machine learning library".
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.autograd import Variable

from tests.suites.course import timed

N = [[1.44168481, -0.86868425]]
X = [[0.0799, -1.5639], [-0.3006, -1.6935]]


def test_a_tensor_of_two_rows_prints_so() -> None:
    """The notebook: t, and its shape."""
    t = torch.tensor([[1, 2, 3], [4, 5, 6]])
    assert repr(t) == "tensor([[1, 2, 3],\n        [4, 5, 6]])"
    assert repr(t.shape) == "torch.Size([2, 3])"


def test_t_flips_a_matrix_over_its_diagonal() -> None:
    """The notebook: t.t() prints three rows of two."""
    t = torch.tensor([[1, 2, 3], [4, 5, 6]])
    assert repr(t.t()) == "tensor([[1, 4],\n        [2, 5],\n        [3, 6]])"
    assert torch.equal(timed("view/t", t), t.t())
    assert torch.equal(timed("view/transpose", t, 0, 1), t.t())


def test_zeros_print_with_points() -> None:
    """The notebook: torch.zeros(3, 3)."""
    row = "[0., 0., 0.]"
    assert repr(torch.zeros(3, 3)) == f"tensor([{row},\n        {row},\n        {row}])"


def test_an_array_becomes_a_tensor_of_float64() -> None:
    """The notebook: what it prints of torch.from_numpy(n), and both types."""
    n = np.array(N)
    t = torch.from_numpy(n)
    assert str(t) == "tensor([[ 1.4417, -0.8687]], dtype=torch.float64)"
    assert str(type(n)) == "<class 'numpy.ndarray'>"
    assert str(type(t)) == "<class 'torch.Tensor'>"
    assert n.shape == (1, 2)
    assert torch.equal(timed("creation/from_numpy", n), t)


def test_a_tensor_becomes_an_array() -> None:
    """The notebook: t.numpy() prints the numbers of the array it came from."""
    n = np.array(N)
    n1 = torch.from_numpy(n).numpy()
    assert str(n1) == "[[ 1.44168481 -0.86868425]]"
    assert repr(n) == "array([[ 1.44168481, -0.86868425]])"
    assert str(type(n1)) == "<class 'numpy.ndarray'>"


def test_nothing_is_copied_there_or_back() -> None:
    """The notebook: array, tensor and array are one memory."""
    n = np.array(N)
    t = torch.from_numpy(n)
    n1 = t.numpy()
    n[0, 0] = 7
    assert t[0, 0] == 7
    assert n1[0, 0] == 7


def test_a_tensor_with_gradients_is_no_array() -> None:
    """The notebook says that any tensor becomes an array; one that needs gradients does not."""
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    with pytest.raises(RuntimeError, match="requires grad"):
        a.numpy()
    assert a.detach().numpy().tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_shape_and_dimensions_of_a_matrix() -> None:
    """The notebook: of torch.randn(2, 2), as printed."""
    x = torch.randn(2, 2)
    assert f"Shape of x: {x.shape}" == "Shape of x: torch.Size([2, 2])"
    assert x.ndim == 2


@pytest.mark.parametrize(
    ("sizes", "printed", "dimensions"),
    [
        ((4,), "tensor([ 0.0799, -1.5639, -0.3006, -1.6935])", 1),
        ((-1, 2), "tensor([[ 0.0799, -1.5639],\n        [-0.3006, -1.6935]])", 2),
    ],
    ids=["x.view(4)", "x.view(-1, 2)"],
)
def test_view_prints_the_same_numbers(
    sizes: tuple[int, ...], printed: str, dimensions: int
) -> None:
    """The notebook: y of four numbers, z of 2x2 with a size inferred."""
    x = torch.tensor(X)
    assert str(x.view(*sizes)) == printed
    assert x.view(*sizes).ndim == dimensions
    assert torch.equal(timed("view/view", x, sizes), x.view(*sizes))


def test_view_is_a_method() -> None:
    """The notebook names it torch.view, which does not exist."""
    assert not hasattr(torch, "view")
    assert hasattr(torch.Tensor, "view")


def test_view_does_not_resize() -> None:
    """The notebook says resize; the number of elements must stay."""
    with pytest.raises(RuntimeError, match="invalid for input of size 4"):
        torch.tensor(X).view(5)


def test_a_tensor_with_gradients_says_so() -> None:
    """The notebook: print(a)."""
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert str(a) == "tensor([[1., 2.],\n        [3., 4.]], requires_grad=True)"


def test_a_variable_is_a_tensor() -> None:
    """The notebook imports Variable, which is a tensor's older name and not needed."""
    old: Any = Variable
    a = old(torch.Tensor([[1, 2], [3, 4]]), requires_grad=True)
    assert type(a) is torch.Tensor
    assert a.requires_grad


def test_cubes_add_up_to_100() -> None:
    """The notebook: torch.sum(a**3), as printed."""
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert str(torch.sum(a**3)) == "tensor(100., grad_fn=<SumBackward0>)"


def test_the_gradient_of_cubes_is_3_times_the_squares() -> None:
    """The notebook: 3, 12, 27, 48, as printed."""
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = torch.sum(a**3)
    y.backward()  # type: ignore[no-untyped-call]
    assert a.grad is not None
    assert str(a.grad.data) == "tensor([[ 3., 12.],\n        [27., 48.]])"
    assert timed("backward/cube", a, "fresh").tolist() == [[3.0, 12.0], [27.0, 48.0]]
    assert timed("backward/cube", a, "accumulate").tolist() == [[6.0, 24.0], [54.0, 96.0]]
