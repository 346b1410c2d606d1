"""Termination by a signal: SIGTERM and SIGHUP end a command as Ctrl-C does, so workers end and what was measured is kept."""

from __future__ import annotations

import signal
import threading
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import FrameType

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_BASE = 128
"""Shells add it to the number of the signal that ended a program."""


class Termination(AbstractContextManager["Termination"]):
    """Turns the first of these signals into a `KeyboardInterrupt`; those that follow don't disturb the cleanup.

    One that is ignored, as `nohup` has it, stays so.
    """

    def __init__(self) -> None:
        self._number: int | None = None
        self._watched: list[int] = []

    def code(self, otherwise: int) -> int:
        """The exit code: 143 after SIGTERM; `otherwise` if no signal came."""
        return otherwise if self._number is None else _BASE + self._number

    def __enter__(self) -> Self:
        """Watch for the signals, where a program may."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, self._interrupt)
                    self._watched.append(number)
        return self

    def __exit__(self, *_: object) -> None:
        """Have the signals mean what they did."""
        for number in self._watched:
            signal.signal(number, signal.SIG_DFL)

    def _interrupt(self, number: int, _: FrameType | None) -> None:
        if self._number is None:
            self._number = number
            raise KeyboardInterrupt
