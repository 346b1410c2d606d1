"""A run from plan to finished folder: workers, rounds, journal, Parquet. Prints nothing.

What happens on the way is told to a listener. Each finished case is on disk before the next batch,
so a run that is killed can be resumed where it stopped.
"""

from __future__ import annotations

import dataclasses
import random
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.analysis import history
from bench.errors import StoreError
from bench.machine import hardware
from bench.pool.pool import start
from bench.records import machine_state
from bench.run import manifest, noise, turns
from bench.run.noise import Noise
from bench.run.outcome import Outcome, RunFacts
from bench.run.peak_survey import Ceilings
from bench.run.scheduler import Rounds
from bench.run.state_monitor import Clock, StateMonitor, StateMonitors
from bench.store import journal, machine_cache, runs
from bench.store.machine_cache import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.analysis.history import History
    from bench.plan.plan import Plan, PlannedCase
    from bench.pool.pool import Start, WorkerPool
    from bench.records.machine_state import Conditions
    from bench.records.record import Record
    from bench.run.manifest import Options
    from bench.store.runs import RunInfo, StoredRun


class Listener:
    """Hears how a run goes on; the default does nothing with it."""

    def started(self, run_id: str, cases: int, steps: int) -> None:
        """Workers are being started for `cases` cases, which take `steps` steps."""

    def advanced(self, case: str, steps: int) -> None:
        """Steps were taken on a case."""

    def waiting(self) -> None:
        """The machine is in a slower state than its reference; measuring pauses for a moment."""

    def surveying(self, device: str, seconds: float) -> None:
        """What a device can do at most is measured first, which takes so long."""

    def finished(self, record: Record) -> None:
        """A case is done and on disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What to measure, how, into which folder, and who is told."""

    plan: Plan
    options: Options
    folder: Path
    listener: Listener
    started: Start | None
    clock: Clock = field(default_factory=Clock)


def run(
    plan: Plan,
    options: Options,
    store: Path,
    listener: Listener,
    started: Start | None = None,
    *,
    clock: Clock | None = None,
) -> StoredRun:
    """Measure a plan into a new folder of the store.

    Workers that were started before are as many as the options say, and the caller's to end. The clock
    is the session's own; workers have theirs.

    Raises:
        StoreError: the store can't be written (found before anything is measured).
    """
    info = manifest.new(plan, options, started)
    job = _Job(
        plan=plan,
        options=options,
        folder=runs.begin(store, info),
        listener=listener,
        started=started,
        clock=clock or Clock(),
    )
    return _finished(job, info)


def resume(
    unfinished: StoredRun,
    plan: Plan,
    options: Options,
    listener: Listener,
    started: Start | None = None,
) -> StoredRun:
    """Go on with a run that was killed: measure what its journal lacks.

    Raises:
        StoreError: this is not the machine, or not the torch, that it began on.
    """
    info, here = unfinished.info, hardware.read_machine()
    if info.machine.get("machine_id") != here.machine_id:
        message = f"run {info.run_id} began on {info.machine.get('name')}, and this is {here.name}"
        raise StoreError(message)
    job = _Job(
        plan=plan,
        options=options,
        folder=unfinished.folder,
        listener=listener,
        started=started,
    )
    return _finished(job, info)


def lacking(folder: Path, plan: Plan) -> Plan:
    """What of a plan is not in the journal of a run: all that is left to be measured, or skipped."""
    _, entries = journal.read(folder)
    done = {(e.record.case, e.record.device) for e in entries}
    return dataclasses.replace(
        plan,
        cases=tuple(case for case in plan.cases if case.key not in done),
        skips=tuple(skip for skip in plan.skips if skip.case.key not in done),
    )


