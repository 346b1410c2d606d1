"""Sentences about runs come from their numbers, and say no more than the intervals allow."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.compare.comparison import compare
from bench.analysis.compare.runs import Lineup, lineup
from bench.report.html.compare_page.sentences import counts, mean, sentences, why
from bench.report.text.compare_terminal import ITSELF, NOTHING
from tests.fakes import two_runs as fakes_compare
from tests.fakes.comparisons import APART, case, comparison
from tests.fakes.rows import lost
from tests.fakes.two_runs import BASE, NEW, run, timed

if TYPE_CHECKING:
    from bench.analysis.compare.comparison import Comparison
    from bench.records.record import Record

NAMES = ("before", "after")


def rows(*times: float, **values: Any) -> list[Record]:
    """Cases of growing size that take this long."""
    return [
        timed(time, params={"n": 2**place, "dtype": "float32"}, **values)
        for place, time in enumerate(times)
    ]


def two(before: list[Record], after: list[Record], **values: Any) -> Lineup:
    """Two runs of one machine."""
    infos = [run(BASE, label="before"), run(NEW, **{"label": "after", **values})]
    return lineup(infos, [before, after])


def summed(low: float, value: float, high: float, **values: Any) -> Comparison:
    """A comparison that comes to this."""
    found = comparison(case(), **values)
    ends: dict[str, Any] = {"geomean_ratio": value, "geomean_lo": low, "geomean_hi": high}
    return dataclasses.replace(found, summary=dataclasses.replace(found.summary, **ends))


def test_the_counts_come_first_then_the_mean_then_the_most_changed() -> None:
    """Each with the interval that it rests on."""
    found = two(rows(1e-5, 1e-5, 1e-5), rows(1e-5, 1e-5, 3e-5))
    assert sentences(found, NAMES) == [
        "Of 3 cases 1 is slower, 0 faster, 2 the same; 0 unsure.",
        "Over all, after takes 44 % more time (42 to 47 %).",
        "Most changed: matmul/square n=4 float32 takes 3.00 times as long (2.94 to 3.06).",
        "Of the cases that could be judged, half would have shown a change of 5.0 %.",
    ]


def test_most_changed_is_by_factor_in_either_direction() -> None:
    """A fifth of the time is more than twice of it."""
    said = sentences(two(rows(1e-5, 1e-5), rows(2e-5, 2e-6)), NAMES)
    assert "Most changed: matmul/square n=2 float32 is 5.00 times as fast (4.91 to 5.09)." in said


def test_a_run_without_a_label_is_the_new_run() -> None:
    """Its time would say less; of another machine it has that one's name."""
    found = two(rows(1e-5), rows(2e-5), label=None)
    assert sentences(found, ("before", "11-23 06:02"))[1].startswith("Over all, the new run takes")
    other = {"machine_id": "m-2", "name": "Other"}
    found = two(rows(1e-5), rows(2e-5), label=None, machine=other)
    assert sentences(found, ("This", "Other"))[1].startswith("Over all, Other takes")


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((1.01, 1.02, 1.03), "Over all, it takes 2.0 % more time (1.0 to 3.0 %)."),
        (
            (0.98, 1.002, 1.02),
            "Over all, any difference is below 5.0 %: +0.20 % (−2.0 % to +2.0 %).",
        ),
        ((0.9, 1.002, 1.02), "Over all, no difference is shown: +0.20 % (−10 % to +2.0 %)."),
        ((0.9, 1.002, 1.1), "Over all, no difference is shown: +0.20 % (−10 % to +10 %)."),
    ],
)
def test_a_mean_is_a_difference_only_beyond_1(ends: tuple[float, float, float], text: str) -> None:
    """To be within the band takes all of the interval."""
    assert mean(summed(*ends), "it") == text


@given(st.lists(st.floats(0.1, 10), min_size=3, max_size=3))
def test_no_mean_is_stronger_than_its_interval(ends: list[float]) -> None:
    """More, less and within each need all of it."""
    low, value, high = sorted(ends)
    text = mean(summed(low, value, high), "it") or ""
    assert ("more time" in text or "as long" in text) == (low > 1)
    assert ("less time" in text or "as fast" in text) == (high < 1)
    assert ("any difference is below" in text) == (1 / 1.05 < low <= 1 <= high < 1.05)


