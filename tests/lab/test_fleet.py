"""The lab that simulates fleets counts what it should, and its rules see what nobody can miss."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lab.fleet import Counts, Fleet, Simulation, fleets, main, measured


def test_it_counts_both_kinds() -> None:
    """Found among the slow ones, named among the others."""
    counts = Counts()
    counts.add(np.array([True, False, True, False]), np.array([True, True, False, False]))
    counts.add(np.array([False] * 4), np.array([False] * 4))
    assert (counts.power, counts.false_per_fleet) == (0.5, 0.5)
    assert counts.false_share == pytest.approx(1 / 6)
    assert Counts(fleets=1, ordinary=1).power is None


def test_a_fleet_is_as_it_was_asked_for() -> None:
    """So many slow units, half of them in all groups; only who is chosen is visited."""
    fleet = Fleet(nodes=50, gpus=8, slow_share=0.05, slower_by=0.5, disturbed_share=0.0)
    simulation = Simulation(fleet, np.random.default_rng(1))
    logs = simulation.visited()
    assert (simulation.slow.sum(), logs.shape) == (20, (400, 40))
    slower = (logs > np.log(1.25e-3)).mean(axis=1)
    assert sorted(set(slower.tolist())) == [0.0, 0.25, 1.0]
    assert (slower == 0.25).sum() == (slower == 1.0).sum() == 10
    chosen = np.arange(400) < 3
    assert np.isnan(simulation.visited(chosen)).any(axis=1).sum() == 397


def test_our_rule_finds_what_is_slow_and_hardly_anything_else() -> None:
    """7 % in a fleet of 200 GPUs: all of them; 2 %: as good as none, which is what the band is for."""
    found = measured(
        Fleet(nodes=25, gpus=8, slow_share=0.04, slower_by=0.07), 5, np.random.default_rng(2)
    )
    assert found["confirmed"].power == pytest.approx(1.0, abs=0.051)
    assert found["confirmed"].false_per_fleet <= 0.4
    assert found["confirmed"].false_per_fleet <= found["first visits"].false_per_fleet < 3
    small = measured(
        Fleet(nodes=25, gpus=8, slow_share=0.04, slower_by=0.02), 5, np.random.default_rng(2)
    )
    assert (small["confirmed"].power or 0.0) < 0.2


def test_it_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each kind of fleet."""
    assert main(["--nodes", "3", "--gpus", "4", "--repeats", "1"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n| ") == len(list(fleets(3, 4))) == 16
    assert "confirmed: found, false" in out
