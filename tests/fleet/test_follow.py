"""The follower ends, submits no more than is needed, and loses or counts nothing twice, whatever fails meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fleet import made_up
from tests.fleet.simulated import Simulation

if TYPE_CHECKING:
    from pathlib import Path


def test_x(tmp_path: Path) -> None:
    """X."""
    sim = Simulation(tmp_path, made_up.campaign(nodes=["n1", "n2", "n3"], visits=2))
    state = sim.follow()
    print(state.counts, sim.now_s / 60, sim.submissions, sim.measured, len(sim.begun))
    print([p.error for p in sim.processes])
    assert 0
