"""A gate fails on what was shown, passes what was excluded, and says when it knows neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from bench.analysis.compare import gate as gates
from bench.analysis.compare.comparison import compare
from bench.analysis.compare.gate import Gate, false_alarm_rate, gate, worst
from bench.cli.app import OK, SOME_FAILED
from tests.fakes.comparisons import APART, case, comparison, example, left_out
from tests.fakes.two_runs import NEW, run, timed

if TYPE_CHECKING:
    from bench.analysis.compare.left_out import LeftOut
    from bench.analysis.compare.verdict import CaseVerdict


def judged(*cases: Any, **values: Any) -> Gate:
    """These cases, each at the threshold that it says, which is 5 % unless it says otherwise."""
    return gate(comparison(*cases, **values))


def test_the_exit_codes_are_those_of_the_command_line() -> None:
    """Two packages name them; a script knows one list."""
    assert (gates.FINE, gates.SOME_FAILED) == (OK, SOME_FAILED)
    codes = {gates.REGRESSION, gates.UNDECIDED, gates.NOT_COMPARABLE}
    assert codes == {3, 4, 5}


def test_a_change_without_a_regression_passes() -> None:
    """Faster is no reason to fail."""
    found = judged(case("same", 1.01), case("faster", 0.8))
    assert found.exit_code == 0
    assert found.sentence.startswith("Gate passed: no regression beyond its threshold in 2 cases.")


def test_a_slower_case_fails_and_is_named_worst_first() -> None:
    """The sentence alone says what to look at."""
    cases = [case("slower", r, case=f"a/b[n={r}]") for r in (1.1, 1.2, 1.4, 1.3)]
    found = judged(case(), *cases)
    assert found.exit_code == 3
    assert "4 of 5 cases slower than allowed: a/b[n=1.4] on cpu 1.400 times" in found.sentence
    assert "(allowed 1.050)" in found.sentence
    assert "and 1 more." in found.sentence
    assert [one.found for one in found.findings] == ["fine", *["regression"] * 4]


def test_the_verdict_is_the_verdict() -> None:
    """The gate does not argue with a slower case whose number is small."""
    assert judged(case("slower", 1.04)).exit_code == 3


def test_an_unsure_case_leaves_the_gate_undecided() -> None:
    """Even where its interval looks harmless: what is unsure may have been measured in another state."""
    found = judged(case(), case("unsure", 1.0, reason="another state"))
    assert found.exit_code == 4
    assert "neither show nor exclude a regression in 1 of 2 cases" in found.sentence
    assert "(allowed 5.0 %; another state)" in found.sentence


def test_a_case_too_noisy_for_the_threshold_leaves_it_undecided() -> None:
    """`same` within a noise floor of 8 % says nothing about 5 %."""
    found = judged(case("same", 1.02, ratio_hi=1.07, smallest_visible=0.08))
    assert found.exit_code == 4
    assert "visible from 8.0 %" in found.sentence


def test_what_the_interval_excludes_needs_no_sharp_eyes() -> None:
    """A case seen to be faster passes, however wide its interval."""
    assert judged(case("faster", 0.6, ratio_hi=0.8, smallest_visible=0.3)).exit_code == 0
    blunt = {"ratio_hi": 1.04, "smallest_visible": 0.3}
    assert judged(case("same", 1.0, **blunt)).exit_code == 0
    assert judged(case("same", 1.0, threshold=0.03, **blunt)).exit_code == 4


def test_without_any_interval_nothing_is_passed() -> None:
    """Not even what is called same."""
    bare = {"ratio_lo": None, "ratio_hi": None, "smallest_visible": None}
    assert judged(case("same", 1.0, **bare)).exit_code == 4


@pytest.mark.parametrize(
    ("factor", "limit", "code"),
    [
        (1.10, None, 3),
        (1.10, 0.2, 0),  # seen to be slower, and by less than is allowed
        (1.19, 0.2, 4),  # the estimate is allowed, the interval goes beyond
        (1.25, 0.2, 3),
        (1.04, None, 4),
        (1.04, 0.1, 0),
        (1.04, 0.02, 3),
        (1.00, 0.02, 0),
        (1.00, 0.005, 4),  # as much could not have been seen
    ],
)
def test_a_threshold_of_its_own_decides_as_the_one_for_all_does(
    factor: float, limit: float | None, code: int
) -> None:
    """Looser or stricter: the gate takes the verdict, which is reached at that threshold."""
    rows = [timed()], [timed(1e-5 * factor)]
    own = None if limit is None else lambda _: limit
    found = gate(compare(*rows, run(), run(NEW), limit=own))
    assert found.exit_code == code
    if limit is not None:
        assert gate(compare(*rows, run(), run(NEW), threshold=limit)) == found


BARRED = case("unsure", 2.0, reason="not comparable: threads differs")
LOST = left_out("a/b[n=1]", new="oom, too large", loss="failed")


def test_runs_that_cant_be_compared_are_not_judged() -> None:
    """Whatever the ratios are; what differs and what to do is said, and no false-alarm rate."""
    found = judged(BARRED, comparable=APART)
    assert found.exit_code == 5
    assert found.sentence == (
        "Not comparable: threads 2 → 4. To compare: bench run matmul --threads 2"
    )


def test_two_runs_without_a_common_case_are_not_comparable() -> None:
    """An empty comparison must not pass."""
    found = judged()
    assert found.exit_code == 5
    assert "no measured case in common" in found.sentence


@pytest.mark.parametrize(
    ("cases", "missing", "code"),
    [
        ([], [LOST], 6),
        ([case()], [LOST], 6),
        ([case("slower", 2.0)], [LOST], 6),
        ([BARRED], [LOST], 6),
        ([case("slower", 2.0), case("unsure"), BARRED], [], 3),
        ([case("unsure"), BARRED], [], 4),
        ([case(), BARRED], [], 5),
        ([BARRED], [], 5),
        ([case()], [left_out()], 0),
        ([], [left_out()], 5),
        ([case()], [left_out(new="no time that could be told from none", open=True)], 4),
    ],
)
def test_what_is_broken_outweighs_what_is_slow_and_that_what_is_not_known(
    cases: list[CaseVerdict], missing: list[LeftOut], code: int
) -> None:
    """6, 3, 4, 5, 0; where nothing at all could be compared, 5."""
    assert judged(*cases, missing=tuple(missing)).exit_code == code
    assert [found.found for found in judged(BARRED).findings] == ["barred"]


def test_the_sentence_names_what_was_lost_then_what_came_of_the_others() -> None:
    """The gravest first, and with a remedy only what may have been wanted."""
    wrong = left_out("a/w", new="wrong result", loss="wrong")
    gone = left_out("a/g", new="not there", loss="gone")
    found = judged(case(), case("unsure"), missing=(gone, LOST, wrong))
    assert found.sentence.startswith(
        "Gate failed: 1 wrong result, 1 case failed, 1 case gone from the new run: "
        "a/w on cpu (new: wrong result), a/b[n=1] on cpu (new: oom, too large), a/g on cpu (new: not there). "
        "Where cases are gone on purpose, choose those that both runs have: --where 'op=… n=…'. "
        "In 2 other cases: no regression, 1 undecided. If nothing"
    )
    slower = judged(case("slower", 2.0), missing=(wrong,)).sentence
    assert "--where" not in slower
    assert "Besides, 1 of 1 case slower than allowed: matmul/square" in slower


def test_an_undecided_gate_names_what_has_no_time_and_what_is_barred() -> None:
    """Neither was shown to be no slower."""
    open_ = left_out("a/o", base="no time that could be told from none", open=True)
    said = judged(case(), BARRED, missing=(open_,)).sentence
    assert "in 1 of 3 cases: a/o on cpu (base: no time that could be told from none)" in said
    assert "1 case can't be compared, and no other case got slower" in said


def test_of_several_comparisons_the_worst_counts() -> None:
    """In the same order of weight."""
    fine, slower = judged(case()), judged(case("slower", 2.0))
    unsure, apart = judged(case("unsure")), judged(BARRED, comparable=APART)
    lost = judged(case(), missing=(LOST,))
    assert worst([]) == worst([fine, fine]) == 0
    assert worst([fine, apart]) == 5
    assert worst([fine, unsure, apart]) == 4
    assert worst([slower, unsure, apart]) == 3
    assert worst([unsure, lost, fine, slower, apart]) == 6


@pytest.mark.parametrize("verdict", ["same", "slower", "unsure"])
def test_every_sentence_ends_with_the_gates_own_false_alarm_rate(verdict: str) -> None:
    """For the number of cases and the confidence at hand."""
    found = judged(*[case(verdict, 1.3 if verdict == "slower" else 1.0)] * 4, confidence=0.98)
    assert found.false_alarm_rate == pytest.approx(0.02)
    assert found.sentence.endswith(
        "If nothing had changed, this gate would fail at most 2.0 % of the time "
        "(4 cases at 98 % confidence, false discoveries controlled)."
    )


@pytest.mark.parametrize(("cases", "rate"), [(0, 0.0), (1, 0.005), (2, 0.01), (1000, 0.01)])
def test_the_rate_does_not_grow_with_the_cases(cases: int, rate: float) -> None:
    """One case has one side to raise an alarm on; the others share what is allowed."""
    assert false_alarm_rate(0.99, cases) == pytest.approx(rate)


@pytest.mark.parametrize("cases", [1, 2, 30])
@pytest.mark.parametrize("common", [0.0, 0.7])
def test_unchanged_cases_fail_the_gate_no_more_often_than_it_says(
    cases: int, common: float
) -> None:
    """Simulated: no change, Benjamini & Hochberg at 10 %, cases alone or drifting together."""
    random, doubt, sweeps = np.random.default_rng(7), 0.1, 20_000
    shared = random.standard_normal((sweeps, 1))
    z = np.sqrt(1 - common) * random.standard_normal((sweeps, cases)) + np.sqrt(common) * shared
    p = np.sort(2 * ndtr(-np.abs(z)), axis=1)
    allowed = doubt * np.arange(1, cases + 1) / cases
    largest = np.where(p <= allowed, p, 0.0).max(axis=1, keepdims=True)
    slower = ((2 * ndtr(-np.abs(z)) <= largest) & (z > 0)).any(axis=1)

    rate = float(slower.mean())

    assert rate <= false_alarm_rate(1 - doubt, cases) + 0.006  # three standard errors
    assert rate >= 0.2 * doubt, "a bound that is never approached says nothing"


@given(
    factor=st.floats(0.5, 2.0),
    width=st.floats(0.001, 0.3),
    limit=st.floats(0.001, 1.0),
    more=st.floats(0.0, 1.0),
)
def test_a_looser_threshold_fails_nothing_new(
    factor: float, width: float, limit: float, more: float
) -> None:
    """Who allows more gets no failure that was none, and what was passed as the same still is."""
    rows = [timed(width=width)], [timed(1e-5 * factor, width=width)]
    strict, loose = (
        gate(compare(*rows, run(), run(NEW), limit=lambda _, limit=one: limit))  # type: ignore[misc]
        for one in (limit, limit + more)
    )
    assert (loose.exit_code == 3) <= (strict.exit_code == 3)
    if strict.exit_code == 0 and strict.findings[0].case.verdict == "same":
        assert loose.exit_code == 0


def test_the_sentence_is_one_line() -> None:
    """It is printed as such, and shown as such by CI."""
    assert "\n" not in gate(example()).sentence
