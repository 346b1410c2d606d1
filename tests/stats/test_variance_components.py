"""Variance components: what was put into simulated fleets comes out again, whatever a few devices do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.stats.variance_components import components, steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

NODE, DEVICE, NODE_VISIT, REST = 0.003, 0.006, 0.002, 0.0035
VISIT = math.hypot(NODE_VISIT, REST)


def fleet(
    nodes: int, devices: int, visits: int, seed: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Levels of a simulated fleet, and the node of each device."""
    rng = np.random.default_rng(seed)
    levels = (
        rng.normal(0, NODE, (nodes, 1, 1))
        + rng.normal(0, DEVICE, (nodes, devices, 1))
        + rng.normal(0, NODE_VISIT, (nodes, 1, visits))
        + rng.normal(0, REST, (nodes, devices, visits))
    )
    return levels.reshape(nodes * devices, visits), np.arange(nodes).repeat(devices)


@pytest.mark.parametrize("visits", [2, 3])
def test_what_was_put_in_comes_out(visits: int) -> None:
    """Each within what so many nodes can tell."""
    found = components(*fleet(800, 8, visits))
    assert found.visits == pytest.approx(VISIT, rel=0.05)
    assert found.devices == pytest.approx(DEVICE, rel=0.07)
    assert found.nodes == pytest.approx(NODE, rel=0.2)


def test_slow_devices_and_disturbed_visits_are_not_the_spread() -> None:
    """Two in a hundred by 10 % would be three times the variance of all others."""
    levels, nodes = fleet(800, 8, 2)
    rng = np.random.default_rng(2)
    levels[rng.random(len(levels)) < 0.02] += 0.1
    levels[rng.random(levels.shape) < 0.02] += 0.05
    found = components(levels, nodes)
    assert found.visits == pytest.approx(VISIT, rel=0.12)
    assert found.devices == pytest.approx(DEVICE, rel=0.2)
    assert np.var(levels.mean(axis=1)) > 4 * DEVICE**2


def test_missing_visits_change_little() -> None:
    """A fifth of all."""
    levels, nodes = fleet(800, 8, 3)
    levels[np.random.default_rng(4).random(levels.shape) < 0.2] = np.nan
    found = components(levels, nodes)
    assert found.visits == pytest.approx(VISIT, rel=0.07)
    assert found.devices == pytest.approx(DEVICE, rel=0.1)


def test_one_visit_tells_nothing() -> None:
    """A device can't be told from the hour in which it was visited."""
    found = components(*fleet(100, 8, 1))
    assert (found.visits, found.devices, found.nodes) == (None, None, None)


def test_a_single_device_is_its_node() -> None:
    """Both together are then that of nodes."""
    found = components(*fleet(1500, 1, 2))
    assert found.devices is None
    assert found.nodes == pytest.approx(math.hypot(NODE, DEVICE), rel=0.12)
    assert found.visits == pytest.approx(VISIT, rel=0.1)


def test_two_nodes_do_not_tell_how_nodes_differ() -> None:
    """But their devices tell how devices do."""
    found = components(*fleet(2, 8, 2))
    assert found.nodes is None
    assert found.devices is not None


def test_nothing_is_less_than_nothing() -> None:
    """Where visits explain all there is, the others are 0."""
    rng = np.random.default_rng(6)
    found = components(rng.normal(0, 0.01, (400, 2)), np.arange(100).repeat(4))
    assert found.visits == pytest.approx(0.01, rel=0.15)
    assert found.devices is not None
    assert found.devices < 0.004
    assert components(np.empty((0, 2)), np.empty(0, dtype=np.intp)).nodes is None


def test_steps_vary_as_visits_do() -> None:
    """From one visit to the next; a missing one has none."""
    found = steps(np.array([[0.0, 0.02, np.nan]]))
    assert found[0, 0] == pytest.approx(0.02 / math.sqrt(2))
    assert np.isnan(found[0, 1])
