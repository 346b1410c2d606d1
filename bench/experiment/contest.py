"""Two sides measured at one size after the other, round by round in turn, so that drift meets both.

Each side has workers of its own, which stay alive from size to size. What is measured is kept as runs: one
for each number of threads, since a run has only one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.experiment.sides import Party, Sitting
from bench.plan.plan import Plan, PlannedSkip
from bench.run import manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.experiment.axis_sides import Side
    from bench.experiment.sides import Planned
    from bench.plan.plan import PlannedCase
    from bench.records.record import Record
    from bench.run.outcome import Outcome
    from bench.store.runs import RunInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant(Party):
    """A side that enters, and the case it begins with."""

    side: Side
    planned: Planned


class Contest(Sitting):
    """Measures both sides at one size at a time; runs are finished when it is left.

    Raises:
        StoreError: the store can't be written.
        WorkerError: a worker never became ready.
    """

    def __init__(self, entrants: tuple[Entrant, Entrant], store: Path) -> None:
        super().__init__(entrants, _infos(entrants), store)

    def measure(self, one: Planned, other: Planned) -> tuple[Record, Record]:
        """The rows of both sides, measured in turn, the first to go drawn for each round."""
        begun = [
            (seat, seat.begin(planned))
            for seat, planned in zip(self._seats, (one, other), strict=True)
        ]
        outcomes: dict[int, Outcome] = {}
        going = dict(enumerate(outcome for _, outcome in begun))
        while going:
            order = list(going)
            self._shuffle.shuffle(order)
            for place in order:
                outcome = next(going[place], None)
                if outcome is None:
                    del going[place]
                else:
                    outcomes[place] = outcome
        rows = [seat.keep(outcomes[place]) for place, seat in enumerate(self._seats)]
        return rows[0], rows[1]


def _infos(entrants: Sequence[Entrant]) -> list[RunInfo]:
    """What the run of each side says of itself: one run for each number of threads."""
    by_threads: dict[int, list[Entrant]] = {}
    for entrant in entrants:
        by_threads.setdefault(entrant.options.threads, []).append(entrant)
    infos = {threads: _info(members) for threads, members in by_threads.items()}
    return [infos[entrant.options.threads] for entrant in entrants]


def _info(members: Sequence[Entrant]) -> RunInfo:
    plan = Plan(cases=tuple(case_of(m.planned) for m in members), skips=())
    return manifest.new(plan, members[0].options, members[0].started)


def case_of(planned: Planned) -> PlannedCase:
    """The case, skipped or not."""
    return planned.case if isinstance(planned, PlannedSkip) else planned
