"""`bench crossover`: from which size on one side is faster than the other, out of stored rows or measured now."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.app import OK, app, exit_code
from bench.cli.options import STORE, Json, Memory, Setting, Store
from bench.cli.output import print_json, say, show, width
from bench.cli.paired import BUDGET_HELP, opened, time_text
from bench.cli.runs import find_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.experiment.configuration import Side
    from bench.experiment.crossover_search import Search, SearchGoal, Sweep
    from bench.experiment.interleave import PairedRun, Planned, SideSpec
    from bench.pool.pool import Start
    from bench.records.record import Record
    from bench.report.text.crossover import CrossoverNames
    from bench.run.request import Request

_ON_CPU = "write threads=1,all"
WORKERS_OF_SIDE = 4
"""Workers of each side: those of both sides are alive at once, and starting one takes a second of a core."""

OpWord = Annotated[
    str | None,
    typer.Argument(
        metavar="[OP]",
        help="suite/op, or an expression as of -k that leaves one op. It is measured; without it, or "
        "with --from, stored rows are read.",
    ),
]


@app.command("crossover")
def crossover_command(
    *,
    op: OpWord = None,
    from_: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="RUN", help="Read this run's rows; several times."),
    ] = None,
    suite: Annotated[
        list[str] | None,
        typer.Option("--suite", metavar="SUITE | FILE.py", help="Look for the op there only."),
    ] = None,
    setting: Setting = None,
    between: Annotated[
        str | None,
        typer.Option(
            metavar="ONE,OTHER",
            help="cpu,cuda or threads=1,2. Default: the CPU and the GPU, else threads=1,all.",
        ),
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(metavar="LOW,HIGH", help="Look between these. Default: the op's own sizes."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="Stop when the size is known to this factor.")
    ] = 1.25,
    budget: Annotated[str, typer.Option(metavar="SECONDS", help=BUDGET_HELP)] = "60",
    step: Annotated[
        str, typer.Option(metavar="SECONDS", help="Sampling time of a side at a size, at most.")
    ] = "1",
    workers: Annotated[
        int, typer.Option(min=1, help="Fresh processes of each side.")
    ] = WORKERS_OF_SIDE,
    memory: Memory = "reuse",
    timeout: Annotated[
        str, typer.Option(metavar="SECONDS", help="Time allowed per size and side.")
    ] = "60",
    store: Store = STORE,
    as_json: Json = False,
) -> int:
    """Say from which size on the GPU (or more threads, or another machine) is faster."""
    if op is None or from_:
        return _from_rows(op, from_ or (), store, as_json=as_json)
    from bench.errors import SelectionError
    from bench.experiment.crossover_search import parse_ends
    from bench.run import request as requests

    if not tolerance > 1:
        message = f"--tolerance {tolerance:g} is no factor above 1; write 1.25 for a quarter"
        raise SelectionError(message)
    goal = _Goal(
        op=op,
        ends=parse_ends(sizes),
        tolerance=tolerance,
        budget_s=requests.parse_budget(budget, "--budget") or 0.0,
    )
    asked = requests.Request(
        few_ops=False,
        suites=tuple(suite or ()),
        settings=requests.parse_settings(setting or ()),
        budget_s=requests.parse_budget(step, "--step"),
        workers=workers,
        timeout_s=requests.parse_budget(timeout, "--timeout") or requests.DEFAULT_TIMEOUT_S,
        patience_s=0.0,
        memory=memory,
        kernels=False,  # a worker that has profiled is replaced, and a search has many steps
        roofs=False,
    )
    return _from_search(goal, asked, _sides(between, workers), store, as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Goal:
    """The op to search, between which sizes, how exactly and in how much time."""

    op: str
    ends: tuple[float, float] | None
    tolerance: float
    budget_s: float


def _from_rows(op: str | None, words: Sequence[str], store: Path, *, as_json: bool) -> int:
    """The crossovers of stored rows."""
    from bench.analysis.crossover.crossovers import crossovers
    from bench.report.text.crossover import crossings_facts, crossings_table
    from bench.store.load import load_records

    places = [find_run(store, word).folder for word in words] or [store]
    rows = load_records(*places)
    found = crossovers(_only(rows, op) if op else rows)
    if as_json:
        print_json(crossings_facts(found))
    else:
        show(crossings_table(found, width=width(), store=store))
    return OK


def _only(rows: Sequence[Record], op: str) -> list[Record]:
    """The rows of an op, or those that an expression matches.

    Raises:
        SelectionError: the expression can't be read.
    """
    from bench.plan.filter import Filter

    named = [row for row in rows if f"{row.suite}/{row.op}" == op]
    test = Filter(op)
    return named or [row for row in rows if test.matches(row.case, row.params)]


def _sides(between: str | None, workers: int) -> tuple[Side, Side]:
    """The two sides; what is asked for must be here, and let a side's workers in.

    Raises:
        SelectionError: the words can't be read, a device is not here, or too few processes may use it.
    """
    from bench.errors import SelectionError
    from bench.experiment.configuration import sides
    from bench.machine.compute_mode import ContextLimits
    from bench.run.request import threads_by_default

    threads = threads_by_default()
    if between and between.startswith("threads="):
        return sides(between, present=("cpu",), threads=threads)
    from bench.worker import devices

    found = sides(between, present=devices.present(), threads=threads)
    between = between or ",".join(side.device for side in found)
    limits = ContextLimits.read()
    for side in found:
        if not devices.is_one(side.device):
            message = (
                f"--between {between!r}: {side.device!r} is no device; write cpu, cuda or cuda:1"
            )
            raise SelectionError(message)
        why = devices.why_missing(side.device)
        if why:
            message = f"--between {between!r}: {why}; {_ON_CPU} to compare on the CPU"
            raise SelectionError(message)
        why = limits.why_refused(side.device, workers, f"{_ON_CPU} instead")
        if why:
            message = f"--between {between!r}: {why}"
            raise SelectionError(message)
    return found


def _from_search(
    goal: _Goal, asked: Request, sides: tuple[Side, Side], store: Path, *, as_json: bool
) -> int:
    """Measure until it is known; workers start before the plan is made."""
    from bench.experiment.crossover_search import choose
    from bench.report.text.crossover import CrossoverNames, search_facts, search_table

    requests = [replace(asked, devices=(s.device,), threads=s.threads) for s in sides]
    with ExitStack() as stack:
        starts = [stack.enter_context(request.start()) for request in requests]
        sweep = choose(goal.op, requests[0].plan(), replace(requests[0], preset="full").plan())
        aim = sweep.aim(goal.ends, tolerance=goal.tolerance, budget_s=goal.budget_s)
        names = CrossoverNames(axis=sweep.axis, one=sides[0].name, other=sides[1].name)
        title = f"{sweep.title}, {names.one} against {names.other}"
        workers = sum(len(started.pool) for started in starts)
        say(f"{title}: {time_text(goal.budget_s, workers)}", err=True)
        one, other = (
            _spec(request, started, _planned(request, sweep, aim.first[0]), title)
            for request, started in zip(requests, starts, strict=True)
        )
        with opened((one, other), store) as paired:
            found = _searched(paired, requests, sweep, aim, names)
    if as_json:
        print_json(search_facts(title, found, names, paired.runs))
    else:
        show(search_table(title, found, names, paired.runs, width=width()))
    return exit_code(row for step in found.steps for row in (step.one, step.other))


def _searched(
    paired: PairedRun,
    requests: Sequence[Request],
    sweep: Sweep,
    aim: SearchGoal,
    names: CrossoverNames,
) -> Search:
    from bench.experiment.crossover_search import search
    from bench.report.text.crossover import step_line

    def measure(size: float) -> tuple[Record, Record]:
        one, other = (_planned(request, sweep, size) for request in requests)
        return paired.measure((one, other))

    return search(
        measure,
        aim,
        now_s=time.perf_counter,
        told=lambda step: say(step_line(step, names), err=True),
    )


def _planned(request: Request, sweep: Sweep, size: float) -> Planned:
    """The op at a size, or why it is skipped there."""
    from bench.experiment.interleave import case_of

    plan = replace(request, suites=(sweep.suite_path,), settings=sweep.settings(size)).plan()
    found: list[Planned] = [*plan.cases, *plan.skips]
    return next(planned for planned in found if case_of(planned).op == sweep.op)


def _spec(request: Request, started: Start, planned: Planned, title: str) -> SideSpec:
    """A side as it is measured; sides with as many threads share a run, as devices do in `bench run`."""
    from bench.experiment.interleave import SideSpec, case_of

    return SideSpec.of(
        request,
        started,
        run_key=f"threads={request.threads}",
        tags={"crossover": title},
        argv=["bench", *sys.argv[1:]],
        cases=[case_of(planned)],
    )
