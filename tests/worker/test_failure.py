"""What a suite's code raises becomes a status and a reason in one line."""

from __future__ import annotations

import pytest
import torch

from bench.errors import SuiteError
from bench.worker.failure import asked_bytes, breaks_context, lacks_context, refusal
from bench.worker.inputs import InputsTooLarge

ALLOCATOR = "[enforce fail at alloc_cpu.cpp:1] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 4096 bytes. Error code 12"
CUDA_FULL = (
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 79.10 GiB of which "
    "512.00 MiB is free. Including non-PyTorch memory, this process has 78.00 GiB memory in use. Of the "
    "allocated memory 70.00 GiB is allocated by PyTorch, and 1.00 GiB is reserved by PyTorch but unallocated."
)
BUSY = (
    "CUDA error: CUDA-capable device(s) is/are busy or unavailable\nCUDA kernel errors might be …"
)
ILLEGAL = "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be …"


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
        (
            torch.OutOfMemoryError(CUDA_FULL),
            "oom",
            "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB; 512.00 MiB of 79.10 GiB were free",
        ),
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; …)"),
            "oom",
            "OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB",
        ),
        (
            RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be …"),
            "oom",
            "RuntimeError: CUDA error: out of memory",
        ),
        (RuntimeError(ALLOCATOR), "oom", f"RuntimeError: {ALLOCATOR}"),
    ],
    ids=["any", "bare", "ours", "Python", "CUDA", "CUDA, long", "CUDA, old", "CUDA's own", "CPU"],
)
def test_an_exception_is_a_status_and_a_reason(error: Exception, status: str, reason: str) -> None:
    """Memory that ran out is told from everything else; a sentence of ours needs no name before it."""
    found = refusal(error)
    assert (found.status, found.reason, found.input_bytes) == (status, reason, None)


@pytest.mark.parametrize(
    ("op", "device", "variables"),
    [
        ("aten::_linalg_eigh.eigenvalues", "MPS", "PYTORCH_ENABLE_MPS_FALLBACK"),
        ("aten::im2col", "XPU", "PYTORCH_ENABLE_XPU_FALLBACK or PYTORCH_XPU_FALLBACK_OP"),
    ],
)
def test_an_op_that_a_gpu_lacks_is_skipped(op: str, device: str, variables: str) -> None:
    """It names the op, and says that no fallback is timed; nothing is wrong with the case."""
    said = (
        f"The operator '{op}' is not currently implemented for the {device} device. If you want …"
    )
    found = refusal(NotImplementedError(said))
    assert (found.status, found.codes) == ("skipped", ("cpu-fallback",))
    assert not found.ends_worker
    assert found.reason == (
        f"{op} is not implemented on {device.lower()}, and running it on the CPU instead, "
        f"where {variables} asks for that, is not timed as the GPU's"
    )


def test_another_lack_is_a_failure() -> None:
    """A suite's own, or a dtype that no kernel is for."""
    lacking = NotImplementedError("\"tril_triu_cuda\" not implemented for 'Bool'")
    assert (refusal(lacking).status, refusal(lacking).codes) == ("failed", ())


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (InputsTooLarge(123), 123),
        (RuntimeError(ALLOCATOR), 4096),
        (torch.OutOfMemoryError(CUDA_FULL), 5 * 2**29),
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB (GPU"),
            20 * 2**20,
        ),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 512 bytes. GPU"), 512),
        (RuntimeError("something else"), None),
    ],
    ids=["ours", "torch's", "CUDA GiB", "CUDA MiB", "CUDA bytes", "neither"],
)
def test_the_bytes_that_were_asked_for_are_told(error: Exception, asked: int | None) -> None:
    """Where the error says them."""
    assert asked_bytes(error) == asked


@pytest.mark.parametrize(
    ("error", "breaks"),
    [
        (RuntimeError(ILLEGAL), True),
        (torch.AcceleratorError(ILLEGAL), True),
        (torch.AcceleratorError("in words of another time"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling …"), True),
        (RuntimeError("HIP error: an illegal memory access was encountered"), True),
        (RuntimeError("CUDA error: out of memory"), False),
        (torch.AcceleratorError("CUDA error: out of memory"), False),
        (torch.OutOfMemoryError(CUDA_FULL), False),
        (RuntimeError("expected a CUDA tensor"), False),
        (ValueError(ILLEGAL), False),
    ],
    ids=[
        *("words", "type and words", "type", "cuBLAS", "HIP"),
        *("no memory", "no memory, by type", "allocator", "any", "not torch's"),
    ],
)
def test_an_error_of_cuda_ends_the_worker(error: Exception, *, breaks: bool) -> None:
    """But for want of memory, of which a smaller case has enough."""
    assert breaks_context(error) is breaks
    assert refusal(error).ends_worker is breaks


def numbered(error_code: int, words: str) -> Exception:
    """CUDA's error as torch raises it since 2.9."""
    error = torch.AcceleratorError(words)
    error.error_code = error_code  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (numbered(46, BUSY), True),
        (numbered(808, "CUDA error: the maximum number of MPS clients has been reached"), True),
        (RuntimeError(BUSY), True),
        (RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable"), True),
        (numbered(700, ILLEGAL), False),
        (numbered(101, "CUDA error: invalid device ordinal"), False),
        (torch.OutOfMemoryError(CUDA_FULL), False),
        (ValueError(BUSY), False),
    ],
    ids=[
        *("taken", "MPS is full", "by its words", "by older words"),
        *("broken", "another device", "no memory", "not torch's"),
    ],
)
def test_a_context_that_was_never_had_says_nothing_of_the_case(
    error: Exception, *, lacks: bool
) -> None:
    """Told apart from one that the case has broken, and from a device that only the case asks for."""
    assert lacks_context(error) is lacks
    assert refusal(error).no_context is lacks
