"""What a call takes of a GPU's memory, by an allocator of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from bench.plan.case import Call
from bench.worker import peak_memory
from bench.worker.cuda_memory import AllocatorUse, TorchAccount, give_back, taken
from tests.fakes.nvml import Account

if TYPE_CHECKING:
    import pytest

MIB = 2**20


def test_a_call_takes_what_it_allocates_at_its_peak() -> None:
    """Scratch space of 3 MiB and a result of 1; neither its inputs nor what others took before."""
    account = Account(used_bytes=100 * MIB)
    account.take(500 * MIB)
    account.take(-500 * MIB)

    def call() -> None:
        account.take(4 * MIB)
        account.take(-3 * MIB)

    assert taken(Call(call), account) == AllocatorUse(peak_bytes=4 * MIB, retries=0)


def test_a_call_that_allocates_nothing_takes_nothing() -> None:
    """That is a fact here; on the CPU it can't be told."""
    assert taken(Call(int), Account(used_bytes=MIB)) == AllocatorUse(peak_bytes=0, retries=0)


def test_an_allocator_in_need_is_noted() -> None:
    """Of this call's needs, not of earlier ones."""
    account = Account()
    account.needs = 7

    def call() -> None:
        account.needs += 2

    found = taken(Call(call), account)
    assert found.retries == 2
    assert found.note == "the GPU is nearly full: its allocator freed its cache 2 times in one call"
    assert AllocatorUse(peak_bytes=0, retries=0).note == ""


def test_torchs_account_is_read_when_the_device_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both times; an allocator without the count was never in need."""
    log: list[str] = []
    device = torch.device("cuda:1")

    def noted(name: str, value: object) -> None:
        def note(which: torch.device) -> object:
            assert which == device
            log.append(name)
            return value

        monkeypatch.setattr(torch.cuda, name, note)

    noted("synchronize", None)
    noted("reset_peak_memory_stats", None)
    noted("memory_allocated", 10)
    noted("max_memory_allocated", 30)
    noted("memory_stats", {})
    assert taken(Call(log.append, "call"), TorchAccount("cuda:1")).peak_bytes == 20
    assert log == [
        *("synchronize", "reset_peak_memory_stats", "memory_allocated", "memory_stats"),
        *("call", "synchronize", "max_memory_allocated", "memory_stats"),
    ]


def test_a_call_on_a_gpu_is_weighed_by_its_allocator(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one on the CPU is not."""
    monkeypatch.setattr(peak_memory, "peak_bytes", lambda _: 5)
    assert peak_memory.weigh(Call(int), "cuda:0", lambda _: Account()) == (0, "")
    assert peak_memory.weigh(Call(int), "cpu", lambda _: Account()) == (5, "")


def test_memory_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's cache too."""
    emptied: list[int] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(1))
    give_back()
    assert emptied == [1]
