"""Dots stand where their ratio is, with their interval, about a band that does not count."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from bench.report.html.compare_page.ratio_figure import GREY, MARKS, Dot, colour, figure, twin
from tests.fakes.rows import HOSTILE, valid


def dot(row: int = 0, series: int = 0, ratio: float = 1.0, **values: Any) -> Dot:
    """A ratio that is known to ±2 %."""
    facts = {
        "low": ratio * 0.98,
        "high": ratio * 1.02,
        "mark": "same",
        "hover": "h",
        "text": f"{ratio}",
    }
    return Dot(row=row, series=series, ratio=ratio, **{**facts, **values})


def test_the_base_is_grey_and_no_other_run_is() -> None:
    """Also where there are more runs than colours."""
    assert colour(0) == GREY
    assert GREY not in {colour(place) for place in range(1, 20)}
    assert [colour(place) for place in (1, 2, 3, 4)] == [0, 1, 2, 3]


def test_each_run_is_a_trace_and_each_verdict_a_shape() -> None:
    """The shape says what the colour does not."""
    dots = [dot(0, 0, mark="slower"), dot(1, 0, mark="unsure"), dot(0, 1, mark="faster")]
    drawn = figure(dots, ["a", "b"], ["base", "one", "two"], 0.05)
    valid(drawn)
    one, other = drawn["data"][-2:]
    assert one["marker"]["symbol"] == [MARKS["slower"][0], MARKS["unsure"][0]]
    assert (one["name"], other["name"]) == ("one", "two")
    assert (one["meta"], other["meta"]) == (
        {"colour": 0, "device": 0},
        {"colour": 1, "device": 1},
    )
    assert len({symbol for symbol, _ in MARKS.values()}) == len(MARKS)


def test_bars_are_the_interval_and_none_where_there_is_none() -> None:
    """Not symmetric."""
    drawn = figure(
        [dot(ratio=2.0, low=1.5, high=3.0), dot(1, low=None, high=None)],
        ["a", "b"],
        ["x", "y"],
        0.05,
    )
    bars = drawn["data"][-1]["error_x"]
    assert bars["array"] == [1.0, 0.0]
    assert bars["arrayminus"] == [0.5, 0.0]


def test_runs_of_a_row_do_not_lie_on_each_other() -> None:
    """Nor reach into the next row."""
    dots = [dot(row, series) for row in (0, 1) for series in range(9)]
    drawn = figure(dots, ["a", "b"], ["base", *"abcdefghi"], 0.05)
    places = sorted(y for trace in drawn["data"][-9:] for y in trace["y"])
    apart = [b - a for a, b in itertools.pairwise(places)]
    assert min(apart) > 0
    assert places[8] < 0.5 < places[9]
    alone = figure([dot()], ["a"], ["base", "a"], 0.05)
    assert alone["data"][-1]["y"] == [0]


def test_the_band_is_drawn_and_on_the_axis() -> None:
    """Also where all dots are far from it."""
    drawn = figure([dot(ratio=50.0)], ["a"], ["base", "a"], 0.25)
    low, high = drawn["layout"]["xaxis"]["range"]
    assert low < -0.0969
    assert high > 1.69
    assert sorted({x for trace in drawn["data"][:-1] for x in trace["x"]}) == [0.8, 1.0, 1.25]


def test_an_interval_that_is_very_wide_leaves_the_others_space() -> None:
    """It leaves the picture instead."""
    drawn = figure([dot(low=1e-6, high=1e6)], ["a"], ["base", "a"], 0.05)
    low, high = drawn["layout"]["xaxis"]["range"]
    assert low > -1
    assert high < 1


def test_rows_are_escaped_and_short_on_a_phone() -> None:
    """Plotly reads a part of HTML in every label."""
    row = f"<b>a case with a long name</b> {HOSTILE}"
    layout = figure([dot()], [row], ["base", "a"], 0.05)["layout"]
    assert "<" not in layout["yaxis"]["ticktext"][0]
    assert "<" not in layout["meta"]["names"][0]
    assert len(layout["meta"]["names"][0]) < len(row)


def test_the_twin_has_a_line_per_row_and_a_column_per_run() -> None:
    """What a run lacks is a dash."""
    found = twin("case", ["a", "b"], ["base", "x", "y"], [dot(0, 0, 1.1), dot(1, 1, 1.2)])
    assert (found.row_head, found.head) == ("case", ("x", "y"))
    assert found.rows == (("a", ("1.1", "–")), ("b", ("–", "1.2")))


@pytest.mark.parametrize("rows", [1, 60])
def test_the_height_follows_the_rows(rows: int) -> None:
    """So that names never overlap."""
    layout = figure([dot(row) for row in range(rows)], ["a"] * rows, ["x", "y"], 0.05)["layout"]
    assert layout["height"] >= 20 * rows
