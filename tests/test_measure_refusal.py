"""What a suite's code raises becomes a status and a reason in one line."""

from __future__ import annotations

import pytest
import torch

from bench.errors import SuiteError
from bench.measure.inputs import InputsTooLarge
from bench.measure.refusal import asked_bytes, refusal

ALLOCATOR = "[enforce fail at alloc_cpu.cpp:1] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 4096 bytes. Error code 12"


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (ValueError("no\nsecond line"), "failed", "ValueError: no"),
        (ValueError(), "failed", "ValueError"),
        (SuiteError("a sentence of ours"), "failed", "a sentence of ours"),
        (MemoryError(), "oom", "MemoryError"),
        (
            torch.OutOfMemoryError("CUDA out of memory."),
            "oom",
            "OutOfMemoryError: CUDA out of memory.",
        ),
        (RuntimeError(ALLOCATOR), "oom", f"RuntimeError: {ALLOCATOR}"),
    ],
    ids=["any", "bare", "ours", "Python", "CUDA", "CPU"],
)
def test_an_exception_is_a_status_and_a_reason(error: Exception, status: str, reason: str) -> None:
    """Memory that ran out is told from everything else; a sentence of ours needs no name before it."""
    found = refusal(error)
    assert (found.status, found.reason, found.input_bytes) == (status, reason, None)


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (InputsTooLarge(123), 123),
        (RuntimeError(ALLOCATOR), 4096),
        (RuntimeError("something else"), None),
    ],
    ids=["ours", "torch's", "neither"],
)
def test_the_bytes_that_were_asked_for_are_told(error: Exception, asked: int | None) -> None:
    """Where the error says them."""
    assert asked_bytes(error) == asked
