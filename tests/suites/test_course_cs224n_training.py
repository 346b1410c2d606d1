"""Known answers of "CS224N PyTorch Tutorial" on gradients and training, and where it is wrong."""

from __future__ import annotations

import weakref
from itertools import pairwise

import pytest
import torch
from torch import nn

EPOCHS = 10
SEEDS = pytest.mark.parametrize("seed", range(3))


class Kept:
    """A tensor that a graph has saved for its backward."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor.detach()


def trained(seed: int, *, zeroed: bool = True) -> tuple[list[float], list[float]]:
    """Losses and sizes of a gradient in the text's loop, on dummy data: a perceptron of 5, 3, 5."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 5), nn.Sigmoid())
    y = torch.ones(10, 5)
    x = y + torch.randn_like(y)
    adam = torch.optim.Adam(model.parameters(), lr=1e-1)
    loss_function = nn.BCELoss()
    losses, sizes = [], []
    for _ in range(EPOCHS):
        if zeroed:
            adam.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        adam.step()
        losses.append(loss.item())
        gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
        sizes.append(torch.cat(gradients).norm().item())
    return losses, sizes


def saved(alive: weakref.WeakSet[Kept]) -> torch.Tensor:
    """A loss whose graph has saved two tensors, which `alive` counts."""

    def pack(tensor: torch.Tensor) -> Kept:
        kept = Kept(tensor)
        alive.add(kept)
        return kept

    x = torch.ones(3, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept.tensor):
        return x.exp().tanh().sum()


def test_gradients_add_up() -> None:
    """CS224N: 12, then 24 for the same again, then, as it says, 36."""
    x = torch.tensor([2.0], requires_grad=True)
    printed = []
    for _ in range(3):
        y = x * x * 3
        y.backward()  # type: ignore[no-untyped-call]
        printed.append(str(x.grad))
    assert printed == ["tensor([12.])", "tensor([24.])", "tensor([36.])"]


def test_gradients_set_aside_do_not_add_up() -> None:
    """CS224N: cleared before each backward, the gradient is 12 each time."""
    x = torch.tensor([2.0], requires_grad=True)
    for _ in range(3):
        x.grad = None
        (x * x * 3).backward()  # type: ignore[no-untyped-call]
    assert str(x.grad) == "tensor([12.])"


def test_linear_changes_the_last_size() -> None:
    """CS224N: nn.Linear(4, 2) makes 2x3x2 of 2x3x4, with weights of its own."""
    linear = nn.Linear(4, 2)
    x = torch.rand(2, 3, 4)
    assert linear(x).shape == (2, 3, 2)
    assert (linear.weight.shape, linear.bias.shape) == ((2, 4), (2,))
    torch.testing.assert_close(linear(x), x @ linear.weight.T + linear.bias)


@SEEDS
def test_the_training_loss_falls(seed: int) -> None:
    """CS224N prints 0.6496 falling to 0.0014; without its seed, only the fall holds."""
    losses, _ = trained(seed)
    assert len(losses) == EPOCHS
    assert all(later < earlier for earlier, later in pairwise(losses))


def test_the_printed_losses_depend_on_the_seed() -> None:
    """CS224N gives first and last loss, but not the seed that makes them so."""
    ends = [(losses[0], losses[-1]) for losses, _ in (trained(seed) for seed in range(3))]
    assert len({(round(a, 2), round(b, 2)) for a, b in ends}) == 3


@SEEDS
def test_the_loss_also_falls_without_zeroing(seed: int) -> None:
    """CS224N says it will oscillate or explode; in its own loop it falls as well."""
    losses, _ = trained(seed, zeroed=False)
    assert all(later < earlier for earlier, later in pairwise(losses))
    assert losses != trained(seed)[0]


def test_gradients_left_standing_do_not_grow_by_equal_steps() -> None:
    """CS224N says linearly; that needs weights that stay, as in 12, 24, 36."""
    _, sizes = trained(0, zeroed=False)
    steps = [later - earlier for earlier, later in pairwise(sizes)]
    assert max(steps) > 2 * min(steps)


def test_a_kept_loss_keeps_its_graphs_tensors_until_backward() -> None:
    """CS224N says that it leaks memory; backward() frees what the graph saved."""
    alive: weakref.WeakSet[Kept] = weakref.WeakSet()
    loss = saved(alive)
    assert len(alive) == 2
    loss.backward()  # type: ignore[no-untyped-call]
    assert len(alive) == 0
    assert loss.grad_fn is not None


def test_item_lets_go_of_the_graph() -> None:
    """CS224N: a number holds no graph, as where no backward() comes."""
    alive: weakref.WeakSet[Kept] = weakref.WeakSet()
    kept = [saved(alive)]
    assert len(alive) == 2
    numbers = [loss.item() for loss in kept]
    kept.clear()
    assert len(alive) == 0
    assert isinstance(numbers[0], float)


def test_layers_can_be_one_sequence() -> None:
    """CS224N: Linear, ReLU, Linear, Sigmoid in nn.Sequential, in that order."""
    torch.manual_seed(0)
    first, second = nn.Linear(5, 3), nn.Linear(3, 5)
    x = torch.rand(10, 5)
    model = nn.Sequential(first, nn.ReLU(), second, nn.Sigmoid())
    torch.testing.assert_close(model(x), torch.sigmoid(second(torch.relu(first(x)))))
    assert len(list(model.parameters())) == 4
