"""An open run: a run being measured and written, with worker pool, journal, state monitors, scheduler and history.

`bench run`, both sides of a paired run and the pytest bridge measure through it. So the same samples give the same
row everywhere: the interval includes the spread that cases measured together have in common, and the machine's
noise floor, which earlier runs tell.
"""

from __future__ import annotations

import dataclasses
import random
from collections import defaultdict, deque
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from bench.analysis import history
from bench.records import machine_state
from bench.records.memory_policy import SYSTEM
from bench.run import manifest
from bench.run.cells import headline_cells, scaled_to_reference
from bench.run.listener import Listener
from bench.run.peak_survey import RunRoofs
from bench.run.scheduler import BATCH_CASES, Scheduler
from bench.run.state_monitor import Clock, StateMonitor, StateMonitors
from bench.run.summary import Noise, pooled_spread, spread_of
from bench.store import journal, machine_cache, runs
from bench.store.machine_cache import Reference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from bench.analysis.history import Key
    from bench.pool.pool import WorkerPool
    from bench.pool.protocol import Hello
    from bench.records.machine_state import Conditions
    from bench.run.manifest import Options
    from bench.run.outcome import Outcome, RunFacts
    from bench.stats.interval import Spread
    from bench.store.journal import Entry
    from bench.store.runs import RunInfo, StoredRun

    _Spreads = tuple[Spread | None, Spread | None]
    """Spread of the cells that the headline of a case is made from, and of those at reference."""


