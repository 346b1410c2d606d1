"""Cases that stepped have a small figure each, with the step in it; the others a sentence."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from bench.report.html.compare_page import trend
from bench.report.html.compare_page.trend import MOST_FIGURES, trend_values
from tests.fakes.rows import HOSTILE, valid
from tests.fakes.several_runs import stepping

if TYPE_CHECKING:
    from bench.analysis.compare.runs import Followed


def followed() -> Followed:
    """The machine of the runs."""
    found = stepping().followed
    assert found is not None
    return found


NAMES = {run.run_id: f"run {place}" for place, run in enumerate(stepping().runs)}


def test_a_step_is_drawn_between_its_two_runs() -> None:
    """With the time of every run, and named as on the rest of the page."""
    found = trend_values(followed(), NAMES)
    (drawing,) = found.drawings
    valid(drawing.figure)
    step, times = drawing.figure["data"]
    assert step["x"] == [3.5, 3.5]
    assert len(times["x"]) == 8
    assert "Step between run 3 (torch 2.13.0) and run 4 (torch 2.13.0): " in drawing.caption
    assert [name for name, _ in drawing.twin.rows] == [f"run {place}" for place in range(8)]
    assert drawing.figure["layout"]["xaxis"]["ticktext"] == ["run 0", "run 4", "run 7"]


def test_the_summary_counts_and_says_what_chance_does() -> None:
    """Of a hundred unchanged cases one may step."""
    assert trend_values(followed(), NAMES).summary == (
        "2 cases of Box 0 over 8 runs: 1 stepped; of unchanged cases, 1.0 % may step by chance."
    )


def test_a_newest_run_that_lies_apart_has_a_sentence() -> None:
    """It is no step yet."""
    found = followed()
    (one,) = found.trends
    alone = dataclasses.replace(one, steps=(), newest=one.steps[0].ratio)
    shown = trend_values(dataclasses.replace(found, trends=(alone,)), NAMES)
    assert shown.drawings == ()
    ((case, sentence),) = shown.others
    assert case == "matmul/square[n=2,dtype=float32] on cpu"
    assert "one run only, so no step yet" in sentence


def test_only_so_many_are_drawn() -> None:
    """The others are named, with what happened to them."""
    found = followed()
    many = dataclasses.replace(found, trends=found.trends * (MOST_FIGURES + 2))
    shown = trend_values(many, NAMES)
    assert len(shown.drawings) == MOST_FIGURES
    assert len(shown.others) == 2
    assert len({drawing.id for drawing in shown.drawings}) == MOST_FIGURES


def test_names_are_escaped() -> None:
    """In the axis and in what a pointer shows."""
    (drawing,) = trend_values(followed(), dict.fromkeys(NAMES, HOSTILE)).drawings
    times = drawing.figure["data"][-1]
    assert not any("<b o" in text for text in times["hovertext"])
    assert not any("<" in text for text in drawing.figure["layout"]["xaxis"]["ticktext"])


def test_a_run_without_a_time_has_its_reason() -> None:
    """It is in the table, and no point."""
    found = followed()
    (one,) = found.trends
    lost = dataclasses.replace(one.points[0], time_s=None, low_s=None, high_s=None, why_not="oom")
    torn = dataclasses.replace(one, points=(lost, *one.points[1:]))
    (drawing,) = trend_values(dataclasses.replace(found, trends=(torn,)), NAMES).drawings
    assert drawing.twin.rows[0] == ("run 0", ("oom",))
    assert drawing.figure["data"][-1]["x"] == list(range(1, 8))
    assert drawing.payload == trend.PAYLOAD
