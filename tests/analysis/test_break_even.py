"""Break-even: compiling pays where a call certainly takes less, after as many calls as make up for it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.break_even import break_even, twins
from tests.fakes.rows import lost, record

if TYPE_CHECKING:
    from bench.records.record import Record


def row(time_s: float, mode: str = "eager", **values: Any) -> Record:
    """A row of a product, known to one per cent."""
    params = {"n": "64"} | ({} if mode == "eager" else {"mode": mode})
    return record(params=params, time_s=time_s, mode=mode, **values)


def test_after_as_many_calls_as_save_what_compiling_took() -> None:
    """Two seconds at a microsecond a call are two million calls; half a second where the code is cached."""
    found = break_even(row(2e-6), row(1e-6, "compile", compile_s=2.0, compile_cached_s=0.5))
    assert found is not None
    assert found.outcome == "pays"
    assert found.calls == pytest.approx(2e6)
    assert found.cached_calls == pytest.approx(5e5)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 2e6 < found.high


@pytest.mark.parametrize(
    ("compiled_s", "outcome"), [(1e-6, "pays"), (1.999e-6, "cant-tell"), (3e-6, "never")]
)
def test_intervals_decide(compiled_s: float, outcome: str) -> None:
    """What they leave open can't be told, and has no number of calls."""
    found = break_even(row(2e-6), row(compiled_s, "compile", compile_s=2.0))
    assert found is not None
    assert found.outcome == outcome
    assert (found.calls is not None) == (outcome == "pays")


def test_what_can_t_be_used_has_no_break_even() -> None:
    """A row that failed, whose result is wrong, or that is not compiled."""
    compiled = row(1e-6, "compile", compile_s=2.0)
    assert break_even(row(2e-6), row(1e-6, "autocast")) is None
    nothing = dataclasses.replace(compiled, warnings=("not-compiled",))
    assert break_even(row(2e-6), nothing) is None
    assert break_even(dataclasses.replace(row(2e-6), correct=False), compiled) is None
    assert (
        break_even(row(2e-6), lost("failed", "why", params={"n": "64", "mode": "compile"})) is None
    )


@given(
    eager_s=st.floats(1e-7, 1e-2),
    share=st.floats(0.05, 0.9),
    compile_s=st.floats(1e-3, 100),
)
def test_the_interval_holds_the_number_and_the_number_balances(
    eager_s: float, share: float, compile_s: float
) -> None:
    """So many calls as they are written take as long as compiling and as many compiled ones."""
    found = break_even(row(eager_s), row(eager_s * share, "compile", compile_s=compile_s))
    assert found is not None
    assert found.calls is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.calls <= found.high
    assert found.calls * eager_s == pytest.approx(compile_s + found.calls * eager_s * share)


def test_rows_are_paired_by_their_case_within_a_run() -> None:
    """Device and run count, and an older row that names no mode is eager."""
    old = dataclasses.replace(row(2e-6), mode=None)
    compiled = row(1e-6, "compile", compile_s=1.0)
    assert twins([old, compiled, row(1e-6, "autocast")]) == [(old, compiled)]
    assert twins([old, dataclasses.replace(compiled, run_id="another")]) == []
    assert twins([old, dataclasses.replace(compiled, device="cuda")]) == []
    assert twins([compiled]) == []
