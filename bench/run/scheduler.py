"""Interleaved scheduler: workers and rounds are crossed, so that processes and drift can be told apart.

Each round visits every worker, and in it every open case, both in random order. A case closes when it is
precise enough, no longer gets more precise, or has spent its budget and been seen by every worker; what it
leaves goes to those that are least precise. One batch at a time, so that inputs fit in memory.
"""

from __future__ import annotations

from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING

from bench.pool import protocol
from bench.records import memory_policy
from bench.run import extra_passes
from bench.run.cells import counted, matrix
from bench.run.outcome import Outcome
from bench.run.preparation import Preparation
from bench.run.recheck import recheck
from bench.run.stopping import BUDGET, TIMEOUT
from bench.run.visit import Visit

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Sequence

    from bench.plan.plan import PlannedCase
    from bench.plan.schedule import Schedule
    from bench.pool.pool import WorkerPool
    from bench.run.cells import Cell
    from bench.run.state_monitor import StateMonitor

    Advance = Callable[[str, int], None]
    """Told after each step: the case's id, and how many visits that settles."""

BATCH_CASES = 64
"""Cases alive at once: rounds are then seconds apart, and a killed run loses a minute at most."""
_MOST_ROUNDS_PER_PLANNED = 3
"""A case may get up to three times the planned rounds, from the time that others left over."""


