"""Stand-ins that tests share: a clock that is told, a device that counts, workers that follow a script.

A fake does what it is told at once and remembers what it was asked; none of them takes time.
"""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bench.plan.plan import PlannedCase
from bench.pool import protocol
from bench.pool.pool import WorkerPool
from bench.pool.process import WorkerLost
from bench.pool.protocol import Visited
from bench.records.record import Record, Sample
from bench.store import journal, runs
from bench.store.journal import Entry
from bench.store.runs import RunInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Answer = Callable[[protocol.WorkerRequest], protocol.WorkerReply]

STARTED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HELLO = protocol.Hello(torch={"version": "2.9.0+fake"}, device_names={})
PREPARED = protocol.Prepared(
    first_call_s=1e-3,
    call_s=1e-4,
    loops=10,
    settled=True,
    clock_s=0.0,
    overhead_s=0.0,
    overhead_uncertainty_s=0.0,
)
"""A call of 100 µs that is warm, in a worker whose measuring costs nothing."""
CALM = protocol.Sensed(compute_s=1e-4, barrier_s=3e-6, load_1m=0.5)
"""Sentinels of a machine at its best."""


def visited(*elapsed_ns: int, loops: int = 10, started_ns: int = 0, apart_ns: int = 500) -> Visited:
    """Samples that took this long, one after the other, and nothing else happened."""
    nothing = (0,) * len(elapsed_ns)
    return Visited(
        loops=loops,
        started_ns=tuple(started_ns + apart_ns * place for place in range(len(elapsed_ns))),
        elapsed_ns=elapsed_ns,
        cpu_ns=elapsed_ns,
        minor_faults=nothing,
        involuntary_switches=nothing,
    )


class Clock:
    """A clock in nanoseconds that only moves when it is told to."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        """The time."""
        return self.now_ns

    def advance(self, ns: int) -> None:
        """Let time pass."""
        self.now_ns += ns


class Evictor:
    """Empties no cache, takes the time it is told, and notes when it was asked to."""

    def __init__(self, clock: Clock, cost_ns: int = 0) -> None:
        self._clock = clock
        self._cost_ns = cost_ns
        self.begun_ns: list[int] = []

    def __call__(self) -> None:
        """Take time."""
        self.begun_ns.append(self._clock())
        self._clock.advance(self._cost_ns)


class Device:
    """A device with a queue: waiting for it takes as long as what was submitted to it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.queue_ns = 0
        self.synchronized = 0

    def synchronize(self) -> None:
        """Wait until the queue is empty."""
        self.synchronized += 1
        self._clock.advance(self.queue_ns)
        self.queue_ns = 0


def case(number: int = 0, **changes: Any) -> PlannedCase:
    """A planned case; cases of different numbers have different ids."""
    known = PlannedCase(
        id=f"s/op[n={number}]",
        suite="s",
        op="op",
        suite_path="s.py",
        labels={"n": str(number)},
        device="cpu",
        dtype="float32",
        flop=None,
        bytes=None,
    )
    return dataclasses.replace(known, **changes)


def record(number: int = 0, **changes: Any) -> Record:
    """A row of a measured case."""
    known = Record(
        run_id="20260102T030405Z-abcdef",
        machine_id="m-1",
        machine="a machine",
        suite="s",
        op="op",
        case=f"s/op[n={number}]",
        device="cpu",
        device_name="a CPU",
        dtype="float32",
        params={"n": str(number)},
        status="ok",
        time_s=1e-6,
        started_at=STARTED_AT,
    )
    return dataclasses.replace(known, **changes)


def entry(number: int = 0, *, samples: int = 2, **changes: Any) -> Entry:
    """A row and its samples."""
    row = record(number, **changes)
    return Entry(record=row, samples=tuple(sample(row, place) for place in range(samples)))


def sample(row: Record, place: int) -> Sample:
    """A sample of a row; the next place is the next round."""
    return Sample(
        case=row.case,
        device=row.device,
        worker=0,
        round=place,
        at_s=0.5 * place,
        loops=10,
        elapsed_s=1e-5,
        time_s=1e-6,
    )


def info(run_id: str = "20260102T030405Z-abcdef", **changes: Any) -> RunInfo:
    """What a run says of itself."""
    known = RunInfo(
        run_id=run_id,
        started_at=STARTED_AT.isoformat(),
        machine={"machine_id": "m-1", "name": "a machine", "cpu_model": "a CPU"},
    )
    return dataclasses.replace(known, **changes)


def begun_run(store: Path, about: RunInfo, *entries: Entry) -> Path:
    """A run that was killed after these entries."""
    folder = runs.begin(store, about)
    with journal.Journal(folder) as rows:
        for one in entries:
            rows.write(one)
    return folder


