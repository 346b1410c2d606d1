"""Exceptions for a user's mistakes, each printed as one sentence: the value, the rule, the fix.

Any other exception is a bug of this program and may show its traceback.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_NAMES, _SHOWN = 30, 100
"""Names that an error line lists, and characters of a text that it repeats."""


class BenchError(Exception):
    """Something the user can put right; `str()` is the line to print, exit code 2."""


class SuiteError(BenchError):
    """A suite that can't be found or read, or that declares something impossible."""


class SelectionError(BenchError):
    """A filter, axis, value, preset or device that selects nothing that exists."""


class StoreError(BenchError):
    """A store, run or file of results that can't be found, read or written."""


class WorkerError(BenchError):
    """A worker that can't even start: no torch, say, or no memory for another process."""


class SettingsError(BenchError):
    """A file of settings that can't be read, or that says something impossible."""


class UnitError(BenchError):
    """Text that is not a quantity of the wanted kind."""


def hint(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The end of an error line: the `known` names most like this one; without such, `otherwise` or all."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name[:_SHOWN], names, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(near) + "?"
    more = f", … ({len(names)} in all)" if len(names) > _NAMES else ""
    listed = ", ".join(names[:_NAMES]) + more
    return otherwise or (f"known: {listed}" if names else "there are none")


def shown(text: str) -> str:
    """A text that a user or a suite gave, in quotes, on one line and short; what a terminal obeys is escaped."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}…"
