"""Preparation of a batch: its cases are checked and built in several workers at a time, then warmed up one by one.

Nothing is timed while several workers are busy, but for how long the whole of it takes. A first call and a warm-up
are timed, so that each has the machine to itself.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from bench.plan.schedule import MemoryBudget
from bench.pool import protocol
from bench.records.cache_state import HOT
from bench.run.device_access import DeviceAccess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.plan.schedule import Schedule
    from bench.pool.pool import WorkerPool
    from bench.pool.protocol import Built, Checked, Prepared, Refused, Visited
    from bench.run.outcome import Outcome

    Reply = Built | Checked | Prepared | Visited | Refused | None
    Step = tuple[Reply, float]
    """A reply, and the seconds that it took."""

_CALLED = protocol.Checked, protocol.Prepared, protocol.Visited
"""Replies after a call was made."""


class Preparation:
    """Has cases ready in the workers of a pool."""

    def __init__(self, pool: WorkerPool, schedule: Schedule, *, clock: Callable[[], float]) -> None:
        self._pool = pool
        self._schedule = schedule
        self._clock = clock
        self._access = DeviceAccess()

    def memory(self) -> MemoryBudget:
        """The memory budget; a device's own memory is known once a worker has seen it."""
        return MemoryBudget(
            memory_bytes=self._schedule.memory_bytes,
            device_memory_bytes=self._pool.hello(0).device_memory_bytes,
            workers=self._schedule.workers,
        )

    def check(self, waiting: Iterable[Outcome], most: int) -> None:
        """Check the next cases that are on the device of the first, at most so many.

        In as many workers as are at work at a time: what references import, each of them imports once. One that is
        to be compiled is checked by itself, since what compiling takes is timed.
        """
        unchecked = [o for o in islice(waiting, most) if o.open and not o.checked]
        first = unchecked[0].case
        alike = (o for o in unchecked if o.case.device == first.device and not o.case.is_compiled)
        ahead = unchecked[:1] if first.is_compiled else list(alike)
        workers, memory = self._pool.abreast, self.memory()

        def check(worker: int) -> None:
            for outcome in ahead[worker::workers] if worker < workers else ():
                self._check(outcome, worker, memory)

        self._pool.side_by_side(check)

    def build(self, batch: Sequence[Outcome]) -> None:
        """Build cases in all workers, without calling them."""
        everywhere = self._pool.side_by_side(lambda worker: self._built(batch, worker))
        for worker, steps in enumerate(everywhere):
            for outcome, step in zip(batch, steps, strict=False):
                reply = self._noted(outcome, worker, *step) if outcome.open else None
                if isinstance(reply, protocol.Built):
                    outcome.built.append(reply)

    def prepare(self, outcome: Outcome, worker: int) -> None:
        """Have a case warm in a worker, if it can still be measured; the loops are those that the first worker found.

        With cold caches each finds them itself: they are those of the untimed calls then, and not of a sample.
        """
        if not outcome.open or not self._compiles(outcome, worker):
            return
        schedule = self._schedule
        others = outcome.prepared.values() if schedule.cache == HOT else ()
        known = next(iter(others), None)
        reply = self.timed(
            outcome,
            worker,
            lambda: self._pool.prepare(
                worker,
                outcome.case,
                schedule.sample_s,
                schedule.timeout_s,
                cache=schedule.cache,
                known=known,
            ),
        )
        if isinstance(reply, protocol.Prepared):
            outcome.prepared[worker] = reply

    def timed(self, outcome: Outcome, worker: int, step: Callable[[], Reply]) -> Reply:
        """Take a step and note the time it took; a refusal ends the case, and so does a device that was given up."""
        device = outcome.case.device
        if device in self._access.given_up:
            outcome.end("failed" if outcome.prepared else "skipped", self._access.given_up[device])
            return None
        return self._noted(outcome, worker, *self._taken(step))

    def _taken(self, step: Callable[[], Reply]) -> Step:
        start = self._clock()
        reply = step()
        return reply, self._clock() - start

    def _noted(self, outcome: Outcome, worker: int, reply: Reply, took_s: float) -> Reply:
        outcome.spent_s += took_s
        if isinstance(reply, _CALLED):
            self._access.granted(outcome.case.device, worker)
        if isinstance(reply, protocol.Refused):
            outcome.end(reply.status, reply.reason, reply.codes)
            if reply.no_context:
                self._access.refused(outcome.case.device, worker, reply.reason)
        elif outcome.spent_s > self._schedule.timeout_s and not outcome.visits:
            limit = f"{self._schedule.timeout_s:g} s"
            outcome.end(
                "timeout", f"not ready within {limit}; raise --timeout or choose smaller sizes"
            )
        return reply

    def _check(self, outcome: Outcome, worker: int, memory: MemoryBudget) -> None:
        if not self._compiles(outcome, worker):
            return
        case, timeout_s = outcome.case, self._schedule.timeout_s
        most_bytes = memory.worker_bytes(case.device)
        outcome.checker = worker
        reply = self.timed(
            outcome, worker, lambda: self._pool.check(worker, case, timeout_s, most_bytes)
        )
        if isinstance(reply, protocol.Checked):
            outcome.checked = reply
        if isinstance(reply, protocol.Checked | protocol.Refused):
            exact = isinstance(reply, protocol.Checked)
            reason = memory.refusal(case.device, reply.input_bytes or 0, exact=exact)
            if reason:
                outcome.end("skipped", reason)

    def _compiles(self, outcome: Outcome, worker: int) -> bool:
        """Whether a case that is to be compiled can be, there; its compiler's start is in no time of the case."""
        if not outcome.case.is_compiled:
            return True
        refused = self._pool.start_compiler(worker, outcome.case.device)
        if refused:
            outcome.end(refused.status, refused.reason)
        return refused is None

    def _built(self, batch: Sequence[Outcome], worker: int) -> list[Step]:
        """The steps of a worker that builds cases; after one that found no context on its device there is no other."""
        steps: list[Step] = []
        for outcome in batch:
            steps.append(self._taken(partial(self._build, outcome, worker)))
            reply = steps[-1][0]
            if isinstance(reply, protocol.Refused) and reply.no_context:
                break
        return steps

    def _build(self, outcome: Outcome, worker: int) -> Reply:
        if not outcome.open:
            return None
        return self._pool.build(worker, outcome.case, self._schedule.timeout_s)
