"""Bands, regions and lines are traces that Plotly knows, coloured and hidden by number."""

from __future__ import annotations

from bench.report.html import plot_parts
from tests.fakes.rows import HOSTILE, valid


def test_a_band_goes_there_above_and_back_below() -> None:
    """One closed area, whatever its ends."""
    found = plot_parts.band([1, 2], [3, 4], [5, 6], 1, op=7)
    assert list(zip(found["x"], found["y"], strict=True)) == [(1, 3), (2, 4), (2, 6), (1, 5)]
    assert found["fill"] == "toself"
    assert found["meta"] == {"colour": 1, "op": 7}


def test_a_region_is_weaker_than_a_band() -> None:
    """It lies under all of them."""
    region = plot_parts.region((1, 2), (3, 4), 0)
    assert set(zip(region["x"], region["y"], strict=True)) == {(1, 3), (2, 3), (2, 4), (1, 4)}
    assert region["opacity"] < plot_parts.band([1], [2], [3], 0)["opacity"]
    assert region["meta"] == {"colour": 0}


def test_only_a_line_with_a_name_is_in_the_legend() -> None:
    """And a click there hides nothing, since no key can."""
    named, bare = plot_parts.line([1], [2], 5, name="1"), plot_parts.line([1], [2], 5)
    assert [named["showlegend"], bare["showlegend"]] == [True, False]
    assert plot_parts.legend()["itemclick"] is False


def test_words_are_escaped() -> None:
    """Plotly reads a part of HTML in every text."""
    assert "<b" not in plot_parts.text((1, 2), HOSTILE, 0, where="top center")["text"][0]
    assert "<b" not in plot_parts.line([1], [2], 0, name=HOSTILE)["name"]


def test_plotly_knows_all_of_it() -> None:
    """A property it does not know would be dropped without a word."""
    traces = [
        plot_parts.band([1, 2], [3, 4], [5, 6], 1),
        plot_parts.region((1, 2), (3, 4), 0),
        plot_parts.line([1], [2], 5),
        plot_parts.text((1, 2), "x", 0, where="middle left", op=1),
    ]
    assert valid({"data": traces, "layout": {"legend": plot_parts.legend()}})
