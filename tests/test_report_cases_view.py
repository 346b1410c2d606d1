"""Every case is in the table and has details of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analyse import grid
from bench.report.cases_view import cases_view
from tests.fakes_report import example, info, lost, on, record
from tests.test_report_samples import frame

if TYPE_CHECKING:
    from bench.record import Record
    from bench.report.view import View


def made(rows: list[Record]) -> View:
    """The view of these rows."""
    return cases_view(grid.in_reading_order(rows), info(), None)


def test_a_device_is_a_column_only_where_there_are_several() -> None:
    """One that is the same in all rows says nothing."""
    one, both = made(example()), made([*example(), *on("cuda", example())])
    assert "device" not in [c.key for c in one.values.listing.columns]
    assert "device" in [c.key for c in both.values.listing.columns]
    for view in (one, both):
        width = len(view.values.listing.columns)
        assert {len(e.cells) for e in view.values.listing.entries} == {width}
        assert {len(e.sort) for e in view.values.listing.entries} == {width}


def test_what_was_not_measured_has_its_status_and_its_reason() -> None:
    """And nothing to sort it by, so that it stays below; what was skipped comes last anyway."""
    view = made([lost("skipped", "no such kernel", "a", "b"), lost("oom", "4 GiB"), record()])
    first, second, last = view.values.listing.entries
    assert last.badge == "skipped"
    assert last.cells[-1] == "no such kernel"
    assert set(last.sort[1:]) == {None}
    assert {first.badge, second.badge} == {"oom", ""}


def test_rows_can_be_chosen_by_their_warnings() -> None:
    """Also where only one occurs: the others have none."""
    view = made([record(warnings=("noisy", "drift")), record(params={"n": 32})])
    (chosen,) = [f for f in view.values.listing.filters if f.name == "warning"]
    assert chosen.options == ("noisy", "drift")
    assert [e.of["warning"] for e in view.values.listing.entries] == ["noisy drift", ""]


def test_details_have_the_samples_of_their_case() -> None:
    """Not those of another device."""
    row = record("a", "b", params={})
    samples = frame([(0, 0, [1e-6, 2e-6])], row.case)
    view = cases_view([row, *on("cuda", [row])], info(), samples)
    (block,) = [p.value for p in view.payloads if p.id == "cases-block-0"]
    with_, without = block["samples"]
    assert with_["of"] == 2
    assert without is None
    assert all(command.startswith("bench run") for command in block["command"])
