"""Two pools that visit the same cases in turn, worker by worker: one, other, other, one.

Both sides of a case are then visited within moments, and whatever moves steadily meets both alike. Each
side leaves a run.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.experiment.sides import Party, Sitting
from bench.plan.plan import Plan
from bench.run import extra_passes, manifest
from bench.run.outcome import Outcome
from bench.run.scheduler import BATCH_CASES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from bench.experiment.ab import Ended
    from bench.plan.plan import PlannedCase
    from bench.records.record import Record
    from bench.store.runs import RunInfo

_STOPPED: Mapping[Ended, str] = {"decided": "decided", "timeout": "timeout"}
"""What rows say of why measuring ended; a planned number of rounds is a budget too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team(Party):
    """A side, and what differs in its environment."""

    environment: Mapping[str, Any]
    """Facts of the run's environment that are this side's own."""


@dataclass(slots=True, kw_only=True)
class PairedCase:
    """A case on both sides, as far as it has been measured."""

    one: Outcome
    other: Outcome
    timeout_s: float
    rounds: int = 0

    @property
    def alive(self) -> bool:
        """Whether both sides can still be measured."""
        return self.one.open and self.other.open

    @property
    def over(self) -> bool:
        """Whether the time that a case is allowed is up on a side."""
        return max(self.one.spent_s, self.other.spent_s) > self.timeout_s

    def cells(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Seconds per call of both sides, workers × rounds."""
        workers = 1 + max((turn.worker for side in self._sides for turn in side.turns()), default=0)
        one, other = (_cells(side, workers, self.rounds) for side in self._sides)
        return one, other

    @property
    def _sides(self) -> tuple[Outcome, Outcome]:
        return self.one, self.other


class PairedRun(Sitting):
    """Measures pairs of cases on two sides; the runs are finished when it is left.

    Raises:
        StoreError: the store can't be written.
        WorkerError: a worker never became ready.
    """

    def __init__(
        self,
        teams: tuple[Team, Team],
        pairs: Sequence[tuple[PlannedCase, PlannedCase]],
        store: Path,
    ) -> None:
        infos = [_info(team, [pair[place] for pair in pairs]) for place, team in enumerate(teams)]
        super().__init__(teams, infos, store)
        self._teams = teams
        self._waiting = deque(pairs)
        self._first = self._shuffle.randrange(2)

    @property
    def waiting(self) -> int:
        """Pairs that have not been called yet."""
        return len(self._waiting)

    def call(self) -> list[PairedCase]:
        """The next pairs that fit into the memory of both sides, prepared; none if there is none left."""
        pairs = list(self._waiting)[:BATCH_CASES]
        outcomes: list[list[Outcome]] = []
        for place, (team, seat) in enumerate(zip(self._teams, self._seats, strict=True)):
            team.started.pool.forget()
            fitting = len(outcomes[0]) if outcomes else len(pairs)
            waiting = deque(Outcome(case=pair[place]) for pair in pairs[:fitting])
            outcomes.append(seat.rounds.next_batch(waiting) if waiting else [])
        prepared = [
            PairedCase(one=one, other=other, timeout_s=self._teams[0].options.schedule.timeout_s)
            for one, other in zip(*outcomes, strict=False)  # the other side may have room for fewer
        ]
        for _ in prepared:
            self._waiting.popleft()
        return prepared

    def round(self, pairs: Sequence[PairedCase], number: int) -> None:
        """Every worker of both sides takes its turn with these; the side that begins changes each time."""
        workers = list(range(self._teams[0].options.schedule.workers))
        self._shuffle.shuffle(workers)
        for turn, worker in enumerate(workers):
            order = list(pairs)
            self._shuffle.shuffle(order)
            first = (self._first + number + turn) % 2
            for place in (first, 1 - first):
                self._turn(order, place, worker, number)
        for pair in pairs:
            pair.rounds = number + 1

    def keep(self, pair: PairedCase, ended: Ended) -> tuple[Record, Record]:
        """The rows of both sides."""
        one, other = (
            self._kept(place, outcome, ended)
            for place, outcome in enumerate((pair.one, pair.other))
        )
        return one, other

    def _turn(self, pairs: Sequence[PairedCase], place: int, worker: int, number: int) -> None:
        """A worker of a side visits those that are still alive."""
        wanted = [(pair.one, pair.other)[place] for pair in pairs if pair.alive and not pair.over]
        if wanted:
            self._seats[place].rounds.turn(wanted, worker, number)

    def _kept(self, place: int, outcome: Outcome, ended: Ended) -> Record:
        """A row, after what is learnt of a case when its samples are taken.

        No kernels: a worker that has profiled may time nothing any more, and others are still open.
        """
        outcome.stopped_by = _STOPPED.get(ended, "budget")
        team = self._teams[place]
        schedule = dataclasses.replace(team.options.schedule, kernels=False)
        extra_passes.look([outcome], team.started.pool, schedule)
        return self._seats[place].keep(outcome)


def _info(team: Team, cases: Sequence[PlannedCase]) -> RunInfo:
    """What a side's run says of itself, with what is different about its environment."""
    info = manifest.new(Plan(cases=tuple(cases), skips=()), team.options, team.started)
    own = {**info.environment, **team.environment}
    return dataclasses.replace(info, environment=own)


def _cells(outcome: Outcome, workers: int, rounds: int) -> NDArray[np.float64]:
    """A case's times by worker and round; NaN where a visit is missing."""
    found = np.full((workers, rounds), np.nan)
    for turn in outcome.turns():
        found[turn.worker, turn.round] = turn.time_s
    return found
