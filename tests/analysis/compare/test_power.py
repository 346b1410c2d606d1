"""Unchanged runs, and the same made slower, are compared pair by pair, and the verdicts counted."""

from __future__ import annotations

import dataclasses

import pytest

from bench.analysis.compare.repeatability import CHANGES, Power, powers, slowed, verdicts
from tests.fakes.two_runs import NEW, elsewhere, run, timed

LATEST = "20261123T070201Z-cccccc"


def test_every_pair_of_runs_is_judged_at_every_change() -> None:
    """Three runs of a case are three pairs; 10 % is seen in all of them, 4 % is within the threshold."""
    row = timed(width=0.005)
    found = powers([(run(), [row]), (run(NEW), [row]), (run(LATEST), [row])], (0.0, 0.04, 0.1))
    assert found == (
        Power(by=0.0, slower=0, faster=0, same=3, unsure=0),
        Power(by=0.04, slower=0, faster=0, same=3, unsure=0),
        Power(by=0.1, slower=3, faster=0, same=0, unsure=0),
    )
    assert [one.slower_share for one in found] == [0.0, 0.0, 1.0]


def test_what_comparing_can_not_tell_is_no_power() -> None:
    """A run of a machine in another state leaves its pairs open, however much slower it is made."""
    away = elsewhere(timed(), 1e-5)
    unchanged, slower = powers([(run(), [timed()]), (run(NEW), [away])], (0.0, 0.1))
    assert (unchanged.unsure, slower.unsure, slower.slower_share) == (1, 1, 0.0)


def test_an_alarm_is_counted_in_its_direction() -> None:
    """Runs that differ although nothing changed: the later is the one that is slower or faster."""
    fast, slow = (run(), [timed(1e-5)]), (run(NEW), [timed(1.2e-5)])
    assert [(one.slower, one.faster) for one in powers([fast, slow], (0.0,))] == [(1, 0)]
    assert [(one.slower, one.faster) for one in powers([slow, fast], (0.0,))] == [(0, 1)]


def test_without_a_pair_there_is_no_share() -> None:
    """One run alone, or two without a case in common."""
    assert [one.slower_share for one in powers([(run(), [timed()])])] == [None] * len(CHANGES)
    assert powers([(run(), [timed()]), (run(NEW), [])])[0].pairs == 0


def test_threshold_and_confidence_are_those_of_the_caller() -> None:
    """Whoever asks for another."""
    runs = [(run(), [timed()]), (run(NEW), [timed()])]
    (one,) = verdicts(runs, 0.1, threshold=0.2)
    assert (one.verdict, one.threshold) == ("same", 0.2)
    (usual,) = verdicts(runs, 0.1)
    assert usual.verdict == "slower"
    (narrow,) = verdicts(runs, 0.1, confidence=0.8)
    assert (narrow.ratio_hi or 9) < (usual.ratio_hi or 0)


def test_all_times_of_a_row_are_slowed() -> None:
    """Interval, reference and states with them; what is empty stays so."""
    row = dataclasses.replace(timed(), state_times_s=(1.0, 2.0), time_at_reference_hi_s=None)
    slower = slowed(row, 2.0)
    assert slower.time_s == pytest.approx(2e-5)
    assert slower.time_at_reference_lo_s == pytest.approx(1.98e-5)
    assert slower.time_at_reference_hi_s is None
    assert slower.state_times_s == (2.0, 4.0)