class Scheduler:
    """Measures cases with a pool, batch by batch and round by round."""

    def __init__(
        self,
        pool: WorkerPool,
        schedule: Schedule,
        *,
        shuffle: random.Random,
        advance: Advance,
        monitor_of: Callable[[str], StateMonitor],
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._pool = pool
        self._schedule = schedule
        self._shuffle = shuffle
        self._advance = advance
        self._monitor_of = monitor_of
        self._preparation = Preparation(pool, schedule, clock=clock)
        self._steps_left = 0

    def measure(self, cases: Sequence[PlannedCase]) -> Iterator[list[Outcome]]:
        """The outcomes of a batch of cases, as soon as it is done; batch by batch."""
        self._pool.wait_ready()
        waiting, alone = _queues(cases)
        while waiting or alone:
            self._pool.forget()
            batch = self.next_batch(waiting or alone, alone)
            self._measure_batch(batch)
            yield batch

    def _measure_batch(self, batch: list[Outcome]) -> None:
        """Measure a prepared batch, round by round; then make the extra passes over it."""
        self._steps_left = len(batch) * self._schedule.rounds * self._schedule.workers
        for round_ in range(self._schedule.rounds):
            self._round([o for o in batch if self.goes_on(o) and self.affords(o, round_)], round_)
        self._spend_what_is_left(batch)
        for outcome in batch:
            outcome.stopped_by = outcome.stopped_by or BUDGET
        recheck(batch, self._pool, self._schedule)
        extra_passes.time_fresh(batch, self._pool, self._schedule)
        extra_passes.make_passes(batch, self._pool, self._schedule)
        self._advance(batch[-1].case.id, self._steps_left)

    def _spend_what_is_left(self, batch: list[Outcome]) -> None:
        """More rounds, from the time that easy cases left, for the cases that are least precise."""
        rounds = self._schedule.rounds
        for round_ in range(rounds, _MOST_ROUNDS_PER_PLANNED * rounds):
            left_s = self._schedule.case_budget_s * len(batch) - sum(o.visited_s for o in batch)
            chosen = []
            for outcome in sorted(batch, key=lambda o: o.stopping.half_width, reverse=True):
                cost_s = self._round_cost_s(outcome)
                if self.goes_on(outcome) and cost_s <= left_s:
                    chosen.append(outcome)
                    left_s -= cost_s
            if not chosen:
                return
            self._round(chosen, round_)

    def goes_on(self, outcome: Outcome) -> bool:
        """Whether a case can be measured further and has not been measured enough."""
        return outcome.open and outcome.stopped_by is None

    def affords(self, outcome: Outcome, round_: int) -> bool:
        """Whether the budget of a case by itself is enough for a round.

        It has its planned rounds until the budget is spent and every worker has seen it, and further ones
        while their cost fits into what is left.
        """
        rounds, workers = self._schedule.rounds, range(self._schedule.workers)
        if round_ < rounds:
            return not all(self._spent(outcome, worker) for worker in workers)
        left_s = self._schedule.case_budget_s - outcome.visited_s
        return round_ < _MOST_ROUNDS_PER_PLANNED * rounds and self._round_cost_s(outcome) <= left_s

    def _round_cost_s(self, outcome: Outcome) -> float:
        """Time that one more round of a case takes, lead-ins and evictions included, as its visits have shown."""
        visits = len(outcome.visits)
        seen_s = outcome.visited_s / visits if visits else self._schedule.visit_s
        return self._schedule.workers * seen_s

    def next_batch(
        self, waiting: deque[Outcome], alone: deque[Outcome] | None = None
    ) -> list[Outcome]:
        """Check and prepare cases until the batch is full or the next one's inputs would not fit.

        One that does not fit beside the others stays at the head of those waiting; one that would
        not even fit alone is skipped. A batch is of one device, whose sentinels are timed beside it.
        One that is to be measured by itself makes a batch if it comes first; else it is put among those
        `alone`, or ends the batch where there are none such. Beside it are the same cases in modes that compile
        nothing, so that all are measured in the same minutes.
        """
        batch: list[Outcome] = []
        memory = self._preparation.memory()
        left_bytes = memory.worker_bytes(waiting[0].case.device)
        while waiting and len(batch) < BATCH_CASES:
            outcome = waiting[0]
            if outcome.open and not outcome.checked:
                self._preparation.check(waiting, BATCH_CASES)
            checked = outcome.checked if outcome.open else None
            needed = memory.held_bytes(checked.input_bytes) if checked else 0
            if batch and (needed > left_bytes or outcome.case.device != batch[0].case.device):
                break
            if batch and waiting is alone and outcome.case.twin != batch[0].case.twin:
                break
            if batch and outcome.alone and waiting is not alone:
                if alone is None:
                    break
                alone.append(waiting.popleft())
                continue
            left_bytes -= needed
            batch.append(waiting.popleft())
            if outcome.alone:
                break
        self._prepare(batch)
        return batch

    def _prepare(self, batch: Sequence[Outcome]) -> None:
        self._preparation.build(batch)
        for outcome in batch:
            for worker in range(self._schedule.workers):
                self._preparation.prepare(outcome, worker)
                self._advance(outcome.case.id, 1)

    def _round(self, cases: list[Outcome], round_: int) -> None:
        """Every worker visits every case, in random order; then each case is judged."""
        workers = list(range(self._schedule.workers))
        self._shuffle.shuffle(workers)
        for worker in workers:
            wanted = [o for o in cases if self.wants(o, worker, round_)]
            self._shuffle.shuffle(wanted)
            self.visit(wanted, worker, round_)
        for outcome in cases:
            self.judge(outcome)

    def visit(self, cases: Sequence[Outcome], worker: int, round_: int) -> None:
        """A worker visits each of these cases, watched by the state monitor."""
        if not cases:
            return
        monitor = self._monitor_of(cases[0].case.device)
        monitor.begin(worker, round_)
        for outcome in cases:
            self._visit(outcome, worker, round_)
            monitor.visited(outcome)
            if self._steps_left > 0:
                self._steps_left -= 1
                self._advance(outcome.case.id, 1)
        monitor.end()

    def judge(self, outcome: Outcome) -> None:
        """Note why a case needs no further round, if it has been measured enough."""
        if outcome.open and outcome.visits:
            late = outcome.spent_s > self._schedule.timeout_s
            judged = TIMEOUT if late else outcome.stopping.judge(matrix(self._counted(outcome)))
            outcome.stopped_by = outcome.stopped_by or judged

    def _counted(self, outcome: Outcome) -> list[Cell]:
        """The cells that the headline will be made from, whatever the machine's state was."""
        device, of_cpu = outcome.case.device, self._pool.hello(0).memory
        return counted(outcome.cells(), memory_policy.on(device, of_cpu))

    def wants(self, outcome: Outcome, worker: int, round_: int) -> bool:
        """Whether a visit is due: its time is not up, nor, in the planned rounds, its budget spent."""
        if not outcome.open or outcome.spent_s > self._schedule.timeout_s:
            return False
        return round_ >= self._schedule.rounds or not self._spent(outcome, worker)

    def _spent(self, outcome: Outcome, worker: int) -> bool:
        """The budget is spent, and this worker has visited the case.

        Evictions and lead-ins don't count here, so that slow ones cost a case none of its planned rounds;
        they do where time is left for further rounds.
        """
        spent = outcome.sampled_s >= self._schedule.case_budget_s
        return spent and worker in outcome.visited_workers

    def _visit(self, outcome: Outcome, worker: int, round_: int) -> None:
        self._preparation.prepare(outcome, worker)  # a no-op, but for a worker that was replaced
        if not outcome.open:
            return
        seconds, timeout_s = self._schedule.visit_s, self._schedule.timeout_s
        reply = self._preparation.timed(
            outcome, worker, lambda: self._pool.visit(worker, outcome.case, seconds, timeout_s)
        )
        if isinstance(reply, protocol.Visited):
            prepared = outcome.prepared[worker]
            outcome.add_visit(Visit(worker=worker, round=round_, prepared=prepared, visited=reply))


def _queues(cases: Sequence[PlannedCase]) -> tuple[deque[Outcome], deque[Outcome]]:
    """The cases device by device: those that are measured among others, and those beside one that is compiled."""
    devices = list(dict.fromkeys(case.device for case in cases))
    ranked = sorted(cases, key=lambda case: devices.index(case.device))
    places = {case.twin: place for place, case in reversed(list(enumerate(ranked)))}
    compiled = {case.twin for case in ranked if case.is_compiled}
    beside = [case for case in ranked if case.twin in compiled]
    beside.sort(key=lambda case: (places[case.twin], case.is_compiled))
    among = deque(Outcome(case=case) for case in ranked if case.twin not in compiled)
    return among, deque(Outcome(case=case) for case in beside)
