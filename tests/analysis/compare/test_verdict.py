"""Verdicts need the interval, the band, and equal conditions; each lack is a reason."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bench.analysis.compare.verdict import CaseVerdict, judge_case
from tests.fakes.rows import record
from tests.fakes.two_runs import elsewhere, timed


def said(base: Any, new: Any, *, same_machine: bool = True, **changes: Any) -> CaseVerdict:
    """The verdict at a threshold of 5 % and a confidence of 99 %."""
    how = {"threshold": 0.05, "confidence": 0.99, **changes}
    return judge_case(base, new, same_machine=same_machine, **how)


@pytest.mark.parametrize(
    ("factor", "width", "verdict"),
    [
        (1.0, 0.01, "same"),
        (1.1, 0.01, "slower"),
        (1 / 1.1, 0.01, "faster"),
        (1.04, 0.001, "same"),  # it did change, by less than counts
        (1.04, 0.03, "unsure"),
        (1.0, 0.05, "unsure"),
        (1.1, 0.2, "unsure"),
    ],
)
@pytest.mark.parametrize("same_machine", [True, False])
def test_interval_and_band_decide(
    factor: float, width: float, verdict: str, *, same_machine: bool
) -> None:
    """Beyond 1 and beyond the band; inside the band; or it can't be told."""
    found = said(timed(width=width), timed(1e-5 * factor, width=width), same_machine=same_machine)
    assert found.verdict == verdict
    assert found.ratio == pytest.approx(factor)
    assert found.reason


def test_equivalence_is_tested_by_the_interval_at_90() -> None:
    """It may lie within the band where the interval at 99 % does not, but not if it is wider itself."""
    row, wider = timed(width=0.038), timed(width=0.044)
    found = said(row, row)
    assert (found.verdict, (found.ratio_hi or 0) > 1.05) == ("same", True)
    assert said(wider, wider).verdict == "unsure"
    assert said(wider, wider, confidence=0.8).verdict == "same"


def test_what_could_have_been_seen_is_the_threshold_or_the_interval() -> None:
    """No less than what counts, no less than what the interval reaches."""
    sharp, blunt = said(timed(width=0.001), timed()), said(timed(width=0.2), timed(width=0.2))
    assert sharp.smallest_visible == 0.05  # just that, so that it is not above the threshold
    assert (blunt.smallest_visible or 0) > 0.3
    barely = timed(1e-5 * (1.001 + (blunt.smallest_visible or 0)), width=0.2)
    assert said(timed(width=0.2), barely).verdict == "slower"


def test_a_headline_that_moved_with_the_machine_is_no_change() -> None:
    """At reference nothing moved; the reason says what did."""
    drifted = dataclasses.replace(
        timed(), time_s=1.2e-5, time_lo_s=1.19e-5, time_hi_s=1.21e-5, sentinel_compute_s=1.2e-4
    )
    found = said(timed(), drifted)
    assert (found.verdict, found.at, found.ratio) == ("same", "reference", 1.0)
    assert found.reason == (
        "the machine changed, not the op (headline +20 %; sentinels: compute +20 %, barrier +0 %)"
    )
    assert said(timed(), drifted, same_machine=False).verdict == "slower"


def test_an_op_that_changed_at_reference_is_seen_behind_a_steady_headline() -> None:
    """The machine got faster by as much as the op got slower."""
    hidden = dataclasses.replace(timed(1.2e-5), time_s=1e-5, time_lo_s=0.99e-5, time_hi_s=1.01e-5)
    assert said(timed(), hidden).verdict == "slower"


def test_another_state_of_the_machine_leaves_it_open() -> None:
    """Up to what states can do; only far beyond that is it a change."""
    found = said(timed(), elsewhere(timed(), 1.8e-5))
    assert (found.verdict, found.reason) == ("unsure", "machine in another state (new)")
    far = said(timed(), elsewhere(timed(), 9e-5))
    assert (far.verdict, far.at) == ("slower", "headline")
    assert "states don't explain that much" in far.reason
    assert said(elsewhere(timed(), 1e-5), elsewhere(timed(), 1e-5)).verdict == "unsure"