def test_a_mean_without_an_end_or_over_what_differs_is_not_said() -> None:
    """Not even as a number."""
    assert mean(summed(1.01, 1.02, 1.03, comparable=APART), "it") is None
    found = comparison(case())
    bare = dataclasses.replace(found, summary=dataclasses.replace(found.summary, geomean_lo=None))
    assert mean(bare, "it") is None


def test_what_must_not_be_mixed_is_all_that_is_said() -> None:
    """With both values; no count, no mean, no largest change."""
    options = {"threads": 4, "cache": "hot", "suites": ["matmul"]}
    found = two(rows(1e-5), rows(9e-5), options=options)
    assert sentences(found, NAMES) == [
        "Not comparable: threads (2 → 4) must not differ. Ratios stand without a verdict."
    ]


def test_ops_whose_code_changed_are_named_and_counted_like_others() -> None:
    """Whoever changed an op wants to see what came of it."""
    before = [*rows(1e-5), timed(1e-5, suite="view", op="v", case="view/v", fingerprint="aa")]
    after = [*rows(1e-5), timed(1e-5, suite="view", op="v", case="view/v", fingerprint="bb")]
    said = sentences(lineup([run(BASE), run(NEW)], [before, after]), NAMES)
    assert said[0] == "Of 2 cases 0 are slower, 0 faster, 2 the same; 0 unsure."
    assert "With care, since the code changed between the runs: view/v." in said


def test_a_run_against_itself_says_so() -> None:
    """Nothing is found out by that."""
    same = lineup([run(), run()], [rows(1e-5)] * 2)
    assert sentences(same, ("a (1)", "a (2)")) == [ITSELF]


def test_nothing_in_common_says_so_and_counts_what_is_missing() -> None:
    """No sentence counts to zero."""
    found = two(rows(1e-5), [lost("oom", "x", params={"n": 1, "dtype": "float32"})])
    assert sentences(found, NAMES) == [
        "1 case failed: matmul/square[n=1,dtype=float32] on cpu.",
        NOTHING,
    ]
    other = two([lost("oom", "x", params={"n": 1, "dtype": "float32"})], rows(1e-5))
    assert sentences(other, NAMES) == [
        NOTHING,
        "1 case can't be compared: not measured in both runs.",
    ]


def test_what_was_lost_is_said_first_of_one_run_of_several_and_of_many() -> None:
    """Before any count; of many such runs only how many they are."""
    broken = rows(1e-5, 1e-5, correct=False)
    assert sentences(two(rows(1e-5, 1e-5), broken), NAMES)[0] == (
        "2 wrong results: matmul/square[n=1,dtype=float32] on cpu, "
        "matmul/square[n=2,dtype=float32] on cpu."
    )
    infos = [run(f"20261123T0{i}0201Z-aaaaa{i}") for i in range(6)]
    some = lineup(infos[:3], [rows(1e-5, 1e-5), rows(1e-5, 1e-5), rows(1e-5)])
    assert sentences(some, ("a", "b", "c"))[0] == (
        "c: 1 case gone from the new run: matmul/square[n=2,dtype=float32] on cpu."
    )
    many = lineup(infos, [rows(1e-5, 1e-5), *[broken] * 5])
    assert sentences(many, tuple("abcdef"))[0] == (
        "5 of 5 runs have wrong results, or cases that failed or are gone."
    )


def test_several_runs_have_a_sentence_each() -> None:
    """Named, and with the same strength."""
    infos = [run(f"20261123T0{i}0201Z-aaaaa{i}", machine={"machine_id": f"m{i}"}) for i in range(3)]
    found = lineup(infos, [rows(1e-5), rows(3e-5), rows(1e-5)])
    said = sentences(found, ("a", "b", "c"))
    assert said[0] == (
        "b: 1 of 1 case slower, 0 faster, 0 the same, 0 unsure; "
        "over all, it takes 3.00 times as long (2.94 to 3.06)."
    )
    assert said[1].startswith("c: 0 of 1 case slower, 0 faster, 1 the same, 0 unsure; over")


