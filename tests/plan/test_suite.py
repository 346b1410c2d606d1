"""Declarations say what they mean, or say why they can't."""

from __future__ import annotations

import operator
import re
from typing import Any

import pytest
import torch

from bench.errors import SuiteError
from bench.plan.case import Call, Case, Work
from bench.plan.case_id import case_id
from bench.plan.suite import Axis, Suite, make_case


def build(case: Case) -> Call:
    """Do nothing.

    Slowly.
    """
    return Call(abs, case["n"])


def test_an_axis_keeps_its_values_in_order() -> None:
    """Values are planned in the order in which they were written."""
    axis = Axis("n", [64, 1, 16])
    assert list(axis.choices) == ["64", "1", "16"]
    assert list(axis.choices.values()) == [64, 1, 16]


def test_an_axis_without_a_short_list_is_short_already() -> None:
    """All values are quick unless it is said which ones are."""
    assert Axis("n", [1, 2]).quick == ("1", "2")
    assert Axis("n", [1, 2], quick=[2]).quick == ("2",)


def test_functions_are_labelled_by_their_names_or_by_hand() -> None:
    """An axis may hold callables."""
    assert list(Axis("call", [operator.matmul]).choices) == ["matmul"]
    axis = Axis("call", {"@": operator.matmul, "abs": abs}, quick=["@"])
    assert axis.value("@") is operator.matmul
    assert axis.quick == ("@",)


@pytest.mark.parametrize(
    ("values", "text", "value"),
    [([1, 16], "16", 16), ([1, 16], "300", 300), ([0.5], "2", 2.0), (["a"], "a", "a")],
)
def test_a_label_stands_for_a_value(values: list[Any], text: str, value: object) -> None:
    """A number need not be on the axis."""
    found = Axis("n", values).value(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("values", "text"),
    [([1, 16], "many"), ([1, 16], "0.5"), (["float32"], "float23"), ([True, False], "1")],
)
def test_a_value_of_another_kind_is_refused(values: list[Any], text: str) -> None:
    """The error names the axis, the text and what there is."""
    with pytest.raises(SuiteError, match=f"axis 'n' can't be '{text}'; (known|did you mean)"):
        Axis("n", values).value(text)


@pytest.mark.parametrize(
    ("values", "text", "spelling"),
    [([1, 16], "064", "64"), ([1, 16], "16", "16"), ([0.5], "2", "2.0"), (["a"], "a", "a")],
)
def test_a_value_has_one_spelling(values: list[Any], text: str, spelling: str) -> None:
    """Ids join across runs however a number was typed."""
    assert Axis("n", values).label(text) == spelling


def test_an_axis_must_be_possible() -> None:
    """Names, values, labels and the short list are checked when they are declared."""
    with pytest.raises(SuiteError, match="can't name an axis"):
        Axis("two words", [1])
    with pytest.raises(SuiteError, match="axis 'n' has no values"):
        Axis("n", [])
    with pytest.raises(
        SuiteError, match=r"axis 'sep': '\\n' holds a control character; name it: Axis"
    ):
        Axis("sep", [",", "\n"])
    with pytest.raises(SuiteError, match="axis 'dtype' can't be 'float23'"):
        Axis("dtype", ["float32"], quick=["float23"])


def test_values_that_share_a_label_are_refused() -> None:
    """`operator.matmul` and a method of that name would be one case, and one of them lost."""
    said = "axis 'call' has two values called 'matmul'; name them apart: Axis('call', {\"NAME\": value, …})"
    with pytest.raises(SuiteError, match=re.escape(said)):
        Axis("call", [operator.matmul, operator.matmul])


def test_shapes_are_values_and_others_need_not_be_listed() -> None:
    """Under the label that they get, or the name that the suite gives."""
    axis = Axis("shape", [(64, 128), (1, 2)], quick=[(1, 2)])
    assert (list(axis.choices), axis.quick) == (["64x128", "1x2"], ("1x2",))
    assert axis.value("3x4") == (3, 4)
    named = Axis("shape", {"wide": (64, 128), "tall": (128, 64)}, quick=[(128, 64)])
    assert named.quick == ("tall",)
    assert (named.value("64x128"), named.label("64x128")) == ((64, 128), "wide")
    assert (named.value("1x1"), named.label("1x1")) == ((1, 1), "1x1")
    with pytest.raises(SuiteError, match="axis 'shape' can't be '1xa'; did you mean 1x2"):
        axis.value("1xa")


@pytest.mark.parametrize("text", ["a,b=c]", "[red]x", 'say "hi"', " lead", "", "(p q)", "größe ✓"])
def test_a_label_may_hold_any_text(text: str) -> None:
    """It is quoted where it stands in an id."""
    assert list(Axis("call", [text]).choices) == [text]
    assert list(Axis("call", {text: abs}).choices) == [text]


