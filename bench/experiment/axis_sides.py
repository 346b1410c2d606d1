"""The two sides that are held against each other: devices, or thread counts of the CPU."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import SelectionError
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

_THREADS = re.compile(r"threads=([^,]+),([^,]+)")
_DEVICES = re.compile(r"([^,=]+),([^,=]+)")
_HOW = "write two devices (cpu,cuda) or two numbers of threads (threads=1,2; threads=1,all)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A device with so many threads beside it, and what it is called here."""

    name: str
    device: str
    threads: int


def sides(word: str | None, *, present: Sequence[str], threads: int) -> tuple[Side, Side]:
    """What `--between` means; without it the CPU and the first GPU, else one thread and all.

    Args:
        word: `cpu,cuda`, `threads=1,2` or `threads=1,all`, or None.
        present: the devices of this machine.
        threads: that "all" are, and that workers have if devices differ.

    Raises:
        SelectionError: the word can't be read, or means the same twice.
    """
    if word is None:
        word = ",".join(present[:2]) if len(present) > 1 else "threads=1,all"
    if counts := _THREADS.fullmatch(word):
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
