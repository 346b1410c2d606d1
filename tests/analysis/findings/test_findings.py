"""Sentences about a run are true, and no stronger than the intervals allow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from bench.analysis.findings import findings
from tests.fakes.crossover import both, copies
from tests.fakes.rows import example, lost, record

if TYPE_CHECKING:
    from bench.records.record import Record


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "This run holds no cases."),
        ([record()], "The one case was measured; its result matches its reference."),
        ([record(), record()], "All 2 cases were measured; every result matches its reference."),
        ([lost("skipped", "x")] * 3, "Nothing was measured: of 3 cases, 3 skipped."),
        ([lost("oom", "x")], "Nothing was measured: of 1 case, 1 ran out of memory."),
        (
            example(),
            (
                "8 of 13 cases were measured; 1 failed, 1 timed out, 3 skipped; "
                "7 of 8 results match their references, 1 was not compared."
            ),
        ),
    ],
)
def test_the_outcome_counts_everything(rows: list[Record], sentence: str) -> None:
    """What was not measured, or not compared, is said in the same breath."""
    assert findings.outcome(rows) == sentence


def test_results_match_only_where_they_were_compared() -> None:
    """Unchecked is not right."""
    unchecked, wrong = record(correct=None), record(correct=False)
    assert "no result was compared with a reference" in str(findings.outcome([unchecked]))
    assert "1 of 2 results match their references." in str(findings.outcome([record(), wrong]))


SEEN = "every input is 0 throughout, so that a right result shows nothing"


def test_results_that_show_nothing_do_not_match() -> None:
    """They are counted apart from those that were not compared, and the first is named with what was seen."""
    empty = record(correct=None, max_error=0.0, reason=SEEN, warnings=("vacuous-check",))
    assert findings.outcome([empty]) == (
        "The one case was measured; 0 of 1 result match their references, 1 shows nothing."
    )
    assert str(findings.outcome([record(), empty, empty, record(correct=None)])).endswith(
        "1 of 4 results match their references, 2 show nothing, 1 was not compared."
    )
    assert findings.vacuous([record(), record(correct=None), record(correct=False)]) is None
    assert findings.vacuous([record(), empty]) == (
        f"1 result equals its reference and shows nothing (matmul/square n=16 float32: {SEEN})."
    )
    assert str(findings.vacuous([empty] * 3)).endswith(f"{SEEN}; and 2 more).")
    assert findings.findings([empty])[0] == findings.vacuous([empty])
    assert findings.doubts([empty]) is None


def test_what_runs_differ_by_is_said_to_be_unknown_or_allowed_for() -> None:
    """One run can't know it; with earlier ones, their middle floor, and for how many cases."""
    known = record(noise_floor_share=0.012)
    head = "Half of the times are known to ±1.0 % or better at 95 % confidence; "

    assert findings.precision([record()]) == (
        f"{head}that leaves out how runs differ, for want of three earlier ones like this."
    )
    assert findings.precision([known, known]) == (
        f"{head}earlier runs like this one lie 1.2 % apart, which the intervals allow for."
    )
    assert str(findings.precision([known, record()])).endswith("allow for in 1 of 2 cases.")


def test_intervals_wider_than_their_time_are_not_told_as_numbers() -> None:
    """`known to ±290 %` would be a joke."""
    wild = record(time_s=1e-5, time_lo_s=1e-6, time_hi_s=3.9e-5, warnings=("noisy",))
    assert str(findings.precision([wild])).startswith(
        "Half of the times have intervals of ±>100 % "
    )
    assert str(findings.doubts([wild])).endswith(", ±>100 %.")


def test_without_intervals_nothing_is_relied_on() -> None:
    """A number without its uncertainty is a rumour."""
    bare = record(time_lo_s=None, time_hi_s=None)
    sentence = "No case has an interval, so none of these times can be relied on."
    assert findings.precision([bare]) == sentence
    assert findings.precision([lost("failed", "x")]) is None


@pytest.mark.parametrize(
    ("correct", "sentence"),
    [
        ([True, None], None),
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
def test_a_wrong_result_is_news(correct: list[bool | None], sentence: str | None) -> None:
    """It comes before everything else."""
    rows = [record(correct=c) for c in correct]
    assert findings.wrong(rows) == sentence
    if sentence:
        assert findings.findings(rows)[0] == sentence


def test_what_to_take_with_care_is_counted_and_the_widest_named() -> None:
    """By every reason, most frequent first; a case that has two counts once among the times."""
    wide = {"time_lo_s": 5e-6, "time_hi_s": 11e-6}
    rows = [
        record(),
        record("mul", "a", warnings=("two-states", "noisy"), **wide),
        record("mul", "b", warnings=("two-states",)),
        record("mul", "c", warnings=("a-code-of-tomorrow",), time_lo_s=None, time_hi_s=None),
        record("mul", "d", warnings=("unchecked", "wrong-result")),
        lost("failed", "x", warnings=("noisy",)),
    ]
    assert findings.doubts(rows) == (
        "3 of 5 times are to be taken with care: 2 two-states, 1 noisy, 1 a-code-of-tomorrow. "
        "The widest interval of these is that of mul/a n=16 float32, ±50 %."
    )
    assert findings.doubts([rows[0], rows[4]]) is None
    assert findings.doubts([rows[3]]) == (
        "1 of 1 time is to be taken with care: 1 a-code-of-tomorrow."
    )


def test_a_first_call_that_one_waits_for_is_named() -> None:
    """Below a tenth of a second nobody notices."""
    slow = record("mul", "a", first_call_s=0.4, time_s=1e-3)
    slower = record("mul", "b", first_call_s=0.6, time_s=1e-3)
    assert findings.slow_start([record(first_call_s=0.09), lost("failed", "x")]) is None
    assert findings.slow_start([record(first_call_s=9.9, time_s=9.85)]) is None
    assert findings.slow_start([slow]) == (
        "Slow to start: in a fresh worker the first call of mul/a n=16 float32 takes 400 ms, "
        "later ones 1.0 ms."
    )
    assert str(findings.slow_start([slow, slower])).endswith(
        "mul/b n=16 float32 takes 600 ms, later ones 1.0 ms, and 1 more loses 100 ms or more."
    )


def test_an_interval_that_ends_nowhere_is_infinitely_wide() -> None:
    """It can't be narrower than what is known."""
    assert findings.width(record(time_lo_s=None)) == math.inf
    assert findings.width(lost("failed", "x")) == math.inf


def test_what_a_gpu_wins_comes_before_what_is_said_of_the_measuring() -> None:
    """And everything fits a first screen."""
    said = findings.findings([*both(), *copies()])
    assert said[0].startswith("The GPU (cuda) wins matmul/square")
    assert said[-1].startswith("All 14 cases were measured")


def test_every_run_has_something_said_of_it() -> None:
    """Also an empty one."""
    assert findings.findings([])
    assert 4 <= len(findings.findings(example())) <= 7


def test_a_full_queue_is_no_doubt_of_the_time() -> None:
    """What a caller waits is told; only the device's own time is not."""
    assert findings.doubts([record(warnings=("queue-full",))]) is None


def test_the_first_screen_says_where_a_gpu_wins_by_family_and_that_it_waits() -> None:
    """Before everything else."""
    rows = [*both(bound_by="launch", device_time_s=1e-6), *both("mul/a")]
    _, families, waits, *_ = findings.findings(rows)
    assert families.startswith("By family of ops, ")
    assert "wait for the host (launch-bound)" in waits
