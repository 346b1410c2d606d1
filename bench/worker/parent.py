"""Parent process of a worker, the session: its death ends the worker, even within a call that never returns.

The end of its pipe says so too, but a worker reads that only between two requests. Torch-free, so that it holds
from before torch is imported.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_PR_SET_PDEATHSIG = 1
"""`prctl`'s number of the parent's death signal (linux/prctl.h)."""
_GRACE_S = 2.0
"""What a worker may take to end in order after its input has; the session waits no longer either."""


def requests_of_parent(lines: Iterable[str]) -> Iterable[str]:
    """The lines that the parent sends, to a worker that does not outlive it.

    Linux kills the worker when the thread that started it ends, so that thread must live as long as the
    session; the session starts all workers from the one that it measures in, and replaces them from there or from
    threads of the pool, which live as long as that. A parent that was dead before
    this was set has sent no request, as it waits for a greeting first, and the end of the lines ends the
    worker.
    """
    return lines if _killed_with_parent() else _read_ahead(lines)


def _killed_with_parent() -> bool:
    """Whether the system kills this process when its parent dies, which also ends a call that holds the GIL."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) == 0)


def _read_ahead(
    lines: Iterable[str],
    end: Callable[[int], object] = os._exit,
    grace_s: float = _GRACE_S,
) -> Iterator[str]:
    """The lines as a thread reads them; when they end, the process does, whatever it is doing."""
    waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in lines:
            waiting.put(line)
        waiting.put(None)
        time.sleep(grace_s)
        end(1)

    threading.Thread(target=read, daemon=True).start()
    return iter(waiting.get, None)
