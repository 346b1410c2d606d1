"""An id is written and read by one rule, whatever its labels are."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.plan.case_id import case_id, cut, parse_id, term, values_in, written
from bench.plan.filter import Filter
from bench.plan.label import UNSAFE

names = st.from_regex(r"[A-Za-z_][\w.-]{0,8}", fullmatch=True)
labels = st.dictionaries(names, st.one_of(st.text(), st.text(alphabet="a\"\\,=[] ()'\n")))


@given(names, names, labels)
@example("s", "op", {"a": "''"})
def test_any_labels_go_into_an_id_and_come_back(
    suite: str, op: str, wanted: dict[str, str]
) -> None:
    """And the id, as a word of a filter, selects the case."""
    identity = case_id(suite, op, wanted)
    found = parse_id(identity)
    assert found is not None
    assert (found.suite, found.op, dict(found.labels)) == (suite, op, wanted)
    assert not UNSAFE.search(identity)
    if wanted:
        assert Filter(identity).matches(identity, wanted)
        assert Filter(f"not ({identity})").matches(identity, wanted) is False
        terms = " and ".join(term(axis, text) for axis, text in wanted.items())
        assert Filter(terms).matches(identity, wanted)


@given(labels)
def test_values_go_into_an_option_and_come_back(wanted: dict[str, str]) -> None:
    """As `--set` and `--where` take them, side by side."""
    texts = list(wanted.values())
    words = [term("a", text).removeprefix("a=") for text in texts]
    assert values_in(",".join(words)) == tuple(texts)
    assert [part for part, _ in cut(" ".join(words), " ")] == (words or [""])


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("64x128", "64x128"),
        ("a b", "a b"),
        ('say "hi"', 'say "hi"'),
        ("f(x)", "f(x)"),
        ("a,b=c]", '"a,b=c]"'),
        ("", '""'),
        (" a", '" a"'),
        ('"a"', r'"\"a\""'),
        ("\x1b[0m", r'"\u001b[0m"'),
        ("\u202e", r'"\u202e"'),
        ("größe ✓", "größe ✓"),
    ],
)
def test_only_what_could_be_misread_is_quoted(label: str, text: str) -> None:
    """So that ids of old stay as they are."""
    assert written(label) == text


@pytest.mark.parametrize(
    "text", ["op", "s/op[", "s/op[n]", "s/op[n=]", "s/op[n=1,]", "s/op[,n=1]", 's/op[n="1]', "s/", ""]
)  # fmt: skip
def test_other_text_is_no_id(text: str) -> None:
    """Nor the beginning of one."""
    assert parse_id(text) is None


def test_many_quotes_and_brackets_take_no_time() -> None:
    """An expression that backtracks would not end."""
    for text in ('[="a"' * 5000, "[" * 20_000, '="' * 20_000, 's/op[a="' + '\\"' * 20_000):
        assert parse_id(text) is None
        assert "".join(part + end for part, end in cut(text, " ")) == text
