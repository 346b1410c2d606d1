"""Two sides measured at one size after the other, round by round in turn, so that drift meets both.

Each side has workers of its own, which stay alive from size to size. What is measured is kept as runs: one
for each number of threads, since a run has only one.
"""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from bench import history, manifest
from bench.lookout import Lookouts
from bench.outcome import Outcome
from bench.plan import Plan, PlannedSkip
from bench.rounds import Rounds
from bench.session import facts_of_batch, with_states
from bench.store import journal, runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from bench.history import History
    from bench.manifest import Options
    from bench.outcome import RunFacts
    from bench.plan import PlannedCase
    from bench.record import Record
    from bench.sides import Side
    from bench.start import Start
    from bench.store.runs import RunInfo, StoredRun

    Planned = PlannedCase | PlannedSkip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A side that enters: how it is measured, with which workers, and the case it begins with."""

    side: Side
    options: Options
    started: Start
    planned: Planned


class _Book:
    """A run that is being written."""

    def __init__(self, store: Path, info: RunInfo) -> None:
        self.info = info
        self.folder = runs.begin(store, info)
        self.diary = journal.Journal(self.folder)
        self.entries = 0

    def write(self, entry: journal.Entry) -> Record:
        """Keep a row."""
        self.diary.write(entry)
        self.entries += 1
        return entry.record

    def close(self) -> StoredRun | None:
        """Finish the run; one without rows is not kept."""
        self.diary.__exit__(None, None, None)
        if self.entries:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            return runs.finish(self.folder, dataclasses.replace(self.info, finished_at=now))
        (self.folder / journal.NAME).unlink()
        self.folder.rmdir()
        return None


@dataclass(slots=True, kw_only=True)
class _Seat:
    """A side at work."""

    book: _Book
    facts: RunFacts
    rounds: Rounds
    lookouts: Lookouts
    earlier: History
    outcomes: list[Outcome] = field(default_factory=list)

    def begin(self, planned: Planned) -> Iterator[Outcome]:
        """A case's outcome, now and after each of its rounds."""
        if isinstance(planned, PlannedSkip):
            yield Outcome(case=planned.case, status="skipped", reason=planned.reason)
        else:
            yield from self.rounds.by_round(planned)

    def keep(self, outcome: Outcome) -> Record:
        """Its row, which earlier sizes help to say how sure it is."""
        self.outcomes.append(outcome)
        best = self.lookouts.of(outcome.case.device).reference
        facts = facts_of_batch(self.facts, self.outcomes, best, self.earlier)
        return self.book.write(outcome.entry(facts))


class Contest:
    """Measures both sides at one size at a time; runs are finished when it is left.

    Raises:
        StoreError: the store can't be written.
        WorkerError: a worker never became ready.
    """

    def __init__(self, entrants: tuple[Entrant, Entrant], store: Path) -> None:
        self._books: dict[int, _Book] = {}
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
            self._books[threads] = _Book(store, manifest.new(plan, first.options, first.started))

    def _seated(self, entrant: Entrant) -> _Seat:
        """A side that is ready: none of its workers is still importing while the other is timed."""
        crew, options = entrant.started.crew, entrant.options
        crew.wait_ready()
        hello = crew.hello(0)
        book = self._books[options.threads]
        book.info = manifest.with_torch(book.info, hello.torch)
        book.diary.write_header({"torch": book.info.torch})
        earlier = history.read(book.folder.parent, book.info)
        lookouts = Lookouts(
            crew.sense,
            known={device: one.conditions for device, one in earlier.references.items()},
            patience_s=options.schedule.patience_s,
            waits=lambda: None,
        )
        rounds = Rounds(
            crew,
            options.schedule,
            shuffle=self._shuffle,
            advance=lambda _case, _steps: None,
            lookout_of=lookouts.of,
        )
        return _Seat(
            book=book,
            facts=manifest.row_facts(book.info, options, hello),
            rounds=rounds,
            lookouts=lookouts,
            earlier=earlier,
        )

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
            seat.book.info = _with_states(seat.book.info, seat)
        self._close()

    def _close(self) -> None:
        closed = [book.close() for book in self._books.values()]
        self.runs = [run for run in closed if run]


def case_of(planned: Planned) -> PlannedCase:
    """The case, skipped or not."""
    return planned.case if isinstance(planned, PlannedSkip) else planned


def _with_states(info: RunInfo, seat: _Seat) -> RunInfo:
    """The run's facts with what a side saw, beside what the other one of the same run did."""
    seen = with_states(info, seat.earlier, seat.lookouts.made)
    return dataclasses.replace(
        seen,
        sentinels=_both(info.sentinels, seen.sentinels),
        reference=_both(info.reference, seen.reference),
    )


def _both(one: Mapping[str, object], other: Mapping[str, object]) -> dict[str, object]:
    return {**one, **other}
