"""Runs against runs: joint cases, what is missing, false discoveries, and means that don't promise too much."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bench.analysis.compare.comparison import compare, discovered, mean
from bench.analysis.compare.verdict import judge_case
from bench.stats import interval
from bench.stats.ratio import CHANGED
from tests.fakes.rows import lost
from tests.fakes.two_runs import NEW, example, run, timed

if TYPE_CHECKING:
    from bench.records.record import Record


def case(n: int, time_s: float = 1e-5, **values: Any) -> Record:
    """One of many cases."""
    return timed(time_s, params={"n": n, "dtype": "float32"}, **values)


def test_only_cases_of_both_runs_count() -> None:
    """Others are named with the run that lacks them, and why; what was skipped on purpose is not."""
    both, skipped = case(1), lost("skipped", "no kernel", params={"n": 9})
    before = [both, case(2), case(3), case(4), skipped]
    after = [
        both,
        case(3, correct=False),
        lost("oom", "too large", params={"n": 4, "dtype": "float32"}),
        case(5),
    ]
    found = compare(before, after, run(), run(NEW))
    assert [one.case for one in found.cases] == [both.case]
    assert tuple(map(str, found.missing)) == (
        "matmul/square[n=2,dtype=float32] on cpu (new: not there)",
        "matmul/square[n=3,dtype=float32] on cpu (new: wrong result)",
        "matmul/square[n=4,dtype=float32] on cpu (new: oom, too large)",
        "matmul/square[n=5,dtype=float32] on cpu (base: not there)",
    )
    assert found.summary.missing == 4


def test_nothing_in_common_has_no_mean() -> None:
    """Nor verdicts."""
    found = compare([case(1)], [case(2)], run(), run(NEW))
    assert found.cases == ()
    assert (found.summary.geomean_ratio, found.summary.geomean_lo) == (None, None)


def test_devices_are_told_apart() -> None:
    """The same case on another device is another."""
    found = compare([case(1)], [case(1, device="cuda")], run(), run(NEW))
    assert (found.cases, len(found.missing)) == ((), 2)


def test_a_run_knows_itself() -> None:
    """By its id."""
    assert compare([case(1)], [case(1)], run(), run()).with_itself
    assert not compare([case(1)], [case(1)], run(), run(NEW)).with_itself


def test_what_must_not_be_mixed_has_no_verdict() -> None:
    """The ratio stays; the reason names what differs."""
    after = [case(1, 2e-5, threads=1)]
    found = compare([case(1)], after, run(), run(NEW, options={"threads": 1}))
    (one,) = found.cases
    assert (one.verdict, one.reason) == ("unsure", "not comparable: threads differs")
    assert one.ratio == pytest.approx(2.0)


def test_other_machines_are_compared_by_what_a_caller_waits() -> None:
    """Their sentinels and references are others."""
    other = run(NEW, machine={"machine_id": "m-2"})
    (one,) = compare([case(1)], [case(1, 2e-5)], run(), other).cases
    assert (one.verdict, one.at) == ("slower", "headline")
    (here,) = compare([case(1)], [case(1, 2e-5)], run(), run(NEW)).cases
    assert (here.verdict, here.at) == ("slower", "reference")


def test_one_doubtful_change_among_many_cases_is_taken_back() -> None:
    """By itself it is called slower; as one of a thousand it may be chance."""
    doubtful = case(0, 1.08e-5, width=0.02)
    (alone,) = compare([case(0, width=0.02)], [doubtful], run(), run(NEW)).cases
    others = [case(n, width=0.02) for n in range(1, 1000)]
    among = compare([case(0, width=0.02), *others], [doubtful, *others], run(), run(NEW)).cases[0]
    assert alone.verdict == "slower"
    assert (among.verdict, among.reason) == (
        "unsure",
        "one of 1000 cases can be that far off by chance",
    )


def test_many_changes_vouch_for_each_other() -> None:
    """The same change in every case is no chance."""
    before, after = ([case(n, t, width=0.02) for n in range(50)] for t in (1e-5, 1.08e-5))
    found = compare(before, after, run(), run(NEW))
    assert found.summary.slower == 50


def test_cases_that_are_left_open_lend_no_credit() -> None:
    """However small their p-values are: they may be the machine's doing."""
    row = compare([case(0)], [case(0, 1.2e-5)], run(), run(NEW)).cases[0]
    doubtful = dataclasses.replace(row, p_value=0.009)
    away = dataclasses.replace(row, verdict="unsure", p_value=0.0)
    assert discovered([doubtful, *[away] * 9], 0.01)[0].verdict == "unsure"
    assert discovered([doubtful], 0.01)[0].verdict == "slower"


