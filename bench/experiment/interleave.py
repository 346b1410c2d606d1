"""Interleaved A/B measurement: both sides visit each case in ABBA order, worker by worker, so that drift cancels.

A paired run has two sides, with a worker pool each, which stay alive from case to case. `bench ab` measures many
pairs of cases together, `bench crossover` one pair at a time. Each side writes a run.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from bench.errors import SelectionError
from bench.plan.plan import Plan, PlannedCase, PlannedSkip
from bench.records.memory_policy import SYSTEM
from bench.run import extra_passes, manifest
from bench.run.open_run import OpenRun, written
from bench.run.outcome import Outcome
from bench.run.recheck import recheck
from bench.run.scheduler import BATCH_CASES
from bench.run.stopping import BUDGET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from bench.experiment.ab import Ended
    from bench.pool.pool import Start
    from bench.records.record import Record
    from bench.run.manifest import Options
    from bench.run.open_run import RunWriter
    from bench.run.request import Request
    from bench.store.runs import RunInfo, StoredRun

    Planned = PlannedCase | PlannedSkip
    Pair = tuple[Planned, Planned]

_STOPPED: Mapping[Ended, str] = {"decided": "decided", "timeout": "timeout"}
"""Why rows of an A/B measurement say that it ended; a planned number of rounds is a budget too."""
_MEMORY_SHARE = 0.5
"""Share of the usable memory that the inputs of one side may take: both sides hold theirs at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideSpec:
    """A side before it is measured: how, with which workers, and into which run."""

    options: Options
    started: Start
    run_key: str
    """Sides of equal keys write one run."""
    cases: Sequence[PlannedCase] = ()
    """The cases that are known when its run begins."""
    environment: Mapping[str, Any] = field(default_factory=dict)
    """Facts of the run's environment that are this side's own."""

    @classmethod
    def of(
        cls,
        request: Request,
        started: Start,
        *,
        run_key: str,
        tags: Mapping[str, str],
        argv: Sequence[str],
        cases: Sequence[PlannedCase],
        environment: Mapping[str, Any] | None = None,
        label: str | None = None,
    ) -> Self:
        """A side that is measured as a request says, with its share of the machine's memory."""
        options = request.options(len(cases), label=label, tags=tags, argv=argv)
        memory_bytes = options.schedule.memory_bytes * _MEMORY_SHARE
        schedule = dataclasses.replace(options.schedule, memory_bytes=memory_bytes)
        return cls(
            options=dataclasses.replace(options, schedule=schedule),
            started=started,
            run_key=run_key,
            cases=cases,
            environment=environment or {},
        )


