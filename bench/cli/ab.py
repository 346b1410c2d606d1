"""`bench ab`: two configurations measured interleaved, in the same minutes, until each case is decided."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.app import app, exit_code
from bench.cli.ci import hand_over
from bench.cli.options import (
    STORE,
    Device,
    Gated,
    Json,
    Junit,
    Keyword,
    Label,
    Memory,
    PresetName,
    Seed,
    Setting,
    Store,
    all_of,
    split_words,
)
from bench.cli.output import print_json, say, show, width
from bench.cli.paired import BUDGET_HELP, opened, time_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.experiment.ab import DecisionGoal, Result
    from bench.experiment.configuration import Variant
    from bench.experiment.interleave import SideSpec
    from bench.plan.choose import Pair
    from bench.plan.plan import PlannedCase
    from bench.pool.interpreter import Interpreter
    from bench.pool.pool import Start
    from bench.report.text.ab import SideNames
    from bench.run.request import Request
    from bench.store.runs import StoredRun

VISIT_S = 0.02
"""Sampling time of a visit, as in a quick run: a round of a case is then a third of a second, and drift has
little time."""

What = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SUITE | FILE.py | SUITE/OP]...",
        help="What both sides do. Two ops are compared with each other, at equal axes.",
    ),
]


@app.command("ab")
def ab_command(
    *,
    what: What = None,
    a: Annotated[
        str | None,
        typer.Option("--a", metavar="PYTHON", help="Interpreter of side a. Default: ours."),
    ] = None,
    b: Annotated[
        str | None, typer.Option("--b", metavar="PYTHON", help="Interpreter of side b.")
    ] = None,
    a_env: Annotated[
        list[str] | None, typer.Option(metavar="K=V", help="A variable of a; several times.")
    ] = None,
    b_env: Annotated[list[str] | None, typer.Option(metavar="K=V", help="And of b.")] = None,
    a_threads: Annotated[int | None, typer.Option(min=1, help="Threads of a's workers.")] = None,
    b_threads: Annotated[int | None, typer.Option(min=1, help="And of b's.")] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option("--mode", metavar="MODE[,MODE]", help="How ops are called; two are compared."),
    ] = None,
    keyword: Keyword = None,
    device: Device = None,
    setting: Setting = None,
    preset: PresetName = "quick",
    memory: Memory = "reuse",
    threshold: Annotated[str, typer.Option(help="A smaller difference is none.")] = "2%",
    confidence: Annotated[str, typer.Option(help="Of each verdict.")] = "99%",
    budget: Annotated[str, typer.Option(metavar="SECONDS", help=BUDGET_HELP)] = "120",
    workers: Annotated[
        int | None,
        typer.Option(min=2, help="Fresh processes of each side. Default: 10, 6 with a GPU."),
    ] = None,
    timeout: Annotated[
        str, typer.Option(metavar="SECONDS", help="Time allowed per case and side.")
    ] = "60",
    seed: Seed = None,
    store: Store = STORE,
    label: Label = None,
    gate: Gated = False,
    junit: Junit = None,
    as_json: Json = False,
) -> int:
    """Say whether b is slower than a: two interpreters, environments, thread counts or ops, interleaved."""
    from bench.plan import mode as modes
    from bench.plan.choose import split_ops
    from bench.report.text.ab import ab_facts, ab_table
    from bench.run import request as requests

    suites, ops = split_ops(what or ())
    devices = split_words(device)
    each = requests.workers_of_side(workers, devices)
    asked = requests.Request(
        suites=suites,
        keyword=all_of(keyword),
        devices=devices,
        settings=requests.parse_settings(setting or ()),
        modes=modes.parse(mode or ()),
        preset=preset,
        workers=each,
        timeout_s=requests.parse_budget(timeout, "--timeout") or requests.DEFAULT_TIMEOUT_S,
        patience_s=0.0,
        seed=seed,
        memory=memory,
        kernels=False,  # a worker that has profiled is replaced, and the next case would lack it
        roofs=False,
        sides=2,
    )
    asked.check_access()
    sides = (_side("a", a, a_env, a_threads, each), _side("b", b, b_env, b_threads, each))
    goal = _goal(budget, threshold, confidence)
    found, names, runs = _compared(asked, ops, sides, goal, store, label)
    if as_json:
        print_json(ab_facts(found, names, runs))
    else:
        show(ab_table(found, names, runs, width=width()))
    broken = exit_code(row for one in found.answers for row in (one.one, one.other))
    return _handed_over(found, names, runs, gated=gate, junit=junit) or broken


def _handed_over(
    found: Result, names: SideNames, runs: Sequence[StoredRun], *, gated: bool, junit: Path | None
) -> int:
    """What CI systems want of it, judged as `bench compare` judges; returns the gate's exit code."""
    from bench.analysis.compare.gate import gate
    from bench.experiment.ab_comparison import called, comparison
    from bench.report.text.ab import reason

    one, other = (
        called(run.info, side, said)
        for run, side, said in zip(runs, "ab", (names.a, names.b), strict=True)
    )
    judged = comparison(found, one, other, why=lambda one: reason(one, found.aim.threshold))
    return hand_over([judged], [gate(judged)], gated=gated, junit=junit, environ=os.environ)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SideOptions:
    """A side before its workers start."""

    name: str
    variant: Variant
    interpreter: Interpreter | None
    workers: int

    def start(self, memory: str) -> Start:
        """Start its workers, with this memory policy."""
        from bench.pool.pool import start

        path = self.interpreter.path if self.interpreter else None
        return start(self.workers, self.variant.threads, self.variant.variables, path, memory)

    def environment(self) -> dict[str, Any]:
        """Facts of the environment that are its own."""
        from bench.machine.environment import variables

        found: dict[str, Any] = {"variables": variables({**os.environ, **self.variant.variables})}
        if self.interpreter:
            found["python"] = self.interpreter.python
            found["packages"] = dict(self.interpreter.packages)
        return found


