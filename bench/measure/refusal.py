"""Why a case can't be measured: what a suite's code raised, as a status, a reason in words, and bytes."""

from __future__ import annotations

import re

import torch

from bench.errors import SuiteError
from bench.measure.inputs import InputsTooLarge
from bench.measure.protocol import Refused

_ASKED_FOR = re.compile(r"DefaultCPUAllocator: .*tried to allocate (\d+) bytes")


def refusal(error: Exception) -> Refused:
    """The refusal that an exception stands for."""
    return Refused(status=_status_of(error), reason=_reason_of(error))


def asked_bytes(error: Exception) -> int | None:
    """How much memory was asked for, where that is what went wrong."""
    if isinstance(error, InputsTooLarge):
        return error.asked_bytes
    found = _ASKED_FOR.search(str(error))
    return int(found[1]) if found else None


def _status_of(error: Exception) -> str:
    """`oom` where memory ran out, by torch's own types and by the words of its CPU allocator."""
    words = str(error)
    allocator = "DefaultCPUAllocator" in words or "CUDA out of memory" in words
    memory = isinstance(error, (MemoryError, torch.OutOfMemoryError))
    return "oom" if memory or allocator else "failed"


def _reason_of(error: Exception) -> str:
    if isinstance(error, SuiteError):
        return str(error)
    first_line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first_line}".rstrip(": ")
