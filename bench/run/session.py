"""A measuring session: a run from plan to finished folder (workers, rounds, journal, Parquet). Prints nothing.

What happens on the way is told to a listener. Each finished case is on disk before the next batch,
so a run that is killed can be resumed where it stopped.
"""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext
from typing import TYPE_CHECKING

from bench.errors import StoreError
from bench.machine import hardware
from bench.pool.pool import start
from bench.run import manifest
from bench.run.open_run import OpenRun, RunWriter
from bench.run.outcome import Outcome
from bench.store import journal, runs
from bench.store.runs import StoredRun

if TYPE_CHECKING:
    from pathlib import Path

    from bench.plan.plan import Plan, PlannedCase
    from bench.pool.pool import Start
    from bench.run.listener import Listener
    from bench.run.manifest import Options
    from bench.run.state_monitor import Clock


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
    begun = StoredRun(folder=runs.begin(store, info), info=info, finished=False)
    return _finished(begun, plan, options, listener, started, clock=clock)


def resume(
    unfinished: StoredRun,
    plan: Plan,
    options: Options,
    listener: Listener,
    started: Start | None = None,
) -> StoredRun:
    """Go on with a run that was killed: measure what its journal lacks, and anew what was edited since.

    Raises:
        StoreError: this is not the machine, or not the torch, that it began on, or a package of the user's own
            was changed.
    """
    info, here = unfinished.info, hardware.read_machine()
    if info.machine.get("machine_id") != here.machine_id:
        message = f"run {info.run_id} began on {info.machine.get('name')}, and this is {here.name}"
        raise StoreError(message)
    code = manifest.code_of(plan)
    for name, was in info.imported.items():
        if name in code["imported"] and code["imported"][name]["files"] != was.get("files"):
            message = (
                f"run {info.run_id} began with other files of the package {name}, which its "
                "suites import; start a new run"
            )
            raise StoreError(message)
    left = lacking(unfinished, plan)
    unfinished = dataclasses.replace(unfinished, info=dataclasses.replace(info, **code))
    return _finished(unfinished, left, options, listener, started)


def lacking(unfinished: StoredRun, plan: Plan) -> Plan:
    """The part of a plan that is not in the journal of a run: the cases left to be measured, or skipped.

    What is there of another code does not count.
    """
    _, entries = journal.read(unfinished.folder)
    done = {(e.record.case, e.record.device): e.record.fingerprint for e in entries}
    files = unfinished.info.suites

    def is_done(case: PlannedCase) -> bool:
        known = done.get(case.key)
        same_file = files.get(case.suite) == case.suite_hash  # all that rows of older versions tell
        return case.key in done and (known == case.fingerprint if known else same_file)

    return dataclasses.replace(
        plan,
        cases=tuple(case for case in plan.cases if not is_done(case)),
        skips=tuple(skip for skip in plan.skips if not is_done(skip.case)),
    )


def outdated(unfinished: StoredRun, plan: Plan) -> tuple[PlannedCase, ...]:
    """The cases in the journal of a run whose code is another now: they are measured anew."""
    _, entries = journal.read(unfinished.folder)
    there = {(e.record.case, e.record.device) for e in entries}
    return tuple(case for case in lacking(unfinished, plan).all_cases if case.key in there)


def _finished(
    unfinished: StoredRun,
    left: Plan,
    options: Options,
    listener: Listener,
    started: Start | None,
    *,
    clock: Clock | None = None,
) -> StoredRun:
    """Measure what is left, and finish the folder; a run that ends early stays unfinished."""
    folder, info = unfinished.folder, unfinished.info
    schedule = options.schedule
    cases = len(left.cases)
    listener.started(info.run_id, cases, cases * schedule.steps_per_case)
    with journal.Journal(folder) as rows:
        writer = RunWriter(folder=folder, info=info, journal=rows)
        facts = manifest.row_facts(info, options, None)
        for skip in left.skips:
            outcome = Outcome(case=skip.case, status="skipped", reason=skip.reason)
            writer.write(entry := outcome.entry(facts))
            listener.finished(entry.record)
        if cases:
            how = schedule.workers, options.threads
            with nullcontext(started) if started else start(*how, memory=schedule.memory) as ready:
                opened = OpenRun(
                    writer, options, ready.pool, folder.parent, listener=listener, clock=clock
                )
                for batch in opened.scheduler.measure(left.cases):
                    opened.keep_batch(batch)
                opened.close()
    return writer.finish()