def _finished(job: _Job, info: RunInfo) -> StoredRun:
    """Measure what the journal lacks, and close the folder."""
    left = lacking(job.folder, job.plan)
    cases, skips = left.cases, left.skips
    job.listener.started(info.run_id, len(cases), len(cases) * job.options.schedule.steps_per_case)
    with journal.Journal(job.folder) as diary:
        for skip in skips:
            outcome = Outcome(case=skip.case, status="skipped", reason=skip.reason)
            _keep(diary, outcome.entry(manifest.row_facts(info, job.options, None)), job.listener)
        if cases:
            how_many = job.options.schedule.workers, job.options.threads
            with nullcontext(job.started) if job.started else start(*how_many) as ready:
                info = _measure(job, info, cases, ready.pool, diary)
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    return runs.finish(job.folder, dataclasses.replace(info, finished_at=finished))


def _measure(
    job: _Job,
    info: RunInfo,
    cases: Sequence[PlannedCase],
    pool: WorkerPool,
    diary: journal.Journal,
) -> RunInfo:
    """Measure the cases into the journal; gives the run's facts with what was found on the way."""
    hello = pool.hello(0)
    info = manifest.with_torch(info, hello.torch)
    diary.write_header({"torch": info.torch})
    facts = manifest.row_facts(info, job.options, hello)
    ceilings = _ceilings(job, info, pool)
    earlier = history.read(job.folder.parent, info)
    monitors = StateMonitors(
        pool.sense,
        known={device: one.conditions for device, one in earlier.references.items()},
        patience_s=job.options.schedule.patience_s,
        waits=job.listener.waiting,
        clock=job.clock,
    )
    rounds = Rounds(
        pool,
        job.options.schedule,
        shuffle=random.Random(job.options.seed),  # noqa: S311 - an order, not a secret
        advance=job.listener.advanced,
        monitor_of=monitors.of,
        clock=job.clock.now_s,
    )
    for batch in rounds.measure(cases):
        best = monitors.of(batch[0].case.device).settle()
        of_batch = facts_of_batch(facts, batch, best, earlier)
        for entry in ceilings.held_against([outcome.entry(of_batch) for outcome in batch]):
            _keep(diary, entry, job.listener)
    return with_states(ceilings.noted(info), earlier, monitors.made)


def _ceilings(job: _Job, info: RunInfo, pool: WorkerPool) -> Ceilings:
    """The roofs of the run's devices, measured if they are not known; none if they are not wanted."""
    if not job.options.roofs:
        return Ceilings()
    return Ceilings.of(pool, info, job.listener.surveying)


def facts_of_batch(
    facts: RunFacts, batch: Sequence[Outcome], best: Conditions | None, earlier: History
) -> RunFacts:
    """What the rows of a batch share: the device's best, and what others say of how far off they may be."""
    return dataclasses.replace(
        facts,
        reference=best,
        noise=Noise(
            others=noise.pooled(turns.chosen(*one.under(best)) for one in batch),
            floors=earlier.floors(best),
        ),
        noise_at_reference=Noise(
            others=noise.pooled(turns.brought(*one.under(best)) for one in batch),
            floors=earlier.floors(best, brought=True),
        ),
    )


def with_states(info: RunInfo, earlier: History, monitors: Mapping[str, StateMonitor]) -> RunInfo:
    """The run's facts with what was seen of each device's state; its reference is kept for later runs."""
    seen = {device: one.seen for device, one in monitors.items() if one.seen}
    kept = {
        device: machine_cache.renewed(_before(device, earlier, monitors[device]), turns)
        for device, turns in seen.items()
    }
    for device, one in kept.items():
        history.keep_reference(info, device, one)
    return dataclasses.replace(
        info,
        waited_s=sum(one.waited_s for one in monitors.values()),
        sentinels={d: dataclasses.asdict(machine_state.level(turns)) for d, turns in seen.items()},
        reference={d: dataclasses.asdict(one.conditions) for d, one in kept.items()},
    )


def _before(device: str, earlier: History, monitor: StateMonitor) -> Reference | None:
    """The reference that a run began with, or got with its first batch."""
    own = Reference(conditions=monitor.known) if monitor.known else None
    return earlier.references.get(device, own)


def _keep(diary: journal.Journal, entry: journal.Entry, listener: Listener) -> None:
    diary.write(entry)
    listener.finished(entry.record)
