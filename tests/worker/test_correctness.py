"""Is the result right? Compared once with the reference, with an error that is a number."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from bench.plan.case import Call, Like, Tolerance
from bench.worker.correctness import Correctness, Expectation, check
from bench.worker.deviation import largest_error
from bench.worker.exactness import Allowed, share_of

if TYPE_CHECKING:
    from collections.abc import Callable

ONES = torch.ones(4)
VALUES = torch.tensor([1.0, -0.5, 0.25, 0.0])


FLOAT32 = Allowed(share=share_of(torch.float32))


def compared(call: Call, reference: Callable[..., Any] | None) -> Correctness:
    """The call, compared with a reference."""
    return check(call, Expectation(reference=reference))


def off_by(error: float) -> Callable[..., Any]:
    """A reference that differs by so much from what it is given."""
    return lambda a: a.numpy() * (1 + error)


def test_a_right_result_is_right() -> None:
    """With no error where there is none."""
    found = compared(Call(torch.clone, VALUES), lambda a: a.numpy())
    assert found == Correctness(correct=True, max_error=0.0, note="")


def test_a_wrong_result_is_wrong() -> None:
    """With the error and what would have been allowed."""
    found = compared(Call(torch.clone, VALUES), off_by(1e-3))
    assert found.correct is False
    assert found.max_error == pytest.approx(1e-3, rel=0.01)
    assert found.note == "error 0.001 is above 3.8e-06"


@pytest.mark.parametrize(
    ("dtype", "allowed"),
    [
        (torch.float64, 128 * 2**-52),
        (torch.float32, 32 * 2**-23),
        (torch.bfloat16, 4 * 2**-7),
        (torch.float16, 4 * 2**-10),
        (torch.float8_e4m3fn, 2**-3),
        (torch.complex64, 32 * 2**-23),
        (torch.int64, 0),
        (torch.uint16, 0),
        (torch.bool, 0),
    ],
)
def test_the_tolerance_follows_the_dtype(dtype: torch.dtype, allowed: float) -> None:
    """A few of its epsilons; whole numbers must be equal."""
    assert share_of(dtype) == allowed
    value = torch.tensor([1.0, 0.0, 1.0, 0.0]).to(dtype)
    if allowed:
        assert compared(Call(torch.clone, value), off_by(0.9 * allowed)).correct is True
    assert compared(Call(torch.clone, value), off_by(1.2 * allowed + 1e-9)).correct is False


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
    found = compared(Call(calls.append, 1), None)
    assert (found.correct, found.max_error, calls) == (None, None, [1])
    assert found.note == "the op declares no reference"


def test_a_reference_that_fails_is_a_note() -> None:
    """The time is still good; the first line says why it could not be checked."""

    def reference(_: object) -> None:
        message = "no\nidea"
        raise ValueError(message)

    found = compared(Call(torch.clone, VALUES), reference)
    assert (found.correct, found.max_error) == (None, None)
    assert found.note == "the reference failed: ValueError: no"


def test_a_call_that_fails_is_not_a_note() -> None:
    """There is nothing to measure then."""
    with pytest.raises(RuntimeError):
        compared(Call(torch.matmul, torch.ones(2, 3), torch.ones(2, 3)), off_by(0))


def test_an_op_that_writes_to_its_input_can_be_checked() -> None:
    """The reference gets the arguments as they were before the call."""
    found = compared(Call(torch.Tensor.add_, VALUES.clone(), 1), lambda a, b: a + b)
    assert found.correct is True


def test_keywords_reach_the_reference() -> None:
    """By their names."""
    call = Call(torch.sum, VALUES.reshape(2, 2), dim=1)
    assert compared(call, lambda a, dim: a.numpy().sum(dim)).correct is True


def test_an_equal_result_of_constant_inputs_is_not_called_correct() -> None:
    """The comparison was made, as its error says, but it shows nothing."""
    found = compared(Call(torch.add, torch.zeros(4), torch.zeros(4)), operator.add)
    assert found == Correctness(
        correct=None,
        max_error=0.0,
        note="every input is 0 throughout, so that a right result shows nothing",
    )


def test_a_wrong_result_is_wrong_whatever_the_inputs() -> None:
    """Constant or not finite: that the comparison might have shown nothing does not matter then."""
    hole = torch.tensor([math.nan, 1.0])
    for given in (ONES, torch.zeros(4), hole):
        found = compared(Call(torch.clone, given), lambda a: a.numpy() + 1)
        assert (found.correct, found.note.partition(" is ")[0]) == (
            False,
            f"error {found.max_error:.2g}",
        )


def test_inputs_are_judged_as_they_were_before_the_call_and_the_reference() -> None:
    """Either may write over them."""

    def reference(a: torch.Tensor) -> torch.Tensor:
        return a.zero_()

    given = VALUES.clone()
    assert compared(Call(torch.Tensor.zero_, given), reference).correct is True
    assert compared(Call(torch.Tensor.zero_, given), reference).correct is None


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
    assert (largest_error(result, like) <= FLOAT32.share) == right


def test_the_least_exact_dtype_that_takes_part_counts() -> None:
    """An input, the result, or what autocast computes in; a case's own only where an axis states it."""
    off = off_by(1e-3)
    double, single, half = VALUES.double(), VALUES, VALUES.half()
    assert compared(Call(torch.clone, double), off).correct is False
    assert compared(Call(lambda a: a.float(), half), off).correct is True
    assert compared(Call(lambda a: a.half(), single), off).correct is True
    assert compared(
        Call(lambda a, _: a.clone(), single, {"x": [half]}), lambda a, _: off(a)
    ).correct
    stated = Expectation(reference=off_by(1e-6), dtype="float32")
    assert check(Call(torch.clone, double), stated).correct is True
    assert compared(Call(torch.clone, double), off_by(1e-6)).correct is False


