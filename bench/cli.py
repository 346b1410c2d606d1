"""The command line: argv → one call → what is printed, and the exit code. The only room that prints.

Everything heavy is imported by the command that needs it, so that `bench --help` answers at once.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bench.plan import Plan
    from bench.request import Request
    from bench.store.runs import StoredRun

OK, INTERNAL, USAGE, SOME_FAILED, INTERRUPTED = 0, 1, 2, 6, 130
_NARROWEST, _PLAIN_WIDTH = 60, 120

app = typer.Typer(
    name="bench",
    help="Time tensor ops on CPU and GPU, compare the numbers, publish the pages.",
    epilog="Start with: bench run --preset quick --report",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Suites = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SUITE | FILE.py]...", help="Suites by name or file; all if none is named."
    ),
]
Keyword = Annotated[
    str,
    typer.Option("-k", metavar="EXPR", help="Only cases whose id matches, e.g. 'square and n=64'."),
]
Device = Annotated[
    list[str] | None,
    typer.Option(
        "--device",
        help="cpu, cuda, cuda:1 or all; commas or several times. Default: all there are.",
    ),
]
Setting = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="AXIS=VALUE,...", help="Values of an axis, also ones a suite lacks."
    ),
]
PresetName = Annotated[
    str, typer.Option("--preset", help="quick: a look in two minutes. full: every size.")
]
Budget = Annotated[
    str | None,
    typer.Option("--budget", metavar="SECONDS", help="Sampling time per case (0.5, 200ms)."),
]
Store = Annotated[Path, typer.Option("--store", help="Folder of runs.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for the pages.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
RunWord = Annotated[
    str,
    typer.Argument(
        metavar="[RUN]", help="A path, an id's beginning, @latest, @-2, label:X or machine:X."
    ),
]
_STORE, _OUT = Path("results"), Path("reports")
# Typer brings click along under changing names; the base of its own exception is always UsageError.
_Misused: type[Exception] = typer.BadParameter.__mro__[1]


@app.command("run")
def run_command(
    *,
    suites: Suites = None,
    keyword: Keyword = "",
    device: Device = None,
    setting: Setting = None,
    preset: PresetName = "quick",
    budget: Budget = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Fresh processes per case.")] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Visits of each worker to each case.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads per worker. Default: the physical cores.")
    ] = None,
    timeout: Annotated[str, typer.Option(metavar="SECONDS", help="Time allowed per case.")] = "60",
    store: Store = _STORE,
    label: Annotated[
        str | None, typer.Option(help="A name for the run: label:TEXT finds it.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="K=V", help="A fact to keep with the run.")
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with a run that was killed.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the order of cases.")] = None,
    report: Annotated[bool, typer.Option("--report", help="Write a page when done.")] = False,
    as_json: Json = False,
) -> int:
    """Measure cases and store them; a table at the end."""
    from bench import request as requests

    asked = requests.Request(
        suites=tuple(suites or ()),
        keyword=keyword,
        devices=_words(device),
        settings=requests.parse_settings(setting or ()),
        preset=preset,
        budget_s=requests.parse_budget(budget, "--budget"),
        workers=workers,
        rounds=rounds,
        threads=threads,
        timeout_s=requests.parse_budget(timeout, "--timeout") or requests.DEFAULT_TIMEOUT_S,
        seed=seed,
    )
    tags = requests.parse_tags(tag or ())
    run = _resumed(store, resume) if resume else _measured(asked, store, label, tags)
    page = _report([run], _OUT, single_file=False) if report else None
    if as_json:
        facts = {"run": run.info.run_id, "path": str(run.folder), "cases": dict(run.info.counts)}
        _print_json({**facts, "report": str(page) if page else None})
    else:
        _show(run)
        _say(f"run {run.info.run_id} is in {run.folder}" + (f"; page: {page}" if page else ""))
    return SOME_FAILED if _failures(run) else OK


@app.command("list")
def list_command(
    *,
    suites: Suites = None,
    keyword: Keyword = "",
    device: Device = None,
    setting: Setting = None,
    preset: PresetName = "quick",
    budget: Budget = None,
    as_json: Json = False,
) -> int:
    """Show the plan: cases, skips with their reasons, the time it would take."""
    from bench import request as requests

    asked = requests.Request(
        suites=tuple(suites or ()),
        keyword=keyword,
        devices=_words(device),
        settings=requests.parse_settings(setting or ()),
        preset=preset,
        budget_s=requests.parse_budget(budget, "--budget"),
    )
    plan = asked.plan()
    estimate_s = asked.estimate_s(len(plan.cases))
    if as_json:
        from bench.report.plan import plan_facts

        _print_json(plan_facts(plan, estimate_s))
    else:
        from bench.report.plan import plan_table

        _say_cpu_only(asked)
        _print(plan_table(plan, estimate_s))
    return OK


@app.command("runs")
def runs_command(*, store: Store = _STORE, as_json: Json = False) -> int:
    """Show what the store holds."""
    from bench.store import runs

    found = runs.list_runs(store)
    if as_json:
        listed = [
            {
                "run": run.info.run_id,
                "path": str(run.folder),
                "finished": run.finished,
                "started_at": run.info.started_at,
                "label": run.info.label,
                "tags": dict(run.info.tags),
                "machine": run.info.machine.get("name"),
                "machine_id": run.info.machine.get("machine_id"),
                "torch_version": run.info.torch.get("version"),
                "preset": run.info.options.get("preset"),
                "cases": dict(run.info.counts),
            }
            for run in found
        ]
        _print_json({"store": str(store), "runs": listed})
    else:
        from bench.report.terminal import runs_table

        _print(runs_table(found, width=_width()))
    return OK


@app.command("show")
def show_command(
    *,
    run: RunWord = "@latest",
    store: Store = _STORE,
    form: Annotated[str, typer.Option("--format", help="table, json, csv or markdown.")] = "table",
) -> int:
    """Show one run."""
    found = _find(store, run)
    if form == "table":
        _show(found)
    else:
        _export(found, form)
    return OK


@app.command("export")
def export_command(
    *,
    run: RunWord = "@latest",
    store: Store = _STORE,
    form: Annotated[str, typer.Option("--format", help="csv, json or markdown.")] = "csv",
) -> int:
    """Print one run for other programs."""
    _export(_find(store, run), form)
    return OK


@app.command("report")
def report_command(
    *,
    run: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Runs; the latest if none.")
    ] = None,
    store: Store = _STORE,
    out: Out = _OUT,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Everything inside one file.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Write an HTML page per run that opens offline."""
    found = [_find(store, word) for word in run or ["@latest"]]
    page = _report(found, out, single_file=single_file)
    if as_json:
        _print_json({"report": str(page), "runs": [one.info.run_id for one in found]})
    else:
        _say(f"page: {page}")
    return OK


