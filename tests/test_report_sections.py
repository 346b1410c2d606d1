"""A suite's section has the figures worth drawing, and the controls that fit them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.report.sections import Section, course, sections
from bench.report.theme import look
from tests.fakes_claims import answered
from tests.fakes_report import example, lost, record

if TYPE_CHECKING:
    from bench.record import Record


def made(rows: list[Record]) -> list[Section]:
    """The sections of these rows."""
    return sections(rows, look(rows))


def kinds(section: Section) -> list[str]:
    """Which figures a section has."""
    return [drawing.id.rpartition("-")[2] for drawing in section.drawings]


def test_rates_are_drawn_only_where_work_is_declared() -> None:
    """A suite that declares nothing has figures of its times alone."""
    matmul, view = made(example())
    assert kinds(matmul) == ["time", "flop", "bytes", "heat"]
    assert kinds(view) == ["time", "heat"]


def test_each_size_axis_has_its_own_figures() -> None:
    """Rows and bytes are not one axis."""
    rows = [record("s", "a", params={"n": 4}), record("s", "b", params={"rows": 4})]
    rows += [record("s", "c", params={"kind": "x"})]
    (section,) = made(rows)
    assert kinds(section) == ["time", "time", "dots"]
    assert len({drawing.id for drawing in section.drawings}) == 3


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


def test_claims_have_a_section_where_one_is_answered() -> None:
    """With those that the run says something about; of the others their number."""
    section = course(answered())
    assert section is not None
    assert [row.id for row in section.rows] == ["free", "from", "not", "wide", "broken"]
    assert section.unmeasured == 2
    assert course(answered()[3:]) is None
