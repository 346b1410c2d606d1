"""Figures hold every point once, with its interval, and escape what they show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis import grid
from bench.report.html import style
from bench.report.html.run_page import figures
from bench.report.html.view import anchor
from tests.fakes.rows import HOSTILE, example, lost, on, record, valid

if TYPE_CHECKING:
    from bench.records.record import Record


def drawn(rows: list[Record], quantity: figures.Quantity = figures.TIME) -> list[dict[str, object]]:
    """The traces of the rows' line figure."""
    figure = valid(figures.by_size(grid.lines(rows), style.look(rows), quantity))
    return list(json.loads(figure.to_json())["data"]) if figure else []


def test_bars_are_the_interval_as_it_is() -> None:
    """Not symmetric, and as high as the row says."""
    (trace,) = drawn([record(time_s=4.0, time_lo_s=3.0, time_hi_s=7.0)])
    assert trace["y"] == [4.0]
    assert trace["error_y"]["array"] == [3.0]  # type: ignore[index]
    assert trace["error_y"]["arrayminus"] == [1.0]  # type: ignore[index]


def test_an_unknown_interval_has_no_bar_and_says_so() -> None:
    """No bar may not look like certainty: what is said of the case has a question mark."""
    row = record(time_lo_s=None, time_hi_s=None)
    (trace,) = drawn([row])
    assert trace["error_y"]["array"] == [0.0]  # type: ignore[index]
    assert trace["customdata"] == [anchor(row)]
    assert "± ?" in figures.hover(row)


def test_a_point_carries_the_address_of_its_case() -> None:
    """What is said of it is in the table of cases, once."""
    rows = [record("s", op, params={"n": n}) for op in ("a", "b") for n in (2, 4)]
    look, lines = style.look(rows), grid.lines(rows)
    made = (
        figures.by_size(lines, look, figures.TIME),
        figures.heat(lines, look),
        figures.dots(rows, look),
    )
    curves, map_, dots = ([*(f or {})["data"]] for f in made)
    assert [t["customdata"] for t in curves] == [
        [anchor(r) for r in rows[:2]],
        [anchor(r) for r in rows[2:]],
    ]
    assert map_[0]["customdata"] == [t["customdata"] for t in curves]
    assert [t["customdata"] for t in dots] == [[anchor(r)] for r in rows]
    assert not any("hovertext" in t for t in (*curves, *map_, *dots))


def test_the_ends_of_a_rate_are_the_ends_of_the_time_swapped() -> None:
    """The longest time is the lowest rate."""
    row = record(time_s=4.0, time_lo_s=2.0, time_hi_s=8.0, flop=16.0)
    (trace,) = drawn([row], figures.FLOP_RATE)
    assert trace["y"] == [4.0]
    assert trace["error_y"]["array"] == [4.0]  # type: ignore[index]
    assert trace["error_y"]["arrayminus"] == [2.0]  # type: ignore[index]


def test_nothing_measured_or_declared_is_no_figure() -> None:
    """An empty frame says less than a sentence."""
    failed = [lost("failed", "x"), lost("skipped", "y", params={"n": 4})]
    assert drawn(failed) == []
    assert drawn([record()], figures.FLOP_RATE) == []
    assert drawn([record()], figures.BYTE_RATE) == []
    assert valid(figures.dots(failed, style.look(failed))) is None
    assert valid(figures.heat(grid.lines(failed), style.look(failed))) is None


def test_every_line_differs_in_more_than_colour() -> None:
    """Also where there are more ops than colours."""
    rows = [
        record("s", f"op{i}", params={"n": 4, "dtype": dtype}, device=device)
        for i in range(9)
        for dtype in ("float32", "float64")
        for device in ("cpu", "cuda")
    ]
    looks = {
        (t["line"]["color"], t["line"]["dash"], t["marker"]["symbol"])  # type: ignore[index]
        for t in drawn(rows)
    }
    assert len(looks) == len(rows)


def test_the_same_op_has_the_same_colour_in_every_figure_of_a_run() -> None:
    """Hiding or failing cases does not repaint the others."""
    rows = [record("s", op, params={"n": 4}, flop=1.0) for op in ("a", "b")]
    look = style.look(rows)
    both = valid(figures.by_size(grid.lines(rows), look, figures.TIME))
    one = valid(figures.by_size(grid.lines(rows[1:]), look, figures.FLOP_RATE))
    assert both is not None
    assert one is not None
    assert both.data[1].line.color == one.data[0].line.color


def test_data_is_escaped_because_plotly_reads_tags() -> None:
    """In hover texts, names and tick labels."""
    rows = [
        record(HOSTILE, HOSTILE, params={"kind": HOSTILE, "n": n}, device_name=HOSTILE)
        for n in (1, 2)
    ]
    rows += [record("s", HOSTILE, params={})]
    look = style.look(rows)
    lines = grid.lines(rows)
    for figure in (
        valid(figures.by_size(lines, look, figures.TIME)),
        valid(figures.heat(lines, look)),
        valid(figures.dots(rows[2:], look)),
    ):
        assert figure is not None
        assert "<b onmouseover" not in figure.to_json()
        assert "</script" not in figure.to_json()


