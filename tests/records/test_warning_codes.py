"""Every warning has its words."""

from __future__ import annotations

import dataclasses
import re

import pytest

from bench.errors import SelectionError
from bench.records.warning_codes import CODES, Code, explain


def test_explain_gives_the_words_of_a_code() -> None:
    """A code in a row can be looked up."""
    assert explain("noisy") is CODES["noisy"]


def test_an_unknown_code_is_refused_with_the_nearest_one() -> None:
    """A typing error ends in a suggestion."""
    with pytest.raises(SelectionError, match=r"no warning 'noisi'; did you mean noisy\?"):
        explain("noisi")


@pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())
def test_a_code_says_what_was_seen_why_and_what_to_try(code: Code) -> None:
    """Codes are kebab-case; their words are clauses that whoever shows them puts together."""
    assert CODES[code.code] is code
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code.code)
    for words in dataclasses.astuple(code)[1:]:
        assert len(words.split()) >= 3
        assert not words.endswith(".")
