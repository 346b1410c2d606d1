"""CPU fallback: an op that an accelerator lacks, which torch runs on the CPU instead. Told in the check, never timed.

When `import torch` loads its library, each backend registers what is to be done with an op that it has no kernel
for: raise NotImplementedError, or run it on the CPU where a variable asks for that. Workers are born without those
variables (`bench.pool.process`), and a suite that sets one comes too late. For some ops the CPU is registered
whatever the variables say: on MPS for five (torch, `aten/src/ATen/mps/MPSFallback.mm`), on XPU for about thirty
(torch-xpu-ops, `src/ATen/native/xpu/XPUFallback.template`), and some kernels of MPS go there by themselves
(`aten/src/ATen/native/mps/operations/Pooling.mm`). All of these warn, once a process unless torch is told always to.
A kernel that goes there without a word can't be seen here.
"""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from bench.machine.environment import FALLBACK_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE = "cpu-fallback"
_LACKING = re.compile(
    r"The operator '([\w:.]+)' is not currently implemented for the (MPS|XPU) dev"
)
_FELL_BACK = re.compile(r"\bfall(?:s|ing)?[ -]?back\b.*\bCPU\b", re.IGNORECASE | re.DOTALL)
_OPERATOR = re.compile(r"The operator '([\w:.]+)")
_MOST_WORDS = 120
"""Characters of a warning that names no op: about its first sentence."""


class CpuFallback(Exception):  # noqa: N818 - a fact of the device, no mistake
    """An op of the call is not implemented on the device; `str()` is the reason of the row."""


def lacking(error: Exception) -> CpuFallback | None:
    """What an exception says of an op that an accelerator lacks; None if it is about something else."""
    found = _LACKING.search(str(error)) if isinstance(error, NotImplementedError) else None
    if found is None:
        return None
    op, device = found[1], found[2].lower()
    asked = " or ".join(FALLBACK_VARIABLES[device])
    message = (
        f"{op} is not implemented on {device}, and running it on the CPU instead, where {asked} "
        "asks for that, is not timed as the GPU's"
    )
    return CpuFallback(message)


@contextmanager
def refused(device: str) -> Iterator[None]:
    """Refuse a call, made meanwhile on an accelerator, of which torch runs a part on the CPU.

    A backward's warnings come too: autograd hands those of its threads to the caller's
    (torch, `torch/csrc/autograd/utils/warnings.h`).

    Raises:
        CpuFallback: torch said so.
    """
    if device not in FALLBACK_VARIABLES:
        yield
        return
    always = torch.is_warn_always_enabled()
    torch.set_warn_always(True)  # else only the first such case of a process is found
    try:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            yield
    finally:
        torch.set_warn_always(always)
    told = [str(one.message) for one in seen]
    fallbacks = [text for text in told if _FELL_BACK.search(text)]
    if fallbacks:
        message = (
            f"{_what(fallbacks)} not implemented on {device}, and torch runs it on the CPU instead, "
            "which is not timed as the GPU's"
        )
        raise CpuFallback(message)


def _what(fallbacks: list[str]) -> str:
    """The op that these warnings name first, or what they say."""
    named = [found[1] for found in map(_OPERATOR.search, fallbacks) if found]
    return f"{named[0]} is" if named else f"a part of the call ({fallbacks[0][:_MOST_WORDS]}) is"