def test_what_autocast_computes_in_takes_part_also_where_the_result_does_not_show_it() -> None:
    """Wherever it is entered; nothing of it stays behind."""
    entering = torch.autocast.__enter__

    def cast(a: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return torch.mm(a, a).float()

    square = torch.randn(8, 8, generator=torch.Generator().manual_seed(1))
    found = compared(Call(cast, square), lambda a: a @ a)
    assert found.correct is True
    assert found.max_error is not None
    assert found.max_error > share_of(torch.float32)
    assert torch.autocast.__enter__ is entering


def test_the_parameters_of_a_module_take_part() -> None:
    """It is called with inputs of another dtype, or is the function itself."""
    layer = torch.nn.Linear(4, 4, bias=False).to(torch.bfloat16)
    weight = layer.weight.detach().double()
    for call in (Call(layer, VALUES.bfloat16()), Call(layer.forward, VALUES.bfloat16())):
        assert compared(call, lambda a: a @ weight.mT).correct is True


def test_whole_numbers_are_exact_whatever_the_inputs_are() -> None:
    """One off in a million is wrong, unless the op says that it is not."""
    call = Call(lambda a: (a * 0).long() + 1_000_000, VALUES)
    off = Expectation(reference=lambda a: np.full(a.shape, 1_000_001))
    assert check(call, off).correct is False
    stated = Expectation(reference=off.reference, tolerance=Tolerance(atol=1))
    assert check(call, stated).correct is True


@pytest.mark.parametrize(
    ("tolerance", "error", "right"),
    [
        (Tolerance(rtol=1e-2), 9e-3, True),
        (Tolerance(rtol=1e-2), 2e-2, False),
        (Tolerance(rtol=0), 1e-7, False),
        (Tolerance(atol=1e-2), 9e-3, True),
        (Tolerance(atol=1e-2), 2e-2, False),
        (Tolerance(rtol=1e-2, atol=1e-2), 1.9e-2, True),
    ],
)
def test_an_op_states_how_exact_it_must_be(
    tolerance: Tolerance, error: float, *, right: bool
) -> None:
    """More or less than the dtype allows; the largest value here is 1, so shares and units agree."""
    expected = Expectation(reference=off_by(error), tolerance=tolerance)
    assert check(Call(torch.clone, VALUES), expected).correct is right


def test_an_absolute_error_is_what_counts_where_nothing_but_zero_is_expected() -> None:
    """There is no largest value to take a share of."""
    call = Call(lambda a: a - a + 1e-9, VALUES)
    nothing = Expectation(reference=lambda a: a * 0)
    assert check(call, Expectation(reference=nothing.reference)).correct is True
    assert (
        check(call, Expectation(reference=nothing.reference, tolerance=Tolerance(rtol=1))).correct
        is False
    )
    assert check(
        call, Expectation(reference=nothing.reference, tolerance=Tolerance(atol=1e-8))
    ).correct


FORMS = "True, a reason, an error as a share, or that and the share allowed"


def says(answer: Any) -> Callable[..., Any]:
    """A check that says the same of any result."""
    return lambda _inputs, _result: answer


@pytest.mark.parametrize(
    ("answer", "correct", "note"),
    [
        (True, True, ""),
        (torch.tensor(1) == 1, True, ""),
        (np.float64(1) < 0, False, "the check says that it is wrong"),
        (False, False, "the check says that it is wrong"),
        ("not sorted", False, "the check says: not sorted"),
        (1e-7, True, ""),
        (torch.tensor(0.5), False, "error 0.5 is above 3.8e-06"),
        (math.nan, False, "error nan is above 3.8e-06"),
        ((1e-3, 1e-2), True, ""),
        ((torch.tensor(0.5), 1e-2), False, "error 0.5 is above 0.01"),
        ((None, 1e-2), None, f"the check returned NoneType; return {FORMS}"),
        ((1e-7, "x"), None, f"the check returned tuple; return {FORMS}"),
        (None, None, f"the check returned NoneType; return {FORMS}"),
    ],
    ids=range(13),
)
def test_a_check_answers_in_one_of_five_ways(
    answer: Any, *, correct: bool | None, note: str
) -> None:
    """Yes or no, a reason, an error, or that and what is allowed; any other answer says nothing."""
    found = check(Call(torch.clone, VALUES), Expectation(check=says(answer)))
    assert (found.correct, found.note) == (correct, note)


def test_a_check_sees_inputs_and_result() -> None:
    """As they were before the call, in float64; the result is last, or has its name; so may the tolerance."""

    def last(a: torch.Tensor, b: torch.Tensor, total: torch.Tensor) -> bool:
        return a.dtype == total.dtype == torch.float64 and bool((a + b == total).all())

    def first(result: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> bool:
        return last(a, b, result)

    def named(*inputs: torch.Tensor, result: torch.Tensor, tolerance: float) -> bool:
        return last(inputs[0], inputs[1], result) and tolerance == share_of(torch.float32)

    for one in (last, first, named):
        call = Call(torch.Tensor.add_, VALUES.clone(), VALUES)
        assert check(call, Expectation(check=one)).correct is True, one
    keyword = Call(torch.sum, VALUES.reshape(2, 2), dim=1)
    assert check(
        keyword, Expectation(check=lambda a, result, dim: bool((a.sum(dim) == result).all()))
    ).correct


def test_a_check_may_assert_and_may_fail() -> None:
    """What it asserts is about the result; whatever else it raises is about itself."""

    def asserts(_a: torch.Tensor, _result: torch.Tensor) -> bool:
        message = "off by one\nmore"
        raise AssertionError(message)

    def fails(_a: torch.Tensor, _result: torch.Tensor) -> bool:
        message = "x"
        raise KeyError(message)

    found = check(Call(torch.clone, VALUES), Expectation(check=asserts))
    assert (found.correct, found.note) == (False, "the check says: AssertionError: off by one")
    found = check(Call(torch.clone, VALUES), Expectation(check=fails))
    assert (found.correct, found.note) == (None, "the check failed: KeyError: 'x'")


def test_reference_and_check_must_both_hold() -> None:
    """A reference that writes to its arguments spoils nothing for the check."""
    call, right = Call(torch.clone, VALUES), lambda a: a.clone()
    for reference, says_yes, correct in (
        (right, True, True),
        (right, False, False),
        (off_by(1), True, False),
        (lambda a: a.zero_() + VALUES, True, True),
    ):
        expected = Expectation(
            reference=reference, check=lambda a, _r, y=says_yes: y and bool(a.any())
        )
        assert check(call, expected).correct is correct


def test_a_property_of_constant_inputs_shows_nothing() -> None:
    """As with a reference."""
    found = check(Call(torch.clone, torch.zeros(4)), Expectation(check=says(answer=True)))
    assert found.correct is None
