"""Whatever torch runs on the CPU in a GPU's stead is found by its warning, each time, and refused."""

from __future__ import annotations

import re
import warnings

import pytest
import torch

from bench.worker.cpu_fallback import CpuFallback, refused

MPS = (
    "The operator 'aten::linalg_svd' is not currently supported on the MPS backend and will fall back to run on the "
    "CPU. This may have performance implications. (Triggered internally at MPSFallback.mm:14.)"
)
XPU = "The operator 'aten::geqrf on the XPU backend is falling back to run on the CPU."
XPU_NAMELESS = "Aten Op fallback from XPU to CPU happends. This may have performance implications."
KERNEL = (
    "MPS: passing divisor to Average Pooling op with int64 input is not supported on MPS backend. "
    "Falling back on CPU. This may have performance implications."
)
OTHER = "MPS: no support for int64 reduction ops, casting it to int32"


def warned(device: str, *texts: str) -> str:
    """What a call is refused for that gives these warnings; empty if it is not refused."""
    try:
        with refused(device):
            for text in texts:
                warnings.warn(text, stacklevel=1)
    except CpuFallback as fallback:
        return str(fallback)
    return ""


@pytest.mark.parametrize(
    ("device", "texts", "what"),
    [
        ("mps", (OTHER, MPS), "aten::linalg_svd is not implemented on mps"),
        ("xpu", (XPU,), "aten::geqrf is not implemented on xpu"),
        ("xpu", (XPU_NAMELESS, XPU), "aten::geqrf is not implemented on xpu"),
        ("mps", (KERNEL,), f"a part of the call ({KERNEL[:120]}) is not implemented on mps"),
        ("xpu", (XPU_NAMELESS,), f"a part of the call ({XPU_NAMELESS}) is not implemented on xpu"),
    ],
)
def test_a_fallback_is_refused_by_name(device: str, texts: tuple[str, ...], what: str) -> None:
    """The words are torch's own; a warning that names no op is quoted."""
    said = warned(device, *texts)
    assert said == (
        f"{what}, and torch runs it on the CPU instead, which is not timed as the GPU's"
    )


def test_other_warnings_refuse_nothing() -> None:
    """Nor does a fallback on a device that has none: the CPU is the CPU, and CUDA raises."""
    assert warned("mps", OTHER, "falling back to the math kernel") == ""
    with pytest.warns(UserWarning, match="linalg_svd"):
        assert warned("cpu", MPS) == ""
    with pytest.warns(UserWarning, match="linalg_svd"):
        assert warned("cuda:1", MPS) == ""


def test_a_failure_of_the_call_is_told_rather_than_a_fallback() -> None:
    """The caller learns what went wrong."""
    with pytest.raises(ZeroDivisionError):
        fail_after_falling_back()


@refused("mps")
def fail_after_falling_back() -> None:
    """A call that fails after a part of it ran on the CPU."""
    warnings.warn(MPS, stacklevel=1)
    raise ZeroDivisionError


def test_torch_warns_each_time_and_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would warn once a process, so that all cases after the first would be timed on the CPU.

    Shown by a warning that torch gives once on the CPU.
    """
    monkeypatch.setattr("bench.worker.cpu_fallback._FELL_BACK", re.compile("non-contiguous"))
    strided = torch.arange(8.0).reshape(4, 2)[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.searchsorted(torch.arange(4.0), strided)
    for _ in range(2):
        with pytest.raises(CpuFallback), refused("mps"):
            torch.searchsorted(torch.arange(4.0), strided)
    torch.searchsorted(torch.arange(4.0), strided)  # a warning would be an error here
    assert not torch.is_warn_always_enabled()
