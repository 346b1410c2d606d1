"""Sides at work: their pools, the runs they write, and what earlier runs say of them. Decides nothing.

Two sides that are measured in turn have a seat each; what takes the turns is their owner's.
"""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from bench.analysis import history
from bench.plan.plan import PlannedSkip
from bench.run import manifest
from bench.run.outcome import Outcome
from bench.run.scheduler import Rounds
from bench.run.session import facts_of_batch, with_states
from bench.run.state_monitor import StateMonitors
from bench.store import journal, runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from bench.analysis.history import History
    from bench.plan.plan import PlannedCase
    from bench.pool.pool import Start
    from bench.records.record import Record
    from bench.run.manifest import Options
    from bench.run.outcome import RunFacts
    from bench.store.runs import RunInfo, StoredRun

    Planned = PlannedCase | PlannedSkip


class Book:
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
class Seat:
    """A side at work."""

    book: Book
    facts: RunFacts
    rounds: Rounds
    monitors: StateMonitors
    earlier: History
    outcomes: list[Outcome] = field(default_factory=list)

    def begin(self, planned: Planned) -> Iterator[Outcome]:
        """A case's outcome, now and after each of its rounds."""
        if isinstance(planned, PlannedSkip):
            yield Outcome(case=planned.case, status="skipped", reason=planned.reason)
        else:
            yield from self.rounds.by_round(planned)

    def keep(self, outcome: Outcome) -> Record:
        """Its row, which earlier ones help to say how sure it is."""
        self.outcomes.append(outcome)
        best = self.monitors.of(outcome.case.device).settle()
        facts = facts_of_batch(self.facts, self.outcomes, best, self.earlier)
        return self.book.write(outcome.entry(facts))

    def leave(self) -> None:
        """Let the run know what was seen of the machine, beside what the other side of it saw."""
        info = self.book.info
        seen = with_states(info, self.earlier, self.monitors.made)
        self.book.info = dataclasses.replace(
            seen,
            sentinels=_both(info.sentinels, seen.sentinels),
            reference=_both(info.reference, seen.reference),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A side before it is seated: how it is measured, and with which workers."""

    options: Options
    started: Start


class Sitting:
    """Sides at their seats. Whose turn it is, its heirs decide; the runs are finished when it is left.

    Args:
        parties: the sides.
        infos: the run that each of them writes; sides may share one.
        store: where runs are kept.

    Raises:
        StoreError: the store can't be written.
        WorkerError: a worker never became ready.
    """

    def __init__(self, parties: Sequence[Party], infos: Sequence[RunInfo], store: Path) -> None:
        self._shuffle = random.Random(parties[0].options.seed)  # noqa: S311 - an order, not a secret
        self._books: dict[str, Book] = {}
        self._seats: list[Seat] = []
        self.runs: list[StoredRun] = []
        """The finished runs in the order of the sides, known when it is left."""
        try:
            for run_id, info in {info.run_id: info for info in infos}.items():
                self._books[run_id] = Book(store, info)
            for party, info in zip(parties, infos, strict=True):
                book = self._books[info.run_id]
                self._seats.append(seated(party.started, party.options, book, self._shuffle))
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> Self:
        """All sides are ready."""
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


def seated(started: Start, options: Options, book: Book, shuffle: random.Random) -> Seat:
    """A side that is ready: none of its workers is still importing while the other is timed.

    Raises:
        WorkerError: a worker never became ready.
    """
    pool = started.pool
    pool.wait_ready()
    hello = pool.hello(0)
    book.info = manifest.with_torch(book.info, hello.torch)
    book.diary.write_header({"torch": book.info.torch})
    earlier = history.read(book.folder.parent, book.info)
    monitors = StateMonitors(
        pool.sense,
        known={device: one.conditions for device, one in earlier.references.items()},
        patience_s=options.schedule.patience_s,
        waits=lambda: None,
    )
    rounds = Rounds(
        pool,
        options.schedule,
        shuffle=shuffle,
        advance=lambda _case, _steps: None,
        monitor_of=monitors.of,
    )
    return Seat(
        book=book,
        facts=manifest.row_facts(book.info, options, hello),
        rounds=rounds,
        monitors=monitors,
        earlier=earlier,
    )


def _both(one: Mapping[str, object], other: Mapping[str, object]) -> dict[str, object]:
    return {**one, **other}
