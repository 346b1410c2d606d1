"""What empties the caches is as large as the kernel's word on them asks for, and all of it is used."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import torch

from bench.plan.case import Skip
from bench.worker.cache_flush import (
    TIMES_THE_CACHES,
    UNKNOWN_CACHES_BYTES,
    Evictor,
    caches_of,
    levels_bytes,
)
from tests.fakes.machine import CPU, kfd_node, tree

if TYPE_CHECKING:
    from pathlib import Path

KIB = 2**10


def cache(core: int, level: int, kind: str, size: str, sharing: str) -> dict[str, str]:
    """A cache as the kernel describes it to one of the cores that share it."""
    folder = f"{CPU}/cpu{core}/cache/index{level + 10 * (kind == 'Instruction')}"
    facts = {"level": str(level), "type": kind, "size": size, "shared_cpu_list": sharing}
    return {f"{folder}/{name}": text for name, text in facts.items() if text}


def two_dice() -> dict[str, str]:
    """Four cores on two dice: 32 KiB each for data, 64 KiB a die for code; 1 MiB for two of them, 4 MiB for two."""
    files: dict[str, str] = {}
    for core, (sharing, size) in enumerate([("0-1", "1024K")] * 2 + [("2-3", "4M")] * 2):
        files |= cache(core, 1, "Data", "32K", str(core))
        files |= cache(core, 1, "Instruction", "64K", sharing)
        files |= cache(core, 3, "Unified", size, sharing)
    return files


@pytest.mark.parametrize(
    ("threads", "kib"),
    [(1, 32 + 4096), (2, 64 + 4096 + 1024), (3, 96 + 4096 + 1024), (64, 128 + 4096 + 1024)],
)
def test_all_caches_count_that_the_threads_can_reach(
    tmp_path: Path, threads: int, kib: int
) -> None:
    """Each once, however many cores share it; the largest first; none that holds code alone."""
    assert sum(levels_bytes(threads, tree(tmp_path, two_dice())).values()) == kib * KIB


def test_a_cache_that_no_one_is_said_to_share_is_the_cores_own(tmp_path: Path) -> None:
    """Rather too large a buffer than too small a one."""
    files = cache(0, 2, "Unified", "1024K", "") | cache(1, 2, "Unified", "1024K", "")
    assert levels_bytes(2, tree(tmp_path, files)) == {"L2": 2048 * KIB}


@pytest.mark.parametrize("size", ["", "K", "large", "0K", "12Q"])
def test_what_the_system_does_not_say_is_not_guessed(tmp_path: Path, size: str) -> None:
    """The buffer is then as large as stated."""
    root = tree(tmp_path, cache(0, 3, "Unified", size, "0"))
    assert levels_bytes(1, root) == {}
    evict = Evictor.of_device("cpu", root)
    assert evict.size_bytes == TIMES_THE_CACHES * UNKNOWN_CACHES_BYTES


def test_the_buffer_is_several_times_the_caches(tmp_path: Path) -> None:
    """Once their size would leave in them what was often read."""
    evict = Evictor.of_device("cpu", tree(tmp_path, cache(0, 1, "Data", "32K", "0")))
    assert evict.size_bytes == TIMES_THE_CACHES * 32 * KIB


def test_all_of_the_buffer_is_read_and_written() -> None:
    """Each call changes every element by one, so each was read and written."""
    evict = Evictor(4 * KIB)
    before = evict._buffer.clone()
    evict()
    assert torch.equal(evict._buffer, before + 1)
    assert evict.size_bytes == 4 * KIB


def test_the_buffer_of_a_device_is_for_its_own_last_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five times the L2 that torch tells, on that device; where torch is too old to tell, as stated."""
    made: list[tuple[int, str]] = []
    monkeypatch.setattr(Evictor, "__init__", lambda _, *facts: made.append(facts))
    for facts in (SimpleNamespace(L2_cache_size=50 * KIB), SimpleNamespace()):
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _, told=facts: told)
        Evictor.of_device("cuda:1")
    assert made == [(250 * KIB, "cuda:1"), (5 * UNKNOWN_CACHES_BYTES, "cuda:1")]


@pytest.mark.parametrize(
    ("facts", "caches"),
    [
        (
            SimpleNamespace(
                L2_cache_size=4 * 2**20, pci_domain_id=0, pci_bus_id=0x83, pci_device_id=0
            ),
            {"L2": 32 * 2**20, "L3": 256 * 2**20},
        ),
        (SimpleNamespace(L2_cache_size=4 * 2**20), {"L2": 32 * 2**20, "L3": 256 * 2**20}),
        (
            SimpleNamespace(
                L2_cache_size=4 * 2**20, pci_domain_id=0, pci_bus_id=0x84, pci_device_id=0
            ),
            {},
        ),
    ],
    ids=["in its place", "torch names no place", "not listed"],
)
def test_caches_of_an_amd_gpu_are_not_torchs_word_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    facts: SimpleNamespace,
    caches: dict[str, int],
) -> None:
    """Torch tells the L2 of one die of eight; a buffer of five times that would leave all of it in the others."""
    monkeypatch.setattr(torch.version, "hip", "7.0")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: facts)
    listed = kfd_node(1, ((2, 4096), (3, 262144)), num_xcc=8, location_id=0x83 << 8)
    root = tree(tmp_path, listed)
    assert caches_of("cuda", root) == caches
    made: list[int] = []
    monkeypatch.setattr(Evictor, "__init__", lambda _, size_bytes, __: made.append(size_bytes))
    Evictor.of_device("cuda", root)
    assert made == [5 * (sum(caches.values()) or UNKNOWN_CACHES_BYTES)]


def test_caches_are_those_that_the_threads_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By level, the fastest first."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    root = tree(tmp_path, two_dice())
    assert caches_of("cpu", root) == {"L1": 64 * KIB, "L3": 5 * 2**20}
    assert list(caches_of("cpu", root)) == ["L1", "L3"]


def test_caches_of_an_unknown_kind_of_device_are_not_emptied() -> None:
    """The case is skipped, not measured hot under the name of cold."""
    with pytest.raises(Skip, match="measure it --cache hot"):
        Evictor.of_device("mps")
