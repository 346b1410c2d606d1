"""Memory policies: whether a call on the CPU writes its results to memory that was used before, or to fresh pages.

The first write to each page of fresh memory is a page fault, which takes longer than most of what is computed for
that page. A GPU's caching allocator always reuses, so its rows are `reuse`, whatever was asked for.
"""

from __future__ import annotations

REUSE = "reuse"
"""The C library keeps what was freed, and samples begin when calls no longer fault."""
FRESH = "fresh"
"""Every result of 128 KiB or more is in fresh pages, as in a program that makes it once."""
SYSTEM = "system"
"""As the C library and the system do it by themselves: which of both it is depends on what was freed before."""
POLICIES = (REUSE, FRESH, SYSTEM)