def _side(
    name: str,
    python: str | None,
    words: Sequence[str] | None,
    threads: int | None,
    workers: int,
) -> _SideOptions:
    """A side as asked for.

    Raises:
        BenchError: a word can't be read, or the interpreter can't be used.
    """
    from bench.experiment.configuration import variant
    from bench.pool.interpreter import find
    from bench.run.request import threads_by_default

    found = variant(name, python, words or (), threads, otherwise=threads_by_default())
    environ = {**os.environ, **found.variables}
    interpreter = None if python is None else find(python, f"--{name}", environ)
    return _SideOptions(name=name, variant=found, interpreter=interpreter, workers=workers)


def _goal(budget: str, threshold: str, confidence: str) -> DecisionGoal:
    """The threshold, confidence and time of the decision.

    Raises:
        UnitError: a number can't be read.
    """
    from bench.experiment.ab import DecisionGoal
    from bench.run.request import parse_budget
    from bench.units import parse_portion

    return DecisionGoal(
        budget_s=parse_budget(budget, "--budget") or 0.0,
        threshold=parse_portion(threshold, "--threshold"),
        confidence=parse_portion(confidence, "--confidence"),
    )


def _compared(
    asked: Request,
    ops: Sequence[str],
    sides: tuple[_SideOptions, _SideOptions],
    goal: DecisionGoal,
    store: Path,
    label: str | None,
) -> tuple[Result, SideNames, Sequence[StoredRun]]:
    """Measure both sides, telling each verdict; workers start before the plan is made."""
    from bench.experiment.ab import ab
    from bench.report.text.ab import answer_line
    from bench.stats.sequential import LOOKS

    with ExitStack() as stack:
        starts = [stack.enter_context(side.start(asked.memory)) for side in sides]
        pairs = _pairs(asked, ops)
        names = _names(sides, ops, asked.modes)
        workers = sum(side.workers for side in sides)
        time_ = time_text(goal.budget_s, workers, LOOKS[0] * VISIT_S * workers * len(pairs))
        say(f"{names.title}: {len(pairs)} to decide, {time_}", err=True)
        one, other = (
            _spec(asked, side, started, cases, label)
            for side, started, cases in zip(sides, starts, zip(*pairs, strict=True), strict=True)
        )
        with opened((one, other), store, pairs) as paired:
            found = ab(
                paired,
                goal,
                now_s=time.perf_counter,
                told=lambda answer: say(answer_line(answer, goal.threshold), err=True),
            )
    return found, names, paired.runs


def _pairs(asked: Request, ops: Sequence[str]) -> list[Pair]:
    """The cases that meet; what is skipped is said.

    Raises:
        SelectionError: there is none.
    """
    from bench.errors import SelectionError
    from bench.plan.choose import pairs

    plan = asked.plan()
    for reason, skipped in Counter(skip.reason for skip in plan.skips).items():
        say(f"skipping {skipped}: {reason}", err=True)
    found = pairs(plan, ops, asked.modes)
    if not found:
        message = "every chosen case is skipped here; choose others with SUITE, -k or --set"
        raise SelectionError(message)
    return found


def _names(
    sides: tuple[_SideOptions, _SideOptions], ops: Sequence[str], modes: Sequence[str]
) -> SideNames:
    """The names of the sides: what differs between them."""
    from bench.report.text.ab import SideNames

    one, other = (side.variant for side in sides)
    words = [one.words(other), other.words(one)]
    for own in (own for own in (ops, modes) if len(set(own)) > 1):
        words = [", ".join(filter(None, pair)) for pair in zip(own, words, strict=True)]
    return SideNames(a=words[0], b=words[1])


def _spec(
    asked: Request,
    side: _SideOptions,
    started: Start,
    cases: Sequence[PlannedCase],
    label: str | None,
) -> SideSpec:
    """A side as it is measured: into a run of its own, with time for all planned rounds."""
    from bench.experiment.interleave import SideSpec
    from bench.stats.sequential import LOOKS

    request = replace(
        asked,
        threads=side.variant.threads,
        rounds=LOOKS[-1],
        budget_s=VISIT_S * LOOKS[-1] * side.workers,
    )
    return SideSpec.of(
        request,
        started,
        run_key=side.name,
        tags={"ab": side.name},
        argv=["bench", *sys.argv[1:]],
        cases=cases,
        environment=side.environment(),
        label=label,
    )
