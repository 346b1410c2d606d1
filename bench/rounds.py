"""The order in which cases are measured: crossed, so that workers and moments can be told apart.

Each round visits every worker, and in it every open case, both in random order. A case closes when
its budget is spent and every worker has seen it. One batch at a time, so that inputs fit in memory.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from bench.measure import protocol
from bench.outcome import Outcome, Visit
from bench.states import Conditions

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Sequence

    from bench.measure.crew import Crew
    from bench.measure.protocol import Checked, Prepared, Refused, Visited
    from bench.plan import PlannedCase

    _Reply = Checked | Prepared | Visited | Refused | None
    Advance = Callable[[str, int], None]
    """Told after each step: the case's id, and how many visits that settles."""

BATCH_CASES = 64
"""Cases alive at once: rounds are then seconds apart, and a killed run loses a minute at most."""
_SAMPLES_PER_VISIT = 10
_SHORTEST_SAMPLE_S, _LONGEST_SAMPLE_S = 2e-4, 1e-2
"""200 µs is 4,000 readings of a 50 ns clock; beyond 10 ms a sample only averages more away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long and how often a case is measured."""

    workers: int
    rounds: int
    case_budget_s: float
    timeout_s: float
    memory_bytes: float

    @property
    def visit_s(self) -> float:
        """Sampling time of one visit."""
        return self.case_budget_s / (self.workers * self.rounds)

    @property
    def sample_s(self) -> float:
        """How long a sample should take."""
        return min(max(self.visit_s / _SAMPLES_PER_VISIT, _SHORTEST_SAMPLE_S), _LONGEST_SAMPLE_S)

    @property
    def steps_per_case(self) -> int:
        """Steps that settle a case: one to prepare and one a round, in each worker."""
        return self.workers * (self.rounds + 1)


class Rounds:
    """Measures cases with a crew, batch by batch."""

    def __init__(
        self,
        crew: Crew,
        schedule: Schedule,
        *,
        shuffle: random.Random,
        advance: Advance,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._crew = crew
        self._schedule = schedule
        self._shuffle = shuffle
        self._advance = advance
        self._clock = clock
        self.turns: list[Conditions] = []
        """What the sentinels took, turn by turn, in all batches so far."""

    def measure(self, cases: Sequence[PlannedCase]) -> Iterator[Outcome]:
        """The outcome of each case, as soon as its batch is done."""
        waiting = deque(Outcome(case=case) for case in cases)
        while waiting:
            batch = self._next_batch(waiting)
            for round_ in range(self._schedule.rounds):
                self._round(batch, round_)
            self._crew.forget()
            yield from batch

    def _next_batch(self, waiting: deque[Outcome]) -> list[Outcome]:
        """Check and prepare cases until the batch is full or the next one's inputs would not fit.

        One that does not fit stays at the head of those waiting; alone, each may have its turn.
        """
        batch: list[Outcome] = []
        room = self._schedule.memory_bytes / self._schedule.workers
        while waiting and len(batch) < BATCH_CASES:
            outcome = waiting[0]
            self._check(outcome)
            needed = outcome.checked.input_bytes if outcome.checked else 0
            if batch and needed > room:
                break
            room -= needed
            batch.append(waiting.popleft())
            for worker in range(self._schedule.workers):
                self._prepare(outcome, worker)
                self._advance(outcome.case.id, 1)
        return batch

    def _round(self, batch: list[Outcome], round_: int) -> None:
        workers = list(range(self._schedule.workers))
        self._shuffle.shuffle(workers)
        for worker in workers:
            wanted = [o for o in batch if o.open and not self._enough(o, worker)]
            sensed = self._sense(worker) if wanted else None
            order = list(batch)
            self._shuffle.shuffle(order)
            for outcome in order:
                if outcome.open and not self._enough(outcome, worker):
                    self._visit(outcome, worker, round_, sensed)
                self._advance(outcome.case.id, 1)

    def _sense(self, worker: int) -> protocol.Sensed | None:
        """Time the sentinels at the beginning of a worker's turn."""
        sensed = self._crew.sense(worker)
        if sensed:
            self.turns.append(Conditions(compute_s=sensed.compute_s, barrier_s=sensed.barrier_s))
        return sensed

    def _enough(self, outcome: Outcome, worker: int) -> bool:
        """The time allowed is up, or the budget is spent and this worker has had its turn."""
        if outcome.spent_s > self._schedule.timeout_s:
            return True
        spent = outcome.sampled_s >= self._schedule.case_budget_s
        return spent and worker in outcome.visited_workers

    def _check(self, outcome: Outcome) -> None:
        if outcome.checked or not outcome.open:
            return
        timeout_s = self._schedule.timeout_s
        reply = self._timed(outcome, lambda: self._crew.check(0, outcome.case, timeout_s))
        if isinstance(reply, protocol.Checked):
            outcome.checked = reply

    def _prepare(self, outcome: Outcome, worker: int) -> None:
        if not outcome.open:
            return
        sample_s, timeout_s = self._schedule.sample_s, self._schedule.timeout_s
        reply = self._timed(
            outcome, lambda: self._crew.prepare(worker, outcome.case, sample_s, timeout_s)
        )
        if isinstance(reply, protocol.Prepared):
            outcome.prepared[worker] = reply

    def _visit(
        self, outcome: Outcome, worker: int, round_: int, sensed: protocol.Sensed | None
    ) -> None:
        self._prepare(outcome, worker)  # a no-op, but for a worker that was replaced
        if not outcome.open:
            return
        seconds, timeout_s = self._schedule.visit_s, self._schedule.timeout_s
        reply = self._timed(
            outcome, lambda: self._crew.visit(worker, outcome.case, seconds, timeout_s)
        )
        if isinstance(reply, protocol.Visited):
            prepared = outcome.prepared[worker]
            outcome.add_visit(
                Visit(worker=worker, round=round_, prepared=prepared, visited=reply, sensed=sensed)
            )

    def _timed(self, outcome: Outcome, step: Callable[[], _Reply]) -> _Reply:
        """Take a step and note the time it took; a refusal ends the case."""
        start = self._clock()
        reply = step()
        outcome.spent_s += self._clock() - start
        if isinstance(reply, protocol.Refused):
            outcome.end(reply.status, reply.reason)
        elif outcome.spent_s > self._schedule.timeout_s and not outcome.visits:
            limit = f"{self._schedule.timeout_s:g} s"
            outcome.end(
                "timeout", f"not ready within {limit}; raise --timeout or choose smaller sizes"
            )
        return reply
