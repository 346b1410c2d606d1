"""`bench run` measures cases and stores them."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from typing import TYPE_CHECKING

from bench.cli.app import app, exit_code
from bench.cli.options import (
    OUT,
    STORE,
    Budget,
    Cache,
    CaseTimeout,
    Device,
    Energy,
    Json,
    Kernels,
    Keyword,
    Label,
    Memory,
    Mode,
    PageWhenDone,
    Patience,
    PresetName,
    Resume,
    Roofs,
    Rounds,
    Seed,
    Setting,
    Store,
    Suites,
    Tags,
    Workers,
    WorkerThreads,
)
from bench.cli.output import console, print_json, say
from bench.cli.planning import parsed_request, say_cpu_only
from bench.cli.runs import show_run, write_report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bench.plan.plan import Plan, PlannedCase
    from bench.run.listener import Listener
    from bench.run.request import Request
    from bench.store.runs import StoredRun


@app.command("run")
def run_command(
    *,
    suites: Suites = None,
    keyword: Keyword = None,
    device: Device = None,
    setting: Setting = None,
    mode: Mode = None,
    preset: PresetName = "quick",
    budget: Budget = None,
    workers: Workers = None,
    rounds: Rounds = None,
    threads: WorkerThreads = None,
    cache: Cache = "hot",
    memory: Memory = "reuse",
    kernels: Kernels = True,
    energy: Energy = False,
    roofs: Roofs = True,
    timeout: CaseTimeout = "60",
    patience: Patience = None,
    store: Store = STORE,
    label: Label = None,
    tag: Tags = None,
    resume: Resume = None,
    seed: Seed = None,
    report: PageWhenDone = False,
    as_json: Json = False,
) -> int:
    """Measure cases and store them; a table at the end."""
    from bench.run import request as requests
    from bench.store.load import load_records

    asked = parsed_request(
        suites=suites,
        keyword=keyword,
        device=device,
        setting=setting,
        mode=mode,
        preset=preset,
        budget=budget,
        workers=workers,
        rounds=rounds,
        threads=threads,
        timeout_s=requests.parse_budget(timeout, "--timeout") or requests.DEFAULT_TIMEOUT_S,
        patience_s=requests.parse_patience(patience),
        seed=seed,
        cache=cache,
        memory=memory,
        kernels=kernels,
        energy=energy,
        roofs=roofs,
    )
    tags = requests.parse_tags(tag or ())
    run = _resumed(store, resume) if resume else _measured(asked, store, label, tags)
    if run.all_skipped:
        how = f"bench show {shlex.quote(str(run.folder))}"
        say(
            f"nothing was measured: every case was skipped, so this run is not @latest ({how})",
            err=True,
        )
    page = write_report([run], OUT, single_file=False) if report else None
    if as_json:
        facts = {"run": run.info.run_id, "path": str(run.folder), "cases": dict(run.info.counts)}
        print_json({**facts, "report": str(page) if page else None, "wrong": run.info.wrong})
    else:
        show_run(run, store)
        say(_ended(run, page))
    return exit_code(load_records(run.folder))


def _measured(asked: Request, store: Path, label: str | None, tags: dict[str, str]) -> StoredRun:
    from bench.run import session

    argv = ["bench", *sys.argv[1:]]
    with asked.start() as started:
        plan = asked.plan()
        options = asked.options(len(plan.cases), label=label, tags=tags, argv=argv)
        _announce(asked, plan)
        return _listening(store, lambda told: session.run(plan, options, store, told, started))


def _resumed(store: Path, word: str) -> StoredRun:
    from bench.run import session
    from bench.run.request import request_of
    from bench.store import find

    unfinished = find.find_unfinished(store, word)
    asked = request_of(unfinished.info)
    info = unfinished.info
    with asked.start() as started:
        plan = asked.plan()
        options = asked.options(len(plan.cases), label=info.label, tags=info.tags, argv=info.argv)
        _say_outdated(session.outdated(unfinished, plan))
        _announce(asked, session.lacking(unfinished, plan))
        return _listening(
            store, lambda told: session.resume(unfinished, plan, options, told, started)
        )


def _say_outdated(cases: Sequence[PlannedCase]) -> None:
    from bench.units import counted

    if cases:
        ops = ", ".join(dict.fromkeys(case.op_id for case in cases))
        what = f"{counted(len(cases), 'case')} of {ops}"
        say(f"measuring anew {what}, edited since the run began", err=True)


def _listening(store: Path, measure: Callable[[Listener], StoredRun]) -> StoredRun:
    """Measure under a progress bar; an interrupted run says how to go on."""
    from bench.analysis.rerun_command import on_store
    from bench.cli.progress import LiveListener

    with LiveListener(console(stderr=True)) as listener:
        try:
            return measure(listener)
        except KeyboardInterrupt:
            if listener.run_id:
                how = on_store(f"bench run --resume {listener.run_id}", store)
                say(f"\ninterrupted; what was finished is kept. Go on with: {how}", err=True)
            raise


def _ended(run: StoredRun, page: Path | None) -> str:
    """Where the run is, its page, and why it took longer than it said."""
    from bench import units

    waited = units.clock(run.info.waited_s) if run.info.waited_s >= 1 else None
    parts = (
        f"run {run.info.run_id} is in {run.folder}",
        f"page: {page}" if page else "",
        f"it waited {waited} for the machine to be as fast as usual" if waited else "",
    )
    return "; ".join(part for part in parts if part)


def _announce(asked: Request, plan: Plan) -> None:
    from bench import units

    say_cpu_only(asked)
    if plan.cases:
        about = units.clock(asked.estimate_s(len(plan.cases), plan.compiled))
        say(f"measuring {units.counted(len(plan.cases), 'case')}, about {about}", err=True)
    for reason, skipped in Counter(skip.reason for skip in plan.skips).items():
        say(f"skipping {units.counted(skipped, 'case')}: {reason}", err=True)