def test_missing_cells_of_the_heat_map_say_why() -> None:
    """A word for what happened, a dot for what was never planned."""
    rows = [
        record("s", "a", params={"n": 1}),
        lost("oom", "too large", "s", "a", params={"n": 2}),
        record("s", "b", params={"n": 1}),
        record("s", "b", params={"n": 4}),
    ]
    figure = valid(figures.heat(grid.lines(rows), style.look(rows)))
    assert figure is not None
    texts = [(note.x, note.y, note.text) for note in figure.layout.annotations]
    assert texts == [(1, 0, "oom"), (2, 0, "·"), (1, 1, "·")]
    assert [[z is None for z in row] for row in figure.data[0].z] == [
        [False, True, True],
        [False, True, False],
    ]


@pytest.mark.parametrize("changes", [{"correct": False}, {"status": "oom", "time_s": None}])
def test_what_is_wrong_or_failed_is_no_point(changes: dict[str, Any]) -> None:
    """A fast wrong result would be the best point of the page; a cell says why it is empty."""
    good = record("s", "a", params={"n": 1})
    bad = record("s", "a", **{"params": {"n": 2}, "time_s": 1e-9, **changes})
    (curve,) = drawn([good, bad])
    assert curve["x"] == [1]
    figure = valid(figures.heat(grid.lines([good, bad]), style.look([good, bad])))
    assert figure is not None
    (note,) = figure.layout.annotations
    assert note.text == changes.get("status", "wrong")
    assert figures.dots([bad], style.look([bad])) is None


def test_dots_stand_on_one_row_per_case_whatever_the_device() -> None:
    """CPU and GPU of one case are compared on one line, told apart by their markers."""
    rows = [record("s", op, params={"kind": kind}) for op, kind in (("a", "x"), ("b", "y"))]
    rows += on("cuda", rows)
    figure = valid(figures.dots(rows, style.look(rows)))
    assert figure is not None
    assert list(figure.layout.yaxis.ticktext) == ["a kind=x", "b kind=y"]
    assert [trace.y[0] for trace in figure.data] == [0, 1, 0, 1]
    assert len({(t.line.color, t.marker.symbol) for t in figure.data}) == 4


def test_dots_look_as_their_op_does_in_curves() -> None:
    """A colour and a marker mean one thing in a section."""
    rows = [record("s", op, params={"n": 4, "call": "x"}) for op in ("a", "b")]
    look = style.look(rows)
    figure, curves = valid(figures.dots(rows, look)), drawn(rows)
    assert figure is not None
    for dot, curve in zip(json.loads(figure.to_json())["data"], curves, strict=True):
        assert (dot["marker"], dot["meta"]) == (curve["marker"], curve["meta"])


@pytest.mark.parametrize(("count", "height"), [(1, 160), (30, 30 * 26 + 38)])
def test_dots_are_as_high_as_their_rows_need(count: int, height: int) -> None:
    """Labels that overlap can't be read."""
    rows = [record("s", f"op{i}", params={"n": 4}) for i in range(count)]
    figure = valid(figures.dots(rows, style.look(rows)))
    assert figure is not None
    assert figure.layout.height == height
    assert len(figure.layout.meta["phone"]["names"]) == count


def test_intervals_of_dots_are_inside_the_figure_unless_they_are_absurd() -> None:
    """One that is known to a factor of a thousand would leave no space for the others."""
    rows = [
        record("s", "a", params={"n": 4}, time_s=1e-3, time_lo_s=4e-4, time_hi_s=1.0),
        record("s", "b", params={"n": 4}, time_s=1e-3, time_lo_s=0.0, time_hi_s=2e-3),
    ]
    figures_of = [valid(figures.dots([row], style.look(rows))) for row in rows]
    low, high = figures_of[0].layout.xaxis.range  # type: ignore[union-attr]
    assert 10**low < 4e-4
    assert 1e-2 < 10**high < 1.0
    low, _ = figures_of[1].layout.xaxis.range  # type: ignore[union-attr]
    assert 1e-5 < 10**low < 1e-4


@pytest.mark.parametrize("quantity", [figures.TIME, figures.FLOP_RATE, figures.BYTE_RATE])
def test_one_point_is_enough(quantity: figures.Quantity) -> None:
    """Ranges on logarithmic axes are finite."""
    rows = [record(flop=2.0, bytes=3.0)]
    figure = valid(figures.by_size(grid.lines(rows), style.look(rows), quantity))
    assert figure is not None
    low, high = figure.layout.yaxis.range
    assert low < high


def test_the_hover_text_says_everything() -> None:
    """Case, interval, device, samples, rates, warnings."""
    row = example()[0]
    text = figures.hover(row)
    for part in ("matmul/square n=16 float32", "± 1.0 %", "cpu: Test CPU", "60 samples", "FLOP/s"):
        assert part in text
    roofed = figures.hover(record(roof_share=0.625, roof="DRAM bandwidth"))
    assert "62 % of its roof, DRAM bandwidth" in roofed
    assert "boom" in figures.hover(lost("failed", "boom"))
    assert "noisy: the interval" in figures.hover(record(warnings=("noisy",)))
    assert "newer: ?" in figures.hover(record(warnings=("newer",)))
