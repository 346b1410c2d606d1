"""Filter expressions (`-k`): words, `and`, `or`, `not`, parentheses. It selects by a case's id, nothing else.

A word matches anywhere in the id, upper or lower case, with `*` for anything; `axis=value` must match the whole value; an id matches the
cases that have all of its labels. What holds blanks or parentheses is quoted. By hand, since pytest's evaluator of
such expressions is private.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from bench.errors import SelectionError
from bench.plan.case_id import cut, parse_id, unquoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.plan.case_id import CaseName

    Test = Callable[[str, Mapping[str, str]], bool]

_SEPARATORS = " \t\r\n()"
_DEEPEST = 50
"""Parentheses and `not`s within each other; far fewer are of use, and each takes Python a few calls."""
_SHOWN = 200


class Filter:
    """A parsed `-k` expression.

    Raises:
        SelectionError: the expression can't be read.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._depth = 0
        self.ids: list[CaseName] = []
        """The ids of cases among the words."""
        found = (word for pair in cut(text, _SEPARATORS) for word in pair)
        self._tokens = [word for word in found if word.strip()][::-1]
        self._test = self._any()
        if self._tokens:
            self._refuse(f"{self._tokens[-1]!r} was not expected")

    def matches(self, identity: str, labels: Mapping[str, str]) -> bool:
        """Whether a case with this id and these axis labels is selected."""
        return self._test(identity, labels)

    def _refuse(self, why: str) -> NoReturn:
        said = self._text if len(self._text) <= _SHOWN else f"{self._text[:_SHOWN]}…"
        message = f"-k {said!r}: {why}; write words, and, or, not, ( ), axis=value"
        raise SelectionError(message)

    def _any(self) -> Test:
        return _joined(self._chain("or", lambda: _joined(self._chain("and", self._one), all)), any)

    def _chain(self, word: str, term: Callable[[], Test]) -> list[Test]:
        """The terms between which this word stands."""
        found = [term()]
        while self._tokens[-1:] == [word]:
            self._tokens.pop()
            found.append(term())
        return found

    def _one(self) -> Test:
        word = self._tokens.pop() if self._tokens else ""
        if word in {"", "and", "or", ")"}:
            self._refuse("a word is missing")
        return self._nested(word) if word in {"not", "("} else self._word(word)

    def _nested(self, word: str) -> Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._refuse("it is nested too deeply")
        if word == "not":
            inner = _inverse(self._one())
        else:
            inner = self._any()
            if not self._tokens or self._tokens.pop() != ")":
                self._refuse("a ( is not closed")
        self._depth -= 1
        return inner

    def _word(self, word: str) -> Test:
        name = parse_id(word)
        axis, equals, value = word.partition("=")
        try:
            if name and name.labels:
                self.ids.append(name)
                test = name.matches
                return lambda identity, labels: identity == word or test(identity, labels)
            if equals and word[0] not in "'\"":
                value = unquoted(value)
                return lambda identity, labels: identity == word or labels.get(axis) == value
            return _containing(unquoted(word).lower())
        except ValueError:
            self._refuse(f"{word!r} is no text in double quotes")


def _containing(part: str) -> Test:
    """Whether an id has a text, in which `*` stands for anything."""
    if "*" not in part:
        return lambda identity, _: part in identity.lower()
    pattern = re.compile(".*".join(re.escape(piece) for piece in part.split("*")))
    return lambda identity, _: pattern.search(identity.lower()) is not None


def _joined(tests: Sequence[Test], how: Callable[[list[bool]], bool]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda identity, labels: how([test(identity, labels) for test in tests])


def _inverse(test: Test) -> Test:
    return lambda identity, labels: not test(identity, labels)
