"""A suite's section has the figures worth drawing, and the controls that fit them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.report.html.run_page.ops import Section, sections
from bench.report.html.style import look
from tests.fakes.rows import example, lost, record

if TYPE_CHECKING:
    from bench.records.record import Record


def made(rows: list[Record]) -> list[Section]:
    """The sections of these rows."""
    return sections(rows, look(rows))


def kinds(section: Section) -> list[str]:
    """Which figures a section has."""
    return [drawing.id.rpartition("-")[2] for drawing in section.drawings]


def test_rates_are_drawn_only_where_work_is_declared() -> None:
    """A suite that declares nothing has figures of its times alone."""
    matmul, view = made(example())
    assert kinds(matmul) == ["time", "flop", "bytes", "heat", "dots"]
    assert kinds(view) == ["dots"]


def test_each_size_axis_has_its_own_figures() -> None:
    """Rows and bytes are not one axis."""
    rows = [record("s", "a", params={"n": n}) for n in (4, 8)]
    rows += [record("s", "b", params={"rows": n}) for n in (4, 8)]
    rows += [record("s", "c", params={"kind": "x"})]
    (section,) = made(rows)
    assert kinds(section) == ["time", "time", "dots"]
    assert len({drawing.id for drawing in section.drawings}) == 3


def test_ops_of_one_size_are_dots_slowest_first() -> None:
    """What they share is said once, beneath the figure; their rates are in its table."""
    rows = [
        record("s", op, params={"n": 4}, time_s=time, flop=1.0)
        for op, time in (("a", 1e-6), ("b", 3e-6), ("c", 2e-6))
    ]
    (section,) = made([*rows, lost("oom", "x", "s", "d", params={"n": 4})])
    (dots,) = section.drawings
    assert dots.figure["layout"]["yaxis"]["ticktext"] == ["b", "c", "a"]
    assert dots.label == "Time per call of s at n=4, slowest first: b, c, a."
    assert dots.caption.startswith("Time per call at n=4, slowest first, logarithmic;")
    assert dots.twin.head == ("time", "FLOP/s")
    assert [name for name, _ in dots.twin.rows] == [f"{op} n=4 cpu" for op in "bcad"]


def test_a_case_is_in_curves_or_in_dots_and_never_in_both() -> None:
    """Ops of several sizes make curves, the others dots beneath them."""
    rows = [record("s", "a", params={"n": n}) for n in (4, 8)]
    rows += [record("s", "b", params={"n": 4})]
    (section,) = made(rows)
    time, dots = section.drawings
    assert [trace["name"] for trace in time.figure["data"]] == ["a float32 cpu"]
    assert dots.figure["layout"]["yaxis"]["ticktext"] == ["b"]


def test_suites_without_a_time_come_last() -> None:
    """The others stay as they were run."""
    rows = [lost("skipped", "x", "a", "op"), record("c", "op"), record("b", "op")]
    assert [(s.id, s.suite) for s in made(rows)] == [("s1", "c"), ("s2", "b"), ("s3", "a")]


def test_a_crowded_figure_opens_with_one_dtype() -> None:
    """The others are one press away."""
    rows = [
        record("s", op, params={"n": 4, "dtype": dtype})
        for op in "abcde"
        for dtype in ("bfloat16", "float32")
    ]
    (section,) = made(rows)
    shown = {c.name: c.shown for c in section.controls if c.kind == "dtype"}
    assert shown == {"float32": True, "bfloat16": False}
    (small,) = made(rows[:4])
    assert all(c.shown for c in small.controls)


def test_a_suite_without_times_has_no_controls() -> None:
    """There is nothing to show or hide."""
    (section,) = made([lost("failed", "x")])
    assert section.drawings == ()
    assert section.controls == ()
    assert section.summary == "0 of 1 measured"


def test_a_section_carries_its_figures_and_their_tables() -> None:
    """In one piece, under the id that each drawing names."""
    for section in made(example()):
        assert {drawing.payload for drawing in section.drawings} == {section.payload.id}
        assert set(section.payload.value) == {drawing.id for drawing in section.drawings}
