"""Sentences about a run are true, and no stronger than the intervals allow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from bench.analyse import findings
from tests.fakes_report import example, lost, on, record

if TYPE_CHECKING:
    from bench.record import Record


def fast(op: str, rate: float, width: float = 0.01) -> Record:
    """A case of 1 MFLOP at this rate."""
    time = 1e6 / rate
    ends = {"time_lo_s": time * (1 - width), "time_hi_s": time * (1 + width)}
    return record("mul", op, params={"n": 4}, time_s=time, flop=1e6, **ends)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "This run holds no cases."),
        ([record()], "The one case was measured."),
        ([record(), record()], "All 2 cases were measured."),
        ([lost("skipped", "x")] * 3, "Nothing was measured: of 3 cases, 3 skipped."),
        ([lost("oom", "x")], "Nothing was measured: of 1 case, 1 ran out of memory."),
        (
            example(),
            "8 of 13 cases were measured; 1 failed, 1 timed out, 3 skipped.",
        ),
    ],
)
def test_the_outcome_counts_everything(rows: list[Record], sentence: str) -> None:
    """What was not measured is said in the same breath."""
    assert findings.outcome(rows) == sentence


def test_what_runs_differ_by_is_said_to_be_unknown_or_allowed_for() -> None:
    """One run can't know it; with earlier ones, their middle floor, and for how many cases."""
    known = record(noise_floor_share=0.012)
    bare = record(time_lo_s=None, time_hi_s=None)

    assert findings.repeating([record()]) == (
        "The intervals do not allow for how runs differ: "
        "this store has fewer than three earlier runs like this one to tell."
    )
    assert findings.repeating([known, known]) == (
        "Earlier runs like this one lie 1.2 % apart; the intervals allow for that."
    )
    assert findings.repeating([known, record()]) == (
        "Earlier runs like this one lie 1.2 % apart; the intervals allow for that for 1 of 2 cases."
    )
    assert findings.repeating([bare]) is None


def test_the_precision_says_how_many_are_noisy() -> None:
    """The middle interval alone would hide them."""
    assert findings.precision(example()) == (
        "Half of the times are known to ±1.0 % or better at 95 % confidence; "
        "1 of 8 cases is noisy; 1 has no interval."
    )


def test_without_intervals_nothing_is_relied_on() -> None:
    """A number without its uncertainty is a rumour."""
    bare = record(time_lo_s=None, time_hi_s=None)
    sentence = "No case has an interval, so none of these times can be relied on."
    assert findings.precision([bare]) == sentence
    assert findings.precision([lost("failed", "x")]) is None


@pytest.mark.parametrize(
    ("correct", "sentence"),
    [
        ([True], "The result matches its reference."),
        ([True, True], "All 2 results match their references."),
        ([None, None], "No result was compared with a reference."),
        ([True, None], "1 of 2 results match their references; the others were not compared."),
        (
            [False, False],
            (
                "2 results differ from their references (matmul/square n=16 float32 and 1 more): "
                "don't use their times."
            ),
        ),
        (
            [True, False],
            "1 result differs from its reference (matmul/square n=16 float32): don't use its time.",
        ),
    ],
)
def test_correctness_is_claimed_only_where_it_was_checked(
    correct: list[bool | None], sentence: str
) -> None:
    """Unchecked is not right, and one wrong result is news."""
    assert findings.correctness([record(correct=c) for c in correct]) == sentence


def test_the_highest_rate_is_alone_if_no_interval_reaches_it() -> None:
    """The winner is named with its rate."""
    sentence = findings.highest_flop_rate([fast("a", 1e9), fast("b", 2e9)])
    assert sentence == "Highest FLOP/s: 2.00 GFLOP/s, by mul/b n=4 on cpu."


def test_a_rival_within_the_interval_is_admitted() -> None:
    """Two that can't be told apart are not ranked."""
    rows = [fast("a", 1.99e9), fast("b", 2e9), fast("c", 1e9)]
    assert str(findings.highest_flop_rate(rows)).endswith("; one other case can't be told from it.")


def test_a_rival_without_an_interval_could_be_anything() -> None:
    """An unknown end is an open end."""
    bare = record("mul", "x", time_s=1.0, flop=1e6, time_lo_s=None, time_hi_s=None)
    assert "can't be told" in str(findings.highest_flop_rate([fast("a", 1e9), bare]))
    assert "no interval" in str(findings.highest_flop_rate([bare]))


def test_times_that_say_nothing_win_nothing() -> None:
    """A wrong result is no achievement, and neither is a call lost in the loop's own cost."""
    for code in ("wrong-result", "below-overhead"):
        cheat = record("mul", "cheat", time_s=1e-9, flop=1e6, warnings=(code,))
        assert "mul/a" in str(findings.highest_flop_rate([fast("a", 1e9), cheat]))
    assert findings.highest_flop_rate([record()]) is None


def test_devices_are_compared_only_where_intervals_part() -> None:
    """Touching intervals decide nothing."""
    cases = [fast("a", 1e9), fast("b", 1e9), fast("c", 1e9, width=0.9)]
    sentence = "Of 3 cases measured on both, cuda is faster than cpu in 2 and slower in 0; 1 can't be told."
    assert findings.devices([*cases, *on("cuda", cases)]) == sentence
    assert findings.devices(cases) is None
    assert findings.devices([*cases, *on("cuda", [lost("failed", "x")])]) is None


def test_an_interval_that_ends_nowhere_is_infinitely_wide() -> None:
    """It can't be narrower than what is known."""
    assert findings.width(record(time_lo_s=None)) == math.inf
    assert findings.width(lost("failed", "x")) == math.inf


def test_every_run_has_something_said_of_it() -> None:
    """Also an empty one."""
    assert findings.findings([])
    assert len(findings.findings(example())) >= 4
