"""The roofline: cases under the roofs that were measured, each roof named and where it belongs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import pytest

from bench.records.roofs import BANDWIDTH
from bench.report.html.run_page import roofline_figure, scatter
from tests.fakes.roofs import roofs
from tests.fakes.rows import lost, record

if TYPE_CHECKING:
    from bench.records.record import Record

    Traces = dict[str, Any]


def case(flop: float = 1e6, **values: Any) -> Record:
    """A case with arithmetic and bytes: ten FLOP per byte."""
    return record(flop=flop, bytes=1e5, **values)


def drawn(rows: list[Record]) -> dict[str, Any]:
    """The figure of these rows."""
    figure = roofline_figure.by_intensity(scatter.cloud(roofline_figure.places(rows)), roofs())
    assert figure is not None
    go.Figure(figure)
    return figure


def named(figure: dict[str, Any], words: str) -> dict[str, Any]:
    """The trace of a roof."""
    (found,) = [t for t in figure["data"] if t.get("name", "").startswith(words)]
    return dict(found)


def test_a_case_stands_at_its_intensity_and_rate() -> None:
    """With the ends of its time swapped, the longest being the lowest rate."""
    (place,) = roofline_figure.places([case(time_s=2.0, time_lo_s=1.0, time_hi_s=4.0)])
    assert (place.x, place.y) == (10.0, (5e5, 2.5e5, 1e6))


@pytest.mark.parametrize(
    "row", [record(bytes=8.0), record(flop=8.0), lost("failed", "x", flop=8.0, bytes=8.0)]
)
def test_cases_without_arithmetic_bytes_or_time_have_no_place(row: Record) -> None:
    """They are in the other figure, or in none."""
    assert roofline_figure.places([row]) == []


def test_levels_are_slopes_at_the_bandwidth_in_force() -> None:
    """Of a smaller level that is the best of all larger ones, as `bench.records.roofs` judges."""
    values = {one.level: one.value for one in roofline_figure.levels(roofs())}
    assert values == {"L1": 4e11, "L1+L2": 4e11, "L2": 4e11, "L2+DRAM": 1e11, "DRAM": 5e10}
    slope = named(drawn([case()]), "DRAM bandwidth")
    ratios = [y / x for x, y in zip(slope["x"], slope["y"], strict=True)]
    assert ratios == pytest.approx([5e10] * len(ratios))


def test_only_levels_that_hold_all_by_themselves_are_written_out() -> None:
    """But a machine that has no others has these."""
    assert [one.level for one in roofline_figure.levels(roofs(), pure=True)] == ["L1", "L2", "DRAM"]
    mixed = tuple(one for one in roofs().of_kind(BANDWIDTH) if "+" in one.level)
    only = dataclasses.replace(roofs(), roofs=mixed)
    assert [one.level for one in roofline_figure.levels(only, pure=True)] == ["L1+L2", "L2+DRAM"]


def test_slopes_end_where_the_highest_product_begins() -> None:
    """Beyond, arithmetic binds."""
    figure = drawn([case()])
    assert max(named(figure, "DRAM bandwidth")["y"]) == pytest.approx(2e11)
    assert set(named(figure, "float32 matmul")["y"]) == {2e11}


def test_products_of_dtypes_that_do_not_occur_are_left_out() -> None:
    """Unless a case was compared with them."""
    assert "bfloat16" not in str(drawn([case()])["data"])
    figure = drawn([case(roof="bfloat16 matmul", roof_share=0.5)])
    assert named(figure, "bfloat16 matmul")["meta"]["colour"] == scatter.kind("bfloat16")


def test_every_roof_has_its_name_in_the_figure() -> None:
    """Those that lie on one another share a place."""
    words = [text for t in drawn([case()])["data"] if t["mode"] == "text" for text in t["text"]]
    assert words == ["L1, L2", "DRAM", "float32"]


def test_roofs_are_within_the_axes() -> None:
    """A roof above the figure says nothing."""
    figure = drawn([case(flop=1.0)])
    low, high = figure["layout"]["yaxis"]["range"]
    assert 10**low < 1e5
    assert 10**high > 2e11


def test_no_points_or_no_roofs_are_no_figure() -> None:
    """An empty frame says less than a sentence."""
    cloud = scatter.cloud(roofline_figure.places([case()]))
    assert roofline_figure.by_intensity(scatter.cloud([]), roofs()) is None
    assert roofline_figure.by_intensity(cloud, dataclasses.replace(roofs(), roofs=())) is None


def test_a_machine_with_one_kind_of_roof_is_drawn_all_the_same() -> None:
    """Products may be missing where memory was too short, and bandwidths elsewhere."""
    cloud = scatter.cloud(roofline_figure.places([case()]))
    for kind in (BANDWIDTH, "flop"):
        only = dataclasses.replace(roofs(), roofs=tuple(roofs().of_kind(kind)))
        figure = go.Figure(roofline_figure.by_intensity(cloud, only))
        assert figure.data, kind
