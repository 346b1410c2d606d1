"""Known answers of the notebook on seeds, its layer and broadcasting, and where it is wrong.

The notebook: "PyTorch is an open-source machine learning library".
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

C = [[-0.4912, -0.0591, -1.5653, 0.4258, -1.4818], [-0.4766, 0.2480, 0.1559, -0.1607, 0.4172]]
W = [[0.7536, 0.0727, 0.6463, 0.9804, 0.9441], [0.4921, 0.6659, 0.0310, 0.3406, 0.7438]]
FOUR_DIGITS = 5e-5
"""Half of the last digit that the text prints."""


def sigmoid(i: torch.Tensor) -> torch.Tensor:
    """The text's activation function."""
    return 1 / (1 + torch.exp(-i))


def rounded(tensor: torch.Tensor) -> list[Any]:
    """Values with four digits, as torch prints them."""
    values: list[Any] = np.round(tensor.double().numpy(), 4).tolist()
    return values


def test_a_seed_repeats_the_printed_numbers() -> None:
    """The notebook: rand(3) twice after torch.manual_seed(2), in both runs it shows."""
    for _ in range(2):
        torch.manual_seed(2)
        a = torch.rand(3)
        b = torch.rand(3)
        assert f"Tensor a: {a}" == "Tensor a: tensor([0.6147, 0.3810, 0.6371])"
        assert f"Tensor b: {b}" == "Tensor b: tensor([0.4745, 0.7136, 0.6190])"


def test_a_seed_returns_the_generator() -> None:
    """The notebook: what the notebook shows beneath torch.manual_seed(2)."""
    assert isinstance(torch.manual_seed(2), torch.Generator)


def test_a_seed_is_for_every_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The notebook says torch.cuda.manual_seed may be needed too; it is included."""
    seeds: list[int] = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeds.append)
    torch.manual_seed(2)
    assert seeds == [2]


@pytest.mark.gpu
def test_a_seed_holds_on_the_gpu() -> None:
    """The notebook: torch.manual_seed alone repeats what CUDA draws."""
    drawn = []
    for _ in range(2):
        torch.manual_seed(2)
        drawn.append(torch.rand(3, device="cuda").tolist())
    assert drawn[0] == drawn[1]


def test_the_printed_features_do_not_follow_from_the_seed() -> None:
    """The notebook prints c after seeding; its cells in order give other numbers."""
    torch.manual_seed(2)
    torch.rand(3)
    torch.rand(3)
    c = torch.randn((2, 5))
    assert c.shape == torch.tensor(C).shape == (2, 5)
    assert rounded(c)[0] == [-2.1409, -0.5534, -0.5, -0.0815, -0.1633]
    assert rounded(c) != C


def test_weights_and_bias_have_their_shapes() -> None:
    """The notebook makes w like X, a name it never sets; the features are called c."""
    c = torch.randn((2, 5))
    w = torch.rand_like(c)
    b = torch.randn(1, 1)
    assert (w.shape, b.shape) == ((2, 5), (1, 1))
    assert 0 <= w.min() <= w.max() < 1
    assert torch.tensor(W).min() >= 0


def test_the_sigmoid_by_hand_is_torchs() -> None:
    """The notebook: 1 / (1 + e⁻ⁱ)."""
    values = torch.linspace(-5, 5, 11)
    torch.testing.assert_close(sigmoid(values), torch.sigmoid(values))
    assert sigmoid(torch.zeros(1)).item() == 0.5


def test_view_and_transpose_have_one_shape() -> None:
    """The notebook: both are 5x2, as printed."""
    w = torch.tensor(W)
    shapes = w.view(5, 2).shape, w.T.shape
    assert str(shapes) == "(torch.Size([5, 2]), torch.Size([5, 2]))"


def test_view_does_not_transpose() -> None:
    """The notebook offers view in place of a transpose; it mixes up the weights."""
    w, c = torch.tensor(W), torch.tensor(C)
    assert w.T[:, 0].tolist() == w[0].tolist()
    assert w.view(5, 2)[:, 0].tolist() != w[0].tolist()
    assert not torch.allclose(c @ w.view(5, 2), c @ w.T)


def test_dot_refuses_matrices() -> None:
    """The notebook: the error it prints for torch.dot of two matrices."""
    c, w = torch.tensor(C), torch.tensor(W)
    with pytest.raises(RuntimeError, match="1D tensors expected, but got 2D and 2D tensors"):
        torch.dot(w, c.T)


def test_numpy_has_another_dot() -> None:
    """The notebook: NumPy's multiplies matrices, torch's takes vectors only."""
    c, w = torch.tensor(C), torch.tensor(W)
    np.testing.assert_allclose(np.dot(c.numpy(), w.T.numpy()), torch.mm(c, w.T), rtol=1e-5)


def test_dot_of_two_vectors_is_7() -> None:
    """The notebook: [2, 3] and [2, 1], as printed."""
    assert repr(torch.dot(torch.tensor([2, 3]), torch.tensor([2, 1]))) == "tensor(7)"


def test_mm_refuses_sizes_that_do_not_match() -> None:
    """The notebook: 2x5 times 2x5 is not possible as they stand."""
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        torch.mm(torch.tensor(C), torch.tensor(W))


def test_the_printed_layer_has_the_wrong_bias() -> None:
    """The notebook prints y of a b set anew to [2, 1] for dot, not of its bias 1.0004."""
    printed = [[0.4091, 0.4288], [0.8804, 0.7669]]
    c, w = torch.tensor(C), torch.tensor(W)
    y = sigmoid(torch.mm(c, w.T) + torch.tensor([2, 1]))
    meant = sigmoid(torch.mm(c, w.T) + torch.tensor([[1.0004]]))
    assert y.tolist() == [pytest.approx(row, abs=2 * FOUR_DIGITS) for row in printed]
    assert meant.tolist() != [pytest.approx(row, abs=0.1) for row in printed]
    assert rounded(meant) == [[0.2031, 0.4289], [0.7303, 0.767]]


@pytest.mark.parametrize(
    ("one", "other"), [((2, 5), (5,)), ((2, 5), ()), ((3, 1, 5), (2, 1))], ids=str
)
def test_a_dimension_that_is_not_there_is_broadcast(
    one: tuple[int, ...], other: tuple[int, ...]
) -> None:
    """The notebook wants each dimension equal or 1; one that is missing counts as 1."""
    total = torch.ones(one) + torch.ones(other)
    assert bool((total == 2).all())
    assert total.ndim == len(one)


def test_both_sides_may_be_expanded() -> None:
    """The notebook says that the smaller meets the larger; a column and a row both grow."""
    column, row = torch.tensor([[1], [2], [3]]), torch.tensor([[10, 20]])
    assert (column * row).tolist() == [[10, 20], [20, 40], [30, 60]]


def test_other_sizes_are_refused() -> None:
    """The notebook: neither equal nor 1."""
    with pytest.raises(RuntimeError, match="must match"):
        torch.ones(2, 5) + torch.ones(3, 5)


def test_an_expanded_tensor_has_the_memory_of_the_small_one() -> None:
    """The notebook: no larger tensor is made of the smaller."""
    row = torch.ones(1, 5)
    seen = row.expand(1000, 5)
    assert seen.untyped_storage().nbytes() == row.untyped_storage().nbytes() == 20