def test_a_mean_is_of_ratios_and_no_surer_than_its_cases() -> None:
    """Up by two and down by two is nothing; the interval does not shrink with the number of cases."""
    found = compare(
        [case(n) for n in range(40)],
        [case(n, 2e-5 if n % 2 else 0.5e-5) for n in range(40)],
        run(),
        run(NEW),
    )
    summary = found.summary
    assert summary.geomean_ratio == pytest.approx(1.0)
    width = math.log((found.cases[0].ratio_hi or 0) / found.cases[0].ratio)
    assert math.log(summary.geomean_hi or 0) == pytest.approx(width)
    assert summary.by_suite["matmul"].cases == 40


def test_a_mean_holds_what_all_cases_share() -> None:
    """A drift of all cases together by two standard errors is within the interval."""
    before, after = ([case(n, t) for n in range(500)] for t in (1e-5, 1.01e-5))
    summary = compare(before, after, run(), run(NEW)).summary
    assert (summary.geomean_lo or 9) < 1 < (summary.geomean_hi or 0)


def test_one_case_without_an_interval_leaves_the_means_open() -> None:
    """Its error is not known."""
    rows = [case(1), case(2, time_lo_s=None, time_hi_s=None)]
    other = run(NEW, machine={"machine_id": "m-2"})
    summary = compare(rows, rows, run(), other).summary
    assert summary.geomean_ratio == pytest.approx(1.0)
    assert (summary.geomean_lo, summary.geomean_hi) == (None, None)
    assert mean(()).ratio is None


@pytest.mark.parametrize(
    ("own", "verdict"), [(0.02, "slower"), (0.05, "same"), (0.1, "same"), (0.005, "slower")]
)
def test_a_case_is_judged_at_the_threshold_of_its_own(own: float, verdict: str) -> None:
    """Stricter or looser than the one for all: its band, its equivalence, the smallest that is visible."""
    before, after = ([case(1, a, width=0.005), case(2, width=0.005)] for a in (1e-5, 1.03e-5))
    name = before[0].case
    mine, other = compare(
        before, after, run(), run(NEW), limit=lambda one: own if one == name else 0.05
    ).cases
    assert (mine.verdict, mine.threshold) == (verdict, own)
    assert (mine.smallest_visible or 0) >= own
    assert (mine.smallest_visible == own) == (own > 0.01)
    assert (other.verdict, other.threshold, other.smallest_visible) == ("same", 0.05, 0.05)


def test_without_thresholds_of_their_own_all_cases_have_the_one() -> None:
    """The run's."""
    found = compare([case(1)], [case(1)], run(), run(NEW), threshold=0.07)
    assert [one.threshold for one in found.cases] == [found.threshold] == [0.07]


def test_the_example_has_each_verdict() -> None:
    """Faster, slower, same, unsure, missing; a change of the machine is none of the op."""
    found = example()
    assert [one.verdict for one in found.cases] == [
        "same",
        "slower",
        "same",
        "unsure",
        "unsure",
        "faster",
    ]
    assert found.comparable.verdict == "with-care"


WORKERS, ROUNDS = 6, 8


def simulated(
    rng: np.random.Generator, cases: int, factor: float = 1.0, cell: float = 0.01
) -> list[Record]:
    """Rows of a sweep: each worker is off by 2 %, each visit besides; intervals as a run makes them."""
    matrices = [
        1e-5
        * factor
        * np.exp(rng.normal(0, 0.02, (WORKERS, 1)) + rng.normal(0, cell, (WORKERS, ROUNDS)))
        for _ in range(cases)
    ]
    others = interval.pooled([s for m in matrices if (s := interval.spread(m))])
    found = [interval.estimate(m, others=others) for m in matrices]
    return [
        case(
            n,
            one.centre,
            time_lo_s=one.low,
            time_hi_s=one.high,
            time_at_reference_lo_s=one.low,
            time_at_reference_hi_s=one.high,
            workers=WORKERS,
            rounds=ROUNDS,
        )
        for n, one in enumerate(found)
    ]


def test_a_sweep_of_unchanged_cases_is_not_called_changed() -> None:
    """1,000 cases with 2 % between processes: one in a hundred at most, before and after the control."""
    rng = np.random.default_rng(20261123)
    before, after = simulated(rng, 1000), simulated(rng, 1000)
    alone = [
        judge_case(one, other, threshold=0.001, confidence=0.99, same_machine=True)
        for one, other in zip(before, after, strict=True)
    ]
    found = compare(before, after, run(), run(NEW))
    summary = found.summary
    assert sum(one.verdict in CHANGED for one in alone) <= 10
    assert summary.slower + summary.faster == 0
    assert summary.unsure <= 200


def test_a_sweep_of_slower_cases_is_called_slower() -> None:
    """By a tenth, with the same noise: at least 95 of 100."""
    rng = np.random.default_rng(20261124)
    before, after = simulated(rng, 200), simulated(rng, 200, factor=1.1)
    assert compare(before, after, run(), run(NEW)).summary.slower >= 190
