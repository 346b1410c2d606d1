"""What `bench ab` found is a comparison as any other: the same verdicts, and what failed on either side is lost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.compare.gate import gate
from bench.experiment.ab import Answer, DecisionGoal, Result
from bench.experiment.ab_comparison import called, comparison
from bench.stats.ratio import Ratio
from tests.fakes.rows import info, lost, record

if TYPE_CHECKING:
    from bench.analysis.compare.comparison import Comparison

WRONG, BROKEN = record(correct=False), lost("oom", "too large")


def answer(verdict: Any = "same", value: float = 1.0, reach: float = 0.01, **values: Any) -> Answer:
    """A case whose ratio is known to about this share."""
    facts: dict[str, Any] = {
        "one": record(),
        "other": record(time_s=1e-5 * value),
        "ratio": Ratio.of_log(math.log(value), reach, reach),
        "ended": "decided",
    }
    return Answer(verdict=verdict, **{**facts, **values})


def compared(*answers: Answer) -> Comparison:
    """These answers at 2 % and 99 %."""
    found = Result(answers=answers, aim=DecisionGoal(budget_s=1.0, threshold=0.02), took_s=1.0)
    return comparison(found, info(label="a"), info(label="b"), why=lambda one: f"it {one.ended}")


def test_a_is_the_base_and_the_numbers_are_those_of_the_answer() -> None:
    """Times, ratio, interval, verdict, reason, and counts."""
    found = compared(answer("slower", 2.0), answer())
    one, same = found.cases
    assert (one.base_s, one.new_s) == (1e-5, 2e-5)
    assert one.ratio == pytest.approx(2.0)
    assert one.ratio_lo == pytest.approx(2 * math.exp(-0.01))
    assert (one.verdict, one.reason, one.threshold) == ("slower", "it decided", 0.02)
    assert (found.summary.slower, found.summary.same) == (1, 1)
    assert (found.comparable.verdict, len(found.missing)) == ("yes", 0)
    assert same.smallest_visible == pytest.approx(0.02)


@pytest.mark.parametrize(
    "sides", [{"one": WRONG}, {"other": WRONG}, {"one": BROKEN, "other": WRONG}]
)
def test_a_wrong_result_on_either_side_is_lost(sides: dict[str, Any]) -> None:
    """A wrong result before a failure."""
    found = compared(answer("unsure", ratio=None, ended="failed", **sides), answer())
    assert [(one.loss, one.why) for one in found.lost] == [("wrong", "new: it failed")]
    assert (found.summary.wrong, gate(found).exit_code) == (1, 6)


def test_sides_that_were_never_measured_together_leave_it_open() -> None:
    """Neither failed, and nothing is known."""
    found = compared(answer("unsure", ratio=None, ended="budget"), answer())
    assert ([one.open for one in found.missing], gate(found).exit_code) == ([True], 4)


@given(
    value=st.floats(0.5, 2.0),
    reach=st.floats(0.0, 0.5),
    verdict=st.sampled_from(["faster", "slower", "same", "unsure"]),
)
def test_the_gate_goes_by_the_verdict(value: float, reach: float, verdict: Any) -> None:
    """What a sequential test decided is decided, however wide its interval over all looks."""
    if verdict in {"faster", "slower"} and (value > 1) != (verdict == "slower"):
        value = 1 / value
    if verdict == "faster":
        reach = min(reach, abs(math.log(value)))
    codes = {"faster": 0, "same": 0, "slower": 3, "unsure": 4}
    assert gate(compared(answer(verdict, value, reach))).exit_code == codes[verdict]


def test_an_interval_without_an_end_shows_nothing() -> None:
    """No ends, nothing visible."""
    (one,) = compared(answer("unsure", 1.1, math.inf)).cases
    assert (one.ratio_lo, one.ratio_hi, one.smallest_visible) == (None, None, None)


def test_a_side_is_called_by_its_label_its_letter_and_what_differs() -> None:
    """As far as there are such."""
    assert called(info(label=None), "a", "").label == "a"
    assert called(info(label="pr 7"), "b", "2 threads").label == "pr 7 b: 2 threads"
