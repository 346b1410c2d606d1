"""The best time of a call is the shortest that was seen, within the time given."""

from __future__ import annotations

from itertools import chain, repeat

import pytest

from bench.worker.best_time import SAMPLE_S, BestTimer
from tests.fakes.gpu import Gpu
from tests.fakes.workers import Clock


def test_the_best_sample_counts() -> None:
    """Whatever disturbs a look makes it longer, never shorter."""
    clock = Clock()
    times_ms = chain([9, 9, 5, 2, 7], repeat(6))
    best_s = BestTimer(clock).best_s(lambda: clock.advance(next(times_ms) * 1_000_000), 0.05)
    assert best_s == pytest.approx(0.002)


def test_it_keeps_to_its_time() -> None:
    """A call that is longer than all of it is seen once beside the two that tell its length."""
    clock = Clock()
    assert BestTimer(clock).best_s(lambda: clock.advance(30_000_000), 0.01) == pytest.approx(0.03)
    assert clock() == 90_000_000
    BestTimer(clock).best_s(lambda: clock.advance(100_000), 0.05)
    assert 140_000_000 <= clock() < 142_000_000


def test_short_calls_share_a_sample() -> None:
    """Reading the clock costs as much as they do."""
    clock, calls = Clock(), 0

    def call() -> None:
        nonlocal calls
        calls += 1
        clock.advance(1_000)

    BestTimer(clock).best_s(call, 0.0)
    assert calls == 2 + round(SAMPLE_S / 1e-6)


def test_a_device_with_a_queue_says_its_own_time() -> None:
    """Not what submitting takes."""
    clock = Clock()
    gpu = Gpu(clock=clock)
    best_s = BestTimer(clock, gpu).best_s(lambda: gpu.launch(50_000), 0.02)
    assert best_s == pytest.approx(50e-6, rel=0.02)


def test_the_time_is_that_of_its_clock() -> None:
    """In seconds."""
    clock = Clock()
    clock.advance(1_500_000_000)
    assert BestTimer(clock).now_s == 1.5