@dataclass(slots=True, kw_only=True)
class RunWriter:
    """The folder of a run while it is written: the facts of its manifest, and its journal of rows.

    The two sides of a paired run may share one.
    """

    folder: Path
    info: RunInfo
    journal: journal.Journal
    rows: int = 0
    run: StoredRun | None = None
    """The finished run, once there is one."""

    def add_worker(self, hello: Hello, listener: Listener) -> None:
        """Note the torch that workers have, and the memory policy that holds in them, or why the one asked for does not.

        Raises:
            StoreError: it is a resumed run, and began with another torch.
        """
        self.info = manifest.with_memory(manifest.with_torch(self.info, hello.torch), hello)
        told = "torch", "memory", "memory_note"
        self.journal.write_header({name: getattr(self.info, name) for name in told})
        if hello.memory_note and "cpu" in self.info.devices:
            listener.memory_differs(hello.memory_note)

    def write(self, *entries: Entry) -> None:
        """Keep rows and their samples."""
        self.journal.write(*entries)
        self.rows += len(entries)

    def finish(self) -> StoredRun:
        """Turn the journal into the files of a finished run."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return runs.finish(self.folder, dataclasses.replace(self.info, finished_at=now))


@contextmanager
def written(store: Path, info: RunInfo) -> Iterator[RunWriter]:
    """A new run of a store, finished when it is left, also early: what was measured is whole.

    A run without rows is not kept.

    Raises:
        StoreError: the store can't be written.
    """
    folder = runs.begin(store, info)
    opened = journal.Journal(folder)
    writer = RunWriter(folder=folder, info=info, journal=opened)
    try:
        with opened:
            yield writer
    finally:
        if writer.rows:
            writer.run = writer.finish()
        else:
            (folder / journal.NAME).unlink()
            folder.rmdir()


class OpenRun:
    """Measures cases with one worker pool, and writes their rows into a run.

    Args:
        writer: the run; another pool may write into the same one.
        options: how cases are measured.
        pool: the workers, which are the caller's to end.
        store: where earlier runs are, which tell the noise floor and the reference state of the machine.
        listener: is told how it goes on.
        clock: the session's own; workers have theirs.

    Raises:
        StoreError: it is a resumed run, and began with another torch.
        WorkerError: a worker never became ready.
    """

    def __init__(
        self,
        writer: RunWriter,
        options: Options,
        pool: WorkerPool,
        store: Path,
        *,
        listener: Listener | None = None,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or Clock()
        self._writer = writer
        self._listener = listener or Listener()
        hello = pool.hello(0)
        writer.add_worker(hello, self._listener)
        self._facts = manifest.row_facts(writer.info, options, hello)
        self._roofs = (
            RunRoofs.of(pool, writer.info, self._listener.surveying)
            if options.roofs
            else RunRoofs()
        )
        self._earlier = history.read(store, writer.info)
        monitor = partial(
            StateMonitor,
            pool.sense,
            patience_s=options.schedule.patience_s,
            waits=self._listener.waiting,
            clock=clock,
        )
        known = {device: one.conditions for device, one in self._earlier.references.items()}
        self._monitors = StateMonitors(monitor, known)
        self._spreads: dict[str, deque[_Spreads]] = defaultdict(lambda: deque(maxlen=BATCH_CASES))
        self.scheduler = Scheduler(
            pool,
            options.schedule,
            shuffle=random.Random(options.seed),  # noqa: S311 - an order, not a secret
            advance=self._listener.advanced,
            monitor_of=self._monitors.of,
            clock=clock.now_s,
        )

    def keep_batch(self, batch: Sequence[Outcome]) -> None:
        """Write the rows of cases of one device that were measured together; one alone is beside those before it."""
        if not batch[0].alone:
            self._spreads[batch[0].case.device].clear()
        self._keep(batch)

    def keep(self, outcome: Outcome) -> Entry:
        """Write the row of a case that was measured by itself, beside those kept just before it."""
        (entry,) = self._keep([outcome])
        return entry

    def _keep(self, outcomes: Sequence[Outcome]) -> list[Entry]:
        device = outcomes[0].case.device
        reference = self._monitors.of(device).settle()
        memory = self._facts.memory.get(device, SYSTEM)
        self._spreads[device].extend(_spreads(outcome, reference, memory) for outcome in outcomes)
        codes = {outcome.case.key: outcome.case.fingerprint for outcome in outcomes}
        facts = self._facts_under(reference, codes, self._spreads[device])
        entries = self._roofs.compared([outcome.entry(facts) for outcome in outcomes])
        self._writer.write(*entries)
        for entry in entries:
            self._listener.finished(entry.record)
        return entries

    def _facts_under(
        self,
        reference: Conditions | None,
        codes: Mapping[Key, str | None],
        spreads: Collection[_Spreads],
    ) -> RunFacts:
        """The facts that rows share: the device's reference, and the noise that their own samples can't show.

        Args:
            reference: of the device.
            codes: the cases, and the fingerprints of their code.
            spreads: of the device's cases so far.
        """
        return dataclasses.replace(
            self._facts,
            reference=reference,
            noise=Noise(
                others=pooled_spread(one for one, _ in spreads),
                floors=self._earlier.floors(reference, codes),
            ),
            noise_at_reference=Noise(
                others=pooled_spread(one for _, one in spreads),
                floors=self._earlier.floors(reference, codes, at_reference=True),
            ),
        )

    def close(self) -> None:
        """Note the states and peak rates of the devices in the run's facts, and the reference for later runs."""
        info, made = self._roofs.noted(self._writer.info), self._monitors.made
        seen = {device: monitor.seen for device, monitor in made.items() if monitor.seen}
        levels = {d: dataclasses.asdict(machine_state.level(of)) for d, of in seen.items()}
        references = {d: machine_cache.renewed(self._known(d), of) for d, of in seen.items()}
        for device, reference in references.items():
            history.keep_reference(info, device, reference)
        kept = {d: dataclasses.asdict(one.conditions) for d, one in references.items()}
        self._writer.info = dataclasses.replace(
            info,
            waited_s=info.waited_s + sum(monitor.waited_s for monitor in made.values()),
            sentinels={**info.sentinels, **levels},
            reference={**info.reference, **kept},
        )

    def _known(self, device: str) -> Reference | None:
        """The reference that the run began with, or got with its first batch."""
        own = self._monitors.of(device).known
        first = Reference(conditions=own) if own else None
        return self._earlier.references.get(device, first)


def _spreads(outcome: Outcome, reference: Conditions | None, memory: str) -> _Spreads:
    """How far the cells of a case lie apart: those of the headline, and those at reference."""
    cells, wanted = outcome.under(reference)
    return (
        spread_of(headline_cells(cells, wanted, memory)),
        spread_of(scaled_to_reference(cells, wanted, memory)),
    )
