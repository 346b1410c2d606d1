"""Compiled functions: the state of torch's compiler in this process, emptied before a case is built, and what it did.

The compiler keeps what it made with the code that it was made from: cases of one function would share it, be compiled
for each other's shapes, and run into one limit together. So a case that compiles is measured in a batch of its own
(`bench.run.scheduler`), and nothing that an earlier one left is there when it is built.
"""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any, Self

import torch

from bench.plan.case import Skip

_DYNAMO = "torch._dynamo"
_LIMIT_HIT = "torch._dynamo hit config."
"""How the compiler begins its warning that it gives a function up (torch 2.9 to 2.13, `torch/_dynamo/convert_frame.py`)."""


def forget() -> None:
    """Drop whatever was compiled in this process; importing the compiler, which takes seconds, is left to who uses it."""
    if _DYNAMO in sys.modules:
        torch.compiler.reset()


class Compiler:
    """Torch's compiler in this process: started once a device, before what it takes for a case is timed."""

    def __init__(self) -> None:
        self._refusals: dict[str, str] = {}

    def start(self, device: str) -> None:
        """Import the compiler and compile a function of one line, which has its C++ headers or its Triton ready.

        Raises:
            Skip: it can't compile for this device.
        """
        if device not in self._refusals:
            self._refusals[device] = _refusal(device)
        if self._refusals[device]:
            raise Skip(self._refusals[device])


def _refusal(device: str) -> str:
    """Why the compiler can't compile for a device; empty where it can."""
    try:
        with warnings.catch_warnings():
            # A user may have made errors of those that its own imports raise.
            warnings.simplefilter("ignore")
            torch.compile(_successor)(torch.zeros(2, device=device))
    except Exception as error:  # noqa: BLE001 - it may raise anything; the cases are skipped for that
        said = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
        needs = "a C++ compiler (g++, or CXX)" if device == "cpu" else "Triton and a C compiler"
        return f"torch.compile needs {needs} here: {said}"
    return ""


def _successor(x: torch.Tensor) -> torch.Tensor:
    return x + 1


class Compilation:
    """What the compiler does while this is used as a context, and what it warns of then; each use begins anew."""

    def __init__(self) -> None:
        self.warned: list[str] = []
        """The first lines of its warnings."""
        self._frames = self._breaks = self._graphs = 0
        self._logger, self._handler = logging.getLogger(_DYNAMO), _WarningHandler(self.warned)

    def __enter__(self) -> Self:
        """Begin to keep warnings, and to count."""
        self.warned.clear()
        self._frames, self._breaks = _count("frames", "total"), _count("graph_break")
        self._graphs = _count("stats", "unique_graphs")
        if _DYNAMO in sys.modules:
            _utils().clear_compilation_metrics()
        self._logger.addHandler(self._handler)
        return self

    def __exit__(self, *_: object) -> None:
        """Keep no more of them."""
        self._logger.removeHandler(self._handler)

    @property
    def graph_breaks(self) -> int | None:
        """Graph breaks so far; None where nothing was compiled."""
        return _count("graph_break") - self._breaks if self._has_compiled else None

    @property
    def graphs(self) -> int | None:
        """Graphs compiled so far; None where the compiler was not even asked."""
        return _count("stats", "unique_graphs") - self._graphs if self._has_compiled else None

    @property
    def recompiles(self) -> int | None:
        """Compilations so far beyond the first of each function; None where nothing was compiled."""
        if not self._has_compiled:
            return None
        made = _utils().get_compilation_metrics()
        return sum(bool(one.recompile_reason and one.co_name) for one in made)

    @property
    def hit_limit(self) -> bool:
        """Whether a function was given up."""
        return any(text.startswith(_LIMIT_HIT) for text in self.warned)

    @property
    def _has_compiled(self) -> bool:
        return _count("frames", "total") > self._frames


class _WarningHandler(logging.Handler):
    """Keeps what is logged as a warning."""

    def __init__(self, warned: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._warned = warned

    def emit(self, record: logging.LogRecord) -> None:
        """Keep its first line: the others name files."""
        self._warned.append(record.getMessage().partition("\n")[0].strip())


def _utils() -> Any:
    return sys.modules[f"{_DYNAMO}.utils"]


def _count(kind: str, name: str | None = None) -> int:
    """What the compiler has counted of a kind, or of one of its names; 0 where it is not even imported."""
    if f"{_DYNAMO}.utils" not in sys.modules:
        return 0
    counts = _utils().counters.get(kind, {})
    return int(sum(counts.values()) if name is None else counts.get(name, 0))
