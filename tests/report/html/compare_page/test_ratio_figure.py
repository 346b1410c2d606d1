"""Pictures of a comparison show what changed first, and all of it in a table beneath."""

from __future__ import annotations

import dataclasses

from bench.report.html.compare_page import ratio_figure
from bench.report.html.compare_page.ratio_figure import MOST_DOTS, MOST_ROWS, foremost
from tests.fakes.rows import HOSTILE, valid
from tests.fakes.several_runs import example, held, runs, sized

NAMES = ("before", "after")


def test_slower_cases_are_on_top_and_the_rest_by_verdict() -> None:
    """Within a verdict the larger ratio first."""
    verdicts = [
        (one.foremost.verdict, round(one.foremost.ratio, 1))
        for one in foremost(example())
        if one.foremost
    ]
    assert verdicts == [
        ("slower", 2.0),
        ("slower", 1.2),
        ("faster", 0.5),
        ("unsure", 1.0),
        ("same", 1.0),
        ("same", 1.0),
    ]


def test_a_picture_keeps_what_changed_and_what_is_least_certain() -> None:
    """Of many cases; the caption says how many there are."""
    steady = sized(*[1e-5] * 70)
    wide = sized(*[1e-5] * 75, width=0.05)[70:]
    changed = sized(*[2e-5] * 77)[75:]
    found = held(runs(2), [*steady, *wide, *sized(*[1e-5] * 77)[75:]], [*steady, *wide, *changed])
    kept = foremost(found)
    assert len(kept) == MOST_ROWS
    titles = {one.title for one in kept}
    assert {f"square n={2**place} float32" for place in range(70, 77)} <= titles
    drawing = ratio_figure.cases(found, NAMES)
    assert drawing is not None
    assert drawing.caption.startswith(f"{MOST_ROWS} of 77 cases: ")
    assert len(drawing.twin.rows) == MOST_ROWS


def test_several_runs_have_fewer_rows() -> None:
    """Dots are what one looks at."""
    found = held(runs(10, machines=True), *[sized(*[1e-5] * 70)] * 10)
    assert len(foremost(found)) == MOST_DOTS // 9


def test_the_figure_is_valid_and_says_everything_in_a_hover() -> None:
    """Escaped, with verdict, times and reason."""
    drawing = ratio_figure.cases(example(), ("before", HOSTILE))
    assert drawing is not None
    valid(drawing.figure)
    hovers = drawing.figure["data"][-1]["hovertext"]
    assert not any("<script" in text or "<b o" in text for text in hovers)
    assert "slower" in hovers[0]
    assert "10.00 µs → 20.00 µs, both at reference conditions" in hovers[0]
    assert "smallest change it could have shown: 5.0 %" in hovers[0]
    assert drawing.twin.rows[0] == (
        "matmul/square n=2 float32",
        ("2.000 (1.963 to 2.038) slower",),
    )


def test_the_device_is_named_where_there_are_several() -> None:
    """The same case on both would have one name."""
    rows = sized(1e-5)
    both = [*rows, *(dataclasses.replace(row, device="cuda") for row in rows)]
    drawing = ratio_figure.cases(held(runs(2), both, both), NAMES)
    assert drawing is not None
    names = {name for name, _ in drawing.twin.rows}
    assert names == {"matmul/square n=1 float32 cpu", "matmul/square n=1 float32 cuda"}


def test_means_are_over_all_and_by_suite() -> None:
    """A single suite is said once."""
    drawing = ratio_figure.means(example(), NAMES)
    assert drawing is not None
    valid(drawing.figure)
    assert [name for name, _ in drawing.twin.rows] == ["all", "matmul", "view"]
    one = ratio_figure.means(held(runs(2), sized(1e-5), sized(2e-5)), NAMES)
    assert one is not None
    assert one.twin.rows == (("all", ("2.000 (1.963 to 2.038)",)),)


def test_nothing_in_common_is_no_figure() -> None:
    """A sentence says so instead."""
    found = held(runs(2), sized(1e-5), [])
    assert ratio_figure.cases(found, NAMES) is None
    assert ratio_figure.means(found, NAMES) is None
