"""The start of a run: workers begin to import torch, and until they are asked there is time to plan.

Importing takes a second of a core in each; the session's own import for planning then costs no more.
"""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from bench.machine import hardware
from bench.pool.pool import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from bench.machine.hardware import CurrentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Workers that are starting, and the state that the machine was in before; ends them when left."""

    pool: WorkerPool
    state: CurrentState

    def __enter__(self) -> Self:
        """They have been starting since it was made."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End every worker, however far it has come."""
        self.pool.__exit__(kind, error, traceback)


def start(
    workers: int,
    threads: int,
    variables: Mapping[str, str] | None = None,
    python: str | None = None,
) -> Start:
    """Start workers with `threads` threads each, after a look at the machine that they will keep busy.

    Args:
        workers: how many.
        threads: that each has.
        variables: that they have beside those of our environment.
        python: their interpreter, if that is another than ours.
    """
    state = hardware.read_state()
    base = {**os.environ, **(variables or {})}
    pool = WorkerPool.of_processes(workers, threads, base, hardware.core_groups(), python)
    return Start(pool=pool, state=state)


@contextmanager
def no_collecting() -> Iterator[None]:
    """Don't look for garbage meanwhile, nor later in what is there then.

    Importing torch leaves none, but makes so much that stays that looking takes a third of the import's
    time, and once more at the end of the process.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
