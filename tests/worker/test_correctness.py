"""Is the result right? Compared once with the reference, with an error that is a number."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import pytest
import torch

from bench.plan.case import Call, Like
from bench.worker.correctness import Correctness, check, largest_error, tolerance_of

if TYPE_CHECKING:
    from collections.abc import Callable

ONES = torch.ones(4)
VALUES = torch.tensor([1.0, -0.5, 0.25, 0.0])


def off_by(error: float) -> Callable[..., Any]:
    """A reference that differs by so much from what it is given."""
    return lambda a: a.numpy() * (1 + error)


def test_a_right_result_is_right() -> None:
    """With no error where there is none."""
    found = check(Call(torch.clone, VALUES), lambda a: a.numpy(), "float32")
    assert found == Correctness(correct=True, max_error=0.0, note="")


def test_a_wrong_result_is_wrong() -> None:
    """With the error and what would have been allowed."""
    found = check(Call(torch.clone, VALUES), off_by(1e-3), "float32")
    assert found.correct is False
    assert found.max_error == pytest.approx(1e-3, rel=0.01)
    assert found.note == "error 0.001 is above 3.8e-06"


@pytest.mark.parametrize(
    ("dtype", "allowed"),
    [
        ("float64", 128 * 2**-52),
        ("float32", 32 * 2**-23),
        ("bfloat16", 4 * 2**-7),
        ("float16", 4 * 2**-10),
        ("complex64", 32 * 2**-23),
        ("int64", 0),
        ("bool", 0),
    ],
)
def test_the_tolerance_follows_the_dtype(dtype: str, allowed: float) -> None:
    """A few of its epsilons; whole numbers must be equal."""
    assert tolerance_of(dtype) == allowed
    value = VALUES.double()
    if allowed:
        assert check(Call(torch.clone, value), off_by(0.9 * allowed), dtype).correct is True
    assert check(Call(torch.clone, value), off_by(1.2 * allowed + 1e-9), dtype).correct is False


@pytest.mark.parametrize(
    ("result", "expected", "error"),
    [
        (torch.float32, torch.float32, 0),
        (torch.float32, torch.float64, math.inf),
        (torch.device("cpu"), torch.device("cpu"), 0),
        (torch.device("cpu"), torch.device("meta"), math.inf),
        (torch.float32, torch.device("cpu"), math.inf),
        (torch.Size([2, 3]), (2, 3), 0),
        (torch.Size([2, 3]), (2, 3, 1), math.inf),
    ],
)
def test_what_a_tensor_says_of_itself_is_compared(
    result: object, expected: object, error: float
) -> None:
    """A dtype or a device is the expected one or not; a shape is a row of numbers."""
    assert largest_error(result, expected) == error


def test_without_a_reference_the_call_is_made_but_not_judged() -> None:
    """An op that raises is found out all the same."""
    calls: list[int] = []
    found = check(Call(calls.append, 1), None, "float32")
    assert (found.correct, found.max_error, calls) == (None, None, [1])
    assert found.note == "the op declares no reference"


def test_a_reference_that_fails_is_a_note() -> None:
    """The time is still good; the first line says why it could not be checked."""

    def reference(_: object) -> None:
        message = "no\nidea"
        raise ValueError(message)

    found = check(Call(torch.clone, VALUES), reference, "float32")
    assert (found.correct, found.max_error) == (None, None)
    assert found.note == "the reference failed: ValueError: no"


def test_a_call_that_fails_is_not_a_note() -> None:
    """There is nothing to measure then."""
    with pytest.raises(RuntimeError):
        check(Call(torch.matmul, torch.ones(2, 3), torch.ones(2, 3)), off_by(0), "float32")


def test_an_op_that_writes_to_its_input_can_be_checked() -> None:
    """The reference gets the arguments as they were before the call."""
    found = check(Call(torch.Tensor.add_, VALUES.clone(), 1), lambda a, b: a + b, "float32")
    assert found.correct is True


def test_keywords_reach_the_reference() -> None:
    """By their names."""
    call = Call(torch.sum, VALUES.reshape(2, 2), dim=1)
    assert check(call, lambda a, dim: a.numpy().sum(dim), "float32").correct is True


def test_an_equal_result_of_constant_inputs_is_not_called_correct() -> None:
    """The comparison was made, as its error says, but it shows nothing."""
    found = check(Call(torch.add, torch.zeros(4), torch.zeros(4)), operator.add, "float32")
    assert found == Correctness(
        correct=None,
        max_error=0.0,
        note="every input is 0 throughout, so that a right result shows nothing",
    )


def test_a_wrong_result_is_wrong_whatever_the_inputs() -> None:
    """Constant or not finite: that the comparison might have shown nothing does not matter then."""
    hole = torch.tensor([math.nan, 1.0])
    for given in (ONES, torch.zeros(4), hole):
        found = check(Call(torch.clone, given), lambda a: a.numpy() + 1, "float32")
        assert (found.correct, found.note.partition(" is ")[0]) == (
            False,
            f"error {found.max_error:.2g}",
        )


def test_inputs_are_judged_as_they_were_before_the_call_and_the_reference() -> None:
    """Either may write over them."""

    def reference(a: torch.Tensor) -> torch.Tensor:
        return a.zero_()

    given = VALUES.clone()
    assert check(Call(torch.Tensor.zero_, given), reference, "float32").correct is True
    assert check(Call(torch.Tensor.zero_, given), reference, "float32").correct is None


@pytest.mark.parametrize(
    ("result", "expected", "error"),
    [
        (ONES, torch.ones(4, 1), math.inf),
        (ONES, [1.0, 1.0, 1.0, 1.0], 0.0),
        ([ONES, ONES], [ONES, 2 * ONES], 0.5),
        ([ONES], (ONES, ONES), math.inf),
        ([], [], 0.0),
        (torch.empty(0), torch.empty(0), 0.0),
        (torch.tensor([3.0, 100.0]), torch.tensor([2.0, 100.0]), 0.01),
        (torch.zeros(2), torch.tensor([0.0, 0.0]), 0.0),
        (torch.tensor([0.25, 0.0]), torch.zeros(2), 0.25),
        (torch.tensor([math.nan, 1.0]), torch.tensor([math.nan, 1.0]), 0.0),
        (torch.tensor([math.nan, 1.0]), torch.tensor([1.0, 1.0]), math.inf),
        (torch.tensor([math.inf]), torch.tensor([math.inf]), 0.0),
        (torch.tensor([math.inf]), torch.tensor([-math.inf]), math.inf),
        (torch.tensor([1 + 1j]), torch.tensor([1 + 2j]), 1 / math.sqrt(5)),
        (torch.tensor([1 + 1j]).conj(), torch.tensor([1 - 1j]), 0.0),
        (torch.tensor([True]), torch.tensor([False]), 1.0),
        (3, 4, 0.25),
    ],
    ids=range(17),
)
def test_the_error_is_a_share_of_the_largest_expected_value(
    result: Any, expected: Any, error: float
) -> None:
    """Infinite where shapes or what is not finite differ; absolute where all should be zero."""
    assert largest_error(result, expected) == pytest.approx(error, abs=1e-12)


NORMAL = torch.randn(10_000, generator=torch.Generator().manual_seed(1))
UNIFORM = torch.rand(10_000, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("result", "like", "right"),
    [
        (NORMAL, Like(shape=(10_000,), mean=0, std=1), True),
        (NORMAL, Like(shape=(10_000,), mean=0.1, std=1), False),
        (NORMAL, Like(shape=(10_000,), mean=0, std=1.1), False),
        (NORMAL, Like(shape=(100, 100)), False),
        (NORMAL, Like(shape=(10_000,)), True),
        (UNIFORM, Like(shape=(10_000,), low=0, high=1, mean=0.5), True),
        (UNIFORM, Like(shape=(10_000,), low=0.1), False),
        (UNIFORM, Like(shape=(10_000,), high=0.9), False),
        (torch.full((4,), math.nan), Like(shape=(4,), mean=0), False),
        (torch.full((4,), math.nan), Like(shape=(4,)), True),
        (torch.empty(0), Like(shape=(0,), mean=0), True),
    ],
    ids=range(11),
)
def test_random_values_are_judged_by_shape_range_mean_and_variance(
    result: torch.Tensor, like: Like, *, right: bool
) -> None:
    """Within six standard errors; memory as it is found may hold anything."""
    assert (largest_error(result, like) <= tolerance_of("float32")) == right