def finished_run(store: Path, about: RunInfo, *entries: Entry) -> Path:
    """A finished run with these entries, or with one if there are none."""
    own = [
        dataclasses.replace(one, record=dataclasses.replace(one.record, run_id=about.run_id))
        for one in entries or (entry(),)
    ]
    folder = begun_run(store, about, *own)
    return runs.finish(folder, about).folder


SETTLED: Mapping[type[protocol.WorkerRequest], protocol.WorkerReply] = {
    protocol.Check: protocol.Checked(correct=True, max_error=0.0, note="", input_bytes=8),
    protocol.Build: protocol.Built(),
    protocol.StartCompiler: protocol.CompilerStarted(),
    protocol.Prepare: PREPARED,
    protocol.VisitRequest: visited(1_000_000),
    protocol.Sense: CALM,
    protocol.Recheck: protocol.Rechecked(),
    protocol.Replay: protocol.Replayed(device_s=1e-4),
    protocol.TimeCold: protocol.ColdTimed(device_s=2e-4),
    protocol.TimeFresh: protocol.FreshTimed(ratio=8.0, low=7.0, high=9.0),
    protocol.Load: protocol.Loaded(gauges=()),
    protocol.Meter: protocol.Metered(energy_j=0.25),
    protocol.Profile: protocol.Refused(status="failed", reason="there is no profiler here"),
    protocol.Survey: protocol.Refused(status="failed", reason="there is nothing to measure here"),
    protocol.Forget: protocol.Forgotten(),
}


def settle(request: protocol.WorkerRequest) -> protocol.WorkerReply:
    """What a worker answers when all is well; a visit gives one sample of ten loops in 1 ms."""
    return SETTLED[type(request)]


UNTIMED = protocol.Check, protocol.Build, protocol.Forget
"""Requests that several workers may answer at a time, but for the check of a case that is compiled in it."""


def is_timed(request: protocol.WorkerRequest) -> bool:
    """Whether something is timed while it is answered."""
    compiles = isinstance(request, protocol.Check) and request.case.is_compiled
    return compiles or not isinstance(request, UNTIMED)


class Stage:
    """Workers that follow a script, and everything they were asked, in order.

    `log` holds (serial number of the process, request). A script that raises WorkerLost loses the
    worker; whoever takes its place has the next number.
    """

    def __init__(self, answer: Answer = settle) -> None:
        self.answer = answer
        self.log: list[tuple[int, protocol.WorkerRequest]] = []
        self.processes: list[FakeProcess] = []
        self.running: list[protocol.WorkerRequest] = []

    def begin(self, request: protocol.WorkerRequest) -> None:
        """Nothing runs beside what is timed; what is not may run beside its like."""
        beside = [*self.running, request]
        assert len(beside) == 1 or not any(map(is_timed, beside))
        self.running.append(request)

    def start(self) -> Any:
        """A new process, as a pool starts it."""
        process = FakeProcess(self, len(self.processes))
        self.processes.append(process)
        return process

    def pool(self, count: int) -> WorkerPool:
        """A pool of fakes."""
        return WorkerPool(count, self.start)

    def asked(self, kind: type[Any]) -> list[tuple[int, str]]:
        """(process, case) of each request of a kind, in order."""
        return [(number, one.case.id) for number, one in self.log if isinstance(one, kind)]

    def senses(self) -> list[int]:
        """The process of each time the sentinels were asked for, in order."""
        return [number for number, one in self.log if isinstance(one, protocol.Sense)]


class FakeProcess:
    """Stands for a `WorkerProcess`."""

    def __init__(self, stage: Stage, number: int) -> None:
        self._stage = stage
        self._number = number
        self.closed = False
        self.broken: WorkerLost | None = None
        self.hello = HELLO

    def wait_ready(self) -> protocol.Hello:
        """Ready at once, unless it is broken."""
        if self.broken:
            raise self.broken
        return self.hello

    def ask(self, request: protocol.WorkerRequest, timeout_s: float) -> protocol.WorkerReply:
        """Answer by the script."""
        assert timeout_s > 0
        assert not self.closed
        self._stage.begin(request)
        self._stage.log.append((self._number, request))
        try:
            return self._stage.answer(request)
        finally:
            self._stage.running.remove(request)

    def dismiss(self) -> None:
        """Nothing to wait for."""

    def close(self) -> None:
        """End."""
        self.closed = True


def lost(status: str = "failed", reason: str = "the worker crashed with SIGSEGV") -> WorkerLost:
    """The loss of a worker."""
    return WorkerLost(status=status, reason=reason)


def eventually(condition: Callable[[], bool], within_s: float = 60.0) -> bool:
    """Whether something comes true about a real process; looks again and again, for a while."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)  # so that the process has the machine
    return condition()
