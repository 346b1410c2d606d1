"""A case looked at again after its timing: what its calls left of inputs and result."""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import pytest
import torch

from bench.plan.case import Call
from bench.pool.protocol import Rechecked
from bench.worker.correctness import Expectation
from bench.worker.recheck import CaseChecks

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = ("s/op", "cpu")


def values() -> torch.Tensor:
    """An input, not in order."""
    return torch.tensor([2.0, -1.0, 0.5, 1.0])


def rechecked(
    build: Callable[[], Call],
    reference: Callable[..., Any] | None = None,
    *,
    in_place: bool = False,
    calls: int = 40,
) -> Rechecked:
    """What is found of a call after it was made so often; with a reference that makes the same call if none is given."""
    first = build()
    expected = Expectation(reference=reference or first.function)
    checks = CaseChecks(perf_counter_ns)
    checks.first(KEY, first, expected)
    timed = build()
    checks.prepared(KEY, timed)
    for _ in range(calls):
        timed()
    return checks.again(KEY, timed, expected, in_place=in_place)


def test_a_call_that_leaves_its_inputs_alone_says_nothing() -> None:
    """Its result is the one that was checked, so that no reference is asked again."""
    asked: list[int] = []

    def reference(a: torch.Tensor, one: int) -> torch.Tensor:
        asked.append(one)
        return a + one

    assert rechecked(lambda: Call(torch.add, values(), 1), reference) == Rechecked()
    assert len(asked) == 1


def pop_and_push(items: list[int]) -> int:
    """Leaves the list in another order."""
    items.insert(0, items.pop())
    return len(items)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Call(torch.Tensor.mul_, values(), 0.5),
        lambda: Call(lambda x: x.copy_(x.sort().values), values()),
        lambda: Call(lambda x: x.numpy().sort(), values()),
        lambda: Call(lambda d: d["x"].data.add_(1), {"x": values()}),
        lambda: Call(pop_and_push, [1, 2, 3]),
        lambda: Call(lambda x: x.values().mul_(2), values().to_sparse().coalesce()),
    ],
    ids=["in place", "sorted", "through NumPy", "in a dict", "a list", "sparse"],
)
def test_a_call_that_changes_its_inputs_says_so(build: Callable[[], Call]) -> None:
    """However it does so: what was timed after the first call was other work."""
    assert rechecked(build).inputs_changed


def test_an_op_that_is_to_write_in_place_is_not_blamed_for_it() -> None:
    """Unless so little is left of its inputs that its result shows nothing."""
    flip = lambda: Call(torch.Tensor.mul_, values(), -1.0)  # noqa: E731
    halve = lambda: Call(torch.Tensor.mul_, values(), 0.5)  # noqa: E731
    assert not rechecked(flip, in_place=True, calls=41).inputs_changed
    assert not rechecked(halve, in_place=True).inputs_changed
    assert rechecked(halve, in_place=True, calls=400).inputs_changed


def test_memory_for_the_result_is_no_input() -> None:
    """It is there to be written to."""
    assert (
        rechecked(lambda: Call(torch.neg, values(), out=torch.zeros(4)), lambda a, **_: -a)
        == Rechecked()
    )


def test_a_result_that_was_right_at_first_only_is_wrong() -> None:
    """As of an op that answers from a cache it has spoilt."""
    count: list[int] = []

    def drifting(x: torch.Tensor) -> torch.Tensor:
        count.append(1)
        return x + (len(count) > 10)

    found = rechecked(lambda: Call(drifting, values()), lambda x: x)
    assert found.wrong
    assert not found.inputs_changed
    assert found.note == "error 0.5 is above 3.8e-06"


def test_random_results_are_compared_anew() -> None:
    """They differ from the first, and are as right."""
    assert not rechecked(lambda: Call(torch.rand_like, values()), torch.rand_like).inputs_changed


def test_fresh_inputs_are_as_they_were() -> None:
    """A call with a setup has changed nothing that matters."""
    build = lambda: Call(torch.Tensor.mul_, values(), 0.5, setup=lambda x, f: (x.clone(), f))  # noqa: E731
    assert rechecked(build, lambda x, f: x * f) == Rechecked()


def test_without_a_first_check_there_is_nothing_to_compare_with() -> None:
    """A worker that took another's place: the result is checked, and no change is claimed."""
    found = CaseChecks(perf_counter_ns).again(
        KEY, Call(torch.neg, values()), Expectation(reference=lambda a: -a), in_place=False
    )
    assert (found.wrong, found.inputs_changed) == (False, False)


def leaf() -> torch.Tensor:
    """Four numbers that collect a gradient."""
    return torch.arange(1.0, 5.0).requires_grad_()


def added_up(x: torch.Tensor) -> torch.Tensor | None:
    """Backward of x³, whose gradient is added to what earlier calls left."""
    (x**3).sum().backward()  # type: ignore[no-untyped-call]
    return x.grad


def zeroed(x: torch.Tensor) -> torch.Tensor | None:
    """Writes zeros over the gradient that is there."""
    assert x.grad is not None
    x.grad.zero_()
    return x.grad


def test_gradients_that_add_up_are_those_of_one_call_by_the_reference() -> None:
    """After many calls too; one that became wrong is wrong all the same."""
    right = rechecked(lambda: Call(added_up, leaf()), lambda x: 3 * x.numpy() ** 2)
    assert (right.wrong, right.inputs_changed) == (False, False)
    made: list[None] = []

    def worse(x: torch.Tensor) -> object:
        made.append(None)
        gradient = added_up(x)
        return gradient if gradient is None or len(made) < 10 else 2 * gradient

    assert rechecked(lambda: Call(worse, leaf()), lambda x: 3 * x.numpy() ** 2).wrong


def trained(model: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor | None:
    """Backward through a layer, whose gradient is added up in its weight."""
    model(x).sum().backward()
    return model.weight.grad


def test_a_module_s_gradients_are_taken_away_too() -> None:
    """They are those of its parameters, which stand in no argument."""
    found = rechecked(
        lambda: Call(trained, torch.nn.Linear(4, 1, bias=False), torch.ones(3, 4)),
        lambda _, x: x.numpy().sum(axis=0)[None],
    )
    assert not found.wrong


def with_gradient() -> torch.Tensor:
    """A leaf that has one before the first call."""
    x = leaf()
    x.grad = torch.ones(4)
    return x


def test_a_gradient_that_was_there_before_stays() -> None:
    """For calls that work on it."""
    found = rechecked(lambda: Call(zeroed, with_gradient()), lambda x: 0 * x.numpy())
    assert not found.wrong
