"""A run from plan to finished folder: workers, rounds, journal, Parquet. Prints nothing.

What happens on the way is told to a listener. Each finished case is on disk before the next batch,
so a run that is killed can be resumed where it stopped.
"""

from __future__ import annotations

import dataclasses
import os
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bench import history, states, stats, turns
from bench import machine as machines
from bench.environment import read_environment
from bench.errors import StoreError
from bench.lookout import Lookout
from bench.measure.crew import Crew
from bench.outcome import Outcome, RunFacts
from bench.rounds import Rounds
from bench.stats import CONFIDENCE
from bench.store import journal, runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.measure.protocol import Hello
    from bench.plan import Plan, PlannedCase
    from bench.record import Record
    from bench.schedule import Schedule
    from bench.states import Conditions
    from bench.store.runs import RunInfo, StoredRun

_MEMORY_SHARE = 0.4
"""Share of the free memory that the inputs of interleaved cases may take; results need the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a run is measured and what it is called."""

    schedule: Schedule
    threads: int
    seed: int
    preset: str
    selection: Mapping[str, Any]
    label: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    argv: Sequence[str] = ()
    confidence: float = CONFIDENCE


class Listener:
    """Hears how a run goes on; the default does nothing with it."""

    def started(self, run_id: str, cases: int, steps: int) -> None:
        """Workers are being started for `cases` cases, which take `steps` steps."""

    def advanced(self, case: str, steps: int) -> None:
        """Steps were taken on a case."""

    def waiting(self) -> None:
        """The machine is in a slower state than its reference; measuring pauses for a moment."""

    def finished(self, record: Record) -> None:
        """A case is done and on disk."""


def usable_memory_bytes() -> float:
    """What the inputs of all workers may take of the memory that is free now."""
    return machines.read_state().free_memory_bytes * _MEMORY_SHARE


def run(plan: Plan, options: Options, store: Path, listener: Listener) -> StoredRun:
    """Measure a plan into a new folder of the store.

    Raises:
        StoreError: the store can't be written (found before anything is measured).
    """
    now = datetime.now(UTC)
    info = _info(runs.new_run_id(now), now, plan, options)
    folder = runs.begin(store, info)
    return _measure(plan, options, folder, info, listener)


def resume(unfinished: StoredRun, plan: Plan, options: Options, listener: Listener) -> StoredRun:
    """Go on with a run that was killed: measure what its journal lacks.

    Raises:
        StoreError: this is not the machine, or not the torch, that it began on.
    """
    info, here = unfinished.info, machines.read_machine()
    if info.machine.get("machine_id") != here.machine_id:
        message = f"run {info.run_id} began on {info.machine.get('name')}, and this is {here.name}"
        raise StoreError(message)
    return _measure(plan, options, unfinished.folder, info, listener)


def look_around() -> dict[str, dict[str, Any]]:
    """This machine's identity, environment (with torch, as a worker sees it) and state."""
    threads = machines.default_threads()
    with _crew(1, threads) as crew:
        hello = crew.hello(0)
    return {
        "machine": dataclasses.asdict(machines.read_machine()),
        "environment": dataclasses.asdict(read_environment()),
        "torch": dict(hello.torch),
        "state": dataclasses.asdict(machines.read_state()),
    }


def _info(run_id: str, now: datetime, plan: Plan, options: Options) -> RunInfo:
    schedule = options.schedule
    return runs.RunInfo(
        run_id=run_id,
        started_at=now.isoformat(timespec="seconds"),
        label=options.label,
        tags=options.tags,
        argv=options.argv,
        options={
            **options.selection,
            "preset": options.preset,
            "budget_s": schedule.case_budget_s,
            "workers": schedule.workers,
            "rounds": schedule.rounds,
            "timeout_s": schedule.timeout_s,
            "patience_s": schedule.patience_s,
            "cache": schedule.cache,
            "threads": options.threads,
            "confidence": options.confidence,
            "seed": options.seed,
        },
        machine=dataclasses.asdict(machines.read_machine()),
        environment=dataclasses.asdict(read_environment()),
        state=dataclasses.asdict(machines.read_state()),
        suites=history.fingerprints(plan),
    )


