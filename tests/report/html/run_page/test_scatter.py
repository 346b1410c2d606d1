"""Cases as points: a dtype looks alike everywhere, what is left out is near what is drawn."""

from __future__ import annotations

import itertools
import math

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.html import style
from bench.report.html.run_page import scatter
from bench.report.html.run_page.scatter import ScatterPoint
from tests.fakes.rows import HOSTILE, record

places = st.floats(1e-3, 1e9)


def point(x: float, y: float, dtype: str = "float32", cache: str = "hot") -> ScatterPoint:
    """A case at a place."""
    row = record(params={"n": 4, "dtype": dtype}, cache=cache)
    return ScatterPoint(record=row, x=x, y=(y, 0.9 * y, 1.1 * y))


def test_a_dtype_has_its_own_colour_and_marker_and_others_share_one() -> None:
    """There are six colours, and not all of torch's dtypes fit in."""
    names = ["float32", "float64", "bfloat16", "float16", "int64", "uint8", "bool", "complex64"]
    assert [scatter.kind(name) for name in names] == [0, 1, 2, 3, 4, 4, 4, 5]
    assert len(scatter.KINDS) == len(style.LIGHT)


def test_hot_and_cold_differ_in_their_marker() -> None:
    """And stay apart when there are both."""
    hot, cold = scatter.traces([point(1, 1), point(1, 1, cache="cold")])
    assert (hot["marker"]["symbol"], cold["marker"]["symbol"]) == ("circle", "circle-open")
    assert hot["meta"] == cold["meta"] == {"colour": 0, "dtype": 0}
    go.Figure([hot, cold])


def test_bars_are_the_interval() -> None:
    """As it is, also where it is not symmetric."""
    odd = ScatterPoint(record=record(), x=1.0, y=(4.0, 3.0, 7.0))
    (trace,) = scatter.traces([odd])
    assert (trace["error_y"]["array"], trace["error_y"]["arrayminus"]) == ([3.0], [1.0])


def test_few_points_are_all_drawn_and_nothing_is_said() -> None:
    """Thinning is for what a browser can't draw at once."""
    both = [point(1, 1), point(1, 1)]
    assert scatter.cloud(both, most=2).points == tuple(both)
    assert scatter.cloud(both, most=2).caption == ""


@given(st.lists(st.tuples(places, places), min_size=1, max_size=60), st.integers(1, 20))
def test_what_is_left_out_lies_near_what_is_drawn(
    where: list[tuple[float, float]], most: int
) -> None:
    """As near as is said, and no more are drawn than may be."""
    cloud = scatter.cloud([point(x, y) for x, y in where], most=most)
    assert 1 <= len(cloud.points) <= most
    assert cloud.of == len(where)
    for x, y in where:
        apart = min(
            max(abs(math.log10(x / p.x)), abs(math.log10(y / p.y[0]))) for p in cloud.points
        )
        assert apart <= math.log10(1 + cloud.within) + 1e-9


def test_thinning_keeps_each_kind_and_says_how_near_the_others_are() -> None:
    """A dtype that is drawn nowhere would be missing from the legend."""
    many = [point(1 + i * 1e-6, 1.0, dtype) for i in range(50) for dtype in ("float32", "int64")]
    cloud = scatter.cloud(many, most=10)
    assert {p.record.dtype for p in cloud.points} == {"float32", "int64"}
    assert cloud.caption == " 2 of 100 are drawn; the others lie within 2 % of one of these."


def test_an_interval_beyond_reason_does_not_stretch_the_axis() -> None:
    """It may leave the figure; the hover text has its ends."""
    wide = ScatterPoint(record=record(), x=1.0, y=(1.0, 1e-9, 1e9))
    assert scatter.reach([wide]) == [0.1, 10.0]


def test_labels_that_would_stand_on_each_other_are_one() -> None:
    """In the order in which they lie, at the place of the last."""
    near = [(1.0, 5.0, "a"), (1.05, 6.0, "b"), (100.0, 7.0, "c")]
    joined = scatter.joined(near, lambda x, _: math.log10(x), 0.1)
    assert joined == [(1.05, 6.0, "a, b"), (100.0, 7.0, "c")]


@pytest.mark.parametrize("ends", [(1.0, 1e4), (3.0, 3.0)])
def test_a_line_can_be_touched_from_end_to_end(ends: tuple[float, float]) -> None:
    """Plotly says what a line is only near its own points."""
    found = scatter.between(*ends)
    assert (found[0], found[-1]) == ends
    assert all(b / a < 3 for a, b in itertools.pairwise(found))


def test_words_are_escaped() -> None:
    """Levels and dtypes come from files."""
    line = scatter.roof_line([(1, 1)], HOSTILE, colour=5, dash="solid")
    words = scatter.labels([(1, 1, HOSTILE)], "top left")
    assert "<b" not in line["hovertext"][0] + line["name"] + words["text"][0]