@dataclass(slots=True, kw_only=True)
class PairedCase:
    """A case on both sides, as far as it has been measured."""

    one: Outcome
    other: Outcome
    timeout_s: float
    rounds: int = 0

    @property
    def sides(self) -> tuple[Outcome, Outcome]:
        """Both sides, in order."""
        return self.one, self.other

    @property
    def alive(self) -> bool:
        """Whether both sides can still be measured."""
        return self.one.open and self.other.open

    @property
    def over(self) -> bool:
        """Whether the time that a case is allowed is up on a side."""
        return max(self.one.spent_s, self.other.spent_s) > self.timeout_s

    def cells(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Seconds per call of both sides, workers × rounds; NaN where a visit is missing."""
        sides = [side.cells() for side in self.sides]
        workers = 1 + max((cell.worker for side in sides for cell in side), default=0)
        one, other = (np.full((workers, self.rounds), np.nan) for _ in sides)
        for found, side in zip((one, other), sides, strict=True):
            for cell in side:
                found[cell.worker, cell.round] = cell.time_s
        return one, other


class PairedRun:
    """Measures pairs of cases on two sides that have as many workers each."""

    def __init__(self, sides: tuple[SideSpec, SideSpec], pairs: Sequence[Pair]) -> None:
        self._sides = sides
        self._schedule = sides[0].options.schedule
        self._shuffle = Random(sides[0].options.seed)  # noqa: S311 - an order, not a secret
        self._first = self._shuffle.randrange(2)
        self._waiting = deque(pairs)
        self._opened: list[OpenRun] = []
        self._writers: dict[str, RunWriter] = {}

    @classmethod
    @contextmanager
    def open(
        cls, sides: tuple[SideSpec, SideSpec], store: Path, pairs: Sequence[Pair] = ()
    ) -> Iterator[Self]:
        """A paired run of two sides that are ready; its runs are finished when it is left, also early.

        Args:
            sides: the two sides.
            store: where runs are kept.
            pairs: the cases that `next_batch` prepares.

        Raises:
            SelectionError: the sides' workers get memory in two ways.
            StoreError: the store can't be written.
            WorkerError: a worker never became ready.
        """
        paired = cls(sides, pairs)
        with ExitStack() as stack:
            for key, info in _infos(sides).items():
                paired._writers[key] = stack.enter_context(written(store, info))
            for side in sides:
                pool = side.started.pool
                pool.wait_ready()  # none is still importing while the other side is timed
                opened = OpenRun(paired._writers[side.run_key], side.options, pool, store)
                stack.callback(opened.close)
                paired._opened.append(opened)
            paired._check_memory()
            yield paired

    @property
    def runs(self) -> list[StoredRun]:
        """The finished runs in the order of the sides, known when it is left."""
        return [writer.run for writer in self._writers.values() if writer.run]

    @property
    def memory_note(self) -> str:
        """Why results on the CPU do not get their memory as was asked for, if they do not."""
        on_cpu = [one.info for one in self._writers.values() if "cpu" in one.info.devices]
        return next((info.memory_note for info in on_cpu if info.memory_note), "")

    def _check_memory(self) -> None:
        """See that both sides have one memory policy on the CPU: what differs else would be that alone."""
        infos = [one.info for one in self._writers.values()]
        policies = {info.memory["cpu"] for info in infos if "cpu" in info.memory}
        if len(policies) > 1:
            asked = self._schedule.memory
            message = (
                f"--memory {asked} does not hold on both sides ({self.memory_note or policies}); "
                f"write --memory {SYSTEM}, which any does"
            )
            raise SelectionError(message)

    @property
    def waiting(self) -> int:
        """Pairs that have not been prepared yet."""
        return len(self._waiting)

    def next_batch(self) -> list[PairedCase]:
        """The next pairs that fit into the memory of both sides, prepared; none if there is none left."""
        pairs = list(self._waiting)[: _most_at_once(self._waiting)]
        outcomes: list[list[Outcome]] = []
        for place, (side, opened) in enumerate(zip(self._sides, self._opened, strict=True)):
            side.started.pool.forget()
            fitting = len(outcomes[0]) if outcomes else len(pairs)
            waiting = deque(_outcome(pair[place]) for pair in pairs[:fitting])
            outcomes.append(opened.scheduler.next_batch(waiting) if waiting else [])
        prepared = [
            PairedCase(one=one, other=other, timeout_s=self._schedule.timeout_s)
            for one, other in zip(*outcomes, strict=False)  # the other side may fit fewer
        ]
        for _ in prepared:
            self._waiting.popleft()
        return prepared

    def round(self, pairs: Sequence[PairedCase], number: int) -> None:
        """Every worker of both sides visits the pairs that both sides can still measure."""
        self._round(pairs, number, lambda pair, _place, _worker: pair.alive and not pair.over)

    def keep(self, pair: PairedCase, ended: Ended) -> tuple[Record, Record]:
        """The rows of both sides."""
        for outcome in pair.sides:
            outcome.stopped_by = _STOPPED.get(ended, BUDGET)
        return self._kept(pair)

    def measure(self, pair: Pair) -> tuple[Record, Record]:
        """The rows of a pair that is measured by itself, round by round until both sides are precise enough.

        A side whose own budget or time is up, or that failed, is visited no more, and the other one goes on.
        """
        self._waiting.append(pair)
        (prepared,) = self.next_batch()
        schedulers = [opened.scheduler for opened in self._opened]
        sides = list(zip(prepared.sides, schedulers, strict=True))
        number = 0
        while any(s.goes_on(o) and s.affords(o, number) for o, s in sides):
            going = [scheduler.affords(outcome, number) for outcome, scheduler in sides]
            self._round([prepared], number, partial(self._wants, going, number))
            for (outcome, scheduler), visited in zip(sides, going, strict=True):
                if visited:
                    scheduler.judge(outcome)
            number += 1
        for outcome in prepared.sides:
            outcome.stopped_by = outcome.stopped_by or BUDGET
        return self._kept(prepared)

    def _wants(
        self, going: Sequence[bool], number: int, pair: PairedCase, place: int, worker: int
    ) -> bool:
        """Whether a visit is due to a side that goes on."""
        scheduler = self._opened[place].scheduler
        return going[place] and scheduler.wants(pair.sides[place], worker, number)

    def _round(
        self,
        pairs: Sequence[PairedCase],
        number: int,
        wants: Callable[[PairedCase, int, int], bool],
    ) -> None:
        """Every worker of both sides visits these pairs; the side that begins changes with each worker and round.

        Args:
            pairs: the pairs to visit.
            number: the round, from 0.
            wants: whether a side (0 or 1) of a pair is to be visited by a worker.
        """
        workers = list(range(self._schedule.workers))
        self._shuffle.shuffle(workers)
        for position, worker in enumerate(workers):
            order = list(pairs)
            self._shuffle.shuffle(order)
            first = (self._first + number + position) % 2
            for place in (first, 1 - first):
                wanted = [pair.sides[place] for pair in order if wants(pair, place, worker)]
                self._opened[place].scheduler.visit(wanted, worker, number)
        for pair in pairs:
            pair.rounds = number + 1

    def _kept(self, pair: PairedCase) -> tuple[Record, Record]:
        """The rows of both sides, after the extra passes.

        The passes see no kernels: a worker that has profiled may time nothing any more, and other cases are
        still open.
        """
        rows = []
        for side, opened, outcome in zip(self._sides, self._opened, pair.sides, strict=True):
            schedule = dataclasses.replace(side.options.schedule, kernels=False)
            recheck([outcome], side.started.pool, schedule)
            extra_passes.make_passes([outcome], side.started.pool, schedule)
            rows.append(opened.keep(outcome).record)
        return rows[0], rows[1]


def _infos(sides: Sequence[SideSpec]) -> dict[str, RunInfo]:
    """Run key → what the run says of itself, with what is different about its sides' environment."""
    infos: dict[str, RunInfo] = {}
    for key in dict.fromkeys(side.run_key for side in sides):
        own = [side for side in sides if side.run_key == key]
        plan = Plan(cases=tuple(case for side in own for case in side.cases), skips=())
        info = manifest.new(plan, own[0].options, own[0].started)
        environment = {**info.environment, **own[0].environment}
        infos[key] = dataclasses.replace(info, environment=environment)
    return infos


def _most_at_once(waiting: Sequence[Pair]) -> int:
    """How many pairs may be prepared together: one that is to be compiled by itself."""
    compiled = waiting and any(case_of(one).is_compiled for one in waiting[0])
    return 1 if compiled else BATCH_CASES


def case_of(planned: Planned) -> PlannedCase:
    """The case, skipped or not."""
    return planned.case if isinstance(planned, PlannedSkip) else planned


def _outcome(planned: Planned) -> Outcome:
    """A case before it is measured, or one that is skipped."""
    if isinstance(planned, PlannedSkip):
        return Outcome(case=planned.case, status="skipped", reason=planned.reason)
    return Outcome(case=planned)