def test_many_runs_are_told_by_their_extremes() -> None:
    """Those that are shown to differ; a run that bars is still named."""
    infos = [run(f"20261123T0{i}0201Z-aaaaa{i}", machine={"machine_id": f"m{i}"}) for i in range(6)]
    infos[5] = dataclasses.replace(infos[5], options={"threads": 4})
    times = (1e-5, 1e-5, 3e-5, 2e-5, 5e-6, 1e-6)
    found = lineup(infos, [rows(time) for time in times])
    assert sentences(found, tuple("abcdef"))[:4] == [
        "f: not comparable: threads (2 → 4) must not differ. Ratios stand without a verdict.",
        "Of 4 runs 2 have cases that are slower, 1 have cases that are faster.",
        "Over all, c takes 3.00 times as long (2.94 to 3.06).",
        "Over all, e is 2.00 times as fast (1.96 to 2.04).",
    ]
    alike = lineup(infos[:5], [rows(1e-5)] * 5)
    assert (
        sentences(alike, tuple("abcde"))[1] == "Over all, no difference is shown for any of them."
    )


def test_why_cases_cant_be_told_is_said_once() -> None:
    """The most frequent reason, with its count where it is not the only one."""
    found = fakes_compare.example()
    assert [why(one) for one in found.cases if one.verdict == "unsure"] == [
        "the machine was in another state",
        "the interval is too wide",
    ]
    elsewhere = [fakes_compare.elsewhere(row, 1.2e-5) for row in rows(1e-5, 1e-5)]
    wide = timed(1e-5, width=0.2, case="matmul/wide")
    said = sentences(two([*rows(1e-5, 1e-5), wide], [*elsewhere, wide]), NAMES)
    assert "Unsure, 2 of 3: because the machine was in another state." in said


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"time_at_reference_s": None}, "there is no time at reference conditions"),
        ({"reference_compute_s": 2e-4}, "the runs have different references"),
        (
            {"state_times_s": (1e-5, 2e-5), "state_shares": (0.5, 0.5)},
            "it has two times of its own",
        ),
    ],
)
def test_reasons_of_verdicts_have_their_kind(changes: dict[str, Any], reason: str) -> None:
    """What begins otherwise would be taken for a wide interval."""
    (row,) = rows(1e-5)
    found = compare([row], [dataclasses.replace(row, **changes)], run(BASE), run(NEW))
    assert [why(one) for one in found.cases] == [reason]


def test_what_could_be_seen_counts_only_what_could_be_judged() -> None:
    """A case in another state would not have been called changed, however narrow it is."""
    (row,) = rows(1e-5)
    said = sentences(two([row], [fakes_compare.elsewhere(row, 1.2e-5)]), NAMES)
    assert not any("would have shown" in text for text in said)


def test_counts_are_whole_sentences() -> None:
    """Of one and of many."""
    assert counts(comparison(case("slower", 2.0))).startswith("Of 1 case 1 is slower, 0 faster")
    assert counts(comparison(case(), case())) == (
        "Of 2 cases 0 are slower, 0 faster, 2 the same; 0 unsure."
    )


def test_steps_are_counted_among_the_cases_that_were_followed() -> None:
    """Over the runs of the machine."""
    infos = [run(f"20261123T0{i}0201Z-aaaaa{i}", label=str(i)) for i in range(8)]
    times = [1e-5] * 4 + [2e-5] * 4
    found = lineup(
        infos,
        [
            [dataclasses.replace(r, run_id=info.run_id) for r in rows(1e-5, time)]
            for info, time in zip(infos, times, strict=True)
        ],
    )
    assert sentences(found, [str(i) for i in range(8)])[-1] == (
        "Over the 8 runs of Test machine 1 of 2 cases stepped from one level to another."
    )