@pytest.mark.parametrize("text", ["\n", "\x1b[31m", "\x85", "\ud800", "\u202e", "a\0"])
def test_what_a_terminal_obeys_is_refused(text: str) -> None:
    """In labels and names, on one line that can be printed."""
    suite = Suite("s")

    def build(case: Case) -> Call:
        return Call(abs, case["n"])

    build.__name__ = f"x{text}"
    for declare in (
        lambda: Axis("n", [text]),
        lambda: Axis("n", {text: 1}),
        lambda: Axis(f"n{text}", [1]),
        lambda: Suite(f"n{text}"),
        lambda: suite.op(build),
    ):
        with pytest.raises(SuiteError) as caught:
            declare()
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["[/bold][red]x", "a/b", "", "x" * 10_000, "a,b", "a[b", "a b"])
def test_an_op_must_have_a_name_that_fits_an_id(name: str) -> None:
    """As suites and axes must; the line stays short."""

    def build(case: Case) -> Call:
        return Call(abs, case["n"])

    build.__name__ = name
    with pytest.raises(SuiteError, match="can't name an op; use letters, digits") as caught:
        Suite("s").op(build)
    assert len(str(caught.value)) < 250


def test_torch_dtypes_stand_for_themselves() -> None:
    """On the axis of that name, with names of their own too."""
    suite = Suite("s", [Axis("dtype", [torch.float16, torch.int8])])
    case = make_case(suite, suite.op(build), {"dtype": "float16"}, "cpu")
    assert (case.id, case.dtype_name) == ("s/build[dtype=float16]", "float16")
    named = Suite("s", [Axis("dtype", {"half": torch.float16})])
    case = make_case(named, named.op(build), {"dtype": "half"}, "cpu")
    assert (case.id, case.dtype_name) == ("s/build[dtype=half]", "float16")


def test_axes_that_share_a_name_are_refused() -> None:
    """Neither a suite nor an op may declare an axis twice."""
    twice = [Axis("n", [1]), Axis("n", [2])]
    with pytest.raises(SuiteError, match="suite 's' has two axes called 'n'"):
        Suite("s", twice)
    with pytest.raises(SuiteError, match="op 'build' has two axes called 'n'"):
        Suite("s").op(axes=twice)(build)


def test_a_suite_must_have_a_name_that_fits_an_id() -> None:
    """A slash would make ids ambiguous."""
    with pytest.raises(SuiteError, match="can't name a suite"):
        Suite("mat/mul")


def test_an_op_has_the_axes_of_its_suite() -> None:
    """`@suite.op` takes name, summary and axes from where it stands."""
    suite = Suite("s", [Axis("n", [1])])
    op = suite.op(build)
    assert suite.ops == {"build": op}
    assert (op.name, op.summary, list(op.axes)) == ("build", "Do nothing.", ["n"])


def test_an_op_may_add_replace_and_drop_axes() -> None:
    """An op's own axes win; axes it is without are gone."""
    suite = Suite("s", [Axis("n", [1]), Axis("dtype", ["float32"])])
    op = suite.op(axes=[Axis("n", [7]), Axis("m", [3])], without=iter(["dtype"]))(build)
    assert {name: list(axis.choices) for name, axis in op.axes.items()} == {"n": ["7"], "m": ["3"]}
    assert list(suite.axes) == ["n", "dtype"]


def test_an_op_can_not_be_without_what_the_suite_lacks() -> None:
    """A misspelt axis would otherwise stay in the grid without a word."""
    suite = Suite("s", [Axis("dtype", ["float32"])])
    with pytest.raises(SuiteError, match=r"without 'dtpye', .* did you mean dtype\?"):
        suite.op(without=["dtpye"])(build)


def test_two_ops_of_one_name_are_refused() -> None:
    """The second would silently replace the first."""
    suite = Suite("s")
    suite.op(build)
    with pytest.raises(SuiteError, match="suite 's' has two ops called 'build'"):
        suite.op(build)


def test_an_op_takes_a_work_model_and_a_reference() -> None:
    """The decorators leave their functions as they are, so that they can be tested alone."""
    op = Suite("s").op(build)
    work = op.work(lambda _: Work(flop=1))
    reference = op.reference(abs)
    assert op.work_of is work
    assert op.reference_of is reference
    assert reference is abs


def test_an_op_is_not_called() -> None:
    """A call that would measure nothing says what does."""
    with pytest.raises(SuiteError, match="bench run -k build"):
        Suite("s").op(build)()


def test_an_id_has_neither_device_nor_machine() -> None:
    """Rows of CPU and GPU join on it."""
    assert case_id("matmul", "square", {"n": "4", "dtype": "x"}) == "matmul/square[n=4,dtype=x]"
    assert case_id("creation", "empty", {}) == "creation/empty"


def test_labels_make_a_case() -> None:
    """Labels become values; the dtype is an axis like any other, float32 where there is none."""
    suite = Suite("s", [Axis("n", [1]), Axis("dtype", ["float16"])])
    case = make_case(suite, suite.op(build), {"n": "5", "dtype": "float16"}, "cuda")
    assert case == Case(
        id="s/build[n=5,dtype=float16]",
        values={"n": 5, "dtype": "float16"},
        device="cuda",
        dtype_name="float16",
    )
    plain = Suite("s", [Axis("n", [1])])
    assert make_case(plain, plain.op(build), {"n": "1"}, "cpu").dtype_name == "float32"


def test_an_unknown_dtype_is_refused() -> None:
    """A dtype is a name that torch knows."""
    suite = Suite("s", [Axis("dtype", ["float23"])])
    with pytest.raises(SuiteError, match="s/build: unknown dtype 'float23'; did you mean float"):
        make_case(suite, suite.op(build), {"dtype": "float23"}, "cpu")
