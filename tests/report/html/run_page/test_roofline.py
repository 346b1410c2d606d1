"""The roofline view says what binds the cases of each device, or how to find out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.records.roofs import judged
from bench.report.html.run_page.roofline import roofline_view
from bench.report.html.view import anchor
from tests.fakes.roofs import noted, roofs
from tests.fakes.rows import info, lost, on, record, valid

if TYPE_CHECKING:
    from bench.records.record import Record


def rows() -> list[Record]:
    """A product near its roof, a copy far from it, and a case that declares nothing."""
    product = record(flop=1.9e6, bytes=1e5, time_s=1e-5, cache="hot")
    copy = record("s", "copy", bytes=1e5, time_s=1e-3, cache="hot")
    return [*(judged(r, roofs()) for r in (product, copy)), record("s", "view")]


def test_a_device_has_sentences_a_table_and_both_figures() -> None:
    """The table leads to the case that came nearest."""
    found = rows()
    view = roofline_view(found, info(roofs=noted()))
    assert view is not None
    (device,) = view.values.devices
    assert device.sentences[0].startswith("Of 2 cases with a roof, 1 came within 10 % of it")
    assert device.sentences[-1] == "1 case of 3 declares no work, so that no roof binds it."
    assert [(line.roof, line.counts) for line in device.lines] == [
        ("float32 matmul", (1, 1, 1, 0)),
        ("L1 bandwidth", (1, 0, 0, 1)),
    ]
    assert device.lines[0].anchor == anchor(found[0])
    assert [d.id for d in device.drawings] == ["roofline-0-flop", "roofline-0-bytes"]
    assert device.fills == ("filled: hot caches",)
    for drawing in device.drawings:
        assert valid(drawing.figure)
        assert len(drawing.twin.rows) == 1
        assert drawing.id in view.payloads[0].value
        assert drawing.payload == view.payloads[0].id


def test_threads_are_told_of_a_cpu_only() -> None:
    """What a GPU can do at most is no matter of the host's threads."""
    known = {**noted(), **noted("cuda")}
    view = roofline_view([*rows(), *on("cuda", rows())], info(roofs=known))
    assert view is not None
    assert [device.measured.split(",")[0] for device in view.values.devices] == [
        "with 2 threads",
        "by torch 2.13.0",
    ]


def test_devices_without_roofs_are_left_out() -> None:
    """Their cases were compared with nothing."""
    both = [*rows(), *on("cuda", rows())]
    view = roofline_view(both, info(roofs=noted()))
    assert view is not None
    assert [device.device for device in view.values.devices] == ["cpu"]


def test_a_run_without_roofs_says_how_to_get_them() -> None:
    """And, if so, that they were not wanted."""
    view = roofline_view([record()], info(options={"roofs": False}))
    assert view is not None
    assert view.payloads == ()
    assert view.values.empty == (
        "No roofs are known of this run. It was made with --no-roofs. bench machine --measure "
        "measures them, and so does bench run without --no-roofs."
    )
    other = roofline_view([record()], info())
    assert other is not None
    assert "It was made" not in other.values.empty


def test_a_run_that_declares_no_work_says_so() -> None:
    """Roofs alone bind nothing."""
    view = roofline_view([record()], info(roofs=noted()))
    assert view is not None
    assert "none declares arithmetic or bytes" in view.values.empty


def test_roofs_of_another_version_are_passed_over() -> None:
    """A manifest is a file."""
    for fields in ({"roofs": [{"kind": "x", "new": 1}]}, {}, None):
        view = roofline_view(rows(), info(roofs={"cpu": fields}))
        assert view is not None
        assert view.values.devices == ()


def test_nothing_measured_is_no_view() -> None:
    """The cases' table has the reasons."""
    assert roofline_view([lost("failed", "x")], info(roofs=noted())) is None
