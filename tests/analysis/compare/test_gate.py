"""A gate fails on what was shown, passes what was excluded, and says when it knows neither."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from bench.analysis.compare import gate as gates
from bench.analysis.compare.comparison import compare
from bench.analysis.compare.gate import Gate, false_alarm_rate, gate, lost, worst
from bench.cli.app import OK, SOME_FAILED
from tests.fakes.comparisons import APART, case, comparison, example
from tests.fakes.rows import lost as fakes_lost
from tests.fakes.rows import record
from tests.fakes.two_runs import NEW, run, timed


def judged(*cases: Any, **values: Any) -> Gate:
    """These cases, each at the threshold that it says, which is 5 % unless it says otherwise."""
    failed = values.pop("failed", ())
    return gate(comparison(*cases, **values), failed=failed)


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


def test_runs_that_cant_be_compared_are_not_judged() -> None:
    """Whatever the cases say; what differs and what to do is said, and no false-alarm rate."""
    found = judged(case("slower", 2.0), comparable=APART)
    assert found.exit_code == 5
    assert found.sentence == (
        "Not comparable: threads 2 → 4. To compare: bench run matmul --threads 2"
    )


def test_two_runs_without_a_common_case_are_not_comparable() -> None:
    """An empty comparison must not pass."""
    found = judged()
    assert found.exit_code == 5
    assert "no measured case in common" in found.sentence


def test_a_case_is_lost_if_the_base_has_it_and_the_new_run_failed_it_or_is_wrong() -> None:
    """A result that became wrong does not leave the verdict; what the base lacks is no loss."""
    names = ("good", "wrong", "oom", "was-wrong", "new")
    base = [record("a", name) for name in names[:3]] + [record("a", "was-wrong", correct=False)]
    new = [
        record("a", "good"),
        record("a", "wrong", correct=False),
        fakes_lost("oom", "too large", "a", "oom"),
        record("a", "was-wrong", correct=False),
        fakes_lost("failed", "boom", "a", "new"),
    ]
    case = "[n=16,dtype=float32] on cpu"
    assert lost(base, new) == [f"a/wrong{case} (wrong result)", f"a/oom{case}"]


def test_failed_cases_outweigh_undecided_ones_and_not_regressions() -> None:
    """Each is told beside what outweighs it."""
    failed = ("a/b[n=1] on cpu",)
    assert judged(case(), failed=failed).exit_code == 6
    both = judged(case("unsure"), failed=failed)
    assert both.exit_code == 6
    assert (
        "1 case failed: a/b[n=1] on cpu; of the other 1: no regression, 1 undecided"
        in both.sentence
    )
    worse = judged(case("slower", 2.0), failed=failed)
    assert worse.exit_code == 3
    assert "Besides, 1 case failed." in worse.sentence
    assert judged(failed=failed).exit_code == 6


def test_of_several_comparisons_the_worst_counts() -> None:
    """In the same order of weight."""
    fine, slower = judged(case()), judged(case("slower", 2.0))
    unsure, apart = judged(case("unsure")), judged(case(), comparable=APART)
    lost = judged(case(), failed=("x",))
    assert worst([]) == worst([fine, fine]) == 0
    assert worst([fine, unsure]) == 4
    assert worst([unsure, lost, fine]) == 6
    assert worst([lost, slower, unsure]) == 3
    assert worst([slower, apart]) == 5


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
