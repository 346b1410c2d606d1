"""Grouping: what binds a case, by what its row says."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.fleet.grouping import group_of
from bench.analysis.fleet.summary import summarise
from tests.fakes.fleets import FleetPlan, visits
from tests.fakes.rows import record

if TYPE_CHECKING:
    from bench.records.record import Record

COPY = ("Memcpy HtoD (Pageable -> Device)", "kernel")


@pytest.mark.parametrize(
    ("values", "group"),
    [
        ({"roof": "float32 matmul"}, "compute"),
        ({"roof": "tf32 matmul", "bound_by": "device"}, "compute"),
        ({"roof": "DRAM bandwidth"}, "memory"),
        ({"roof": "L2+memory bandwidth"}, "memory"),
        ({"flop": 2e9, "bytes": 1e6}, "compute"),
        ({"flop": 1e6, "bytes": 1e6}, "memory"),
        ({"flop": 1e6}, "compute"),
        ({"bytes": 1e6}, "memory"),
        ({}, "memory"),
        ({"bound_by": "launch", "roof": "float32 matmul"}, "launch"),
        ({"kernels": COPY, "bound_by": "launch"}, "transfer"),
        ({"kernels": COPY[::-1]}, "memory"),
    ],
)
def test_on_a_gpu(values: dict[str, Any], group: str) -> None:
    """A copy over the bus, then launches, then the roof, then arithmetic per byte."""
    assert group_of(record(device="cuda:0", **values)) == group


@pytest.mark.parametrize(
    ("values", "group"),
    [
        ({"time_s": 9e-6, "roof": "float32 matmul"}, "launch"),
        ({"time_s": 1e-3, "roof": "float32 matmul"}, "compute"),
        ({"time_s": 1e-3, "roof": "L1+L2 bandwidth"}, "memory"),
    ],
)
def test_on_a_cpu(values: dict[str, Any], group: str) -> None:
    """A call of some microseconds is mostly calling."""
    assert group_of(record(**values)) == group


def test_the_suite_of_copies() -> None:
    """On a device; on the host it copies nothing over a bus."""
    assert group_of(record("transfer", "to_device", device="cuda", bound_by="launch")) == "transfer"
    assert group_of(record("transfer", "to_device", time_s=1.0)) == "memory"


def test_a_case_is_in_one_group_for_all_units() -> None:
    """On a third of the units launching takes the time, on the others it does not."""

    def sometimes(row: Record, _: int) -> Record:
        bound = "launch" if row.device in {"cuda:0", "cuda:1"} else "device"
        return dataclasses.replace(row, bound_by=bound)

    found = summarise(visits(FleetPlan(nodes=2), changed=sometimes))
    assert {one.group for one in found.deviations} == {"compute", "memory"}
    assert len(found.deviations) == 32
    assert {one.cases for one in found.deviations} == {6}
