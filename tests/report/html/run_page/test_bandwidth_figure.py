"""Bytes per second under the measured ladder: what only moves bytes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from bench.report.html.run_page import bandwidth_figure, scatter
from tests.fakes.roofs import WIDTHS, roofs
from tests.fakes.rows import record

if TYPE_CHECKING:
    from bench.records.record import Record


def drawn(rows: list[Record]) -> dict[str, Any]:
    """The figure of these rows."""
    figure = bandwidth_figure.by_bytes(scatter.cloud(bandwidth_figure.places(rows)), roofs())
    assert figure is not None
    go.Figure(figure)
    return figure


def test_only_cases_without_arithmetic_have_a_place() -> None:
    """The others are in the roofline."""
    assert bandwidth_figure.places([record(bytes=8.0, flop=1.0), record()]) == []
    (place,) = bandwidth_figure.places([record(bytes=8.0, time_s=2.0)])
    assert (place.x, place.y[0]) == (8.0, 4.0)


def test_the_ladder_is_what_rows_are_held_against() -> None:
    """From each size on, the best of it and of all beyond."""
    rungs = [(one.level, one.bytes, one.value) for one in bandwidth_figure.rungs(roofs())]
    assert rungs == [
        (level, size, value)
        for (level, size, _, _), value in zip(WIDTHS, (4e11, 4e11, 4e11, 1e11, 5e10), strict=True)
    ]


def test_each_rung_says_what_it_is() -> None:
    """Level, size and rate, wherever the line is touched."""
    said = [t["hovertext"][0] for t in drawn([record(bytes=4e4)])["data"] if t["mode"] == "lines"]
    assert said[-1] == "DRAM bandwidth from 256 MiB: 50.0 GB/s (copy)"
    assert len(said) == len(WIDTHS)


def test_cold_cases_have_the_line_of_memory_alone() -> None:
    """All of their bytes come from there."""
    (line,) = [t for t in drawn([record(bytes=4e4, cache="cold")])["data"] if t["mode"] == "lines"]
    assert line["name"].startswith("cold: DRAM bandwidth")
    assert set(line["y"]) == {5e10}
    both = drawn([record(bytes=4e4, cache=cache) for cache in ("hot", "cold")])
    assert sum(t["mode"] == "lines" for t in both["data"]) == len(WIDTHS) + 1


def test_no_points_or_no_bandwidths_are_no_figure() -> None:
    """An empty frame says less than a sentence."""
    cloud = scatter.cloud(bandwidth_figure.places([record(bytes=4e4)]))
    assert bandwidth_figure.by_bytes(scatter.cloud([]), roofs()) is None
    assert bandwidth_figure.by_bytes(cloud, dataclasses.replace(roofs(), roofs=())) is None
