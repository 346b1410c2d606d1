"""Every case is in the table and has details of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis import grid
from bench.report.html.run_page.cases import cases_view
from bench.report.text import device_times
from tests.fakes.launches import launched
from tests.fakes.rows import example, info, lost, on, record
from tests.report.html.run_page.test_samples import frame

if TYPE_CHECKING:
    from bench.records.record import Record
    from bench.report.html.view import View


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


def test_a_case_on_a_gpu_has_its_times_told_in_every_way() -> None:
    """With what each is; a page without such a case needs no words for it."""
    view = made([launched(device_time_cold_s=3e-6), record()])
    values = {p.id: p.value for p in view.payloads}
    told = values["cases-block-0"]["device_times"]
    assert sorted(map(len, told)) == [0, len(device_times.WAYS)]
    assert "3.00 µs" in max(told, key=len)
    assert values["device-times"][0][0] == "a caller waits"
    assert "device-times" not in {p.id for p in made([record()]).payloads}


def test_a_case_that_waits_for_the_host_is_marked() -> None:
    """Its share of a roof is that of launching."""
    noisy, plain = launched(warnings=("noisy",)), launched("mul")
    first, second = made([noisy, plain]).values.listing.entries
    assert first.cells[-1].endswith("noisy, launch-bound")
    assert second.cells[-1] == "launch-bound"
