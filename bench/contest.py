"""Two sides measured at one size after the other, round by round in turn, so that drift meets both.

Each side has workers of its own, which stay alive from size to size. What is measured is kept as runs: one
for each number of threads, since a run has only one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from bench import manifest
from bench.plan import Plan, PlannedSkip
from bench.seats import Book, Seat, seated

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from bench.manifest import Options
    from bench.outcome import Outcome
    from bench.plan import PlannedCase
    from bench.record import Record
    from bench.seats import Planned
    from bench.sides import Side
    from bench.start import Start
    from bench.store.runs import StoredRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A side that enters: how it is measured, with which workers, and the case it begins with."""

    side: Side
    options: Options
    started: Start
    planned: Planned


class Contest:
    """Measures both sides at one size at a time; runs are finished when it is left.

    Raises:
        StoreError: the store can't be written.
        WorkerError: a worker never became ready.
    """

    def __init__(self, entrants: tuple[Entrant, Entrant], store: Path) -> None:
        self._books: dict[int, Book] = {}
        self._shuffle = random.Random(entrants[0].options.seed)  # noqa: S311 - an order, not a secret
        self.runs: list[StoredRun] = []
        """The finished runs, known when it is left."""
        try:
            self._open(entrants, store)
            self._seats = tuple(self._seated(entrant) for entrant in entrants)
        except BaseException:
            self._close()
            raise

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

    def _open(self, entrants: Sequence[Entrant], store: Path) -> None:
        """A run for each number of threads."""
        by_threads: dict[int, list[Entrant]] = {}
        for entrant in entrants:
            by_threads.setdefault(entrant.options.threads, []).append(entrant)
        for threads, members in by_threads.items():
            first = members[0]
            plan = Plan(cases=tuple(case_of(m.planned) for m in members), skips=())
            self._books[threads] = Book(store, manifest.new(plan, first.options, first.started))

    def _seated(self, entrant: Entrant) -> Seat:
        """A side that is ready, with the run of its number of threads."""
        book = self._books[entrant.options.threads]
        return seated(entrant.started, entrant.options, book, self._shuffle)

    def __enter__(self) -> Self:
        """Both sides are ready."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the runs, also when it ends early: what was measured is whole."""
        for seat in self._seats:
            seat.leave()
        self._close()

    def _close(self) -> None:
        closed = [book.close() for book in self._books.values()]
        self.runs = [run for run in closed if run]


def case_of(planned: Planned) -> PlannedCase:
    """The case, skipped or not."""
    return planned.case if isinstance(planned, PlannedSkip) else planned
