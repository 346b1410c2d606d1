"""The figure of launch-bound cases. All rows here are made up."""

from __future__ import annotations

import pytest

from bench.report import kernels
from tests.fakes_launches import LONG, launched
from tests.fakes_report import HOSTILE, valid


def test_the_parts_are_all_of_what_a_caller_waits() -> None:
    """Told apart by colour and by a pattern."""
    figure = kernels.waiting([launched(), launched(device_time_s=5e-6)])
    assert valid(figure)
    assert figure is not None
    works, waits, graph = figure["data"]
    assert works["x"] == pytest.approx([0.2, 0.5])
    assert waits["x"] == pytest.approx([0.8, 0.5])
    assert works["marker"]["pattern"]["shape"] != waits["marker"]["pattern"]["shape"]
    assert graph["x"] == pytest.approx([0.2, 0.2])


def test_a_case_without_a_graph_has_no_mark() -> None:
    """And one without the device's own time has no bar."""
    rows = [launched(graph_time_s=None), launched(graph_time_s=4e-6), launched(device_time_s=None)]
    figure = kernels.waiting(rows)
    assert figure is not None
    works, _, graph = figure["data"]
    assert len(works["x"]) == 2
    assert graph["y"] == [1]
    assert kernels.waiting([launched(device_time_s=None)]) is None
    assert kernels.waiting([]) is None


def test_a_device_that_took_longer_than_a_caller_waited_does_not_wait() -> None:
    """Both are measured, so the one may be a little above the other."""
    figure = kernels.waiting([launched(device_time_s=1.01e-5)])
    assert figure is not None
    assert figure["data"][1]["x"] == [0.0]


def test_the_table_has_the_times_themselves() -> None:
    """And what a replay would save, at the least."""
    twin = kernels.twin([launched()])
    ((name, cells),) = twin.rows
    assert name == "s/add n=16 float32"
    assert cells == ("10.0 µs ± 1.0 %", "2.00 µs", "10.0 µs", "80 %", "2.00 µs", "80 %")


def test_a_long_name_loses_its_middle() -> None:
    """Both ends tell more of a C++ template than its arguments."""
    assert kernels.short("gemm") == "gemm"
    assert len(kernels.short(LONG)) == 64
    assert kernels.short(LONG).startswith("void at::native::elementwise_k")
    assert kernels.short(LONG).endswith("add<float>>(int, float*)")


def test_names_are_escaped() -> None:
    """A case's params come from a suite file."""
    figure = kernels.waiting([launched(params={"n": 4, "kind": HOSTILE})])
    assert "<b onmouseover" not in str(figure)
