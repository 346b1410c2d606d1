"""A measuring session: a run from plan to finished folder (workers, rounds, journal, Parquet). Prints nothing.

What happens on the way is told to a listener. Each finished case is on disk before the next batch,
so a run that is killed can be resumed where it stopped.
"""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import StoreError
from bench.machine import hardware
from bench.pool.start import start
from bench.run import manifest
from bench.run.open_run import OpenRun, RunWriter
from bench.run.outcome import Outcome
from bench.store import journal, runs

if TYPE_CHECKING:
    from pathlib import Path

    from bench.plan.plan import Plan
    from bench.pool.start import Start
    from bench.run.listener import Listener
    from bench.run.manifest import Options
    from bench.run.state_monitor import Clock
    from bench.store.runs import RunInfo, StoredRun


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What to measure, how, into which folder, and who is told."""

    plan: Plan
    options: Options
    folder: Path
    listener: Listener
    started: Start | None
    clock: Clock | None = None


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
    folder = runs.begin(store, info)
    return _finished(
        _Job(
            plan=plan,
            options=options,
            folder=folder,
            listener=listener,
            started=started,
            clock=clock,
        ),
        info,
    )


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
    folder = unfinished.folder
    return _finished(
        _Job(plan=plan, options=options, folder=folder, listener=listener, started=started), info
    )


def lacking(folder: Path, plan: Plan) -> Plan:
    """The part of a plan that is not in the journal of a run: the cases left to be measured, or skipped."""
    _, entries = journal.read(folder)
    done = {(e.record.case, e.record.device) for e in entries}
    return dataclasses.replace(
        plan,
        cases=tuple(case for case in plan.cases if case.key not in done),
        skips=tuple(skip for skip in plan.skips if skip.case.key not in done),
    )


def _finished(job: _Job, info: RunInfo) -> StoredRun:
    """Measure what the journal lacks, and finish the folder; a run that ends early stays unfinished."""
    left, options, listener = lacking(job.folder, job.plan), job.options, job.listener
    cases = len(left.cases)
    listener.started(info.run_id, cases, cases * options.schedule.steps_per_case)
    with journal.Journal(job.folder) as rows:
        writer = RunWriter(folder=job.folder, info=info, journal=rows)
        facts = manifest.row_facts(info, options, None)
        for skip in left.skips:
            outcome = Outcome(case=skip.case, status="skipped", reason=skip.reason)
            writer.write(entry := outcome.entry(facts))
            listener.finished(entry.record)
        if cases:
            _measure(job, left, writer)
    return writer.finish()


def _measure(job: _Job, left: Plan, writer: RunWriter) -> None:
    """Measure cases batch by batch, with workers of our own if none were started."""
    how = job.options.schedule.workers, job.options.threads
    with nullcontext(job.started) if job.started else start(*how) as ready:
        opened = OpenRun(
            writer,
            job.options,
            ready.pool,
            job.folder.parent,
            listener=job.listener,
            clock=job.clock,
        )
        for batch in opened.scheduler.measure(left.cases):
            opened.keep_batch(batch)
        opened.close()
