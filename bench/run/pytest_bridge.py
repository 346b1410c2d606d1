"""The pytest bridge: the quick cases of the CPU through pytest-benchmark, measured by our one engine.

The engine measures a case first; the `benchmark` fixture then runs an empty function on a clock that
replays the samples. Only public API is used, so its tables, JSON, comparisons and gates all work.
"""

from __future__ import annotations

import dataclasses
import tempfile
import warnings
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bench.pool.pool import start
from bench.pool.protocol import Refused
from bench.run import manifest
from bench.run.listener import Listener, other_memory
from bench.run.open_run import OpenRun, RunWriter
from bench.run.outcome import Outcome
from bench.run.request import Request
from bench.store.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.plan.plan import Plan, PlannedCase
    from bench.pool.pool import WorkerPool
    from bench.store.journal import Entry

QUICK_CPU = Request(devices=("cpu",), roofs=False, patience_s=0.0)
"""What pytest measures. It does not wait for a slow machine, since pytest shows nothing meanwhile."""


class ReplayClock:
    """A timer that was told how long each round takes: readings come in pairs, start and end."""

    __name__ = "samples of the engine"  # what pytest-benchmark shows as the timer
    __module__ = "bench"

    def __init__(self) -> None:
        self._durations: list[float] = [0.0]
        self._now = 0.0
        self._readings = 0

    def load(self, durations: list[float]) -> None:
        """Replay these, in seconds, from now on."""
        self._durations = durations

    def __call__(self) -> float:
        """The time: every second reading is one duration later than the reading before it."""
        round_, is_end = divmod(self._readings, 2)
        if is_end:
            self._now += self._durations[round_]
        self._readings += 1
        return self._now


class _MemoryWarning(Listener):
    """Has pytest say what a terminal would."""

    def memory_differs(self, why: str) -> None:
        """Warn of it."""
        warnings.warn(other_memory(why), stacklevel=2)


class PytestBridge:
    """Measures one case at a time, with a worker pool that is started when the first is asked for.

    Its rows are kept nowhere; the interval of each is that of `bench run`, since earlier runs of the store and
    the cases measured before it say how far times lie apart.
    """

    def __init__(self, asked: Request, plan: Plan, store: Path, stack: ExitStack) -> None:
        self._options = asked.options(len(plan.cases), label=None, tags={}, argv=())
        self._plan = plan
        self._store = store
        self._stack = stack
        self._runs: dict[int, tuple[WorkerPool, OpenRun]] = {}

    @classmethod
    @contextmanager
    def open(cls, asked: Request, plan: Plan, store: Path) -> Iterator[Self]:
        """A bridge for the cases of a plan; its workers end when it is left.

        Args:
            asked: how cases are measured.
            plan: the cases, all of them measured or not.
            store: where earlier runs are; none need be there.
        """
        with ExitStack() as stack:
            yield cls(asked, plan, store, stack)

    def measure(self, case: PlannedCase) -> Entry:
        """The row and the samples of a case."""
        _, run = self._started(self._options.schedule.workers)
        ((outcome,),) = run.scheduler.measure([case])
        return run.keep(outcome)

    def check(self, case: PlannedCase) -> Entry:
        """The row of a case that is called once and compared with its reference, not timed."""
        pool, run = self._started(1)
        outcome = Outcome(case=case)
        reply = pool.check(0, case, self._options.schedule.timeout_s)
        if isinstance(reply, Refused):
            outcome.end(reply.status, reply.reason, reply.codes)
        else:
            outcome.checked = reply
        return run.keep(outcome)

    def _started(self, workers: int) -> tuple[WorkerPool, OpenRun]:
        """So many workers, started when they are asked for first, and their run in a folder that goes with the bridge."""
        if workers in self._runs:
            return self._runs[workers]
        how = workers, self._options.threads
        started = start(*how, memory=self._options.schedule.memory)
        pool = self._stack.enter_context(started).pool
        info = dataclasses.replace(manifest.new(self._plan, self._options), run_id="pytest")
        folder = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-pytest-"))
        )
        rows = self._stack.enter_context(Journal(folder))
        writer = RunWriter(folder=folder, info=info, journal=rows)
        run = OpenRun(writer, self._options, pool, self._store, listener=_MemoryWarning())
        self._runs[workers] = pool, run
        return self._runs[workers]
