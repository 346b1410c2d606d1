"""What `malloc` was asked for is tried; a policy that does not hold is not claimed."""

from __future__ import annotations

import ctypes
import mmap
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.records.memory_policy import FRESH, POLICIES, REUSE, SYSTEM
from bench.worker import c_allocator
from bench.worker.c_allocator import Memory

if TYPE_CHECKING:
    from pathlib import Path

MEASURED = """
import resource, sys
from bench.worker import c_allocator
memory = c_allocator.apply(sys.argv[1])
import torch
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
source = torch.ones(12 * 2**20)
for _ in range(20):
    source + 1
before = faults()
for _ in range(4):
    source + 1
large = (faults() - before) / 4
small = torch.ones(8)
for _ in range(100):
    small + 1
before = faults()
for _ in range(1000):
    small + 1
print(memory.policy, large, (faults() - before) / 1000)
"""
"""Page faults of a call whose result takes 48 MiB, and of one that takes 32 bytes."""


@pytest.mark.parametrize("policy", [REUSE, FRESH])
def test_torch_gets_its_results_as_the_policy_says(policy: str) -> None:
    """A real process: torch's allocator asks the same `malloc`; small calls notice nothing."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, policy], capture_output=True, text=True, check=True
    )
    held, large, small = done.stdout.split()
    if held == SYSTEM:
        pytest.skip("this C library can't be set")
    assert held == policy
    assert (float(large) >= 20) == (policy == FRESH)  # 24 huge pages, or 12,288 small ones
    assert float(small) < 0.1


@pytest.mark.parametrize(
    ("policy", "small", "large", "held"),
    [
        (REUSE, 0.0, 0.0, REUSE),
        (REUSE, 1.0, 1.0, SYSTEM),
        (REUSE, 0.0, 1.0, SYSTEM),
        (FRESH, 1.0, 1.0, FRESH),
        (FRESH, 0.01, 1.0, SYSTEM),
        (FRESH, 0.01, 0.01, SYSTEM),
        (REUSE, None, None, SYSTEM),
        (SYSTEM, 0.0, 0.0, SYSTEM),
    ],
)
def test_what_does_not_hold_is_not_claimed(
    monkeypatch: pytest.MonkeyPatch,
    policy: str,
    small: float | None,
    large: float | None,
    held: str,
) -> None:
    """At any size, with the word why; what was not asked for is not tried."""
    monkeypatch.setattr(c_allocator, "_c", lambda *_: None)
    found = c_allocator.apply(policy, tried=lambda size: small if size < 2**20 else large)
    assert found.policy == held
    assert bool(found.note) == (held != policy)
    assert held in POLICIES


def test_a_system_without_any_of_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS and musl: no mallopt, no malloc_trim, no mallinfo2."""

    class Nothing:
        def __init__(self, _: None) -> None:
            pass

    monkeypatch.setattr(ctypes, "CDLL", Nothing)
    c_allocator.hand_back()
    assert c_allocator._freed_bytes() == float("inf")
    assert c_allocator.apply(REUSE, tried=lambda _: None) == Memory(
        note="this system counts no page faults"
    )


@pytest.mark.parametrize(
    ("pages", "freed_bytes", "handed_back"),
    [("100 90 10", 10**9, True), ("100 20 10", 10**9, False), ("100 90 10", 0, False)],
    ids=["much is kept", "little is in memory", "it is in use"],
)
def test_freed_memory_is_handed_back_where_much_is_kept(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    pages: str,
    freed_bytes: float,
    handed_back: bool,  # noqa: FBT001 - a parameter
) -> None:
    """Eighty pages are more than 50 pages, ten are not."""
    statm = tmp_path / "statm"
    statm.write_text(f"{pages} 1 0 1 0")
    seen: list[int] = []
    monkeypatch.setattr(c_allocator, "hand_back", lambda: seen.append(1))
    monkeypatch.setattr(c_allocator, "_freed_bytes", lambda: freed_bytes)
    c_allocator.hand_back_above(50 * mmap.PAGESIZE, statm)
    assert bool(seen) == handed_back
