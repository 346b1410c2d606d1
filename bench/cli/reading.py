"""`bench runs`, `show`, `export`, `report`: what was measured, in the form that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.app import OK, app
from bench.cli.printing import print_json, say, show, width
from bench.cli.words import OUT, STORE, Json, Out, RunWord, Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.store.runs import StoredRun


@app.command("runs")
def runs_command(*, store: Store = STORE, as_json: Json = False) -> int:
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
        print_json({"store": str(store), "runs": listed})
    else:
        from bench.report.terminal import runs_table

        show(runs_table(found, width=width()))
    return OK


@app.command("show")
def show_command(
    *,
    run: RunWord = "@latest",
    store: Store = STORE,
    form: Annotated[str, typer.Option("--format", help="table, json, csv or markdown.")] = "table",
) -> int:
    """Show one run."""
    found = _find(store, run)
    if form == "table":
        show_run(found)
    else:
        _export(found, form)
    return OK


@app.command("export")
def export_command(
    *,
    run: RunWord = "@latest",
    store: Store = STORE,
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
    store: Store = STORE,
    out: Out = OUT,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Everything inside one file.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Write an HTML page per run that opens offline."""
    found = [_find(store, word) for word in run or ["@latest"]]
    page = write_report(found, out, single_file=single_file)
    if as_json:
        print_json({"report": str(page), "runs": [one.info.run_id for one in found]})
    else:
        say(f"page: {page}")
    return OK


def _find(store: Path, word: str) -> StoredRun:
    from bench.store import words

    return words.find(store, word)


def show_run(run: StoredRun) -> None:
    """Print the table of a run."""
    from bench.report.terminal import run_table
    from bench.store.load import load_rows

    show(run_table(load_rows(run.folder), width=width()))


def _export(run: StoredRun, form: str) -> None:
    from bench.report.export import export
    from bench.store.load import load_rows

    say(export(load_rows(run.folder), run.info, form).rstrip("\n"))


def write_report(found: Sequence[StoredRun], out: Path, *, single_file: bool) -> Path:
    """Write the pages of these runs; gives the one to open."""
    from bench.report.build import build_report

    return build_report(found, out, single_file=single_file)
