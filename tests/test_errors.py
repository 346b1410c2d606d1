"""Errors a user sees are one line that ends in the way out."""

from __future__ import annotations

import inspect

import pytest

from bench import errors
from bench.errors import BenchError, hint


def test_hint_names_the_nearest_known_name() -> None:
    """A typing error is answered with the one name it resembles."""
    assert hint("matmull", ["matmul", "view", "cat"]) == "did you mean matmul?"


def test_hint_names_all_near_names() -> None:
    """If several names are near, the choice is the user's."""
    assert hint("bmn", ["bmm", "bmv"]).startswith("did you mean bm")
    assert " or " in hint("bmn", ["bmm", "bmv"])


def test_hint_lists_everything_where_nothing_is_near() -> None:
    """A name like no other is answered with all known ones, once each, in alphabetical order."""
    assert hint("xyz", ["view", "cat", "view"]) == "known: cat, view"


def test_hint_says_that_there_is_nothing_to_choose() -> None:
    """An empty choice is said to be empty rather than printed as an empty list."""
    assert hint("xyz", []) == "there are none"


@pytest.mark.parametrize(
    "error",
    [e for _, e in inspect.getmembers(errors, inspect.isclass) if issubclass(e, BenchError)],
    ids=lambda error: str(error.__name__),
)
def test_every_error_is_a_bench_error_that_prints_as_its_message(error: type[BenchError]) -> None:
    """The command line catches one class and prints its text as it is."""
    assert str(error("no such thing; known: a, b")) == "no such thing; known: a, b"
    assert issubclass(error, BenchError)
    assert not issubclass(error, (ValueError, OSError))
