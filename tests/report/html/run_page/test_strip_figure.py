"""Every case that can be told lies on its suite's strip; few dots stand for many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.report.html.run_page import strip_figure
from tests.fakes.rows import HOSTILE, lost, record, valid

if TYPE_CHECKING:
    from bench.records.record import Record


def near(suite: str, op: str, share: float, **values: Any) -> Record:
    """A case whose roof allows 100 µs."""
    roof = {"time_s": 1e-4 / share, "roof_share": share, "roof": "DRAM bandwidth"}
    return record(suite, op, params={"n": 4}, **{**roof, **values})


ROWS = [near("far", "a", 0.01), near("far", "b", 0.03), near("near", "c", 0.9), record("no", "d")]


def test_the_nearest_suite_is_on_top_with_its_median() -> None:
    """A suite whose cases say nothing has no strip."""
    drawn = strip_figure.shares("a", "b", ROWS)
    assert drawn is not None
    roof, cases, middles = drawn.figure["data"]
    assert drawn.figure["layout"]["yaxis"]["ticktext"] == ["near", "far"]
    assert sorted(zip(cases["y"], cases["x"], strict=True)) == [(0, 0.9), (1, 0.01), (1, 0.03)]
    assert middles["x"] == pytest.approx([0.9, 0.02])
    assert set(roof["x"]) == {1.0}
    assert drawn.label == "How near 3 cases come to their roofs, by suite: 1.0 % to 90 %."
    assert valid(drawn.figure)


def test_the_twin_names_both_ends_of_each_suite() -> None:
    """With its count and its median."""
    drawn = strip_figure.shares("a", "b", ROWS)
    assert drawn is not None
    assert drawn.twin.head == ("cases", "median", "farthest", "nearest")
    assert drawn.twin.rows[1] == ("far", ("2", "2.0 %", "1.0 %: a n=4 cpu", "3.0 %: b n=4 cpu"))


def test_cases_that_would_lie_on_each_other_are_one_dot() -> None:
    """However many: its text names some, and counts the others."""
    rows = [near("s", f"op{k}", 0.5) for k in range(1000)]
    drawn = strip_figure.shares("a", "b", rows)
    assert drawn is not None
    cases = drawn.figure["data"][1]
    assert cases["x"] == [0.5]
    assert cases["hovertext"][0].endswith("and 997 more here")
    assert cases["hovertext"][0].startswith("op0 n=4 cpu: 50 % of DRAM bandwidth<br>")


def test_a_figure_of_ten_thousand_cases_has_few_hundred_dots() -> None:
    """Two decades of a suite are 51 dots at most."""
    rows = [near("s", f"op{k}", 10 ** (-2 * k / 10_000)) for k in range(10_000)]
    drawn = strip_figure.shares("a", "b", rows)
    assert drawn is not None
    assert len(drawn.figure["data"][1]["x"]) == 51


def test_without_roofs_times_lie_there_slowest_suite_on_top() -> None:
    """Every case that has one."""
    rows = [
        record("quick", "a"),
        record("slow", "b", time_s=1e-3),
        lost("failed", "x", "gone", "c"),
    ]
    drawn = strip_figure.times("a", "b", rows)
    assert drawn is not None
    cases, middles = drawn.figure["data"]
    assert drawn.figure["layout"]["yaxis"]["ticktext"] == ["slow", "quick"]
    assert cases["x"] == [1e-3, 1e-5]
    assert middles["x"] == [1e-3, 1e-5]
    assert drawn.twin.rows[0] == ("slow", ("1", "1.00 ms", *["1.00 ms: b n=16 float32 cpu"] * 2))
    assert valid(drawn.figure)


def test_nothing_to_draw_is_no_drawing() -> None:
    """An empty frame says less than a sentence."""
    assert strip_figure.shares("a", "b", [record()]) is None
    assert strip_figure.times("a", "b", [lost("failed", "x")]) is None


def test_names_from_data_are_escaped() -> None:
    """On the axis and on hovering."""
    drawn = strip_figure.shares("a", "b", [near(HOSTILE, HOSTILE, 0.5)])
    assert drawn is not None
    _, cases, middles = drawn.figure["data"]
    texts = [*cases["hovertext"], *middles["hovertext"]]
    texts += drawn.figure["layout"]["yaxis"]["ticktext"]
    assert not [text for text in texts if "<b onmouseover" in text]