@app.command("machine")
def machine_command(*, as_json: Json = False) -> int:
    """Show this machine: what it is, how it is set up, how it is now."""
    from bench.report.machine import machine_table
    from bench.session import look_around

    facts = look_around()
    if as_json:
        _print_json(facts)
    else:
        _print(machine_table(facts))
    return OK


@app.command("explain")
def explain_command(
    *,
    code: Annotated[
        str | None, typer.Argument(help="A warning's code; all if none is named.")
    ] = None,
) -> int:
    """Say what a warning means and what to do about it."""
    from bench.codes import CODES, explain

    chosen = [explain(code)] if code else list(CODES.values())
    for one in chosen:
        _say(f"{one.code}\n  seen:  {one.seen}\n  cause: {one.cause}\n  try:   {one.remedy}")
    return OK


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code, prints errors as one line each."""
    words = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    try:
        code = app(words, prog_name="bench", standalone_mode=False)
    except BenchError as error:
        return _refuse(str(error))
    except _Misused as error:
        return _refuse(_usage(error))
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except SystemExit as error:
        # Click and rich answer a closed pipe with it: the reader (head, less) has seen enough.
        if isinstance(error.__context__, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return OK
        raise
    return code if isinstance(code, int) else OK


def _usage(error: Exception) -> str:
    """What was wrong with the words, in one line, and where the right ones are listed."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "bench"
    said: str = error.format_message()  # type: ignore[attr-defined]  # every UsageError has it
    return f"{' '.join(said.split()).rstrip('.')}; see {command} --help"