def test_sentinels_that_moved_further_explain_more() -> None:
    """Twice as far as they moved, as a logarithm: 3 times explains 9."""
    moved = dataclasses.replace(elsewhere(timed(), 7e-5), sentinel_barrier_s=9e-6)
    assert said(timed(), moved).verdict == "unsure"
    assert said(timed(), dataclasses.replace(moved, sentinel_barrier_s=3e-6)).verdict == "slower"


def test_without_any_reference_one_machine_is_not_trusted() -> None:
    """Neither row knows the state it was made in."""
    found = said(record(), record(time_s=1.5e-5))
    assert found.verdict == "unsure"
    assert found.reason == "no time at reference conditions (base and new)"


def test_times_brought_to_different_references_are_not_compared() -> None:
    """The machine was seen in a faster state in between."""
    found = said(timed(), timed(1.1e-5, reference_barrier_s=2e-6))
    assert found.verdict == "unsure"
    assert "different references" in found.reason


def test_references_of_one_state_are_brought_together() -> None:
    """A machine's own was lost between the runs, and the next began with one that is 4 % higher."""
    base = timed()
    assert base.reference_compute_s
    again = timed(1.04e-5, reference_compute_s=1.04 * base.reference_compute_s)
    found = said(base, again)
    assert (found.verdict, found.at) == ("same", "reference")
    assert found.ratio == pytest.approx(1)


def test_the_noise_floor_of_the_case_widens_the_band_of_headlines() -> None:
    """Headlines of unchanged runs that scatter by 4 % differ by up to 15 %, at 99 %."""
    noisy, slower = timed(noise_floor_share=0.04), timed(1.12e-5)
    assert said(noisy, slower, same_machine=False).verdict != "slower"
    assert said(slower, noisy, same_machine=False).verdict != "faster"
    assert said(timed(), slower, same_machine=False).verdict == "slower"
    assert said(noisy, slower).verdict == "slower"  # at reference the clock's drift is divided out
    assert said(noisy, slower, same_machine=False).threshold == 0.05  # the user's, not the band's


def test_a_row_without_interval_says_nothing() -> None:
    """Named by its side."""
    bare = record(time_s=2e-5, time_lo_s=None, time_hi_s=None)
    found = said(timed(), bare, same_machine=False)
    assert (found.verdict, found.reason) == ("unsure", "no interval in new")
    assert (found.ratio_lo, found.ratio_hi, found.smallest_visible) == (None, None, None)


TWO: dict[str, Any] = {"state_times_s": (1e-5, 2e-5), "state_shares": (0.6, 0.4)}


def test_two_states_are_compared_state_by_state() -> None:
    """Both must say what the one number says."""
    base = timed(**TWO)
    both = timed(1.2e-5, state_times_s=(1.2e-5, 2.4e-5), state_shares=(0.6, 0.4))
    one = timed(1.2e-5, state_times_s=(1e-5, 2.4e-5), state_shares=(0.6, 0.4))
    assert said(base, both).verdict == "slower"
    assert said(both, base).verdict == "faster"
    found = said(base, one)
    assert (found.verdict, found.reason) == ("unsure", "state by state it is +0 % and +20 %")
    assert (
        said(base, timed(state_times_s=(1e-5, 3e-5), state_shares=(0.6, 0.4))).verdict == "unsure"
    )
    assert said(base, base).verdict == "same"


def test_two_states_on_one_side_leave_it_open() -> None:
    """Unless the machine made them, and the comparison is in one of its states."""
    assert said(timed(**TWO), timed()).reason == "two states in base only"
    assert said(timed(), timed(**TWO)).reason == "two states in new only"
    told = timed(**TWO, state_faults=(0.0, 9.0), time_lo_s=1e-5, time_hi_s=2e-5)
    assert said(told, timed()).reason == "two states in base only, by page faults"


def test_two_states_by_faults_do_not_matter_where_the_headline_is_of_one() -> None:
    """Its interval holds one of the two times only; the other was of another kind of memory."""
    one = timed(**TWO, state_faults=(0.0, 9.0))
    assert said(one, timed()).verdict == said(timed(), one).verdict == "same"
    assert said(timed(**TWO), timed()).verdict == "unsure"
    machines = timed(**TWO, reference_share=0.6)
    assert said(machines, timed()).verdict == "same"
    assert said(machines, timed(), same_machine=False).verdict == "unsure"
