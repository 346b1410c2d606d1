"""A configuration that is held against another: an interpreter, variables, threads; as people write it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.errors import SelectionError
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAME = re.compile(r"[A-Za-z_]\w*")
_THREADS = "OMP_NUM_THREADS"
"""The one variable that workers take as their number of threads, and not as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """How the workers of a side are born."""

    threads: int
    python: str | None = None
    """Another interpreter than ours."""
    variables: Mapping[str, str] = field(default_factory=dict)

    def words(self, other: Variant) -> str:
        """What is different about it beside another: `.venv-new/bin/python, MKL_CBWR=AVX2, 2 threads`."""
        parts = [self.python or "this Python"] if self.python != other.python else []
        names = sorted({*self.variables, *other.variables})
        for name in names:
            if self.variables.get(name) != other.variables.get(name):
                known = self.variables.get(name)
                parts.append(f"without {name}" if known is None else f"{name}={known}")
        if self.threads != other.threads:
            parts.append(counted(self.threads, "thread"))
        return ", ".join(parts)


def variant(
    side: str, python: str | None, words: Sequence[str], threads: int | None, *, otherwise: int
) -> Variant:
    """A side as its options have it.

    Args:
        side: `a` or `b`, for what is said of mistakes.
        python: the interpreter's path, or None for ours.
        words: `K=V` each.
        threads: as asked for; else as OMP_NUM_THREADS among the words says.
        otherwise: threads where neither says.

    Raises:
        SelectionError: a word can't be read, or says another number of threads.
    """
    known = dict(_variable(word, side) for word in words)
    said = known.pop(_THREADS, None)
    if said is not None and not (said.isdecimal() and int(said) > 0):
        message = f"--{side}-env {_THREADS}={said}: that is no number of threads; write 1 or more"
        raise SelectionError(message)
    asked = int(said) if said else None
    if asked and threads and asked != threads:
        message = f"--{side}-threads {threads} and {_THREADS}={said} disagree; say one of them"
        raise SelectionError(message)
    return Variant(threads=threads or asked or otherwise, python=python, variables=known)


def _variable(word: str, side: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not _NAME.fullmatch(name):
        message = f"--{side}-env {word!r} can't be read; write NAME=VALUE"
        raise SelectionError(message)
    return name, value