def _measured(asked: Request, store: Path, label: str | None, tags: dict[str, str]) -> StoredRun:
    from bench import session

    plan = asked.plan()
    options = asked.options(len(plan.cases), label=label, tags=tags, argv=["bench", *sys.argv[1:]])
    _announce(asked, plan)
    return _listening(store, lambda listener: session.run(plan, options, store, listener))


def _resumed(store: Path, word: str) -> StoredRun:
    from bench import session
    from bench.request import request_of
    from bench.store import runs

    unfinished = runs.find_unfinished(store, word)
    asked = request_of(unfinished.info)
    plan = asked.plan()
    info = unfinished.info
    options = asked.options(len(plan.cases), label=info.label, tags=info.tags, argv=info.argv)
    _announce(asked, plan)
    return _listening(store, lambda listener: session.resume(unfinished, plan, options, listener))


def _listening(store: Path, measure: Any) -> StoredRun:
    """Measure under a progress bar; an interrupted run says how to go on."""
    from bench.console import LiveListener

    with LiveListener(_console(stderr=True)) as listener:
        try:
            run: StoredRun = measure(listener)
        except KeyboardInterrupt:
            if listener.run_id:
                how = f"bench run --resume {listener.run_id} --store {shlex.quote(str(store))}"
                _say(f"\ninterrupted; what was finished is kept. Go on with: {how}", err=True)
            raise
    return run


def _announce(asked: Request, plan: Plan) -> None:
    from bench import units

    _say_cpu_only(asked)
    if plan.cases:
        about = units.clock(asked.estimate_s(len(plan.cases)))
        _say(f"measuring {len(plan.cases)} cases, about {about}", err=True)
    for reason in dict.fromkeys(skip.reason for skip in plan.skips):
        skipped = sum(skip.reason == reason for skip in plan.skips)
        _say(f"skipping {skipped} cases: {reason}", err=True)


def _say_cpu_only(asked: Request) -> None:
    if asked.cpu_only_by_default:
        from bench.measure.devices import why_missing

        _say(f"no GPU here ({why_missing('cuda')}): the CPU alone", err=True)


def _find(store: Path, word: str) -> StoredRun:
    from bench.store import runs

    return runs.find(store, word)


def _show(run: StoredRun) -> None:
    from bench.report.terminal import run_table
    from bench.store.load import load_rows

    _print(run_table(load_rows(run.folder), width=_width()))


def _export(run: StoredRun, form: str) -> None:
    from bench.report.export import export
    from bench.store.load import load_rows

    _say(export(load_rows(run.folder), run.info, form).rstrip("\n"))


def _report(found: Sequence[StoredRun], out: Path, *, single_file: bool) -> Path:
    from bench.report.build import build_report

    return build_report(found, out, single_file=single_file)


def _failures(run: StoredRun) -> int:
    return sum(run.info.counts.get(status, 0) for status in ("failed", "timeout", "oom"))


def _words(lists: Sequence[str] | None) -> tuple[str, ...]:
    """`["cpu,cuda", "cuda:1"]` → one word each."""
    return tuple(w.strip() for text in lists or () for w in text.split(",") if w.strip())


def _width() -> int:
    """Columns of the terminal; 120 where output goes to a file."""
    if not sys.stdout.isatty():
        return _PLAIN_WIDTH
    return max(_NARROWEST, shutil.get_terminal_size().columns)


def _console(*, stderr: bool = False) -> Any:
    from rich.console import Console

    return Console(stderr=stderr, width=None if stderr else _width(), highlight=False)


def _print(renderable: RenderableType) -> None:
    _console().print(renderable)


def _print_json(facts: Any) -> None:
    _say(json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False))


def _say(text: str, *, err: bool = False) -> None:
    sys.stdout.flush()  # so that both keep their order where they end in one place
    print(text, file=sys.stderr if err else sys.stdout, flush=True)


def _refuse(message: str) -> int:
    _say(f"bench: {message}", err=True)
    return USAGE
