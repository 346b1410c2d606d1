"""Crossovers of models: where a GPU model beats the CPU beside it, over all nodes that have both."""

from __future__ import annotations

import dataclasses

import pytest

from bench.analysis.fleet.fleet_summary import VisitRows
from bench.analysis.fleet.summary import summarise
from tests.fakes import rows
from tests.fakes.fleets import MODEL

CPU = "Test CPU"
SIZES = (16, 64, 256, 1024)


def visit(node: str, cpu: float = 1.0, gpu: float = 1.0, *, devices: int = 2) -> VisitRows:
    """A visit of a node whose CPU takes n ns, and whose GPU 100 ns, and so many times more."""
    times = {"cpu": [cpu * n * 1e-9 for n in SIZES], "cuda": [gpu * 1e-7] * len(SIZES)}
    names = {"cpu": CPU, "cuda": MODEL}
    records = [
        rows.record(
            "matmul",
            "square",
            params={"n": n},
            time_s=time_s,
            time_lo_s=time_s * 0.99,
            time_hi_s=time_s * 1.01,
            device=device,
            device_name=names[device],
            bound_by=None,
        )
        for device in list(times)[:devices]
        for n, time_s in zip(SIZES, times[device], strict=True)
    ]
    return VisitRows(pool="p", node=node, visit=1, records=tuple(records), info=rows.info())


def test_the_size_is_that_of_medians_and_reaches_over_the_units() -> None:
    """One line for each op and pair of models, however many nodes have them."""
    nodes = [visit(f"n{number}", cpu=1 + number / 50) for number in range(8)]
    (found,) = summarise(nodes).crossovers
    assert (found.one, found.other, found.axis) == (CPU, MODEL, "n")
    assert found.found.kind == "at"
    size, low, high = found.found.size, found.found.low, found.found.high
    assert size
    assert low
    assert high
    assert size == pytest.approx(100 / 1.07, rel=0.03)
    assert low <= 100 / 1.14 * 1.01
    assert high >= 100 / 1.01


def test_a_single_unit_is_no_surer_than_its_row() -> None:
    """Its median is its own time, and not known exactly."""
    (found,) = summarise([visit("n1")]).crossovers
    assert found.found.low
    assert found.found.size
    assert found.found.low < found.found.size * 0.995


def test_devices_of_different_nodes_make_no_pair() -> None:
    """A CPU that stands elsewhere says nothing of whether to use this GPU."""
    alone = visit("n1", devices=1)
    other = visit("n2")
    gpu = dataclasses.replace(other, records=tuple(r for r in other.records if r.device == "cuda"))
    assert summarise([alone, gpu]).crossovers == ()
