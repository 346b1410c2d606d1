"""Answers of `bench ab` read as one line each, in a table and as JSON, and say what would decide them."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from bench.experiment.ab import Answer, DecisionGoal, Result
from bench.report.text.ab import SideNames, ab_facts, ab_table, answer_line, reason
from bench.stats.ratio import Ratio
from tests.fakes.rows import assert_golden, record

if TYPE_CHECKING:
    from bench.records.record import Record

NAMES = SideNames(a=".venv-old/bin/python", b=".venv-new/bin/python, 2 threads")


def side(op: str, n: int, time_s: float | None, **changes: Any) -> Record:
    """A row."""
    return record("mul", op, params={"n": n, "dtype": "float32"}, time_s=time_s, **changes)


def answered(
    n: int, value: float, width: float, verdict: Any, ended: Any = "decided", **changes: Any
) -> Answer:
    """A case of which the second side takes `value` times as long, give or take."""
    known = Ratio(value=value, low=value - width, high=value + width)
    other = side(changes.pop("op", "matrices"), n, 1e-6 * n * value, **changes)
    one = side("matrices", n, 1e-6 * n, device=other.device)
    return Answer(one=one, other=other, ratio=known, verdict=verdict, ended=ended, rounds=10)


FAILED = Answer(
    one=side("matrices", 9, 9e-6),
    other=side("matrices", 9, None, status="oom", reason="no [memory]"),
    ratio=None,
    verdict="unsure",
    ended="failed",
)
WRONG = Answer(
    one=side("matrices", 10, 1e-5),
    other=side("matrices", 10, 1e-6, correct=False, warnings=("unchecked", "wrong-result")),
    ratio=None,
    verdict="unsure",
    ended="failed",
)
BLIND = Answer(
    one=side("matrices", 8, 8e-6),
    other=side("matrices", 8, 8e-6),
    ratio=Ratio(value=1.0, low=0.0, high=math.inf),
    verdict="unsure",
    ended="timeout",
    rounds=1,
)
TAKEN_BACK = dataclasses.replace(answered(7, 1.03, 0.025, "unsure", "rounds"), taken_back=True)
BETWEEN = "b takes 1.005 to 1.055 times as long"
CHANCE = "among so many cases one can be that far off by chance"
RESULT = Result(
    answers=(
        answered(64, 1.052, 0.02, "slower"),
        answered(256, 0.9, 0.05, "faster", op="in_place"),
        answered(1024, 1.0, 0.004, "same", device="cuda"),
        answered(4096, 1.01, 0.03, "unsure", "rounds"),
        answered(16384, 1.01, 0.06, "unsure", "budget"),
        TAKEN_BACK,
        FAILED,
        WRONG,
        BLIND,
    ),
    aim=DecisionGoal(budget_s=60),
    took_s=58.3,
)


def shown(found: Result, names: SideNames, width: int) -> str:
    """What a terminal without colours shows, without the blanks at line ends."""
    file = io.StringIO()
    table = ab_table(found, names, (), width=width)
    Console(file=file, width=width, no_color=True, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_is_readable_in_a_usual_terminal(width: int) -> None:
    """A line each; then how many of each, what it rests on, and what is open."""
    text = shown(RESULT, NAMES, width)
    assert max(map(len, text.splitlines())) <= width
    assert_golden(text, f"report_ab_{width}.txt")


def test_nothing_that_differs_is_said() -> None:
    """Then it is a test of the machine."""
    sound = dataclasses.replace(RESULT, answers=RESULT.answers[:2])
    assert shown(sound, SideNames(a="", b=""), 120).startswith(
        "a and b are the same: whatever differs"
    )
    assert SideNames(a="", b="").title.startswith("a and b are the same")
    assert SideNames(a="", b="X=1").title == "a: as it is, b: X=1"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (RESULT.answers[0], "b takes 1.032 to 1.072 times as long"),
        (
            RESULT.answers[2],
            "b takes 0.9960 to 1.004 times as long; an equivalence test puts it within ±2.0 %",
        ),
        (RESULT.answers[3], "b takes 0.9800 to 1.040 times as long; more rounds would hardly"),
        (TAKEN_BACK, f"{BETWEEN}; {CHANCE}; measure it once more by itself"),
        (
            dataclasses.replace(TAKEN_BACK, ended="budget"),
            f"{BETWEEN}; {CHANCE}, and the time was up",
        ),
        (FAILED, "b oom: no [memory]"),
        (WRONG, "b wrong result"),
        (BLIND, "too few rounds or workers to know how sure the ratio is"),
    ],
)
def test_a_verdict_has_a_reason(answer: Answer, said: str) -> None:
    """And an open one says what would decide it."""
    assert reason(answer, 0.02).startswith(said)
    assert answer_line(answer, 0.02).split(": ", 1)[1].startswith(f"{answer.verdict}, {said}")


def test_json_has_what_the_table_has() -> None:
    """In the words of a comparison: a is the base, b is new."""
    told = ab_facts(RESULT, NAMES, ())
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["summary"] == {"slower": 1, "faster": 1, "same": 1, "unsure": 6}
    first, second, *_, failed, wrong, blind = told["cases"]
    assert first["case"] == first["other_case"]
    assert (first["base_s"], first["new_s"]) == (pytest.approx(6.4e-5), pytest.approx(6.7328e-5))
    assert first["ratio_lo"] < first["ratio"] < first["ratio_hi"]
    assert second["other_case"].startswith("mul/in_place[")
    assert (failed["ratio"], failed["new_s"], failed["rounds"]) == (None, None, 0)
    assert (wrong["ratio"], wrong["base_s"], wrong["new_s"]) == (None, 1e-5, None)
    assert (wrong["verdict"], wrong["reason"]) == ("unsure", "b wrong result")
    assert (blind["ratio"], blind["ratio_lo"]) == (1.0, None)
    assert [case["taken_back"] for case in told["cases"]].count(True) == 1


def test_a_case_alone_has_no_share_of_false_ones() -> None:
    """The share is of many; one has its level."""
    alone = dataclasses.replace(RESULT, answers=RESULT.answers[:1])
    assert "by chance" not in shown(alone, NAMES, 120)
    assert "at most 1.0 % are so by chance" in " ".join(shown(RESULT, NAMES, 120).split())
