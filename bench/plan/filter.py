"""Filter expressions (`-k`): words, `and`, `or`, `not`, parentheses. It selects by a case's id, nothing else.

A word matches anywhere in the id, upper or lower case; `axis=value` must match the whole value. By hand,
since pytest's evaluator of such expressions is private.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bench.errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Test = Callable[[str, Mapping[str, str]], bool]

_TOKEN = re.compile(r"[()]|[^\s()]+")


class Filter:
    """A parsed `-k` expression.

    Raises:
        SelectionError: the expression can't be read.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text)
        self._test = self._any()
        if self._tokens:
            self._refuse(f"{self._tokens[0]!r} was not expected")

    def matches(self, identity: str, labels: Mapping[str, str]) -> bool:
        """Whether a case with this id and these axis labels is selected."""
        return self._test(identity, labels)

    def _refuse(self, why: str) -> None:
        message = f"-k {self._text!r}: {why}; write words, and, or, not, ( ), axis=value"
        raise SelectionError(message)

    def _any(self) -> Test:
        left = self._all()
        while self._tokens[:1] == ["or"]:
            del self._tokens[0]
            left = _either(left, self._all())
        return left

    def _all(self) -> Test:
        left = self._one()
        while self._tokens[:1] == ["and"]:
            del self._tokens[0]
            left = _both(left, self._one())
        return left

    def _one(self) -> Test:
        word = self._tokens.pop(0) if self._tokens else ""
        if word == "not":
            return _inverse(self._one())
        if word == "(":
            inner = self._any()
            if self._tokens[:1] != [")"]:
                self._refuse("a ( is not closed")
            del self._tokens[0]
            return inner
        if word in {"", "and", "or", ")"}:
            self._refuse("a word is missing")
        return _word(word)


def _either(a: Test, b: Test) -> Test:
    return lambda identity, labels: a(identity, labels) or b(identity, labels)


def _both(a: Test, b: Test) -> Test:
    return lambda identity, labels: a(identity, labels) and b(identity, labels)


def _inverse(a: Test) -> Test:
    return lambda identity, labels: not a(identity, labels)


def _word(token: str) -> Test:
    axis, equals, value = token.partition("=")
    if equals:
        return lambda _, labels: labels.get(axis) == value
    return lambda identity, _: token.lower() in identity.lower()
