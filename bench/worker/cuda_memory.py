"""What one call takes of a GPU's memory beyond its inputs: torch's own allocator keeps the account.

It counts every tensor and every workspace that torch allocates, to the byte, rounded up to 512. What
libraries get from the driver behind its back is not seen.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from bench.plan.case import Call


class Account(Protocol):
    """The account that an allocator keeps of a device."""

    def begin(self) -> None:
        """Wait for the device, and bring the high-water mark down to what is in use."""

    def used_bytes(self) -> int:
        """Bytes in use."""

    def peak_bytes(self) -> int:
        """The high-water mark since it began, when the device has done everything."""

    def retries(self) -> int:
        """How often the allocator had to give its cached memory back to find room, so far."""


class TorchAccount:
    """That of torch's caching allocator."""

    def __init__(self, name: str) -> None:
        self._device = torch.device(name)

    def begin(self) -> None:
        """Wait for the device, and bring the high-water mark down to what is in use."""
        torch.cuda.synchronize(self._device)
        torch.cuda.reset_peak_memory_stats(self._device)

    def used_bytes(self) -> int:
        """Bytes in use."""
        return torch.cuda.memory_allocated(self._device)

    def peak_bytes(self) -> int:
        """The high-water mark since it began, when the device has done everything."""
        torch.cuda.synchronize(self._device)
        return torch.cuda.max_memory_allocated(self._device)

    def retries(self) -> int:
        """How often the allocator had to give its cached memory back to find room, so far."""
        return int(torch.cuda.memory_stats(self._device).get("num_alloc_retries", 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocatorUse:
    """What one call took."""

    peak_bytes: int
    """Beyond what was in use before it."""
    retries: int
    """Times the allocator had to free its cache meanwhile: the GPU is nearly full, and calls are slow."""

    @property
    def note(self) -> str:
        """What a row should say of it; empty where all is well."""
        if not self.retries:
            return ""
        return f"the GPU is nearly full: its allocator freed its cache {self.retries} times in one call"


def taken(call: Call, account: Account) -> AllocatorUse:
    """Make the call once and read the account.

    Args:
        call: one that was made before, or it is charged for the workspaces that stay.
        account: of the device that it runs on.
    """
    gc.collect()
    account.begin()
    before_bytes, before_retries = account.used_bytes(), account.retries()
    result = call()
    peak_bytes, retries = account.peak_bytes(), account.retries()
    del result
    return AllocatorUse(
        peak_bytes=max(0, peak_bytes - before_bytes), retries=retries - before_retries
    )


def give_back() -> None:
    """Free what nobody holds any more; torch would keep its cache of a GPU's memory from other workers."""
    gc.collect()
    torch.cuda.empty_cache()
