"""Failures: what a suite's code raised, as a status, a reason in words, and the bytes that were asked for.

Also whether it has broken the CUDA context, which fails at everything from then on, or whether there was none to be had.
"""

from __future__ import annotations

import re

import torch

from bench.errors import SuiteError
from bench.pool.protocol import Refused
from bench.worker.cpu_fallback import CODE, CpuFallback, lacking
from bench.worker.inputs import InputsTooLarge

_ASKED_FOR = re.compile(r"DefaultCPUAllocator: .*tried to allocate (\d+) bytes")
_ASKED_FOR_ON_CUDA = re.compile(r"out of memory\. Tried to allocate ([\d.]+) (bytes|[KMG]iB)\b")
_FREE_ON_CUDA = re.compile(r"a total capacity of ([\d.]+ \wiB) of which ([\d.]+ \w+) is free")
_UNITS_BYTES = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_CUDA_ERROR = re.compile(r"\b(CUDA|HIP) error: (?!out of memory)")
_NO_CONTEXT = frozenset({3, 35, 46, 100, 802, 803, 804, 805, 807, 808, 809})
"""Numbers of CUDA's errors that a process meets before it has a context (CUDA runtime API, `cudaError`): the driver
can't begin, is too old or does not fit, the device is taken, prohibited or gone, MPS is full or does not answer."""
_UNAVAILABLE = re.compile(r"\b(CUDA|HIP) error: .*busy or unavailable")
"""Number 46 by its words, for a torch whose errors have no numbers (before 2.9)."""
_NO_CUDA_MEMORY = re.compile(r"\b(CUDA|HIP) (error: )?out of memory")


def refusal(error: Exception) -> Refused:
    """The refusal that an exception stands for: an op that the device lacks is skipped, as in a plan."""
    fallback = error if isinstance(error, CpuFallback) else lacking(error)
    if fallback:
        return Refused(status="skipped", reason=str(fallback), codes=(CODE,))
    return Refused(
        status=_status_of(error),
        reason=_reason_of(error),
        ends_worker=breaks_context(error),
        no_context=lacks_context(error),
    )


def asked_bytes(error: Exception) -> int | None:
    """How much memory was asked for, where that is what went wrong."""
    if isinstance(error, InputsTooLarge):
        return error.asked_bytes
    found = _ASKED_FOR.search(str(error))
    if found:
        return int(found[1])
    on_cuda = _ASKED_FOR_ON_CUDA.search(str(error))
    return round(float(on_cuda[1]) * _UNITS_BYTES[on_cuda[2]]) if on_cuda else None


def breaks_context(error: Exception) -> bool:
    """Whether every later call of this process to CUDA has to be expected to fail as well.

    Some errors of CUDA leave the context whole; they are not told apart, since a new worker costs
    seconds and a broken one every case that comes after. Memory that ran out breaks nothing.
    """
    if not isinstance(error, RuntimeError) or _status_of(error) == "oom":
        return False
    return isinstance(error, torch.AcceleratorError) or bool(_CUDA_ERROR.search(str(error)))


def lacks_context(error: Exception) -> bool:
    """Whether CUDA gave this process no context on the device, so that no case could be measured there."""
    numbered = getattr(error, "error_code", None) in _NO_CONTEXT
    return breaks_context(error) and (numbered or bool(_UNAVAILABLE.search(str(error))))


def _status_of(error: Exception) -> str:
    """`oom` where memory ran out, by torch's own types and by the words of allocators and of CUDA."""
    words = str(error)
    allocator = "DefaultCPUAllocator" in words or _NO_CUDA_MEMORY.search(words)
    memory = isinstance(error, (MemoryError, torch.OutOfMemoryError))
    return "oom" if memory or allocator else "failed"


def _reason_of(error: Exception) -> str:
    if isinstance(error, SuiteError):
        return str(error)
    first_line = str(error).strip().partition("\n")[0]
    asked = _ASKED_FOR_ON_CUDA.search(first_line)
    if asked:  # torch goes on for six sentences in the same line
        free = _FREE_ON_CUDA.search(first_line)
        there = f"; {free[2]} of {free[1]} were free" if free else ""
        first_line = first_line[: asked.end()] + there
    return f"{type(error).__name__}: {first_line}".rstrip(": ")
