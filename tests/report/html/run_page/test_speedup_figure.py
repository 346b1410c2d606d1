"""The figure of speedups shows few curves that can be compared, each with its band, and 1 to hold it against."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bench.analysis.crossover.crossovers import crossovers
from bench.report.html.run_page.speedup_figure import speedups
from tests.fakes.crossover import SIZES, both, cpu_s, curve, gpu_s
from tests.fakes.rows import HOSTILE, valid


def test_each_op_has_a_curve_a_band_and_a_line_at_1() -> None:
    """The ratio is how many times as fast the second side is; its band the interval's ends."""
    (one,) = crossovers(both())
    drawn = speedups("a", "b", [one])
    line, band, curve_ = drawn.figure["data"]
    assert set(line["y"]) == {1.0}
    assert curve_["x"] == list(SIZES)
    assert curve_["y"] == pytest.approx([cpu_s(n) / gpu_s(n) for n in SIZES])
    ratios = one.found.ratios
    assert band["y"] == [r.low for r in ratios] + [r.high for r in reversed(ratios)]
    assert "cuda is faster" in curve_["hovertext"][-1]
    assert "cpu is faster" in curve_["hovertext"][0]
    assert valid(drawn.figure)
    assert (drawn.id, drawn.payload) == ("a", "b")


def test_a_ratio_with_an_open_end_stays_in_the_figure() -> None:
    """A band that goes on is cut; JSON has no infinity; the table has a question mark."""
    bare: dict[str, Any] = {"time_lo_s": None, "time_hi_s": None}
    rows = [*curve("cpu", cpu_s, **bare), *curve("cuda", gpu_s)]
    drawn = speedups("a", "b", crossovers(rows))
    _, band, curve_ = drawn.figure["data"]
    assert max(band["y"]) == pytest.approx(10 * max(curve_["y"]))
    assert min(band["y"]) == pytest.approx(min(curve_["y"]) / 10)
    assert "(?)" in drawn.twin.rows[0][1][0]
    assert "unsure which is faster" in curve_["hovertext"][0]


def test_only_what_can_be_compared_stands_together() -> None:
    """One axis, one dtype, two sides, five ops: the rest is counted."""
    rows = [row for k in range(7) for row in both(f"s/op{k}")]
    rows += both("s/op0", "float64")
    rows += [
        dataclasses.replace(r, op="wide", params={"width": r.params["n"], "dtype": "float32"})
        for r in both()
    ]
    drawn = speedups("a", "b", crossovers(rows))
    names = [t["name"] for t in drawn.figure["data"] if t["mode"] == "lines+markers"]
    assert names == [f"s/op{k}" for k in range(5)]
    assert drawn.caption.endswith("4 more curves in the view Crossover.")
    assert "in float32" in drawn.caption
    assert len({t["meta"]["colour"] for t in drawn.figure["data"]}) == 6


def test_another_dtype_is_no_curve_beside_the_usual_one() -> None:
    """Also where it would fit."""
    drawn = speedups("a", "b", crossovers([*both(), *both(dtype="float64")]))
    assert len([t for t in drawn.figure["data"] if t["mode"] == "lines+markers"]) == 1
    assert drawn.caption.endswith("1 more curve in the view Crossover.")


def test_the_twin_has_every_number_of_the_figure() -> None:
    """With its interval, as no reader of the table can see the band."""
    drawn = speedups("a", "b", crossovers(both()))
    assert drawn.twin.row_head == "n"
    assert drawn.twin.head == ("16", "64", "256", "1024")
    ((name, cells),) = drawn.twin.rows
    assert name == "matmul/square float32"
    assert cells[-1] == "20.2 (19.9 to 20.5)"


def test_names_from_data_are_escaped() -> None:
    """In the legend and on hovering."""
    rows = [dataclasses.replace(r, op=HOSTILE) for r in both()]
    drawn = speedups("a", "b", crossovers(rows))
    curve_ = drawn.figure["data"][-1]
    assert "<b onmouseover" not in curve_["name"] + curve_["hovertext"][0]
