"""Where bandwidth is looked at, how bytes are moved there, and what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from bench.records.roofs import BANDWIDTH
from bench.worker import bandwidth
from bench.worker.bandwidth import WAYS, BandwidthPoint, bandwidths, points
from bench.worker.best_time import BestTimer
from tests.fakes.workers import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

KIB, MIB = 2**10, 2**20


@pytest.fixture(name="much_memory")
def _much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidth, "free_memory_bytes", lambda: 64 * 2**30)


@pytest.mark.usefixtures("much_memory")
def test_every_level_is_looked_at_and_named() -> None:
    """Each size is larger than the one before it; where two levels share the data, it is named after both."""
    found = points({"L1": 64 * KIB, "L2": 2 * MIB, "L3": 32 * MIB})
    sizes = [one.moved_bytes for one in found]
    assert sizes == sorted(set(sizes))
    assert list(dict.fromkeys(one.level for one in found)) == [
        "L1",
        "L1+L2",
        "L2",
        "L2+L3",
        "L3",
        "L3+DRAM",
        "DRAM",
    ]
    assert sizes[-1] == 8 * (64 * KIB + 34 * MIB)
    assert max(one.moved_bytes for one in found if one.level == "L3") == 24 * MIB


def test_a_gpu_has_its_l2_and_its_memory() -> None:
    """Its data is always on it, so none of it is called DRAM; far beyond the L2 starting a kernel is nothing."""
    found = points({"L2": 50 * MIB}, "cuda", lambda _: 80 * 2**30)
    assert {one.level for one in found} == {"L2", "L2+memory", "memory"}
    assert [one.moved_bytes // (50 * MIB) for one in found if one.level == "memory"] == [8, 32, 128]


@pytest.mark.usefixtures("much_memory")
def test_the_memory_that_counts_is_the_device_s() -> None:
    """A host with much memory must not make a small card look at sizes that it can't hold."""
    found = points({"L2": 50 * MIB}, "cuda", lambda _: 8 * 2**30)
    assert max(one.moved_bytes for one in found) == 32 * 50 * MIB


@pytest.mark.usefixtures("much_memory")
def test_unknown_caches_are_looked_for() -> None:
    """Small data would else be compared with memory, and be implausible."""
    found = points({})
    assert found[0].moved_bytes < 64 * KIB
    assert found[-1] == BandwidthPoint(level="DRAM", moved_bytes=8 * (64 * MIB + 64 * KIB))


def test_memory_that_is_not_free_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of what is free, at most."""
    monkeypatch.setattr(bandwidth, "free_memory_bytes", lambda: 600 * MIB)
    found = points({"L1": 64 * KIB, "L3": 32 * MIB})
    assert max(one.moved_bytes for one in found) < 150 * MIB
    assert found[-1].level == "L3+DRAM"


@pytest.mark.parametrize(
    ("how", "expected"),
    [("copy", 8000), ("triad", 7992), ("read", 8000), ("write", 8000), ("in place", 8000)],
)
def test_a_way_moves_what_it_says(how: str, expected: int) -> None:
    """Within what was asked for; it works in the memory that it is given."""
    memory = torch.ones(10_000)
    moved_bytes, call = WAYS[how](memory, 8000)
    call()
    assert moved_bytes == expected


@pytest.mark.parametrize(
    ("how", "touched"), [("copy", 0), ("triad", 666), ("read", 0), ("write", 0), ("in place", 1000)]
)
def test_a_way_changes_no_more_than_it_should(how: str, touched: int) -> None:
    """Ones stay ones where they are copied, read or written; sums and signs are seen."""
    memory = torch.ones(10_000)
    WAYS[how](memory, 8000)[1]()
    assert int((memory != 1).sum()) == touched


def scripted(
    monkeypatch: pytest.MonkeyPatch, took_s: Callable[[str, int], float]
) -> tuple[Clock, list[str]]:
    """Ways whose calls take the time that a script says, on a clock of their own; and who was called."""
    clock, called = Clock(), list[str]()

    def way(how: str) -> Callable[[torch.Tensor, int], tuple[int, Callable[[], object]]]:
        def calls(_: torch.Tensor, moved_bytes: int) -> tuple[int, Callable[[], object]]:
            called.append(how)
            return moved_bytes, lambda: clock.advance(round(took_s(how, moved_bytes) * 1e9))

        return calls

    monkeypatch.setattr(bandwidth, "WAYS", {how: way(how) for how in WAYS})
    return clock, called


def test_of_each_level_copy_triad_and_the_best_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A level has its best of all its sizes, from the smallest on; what two share has each size."""
    rates = {"copy": 1e9, "triad": 2e9, "read": 1e9, "write": 1e9, "in place": 3e9}
    clock, called = scripted(
        monkeypatch, lambda how, size: size / rates[how] / (2 if size == 2_000_000 else 1)
    )
    wanted = [
        BandwidthPoint(level="L1", moved_bytes=1_000_000),
        BandwidthPoint(level="L1", moved_bytes=2_000_000),
        BandwidthPoint(level="L1+DRAM", moved_bytes=4_000_000),
        BandwidthPoint(level="L1+DRAM", moved_bytes=6_000_000),
    ]
    found = bandwidths("cpu", wanted, 1.0, BestTimer(clock))
    assert {one.kind for one in found} == {BANDWIDTH}
    assert [(one.level, one.bytes, one.how, round(one.value / 1e9, 3)) for one in found] == [
        ("L1", 1_000_000, "copy", 2),
        ("L1", 1_000_000, "triad", 4),
        ("L1", 1_000_000, "in place", 6),
        ("L1+DRAM", 4_000_000, "copy", 1),
        ("L1+DRAM", 4_000_000, "triad", 2),
        ("L1+DRAM", 4_000_000, "in place", 3),
        ("L1+DRAM", 6_000_000, "copy", 1),
        ("L1+DRAM", 6_000_000, "triad", 2),
        ("L1+DRAM", 6_000_000, "in place", 3),
    ]
    assert called == list(WAYS) * len(wanted) * 2  # each in every pass
    assert 1.0 <= clock() * 1e-9 < 1.6


@pytest.mark.parametrize("bad", [1, 2])
def test_a_short_disturbance_lowers_no_roof(monkeypatch: pytest.MonkeyPatch, bad: int) -> None:
    """The other pass finds what this one missed."""
    called: list[str] = []

    def took_s(how: str, _: int) -> float:
        return 0.01 if how == "copy" and called.count("copy") == bad else 0.001

    clock, called = scripted(monkeypatch, took_s)
    found = bandwidths(
        "cpu", [BandwidthPoint(level="DRAM", moved_bytes=1_000_000)], 0.1, BestTimer(clock)
    )
    assert {one.how: round(one.value / 1e9, 3) for one in found} == {"copy": 1.0, "triad": 1.0}


def test_nowhere_to_look_is_nothing_seen() -> None:
    """Where memory is short."""
    assert bandwidths("cpu", [], 1.0, BestTimer(Clock())) == []
