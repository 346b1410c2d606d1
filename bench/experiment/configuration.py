"""Configurations to compare, as people write them: an environment for `bench ab`, a device for `bench crossover`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.errors import SelectionError
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAME = re.compile(r"[A-Za-z_]\w*")
_THREADS_VARIABLE = "OMP_NUM_THREADS"
"""The variable that is not passed on as it stands: it gives the number of threads of the workers."""
_THREAD_COUNTS = re.compile(r"threads=([^,]+),([^,]+)")
_DEVICES = re.compile(r"([^,=]+),([^,=]+)")
_HOW = "write two devices (cpu,cuda) or two numbers of threads (threads=1,2; threads=1,all)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The environment in which the workers of a side start: threads, interpreter, variables."""

    threads: int
    python: str | None = None
    """Another interpreter than ours."""
    variables: Mapping[str, str] = field(default_factory=dict)

    def words(self, other: Variant) -> str:
        """The difference from another variant: `.venv-new/bin/python, MKL_CBWR=AVX2, 2 threads`."""
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
    said = known.pop(_THREADS_VARIABLE, None)
    if said is not None and not (said.isdecimal() and int(said) > 0):
        message = f"--{side}-env {_THREADS_VARIABLE}={said}: that is no number of threads; write 1 or more"
        raise SelectionError(message)
    asked = int(said) if said else None
    if asked and threads and asked != threads:
        message = (
            f"--{side}-threads {threads} and {_THREADS_VARIABLE}={said} disagree; say one of them"
        )
        raise SelectionError(message)
    return Variant(threads=threads or asked or otherwise, python=python, variables=known)


def _variable(word: str, side: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not _NAME.fullmatch(name):
        message = f"--{side}-env {word!r} can't be read; write NAME=VALUE"
        raise SelectionError(message)
    return name, value


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A side of a crossover: a device and a number of threads, and its name."""

    name: str
    device: str
    threads: int


def sides(word: str | None, *, present: Sequence[str], threads: int) -> tuple[Side, Side]:
    """The two sides that `--between` names; without it the CPU and the first GPU, else one thread and all.

    Args:
        word: `cpu,cuda`, `threads=1,2` or `threads=1,all`, or None.
        present: the devices of this machine.
        threads: that "all" are, and that workers have if devices differ.

    Raises:
        SelectionError: the word can't be read, or means the same twice.
    """
    if word is None:
        word = ",".join(present[:2]) if len(present) > 1 else "threads=1,all"
    if counts := _THREAD_COUNTS.fullmatch(word):
        one, other = (_of_threads(text, word, threads) for text in counts.groups())
    elif names := _DEVICES.fullmatch(word):
        one, other = (
            Side(name=name.strip(), device=name.strip(), threads=threads) for name in names.groups()
        )
    else:
        message = f"--between {word!r} can't be read; {_HOW}"
        raise SelectionError(message)
    if one == other:
        message = f"--between {word!r} means {one.name} twice; name two sides that differ"
        raise SelectionError(message)
    return one, other


def _of_threads(text: str, word: str, most: int) -> Side:
    """So many threads of the CPU."""
    known = most if text.strip() == "all" else int(text) if text.strip().isdecimal() else 0
    if known < 1:
        message = f"--between {word!r}: {text!r} is no number of threads; {_HOW}"
        raise SelectionError(message)
    return Side(name=counted(known, "thread"), device="cpu", threads=known)
