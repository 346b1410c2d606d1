"""The other door: the quick cases of the CPU through pytest-benchmark, measured by our one engine.

The engine measures a case first; the `benchmark` fixture then runs an empty function on a clock that
replays the samples. Only public API is used, so its tables, JSON, comparisons and gates all work.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from bench.machine import hardware
from bench.pool.pool import start
from bench.pool.protocol import Refused
from bench.run.outcome import Outcome, RunFacts
from bench.run.request import Request
from bench.run.scheduler import Rounds
from bench.run.state_monitor import StateMonitor

if TYPE_CHECKING:
    from types import TracebackType

    from bench.plan.plan import PlannedCase
    from bench.pool.pool import WorkerPool
    from bench.store.journal import Entry

QUICK_CPU = Request(devices=("cpu",))


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


class Door:
    """Measures one case at a time with a pool that is started when the first is asked for."""

    def __init__(self, asked: Request, cases: int) -> None:
        self._options = asked.options(cases, label=None, tags={}, argv=())
        self._machine = hardware.read_machine()
        self._pool: WorkerPool | None = None

    def measure(self, case: PlannedCase) -> Entry:
        """The row and the samples of a case."""
        pool = self._ready_pool()
        shuffle = random.Random(self._options.seed)  # noqa: S311 - an order, not a secret
        rounds = Rounds(
            pool,
            self._options.schedule,
            shuffle=shuffle,
            advance=lambda _case, _steps: None,
            monitor_of=lambda device: StateMonitor(pool.sense, device=device),
        )
        ((outcome,),) = rounds.measure([case])
        return outcome.entry(self._facts(pool))

    def check(self, case: PlannedCase) -> Entry:
        """The row of a case that is called once and compared with its reference, not timed."""
        pool = self._ready_pool()
        outcome = Outcome(case=case)
        reply = pool.check(0, case, self._options.schedule.timeout_s)
        if isinstance(reply, Refused):
            outcome.end(reply.status, reply.reason)
        else:
            outcome.checked = reply
        return outcome.entry(self._facts(pool))

    def _ready_pool(self) -> WorkerPool:
        if self._pool is None:
            workers = self._options.schedule.workers
            self._pool = start(workers, self._options.threads).pool
        return self._pool

    def _facts(self, pool: WorkerPool) -> RunFacts:
        hello = pool.hello(0)
        return RunFacts(
            run_id="pytest",
            machine_id=self._machine.machine_id,
            machine=self._machine.name,
            device_names={"cpu": self._machine.cpu_model, **hello.device_names},
            torch_version=str(hello.torch["version"]),
            threads=hello.torch["threads"],
            confidence=self._options.confidence,
            started_at=datetime.now(UTC),
            started_ns=time.perf_counter_ns(),
        )

    def __enter__(self) -> Self:
        """Nothing is started before it is needed."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool.__exit__(kind, error, traceback)