def _measure(
    plan: Plan, options: Options, folder: Path, info: RunInfo, listener: Listener
) -> StoredRun:
    _, entries = journal.read(folder)
    done = {(e.record.case, e.record.device) for e in entries}
    cases = [case for case in plan.cases if case.key not in done]
    skips = [skip for skip in plan.skips if skip.case.key not in done]
    listener.started(info.run_id, len(cases), len(cases) * options.schedule.steps_per_case)
    with journal.Journal(folder) as diary:
        for skip in skips:
            outcome = Outcome(case=skip.case, status="skipped", reason=skip.reason)
            _keep(diary, outcome.entry(_facts(info, options, None)), listener)
        if cases:
            info = _measure_cases(cases, options, info, (diary, listener), folder.parent)
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    return runs.finish(folder, dataclasses.replace(info, finished_at=finished))


def _measure_cases(
    cases: Sequence[PlannedCase],
    options: Options,
    info: RunInfo,
    told: tuple[journal.Journal, Listener],
    store: Path,
) -> RunInfo:
    """Measure the cases into the journal; gives the run's facts with what was found on the way."""
    diary, listener = told
    with _crew(options.schedule.workers, options.threads) as crew:
        hello = crew.hello(0)
        info = _with_torch(info, hello.torch)
        diary.write_header({"torch": info.torch})
        facts, earlier = _facts(info, options, hello), history.read(store, info)
        lookout = Lookout(
            crew.sense,
            levels=earlier.levels,
            patience_s=options.schedule.patience_s,
            waits=listener.waiting,
        )
        rounds = Rounds(
            crew,
            options.schedule,
            shuffle=random.Random(options.seed),  # noqa: S311 - an order, not a secret
            advance=listener.advanced,
            lookout=lookout,
        )
        for batch in rounds.measure(cases):
            reference = lookout.reference
            facts = dataclasses.replace(
                facts,
                reference=reference,
                others=_pooled(batch, reference),
                floors=earlier.floors(reference),
            )
            for outcome in batch:
                _keep(diary, outcome.entry(facts), listener)
    level = dataclasses.asdict(states.level(lookout.seen)) if lookout.seen else {}
    return dataclasses.replace(info, sentinels=level, waited_s=lookout.waited_s)


def _pooled(batch: Sequence[Outcome], reference: Conditions | None) -> stats.Spread | None:
    """What the cases of a batch say together of how far each may be off."""
    chosen = [turns.chosen(outcome.turns(), reference) for outcome in batch]
    spreads = [stats.spread(turns.cells(of_case)) for of_case in chosen if of_case]
    return stats.pooled([spread for spread in spreads if spread])


def _crew(workers: int, threads: int) -> Crew:
    return Crew.of_processes(workers, threads, os.environ, machines.core_groups())


def _with_torch(info: RunInfo, torch: Mapping[str, Any]) -> RunInfo:
    """The run's facts with torch's; a resumed run must go on with the torch it began with."""
    before, now = info.torch.get("version"), torch["version"]
    if before not in {None, now}:
        message = f"run {info.run_id} began with torch {before}, and this is {now}; start a new run"
        raise StoreError(message)
    return dataclasses.replace(info, torch=torch)


def _keep(diary: journal.Journal, entry: journal.Entry, listener: Listener) -> None:
    diary.write(entry)
    listener.finished(entry.record)


def _facts(info: RunInfo, options: Options, hello: Hello | None) -> RunFacts:
    """What the rows share: as a worker says it is, which is not always what was asked for."""
    torch = hello.torch if hello else {}
    started = datetime.fromisoformat(info.started_at)
    since_start_ns = (datetime.now(UTC) - started).total_seconds() * 1e9
    return RunFacts(
        run_id=info.run_id,
        machine_id=info.machine["machine_id"],
        machine=info.machine["name"],
        device_names={
            "cpu": info.machine["cpu_model"],
            **(hello.device_names if hello else {}),
        },
        torch_version=torch.get("version"),
        threads=torch.get("threads", options.threads),
        confidence=options.confidence,
        cache=options.schedule.cache,
        started_at=started,
        started_ns=time.perf_counter_ns() - round(since_start_ns),
    )
