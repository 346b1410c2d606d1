"""Spreads: what was put into a made-up fleet."""

from __future__ import annotations

import math

import pytest

from bench.analysis.fleet.summary import summarise
from tests.fakes.fleets import FleetPlan, units_of, visits


def test_what_was_put_in_comes_out() -> None:
    """Whatever two slow units do; a node without an effect of its own has none."""
    plan = FleetPlan(nodes=60, device=0.006, visit=0.004, case=0.0)
    slow = {units_of(plan)[place]: 1.1 for place in (7, 300)}
    found = summarise(visits(plan, slow)).spreads
    assert [(one.model, one.group) for one in found] == [
        ("NVIDIA H100", "compute"),
        ("NVIDIA H100", "memory"),
    ]
    for one in found:
        assert one.between_visits == pytest.approx(0.004, rel=0.15)
        assert one.between_devices == pytest.approx(0.006, rel=0.15)
        assert one.between_nodes == pytest.approx(0.0, abs=0.002)
        assert one.within_run == pytest.approx(0.0051 / math.sqrt(6), rel=0.01)


def test_one_device_per_node_is_its_node() -> None:
    """What a CPU fleet has."""
    (one, _) = summarise(visits(FleetPlan(nodes=200, gpus=1, device=0.006))).spreads
    assert one.between_devices is None
    assert one.between_nodes == pytest.approx(0.006, rel=0.25)
