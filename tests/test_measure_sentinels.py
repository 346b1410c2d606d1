"""Sentinels on a real machine: what they answer, not how long they take."""

from __future__ import annotations

import time

import pytest

from bench.measure.sentinels import Sentinels
from tests.fakes import Clock


@pytest.mark.parametrize("threads", [1, 2])
def test_sentinels_take_time_and_there_is_a_barrier_only_between_threads(threads: int) -> None:
    """One thread meets nobody."""
    sensed = Sentinels(threads).sense(time.perf_counter_ns)

    assert sensed.compute_s > 0
    assert (sensed.barrier_s is None) == (threads == 1)
    assert sensed.barrier_s is None or sensed.barrier_s > 0


@pytest.mark.parametrize("load", [1.5, None])
def test_the_systems_load_stands_beside_them(
    monkeypatch: pytest.MonkeyPatch, load: float | None
) -> None:
    """Where the system tells it."""
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    if load is None:
        monkeypatch.delattr("os.getloadavg")
    assert Sentinels(1).sense(Clock()).load_1m == load


def test_sentinels_use_the_clock_they_are_given() -> None:
    """On a clock that stands still they take no time."""
    assert Sentinels(1).sense(Clock()).compute_s == 0
