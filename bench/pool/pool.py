"""The workers of a run: alive together, one active at a time, replaced when lost. Torch-free.

Cases are built in a worker the first time they are visited there, so a replaced worker needs no
ceremony: what it lacks it builds.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from bench.errors import WorkerError
from bench.pool import protocol
from bench.pool.process import WorkerLost, WorkerProcess, worker_environment
from bench.records.cache_state import HOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from bench.plan.plan import PlannedCase

    Start = Callable[[], WorkerProcess]


@dataclass(slots=True)
class _Slot:
    """A place in the pool: the process that holds it now, what that has prepared, whether it may time more."""

    process: WorkerProcess
    prepared: set[tuple[str, str]] = field(default_factory=set)
    spent: bool = False


class WorkerPool:
    """`count` fresh processes; `start` makes one (tests pass their own)."""

    def __init__(self, count: int, start: Start) -> None:
        self._start = start
        self._places = [_Slot(start()) for _ in range(count)]

    @classmethod
    def of_processes(
        cls,
        count: int,
        threads: int,
        base: Mapping[str, str],
        cores: Sequence[Sequence[int]] = (),
        python: str | None = None,
    ) -> WorkerPool:
        """Real processes with `threads` threads each, started together, each at another core.

        `python` is their interpreter, if that is another than ours.
        """
        number = itertools.count()

        def start() -> WorkerProcess:
            place = next(number) % count
            environment = worker_environment(
                threads, base, number=place, cores=cores, ours=python is None
            )
            return WorkerProcess(environment, python)

        return cls(count, start)

    def __len__(self) -> int:
        """How many places there are."""
        return len(self._places)

    def wait_ready(self) -> None:
        """Wait for every worker, so that none is still importing while another is timed.

        Raises:
            WorkerError: one never became ready.
        """
        for place in self._places:
            _ready(place.process)

    def hello(self, worker: int) -> protocol.Hello:
        """What a worker said when it was ready (waits for it).

        Raises:
            WorkerError: it never became ready.
        """
        return _ready(self._places[worker].process)

    def check(
        self, worker: int, case: PlannedCase, timeout_s: float, input_limit_bytes: float = math.inf
    ) -> protocol.Checked | protocol.Refused:
        """Compare the case's result with its reference, if its inputs fit in the room there is."""
        reply: protocol.Checked | protocol.Refused = self._ask(
            worker, protocol.Check(case=case, input_limit_bytes=input_limit_bytes), timeout_s
        )
        return reply

    def prepare(
        self,
        worker: int,
        case: PlannedCase,
        sample_s: float,
        timeout_s: float,
        *,
        cache: str = HOT,
    ) -> protocol.Prepared | protocol.Refused | None:
        """Have the case ready in a worker; None where it is already."""
        place = self._places[worker]
        if case.key in place.prepared:
            return None
        reply: protocol.Prepared | protocol.Refused = self._ask(
            worker, protocol.Prepare(case=case, sample_s=sample_s, cache=cache), timeout_s
        )
        if isinstance(reply, protocol.Prepared):
            self._places[worker].prepared.add(case.key)
        return reply

    def visit(
        self, worker: int, case: PlannedCase, seconds: float, timeout_s: float
    ) -> protocol.Visited | protocol.Refused:
        """Samples of a prepared case."""
        reply: protocol.Visited | protocol.Refused = self._ask(
            worker, protocol.VisitRequest(case=case, seconds=seconds), timeout_s
        )
        return reply

    def replay(
        self, worker: int, case: PlannedCase, timeout_s: float
    ) -> protocol.Replayed | protocol.Refused:
        """The time of a prepared case in a replayed graph."""
        reply: protocol.Replayed | protocol.Refused = self._ask(
            worker, protocol.Replay(case=case), timeout_s
        )
        return reply

    def time_cold(
        self, worker: int, case: PlannedCase, timeout_s: float
    ) -> protocol.ColdTimed | protocol.Refused:
        """The device's time of a prepared case with cold caches."""
        reply: protocol.ColdTimed | protocol.Refused = self._ask(
            worker, protocol.TimeCold(case=case), timeout_s
        )
        return reply

    def load(
        self, worker: int, case: PlannedCase, timeout_s: float
    ) -> protocol.Loaded | protocol.Refused:
        """What a device's gauges say while it works on a prepared case."""
        reply: protocol.Loaded | protocol.Refused = self._ask(
            worker, protocol.Load(case=case), timeout_s
        )
        return reply

    def sense(
        self, worker: int, device: str = "cpu", timeout_s: float = 60.0
    ) -> protocol.Sensed | None:
        """What a device's sentinels take in a worker now; None if the worker was lost over it."""
        reply = self._ask(worker, protocol.Sense(device=device), timeout_s)
        return reply if isinstance(reply, protocol.Sensed) else None

    def meter(
        self, worker: int, case: PlannedCase, timeout_s: float
    ) -> protocol.Metered | protocol.Refused:
        """What a call of a prepared case costs in energy."""
        reply: protocol.Metered | protocol.Refused = self._ask(
            worker, protocol.Meter(case=case), timeout_s
        )
        return reply

    def profile(
        self,
        worker: int,
        cases: Sequence[PlannedCase],
        calls: Sequence[int],
        path: str,
        timeout_s: float,
    ) -> protocol.Profiled | protocol.Refused:
        """Have a trace of the cases' calls written; once per worker."""
        place = self._places[worker]
        asked = protocol.Profile(cases=tuple(cases), calls=tuple(calls), path=path)
        reply: protocol.Profiled | protocol.Refused = self._ask(worker, asked, timeout_s)
        place.spent = True
        return reply

    def survey(
        self, worker: int, device: str, seconds: float, timeout_s: float
    ) -> protocol.Surveyed | protocol.Refused:
        """What a device can do at most; the worker is not used for cases any more, since it is not fresh."""
        asked = protocol.Survey(device=device, seconds=seconds)
        reply: protocol.Surveyed | protocol.Refused = self._ask(worker, asked, timeout_s)
        self._places[worker].spent = True
        return reply

    def forget(self, timeout_s: float = 60.0) -> None:
        """Free every worker's calls and inputs; a worker that can't is replaced.

        So is one that has profiled (it can't do so again, and its launches may go on being watched), or
        has measured roofs.
        """
        for worker, place in enumerate(self._places):
            if place.spent:
                self._replace(worker)
            elif place.prepared and isinstance(
                self._ask(worker, protocol.Forget(), timeout_s), protocol.Forgotten
            ):
                place.prepared.clear()

    def _ask(self, worker: int, request: protocol.Request, timeout_s: float) -> Any:
        """The reply; a worker that is lost, or ends, is replaced at once, and its case is refused."""
        place = self._places[worker]
        _ready(place.process)
        try:
            reply = place.process.ask(request, timeout_s)
        except WorkerLost as lost:
            reply = protocol.Refused(status=lost.status, reason=str(lost))
        else:
            if not isinstance(reply, protocol.Refused) or not reply.ends_worker:
                return reply
        self._replace(worker)
        return reply

    def _replace(self, worker: int) -> None:
        """End a worker's process and wait for another: nothing is timed while it imports torch."""
        self._places[worker].process.close()
        self._places[worker] = _Slot(self._start())
        _ready(self._places[worker].process)

    def __enter__(self) -> Self:
        """The pool is at work from the moment it is made."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End every worker; they end side by side."""
        for place in self._places:
            place.process.dismiss()
        for place in self._places:
            place.process.close()


def _ready(process: WorkerProcess) -> protocol.Hello:
    """Wait for a worker; one that can't even start ends the run, not the case."""
    try:
        return process.wait_ready()
    except WorkerLost as lost:
        message = f"a worker can't start: {lost}"
        raise WorkerError(message) from lost
