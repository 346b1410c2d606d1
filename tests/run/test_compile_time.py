"""Compile time: cold by the worker that checks a case, cached by the others, and in no other time."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bench.pool.protocol import Checked
from bench.pool.side_effects import SideEffects
from bench.run.compile_time import compile_columns, is_not_compiled
from tests.fakes.workers import PREPARED, case

COMPILED = case(mode="compile")


def checked(call_s: float) -> Checked:
    """A check whose call took so long."""
    return Checked(correct=True, max_error=0.0, note="", input_bytes=8, call_s=call_s)


def prepared(first_s: float) -> Any:
    """A preparation whose first call took so long, and a later one 100 µs."""
    return dataclasses.replace(PREPARED, first_call_s=first_s)


def test_a_first_call_less_a_later_one() -> None:
    """The checking worker's own later start finds more than the cache, and is not counted among the others."""
    workers = {0: prepared(0.05), 1: prepared(0.3), 2: prepared(0.5), 3: prepared(0.4)}
    found = compile_columns(COMPILED, checked(7.0), 0, workers)
    assert found["compile_s"] == pytest.approx(7.0 - 1e-4)
    assert found["compile_cached_s"] == pytest.approx(0.4 - 1e-4)


def test_one_worker_tells_nothing_of_the_cache() -> None:
    """Only what compiling takes with an empty one."""
    found = compile_columns(COMPILED, checked(7.0), 0, {0: prepared(0.05)})
    assert found["compile_cached_s"] is None


@pytest.mark.parametrize("mode", ["eager", "autocast", "graph"])
def test_what_is_not_compiled_has_no_compile_time(mode: str) -> None:
    """Whatever its first call took."""
    assert compile_columns(case(mode=mode), checked(7.0), 0, {0: PREPARED}) == {}


def test_no_compile_time_is_less_than_nothing() -> None:
    """Where a first call was faster than later ones."""
    found = compile_columns(COMPILED, checked(0.0), 0, {1: prepared(0.0)})
    assert found == {"compile_s": 0.0, "compile_cached_s": 0.0}


@pytest.mark.parametrize(
    ("graphs", "mode", "codes"),
    [(None, "compile", 1), (0, "compile", 1), (2, "compile", 0), (None, "eager", 0)],
)
def test_a_case_that_compiled_nothing_says_so(graphs: int | None, mode: str, codes: int) -> None:
    """Only where it was to be compiled."""
    assert is_not_compiled(case(mode=mode), SideEffects(graphs=graphs)) == bool(codes)
