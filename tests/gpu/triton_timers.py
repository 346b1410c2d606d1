"""Timers of triton's: those that the installed one has, and why another is missing. Each says milliseconds."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Timer = Callable[..., float]

SINCE: Mapping[str, str] = {"do_bench_proton": "3.8"}
"""Timer → the first triton that has it, where the oldest that torch 2.9 asks for has not: of the wheels 3.6 to 3.9,
3.8 and 3.9 have it, with the parameters of `do_bench`."""


class Missing(Exception):  # noqa: N818 - a fact, and no failure
    """There is no such timer here; `str()` says why."""


def timer(name: str) -> Timer:
    """A function of `triton.testing`.

    Raises:
        Missing: triton is not installed, or older than this timer.
    """
    try:
        testing = importlib.import_module("triton.testing")
    except ImportError as error:
        message = f"triton is not installed: {error}"
        raise Missing(message) from error
    found: Timer | None = getattr(testing, name, None)
    if found is None:
        version = getattr(importlib.import_module("triton"), "__version__", "here")
        since = f"; {SINCE[name]} is the first that has it" if name in SINCE else ""
        message = f"triton {version} has no {name}{since}"
        raise Missing(message)
    return found
