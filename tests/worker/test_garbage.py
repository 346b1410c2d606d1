"""Garbage: what calls leave in cycles is collected between samples, and costs nothing where there is none."""

from __future__ import annotations

import gc
import sys
import time
import weakref
from typing import TYPE_CHECKING

import pytest
import torch

from bench.plan.case import Call
from bench.worker import garbage
from bench.worker.devices import Cpu
from bench.worker.garbage import leaves_cycles
from bench.worker.sampling import calibrate, take_sample, take_samples, warm_up

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOCK = time.perf_counter_ns


@pytest.fixture(autouse=True)
def _uncollected() -> Iterator[None]:
    """No collection by itself, as in a worker."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Ring:
    """A call whose results refer to themselves; it knows which of them are still there."""

    def __init__(self, elements: int = 4) -> None:
        self.alive: weakref.WeakSet[torch.Tensor] = weakref.WeakSet()
        self.most = 0
        self._elements = elements

    def __call__(self) -> None:
        """Leave a tensor that only a collection frees."""
        kept: list[object] = [torch.empty(self._elements)]
        kept.append(kept)
        self.alive.add(kept[0])  # type: ignore[arg-type]
        self.most = max(self.most, len(self.alive))


@pytest.fixture(name="collected")
def _collected(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each collection."""
    found: list[int] = []
    collect = gc.collect

    def counted() -> int:
        found.append(1)
        return collect()

    monkeypatch.setattr(gc, "collect", counted)
    return found


@pytest.mark.parametrize("loops", [1, 3, 50])
def test_what_a_sample_left_is_gone_after_it(loops: int) -> None:
    """No sample finds the garbage of the one before."""
    ring = Ring()
    for _ in range(3):
        take_sample(Call(ring), loops, Cpu(), CLOCK)
        assert len(ring.alive) == 0
    assert ring.most == loops


@pytest.mark.parametrize("loops", [1, 2, 1000])
def test_a_call_that_leaves_nothing_is_never_collected_after(
    loops: int, collected: list[int]
) -> None:
    """A collection takes a thousand times what a call does."""
    one = torch.ones(4)
    take_sample(
        Call(torch.neg, one), loops, Cpu(), CLOCK
    )  # which may leave what is kept for later ones
    collected.clear()
    for _ in range(5):
        take_sample(Call(torch.neg, one), loops, Cpu(), CLOCK)
    calibrate(Call(torch.neg, one), 1e-4, Cpu(), CLOCK)
    take_samples(Call(torch.neg, one), loops, 1e-3, Cpu(), CLOCK)
    assert collected == []


def test_warming_up_keeps_no_more_than_a_sample() -> None:
    """It makes hundreds of samples."""
    ring = Ring(2**16)
    warm_up(Call(ring), Cpu(), CLOCK, limit_s=0.01)
    assert len(ring.alive) == 0
    assert ring.most < 10_000


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says what a process holds")
def test_a_sample_has_no_more_calls_than_may_leave_their_garbage_together() -> None:
    """Of 64 MiB each, which nobody writes to, four fit, however short the calls are."""
    ring = Ring(2**24)
    loops, _ = calibrate(Call(ring), 1.0, Cpu(), CLOCK)
    assert 64 * 2**20 * ring.most <= 2 * garbage.MOST_BYTES
    assert loops <= 4


def test_objects_that_pile_up_slowly_are_collected_too(collected: list[int]) -> None:
    """One in every other call is below what a sample is judged by."""
    monkey: list[object] = []

    def sometimes() -> None:
        monkey.append(None)
        if len(monkey) % 2:
            pair: list[object] = []
            pair.append(pair)

    for _ in range(10):
        take_sample(Call(sometimes), 4000, Cpu(), CLOCK)
    assert collected


def test_cycles_are_told_from_what_a_first_call_leaves() -> None:
    """A call that leaves garbage once, as a module does that is loaded, makes none."""
    calls: list[int] = []

    def once() -> None:
        calls.append(1)
        if len(calls) == 1:
            Ring()()

    assert leaves_cycles(Call(Ring()))
    assert not leaves_cycles(Call(once))
    assert not leaves_cycles(Call(torch.neg, torch.ones(4)))
