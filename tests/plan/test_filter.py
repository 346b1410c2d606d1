"""`-k` selects by a case's id."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import SelectionError
from bench.plan.filter import Filter

IDENTITY = "matmul/square[n=16,dtype=float32]"
LABELS = {"n": "16", "dtype": "float32"}


def selects(text: str) -> bool:
    """Whether the expression selects the example."""
    return Filter(text).matches(IDENTITY, LABELS)


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("square", True),
        ("SQUARE", True),
        ("mul/sq", True),
        ("cat", False),
        ("n=16", True),
        ("n=1", False),
        ("dtype=float", False),
        ("m=16", False),
        ("square and n=16", True),
        ("square and n=64", False),
        ("cat or square", True),
        ("not cat", True),
        ("not not square", True),
        ("not (square or cat)", False),
        ("cat and cat or square", True),
        ("square or cat and cat", True),
        ("(square or cat) and cat", False),
        ("not cat and square", True),
        ("(square)and(n=16)", True),
        (IDENTITY, True),
        (f"not {IDENTITY}", False),
        (f"({IDENTITY} or cat) and n=16", True),
        ("matmul/square[dtype=float32,n=16]", True),
        ("matmul/square[n=16]", True),
        ("matmul/square[n=1]", False),
        ("mul/square[n=16]", False),
        ("matmul/square[n=16,m=1]", False),
        ('n="16"', True),
        ("n='16'", True),
        ('"MATMUL/sq"', True),
        ('"square and n=16"', False),
        ("/square[ and n=16", True),
    ],
)
def test_an_expression_selects(text: str, *, selected: bool) -> None:
    """`not` binds before `and`, `and` before `or`; a value must match as a whole."""
    assert selects(text) is selected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "a word is missing"),
        ("square and", "a word is missing"),
        ("or cat", "a word is missing"),
        ("(square", "a ( is not closed"),
        ("square)", "')' was not expected"),
        ("square cat", "'cat' was not expected"),
        (r'n="\z"', r"""'n="\\z"' is no text in double quotes"""),
        ("(" * 51 + "a", "it is nested too deeply"),
    ],
)
def test_what_can_not_be_read_is_refused(text: str, why: str) -> None:
    """The error repeats the expression, says what is wrong and shows the language."""
    with pytest.raises(SelectionError, match=re.escape(f"-k {text!r}: {why}; write words, and")):
        Filter(text)


def test_what_holds_blanks_or_parentheses_is_quoted() -> None:
    """A label, a word, and an id as it stands."""
    labels = {"call": "f (a b)"}
    identity = "s/op[call=f (a b)]"
    for text in (
        'call="f (a b)"',
        "call='f (a b)' and s",
        identity,
        '"(a b)"',
        f"x or ({identity})",
    ):
        assert Filter(text).matches(identity, labels)
    assert not Filter('call="f (a"').matches(identity, labels)
    assert [name.op_id for name in Filter(f"x or ({identity})").ids] == ["s/op"]


def test_long_expressions_are_read() -> None:
    """As many terms as a command line holds, and no more depth than is of use."""
    for word in (" or ", " and "):
        assert selects(word.join(["square"] * 5000))
    for text in ("(" * 5000, "not " * 5000):
        with pytest.raises(SelectionError) as caught:
            Filter(text)
        assert len(str(caught.value)) < 400


words = st.sampled_from(["square", "cat", "n=16", "n=64", "matmul"])
expressions = st.recursive(
    words,
    lambda inner: st.one_of(
        inner.map("not {}".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            "({0[0]} {0[1]} {0[2]})".format
        ),
    ),
    max_leaves=8,
)


@given(text=expressions)
def test_an_expression_means_what_it_means_in_python(text: str) -> None:
    """Python's own evaluation of the same words gives the same answer."""
    meaning = re.sub(r"[\w=]+", lambda m: _truth(m[0]), text)
    assert selects(text) is eval(meaning)  # noqa: S307 - made of and, or, not, True and False above


def _truth(word: str) -> str:
    return word if word in {"and", "or", "not"} else str(selects(word))


@given(text=st.text(alphabet="ab=() andort", max_size=30))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    """There is no third outcome."""
    with contextlib.suppress(SelectionError):
        assert isinstance(selects(text), bool)
