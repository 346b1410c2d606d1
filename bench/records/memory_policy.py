"""Memory policies: whether a call on the CPU writes its results to memory that was used before, or to fresh pages.

The first write to each page of fresh memory is a page fault, which takes longer than most of what is computed for
that page. A GPU's caching allocator always reuses, so its rows are `reuse`, whatever was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

REUSE = "reuse"
"""The C library keeps what was freed, and samples begin when calls no longer fault."""
FRESH = "fresh"
"""Every result of 128 KiB or more is in fresh pages, as in a program that makes it once."""
SYSTEM = "system"
"""As the C library and the system do it by themselves: which of both it is depends on what was freed before."""
POLICIES = (REUSE, FRESH, SYSTEM)
MEANINGS: Mapping[str, str] = {
    REUSE: "results lie in memory that was used before",
    FRESH: "large results lie in fresh pages",
    SYSTEM: "the system chose where results lie",
}
"""What each says of a row, in words."""
UNCACHED = "PYTORCH_NO_CUDA_MEMORY_CACHING"
"""Variable with which torch keeps no memory of CUDA devices."""


def meaning(policy: str) -> str:
    """What a policy says of a row; of one that is not known, its name."""
    return MEANINGS.get(policy, f"memory is {policy}")


def on(device: str, of_cpu: str = SYSTEM, variables: Container[str] = ()) -> str:
    """The policy of a row on a device, where that of the CPU is known; without it that of a row which names none.

    Such rows are older than the column, or were measured by another program: nobody had told the C library
    anything, and a GPU's allocator reused then as it does now.

    Args:
        device: of the row.
        of_cpu: the policy that held in the workers.
        variables: those of the workers' environment.
    """
    if device == "cpu":
        return of_cpu
    return SYSTEM if device.startswith("cuda") and UNCACHED in variables else REUSE
