"""`bench runs`, `show`, `export`, `import`, `report`: stored runs, listed, shown, exported, imported, as pages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench.cli.app import OK, app
from bench.cli.fleet_options import AgainstReference
from bench.cli.options import (
    OUT,
    STORE,
    DeviceTimes,
    ExportForm,
    ImportFile,
    ImportLabel,
    Json,
    Out,
    ReportRuns,
    RunWord,
    ShowForm,
    SingleFile,
    Store,
    check_form,
)
from bench.cli.output import WHOLE_LINES, print_json, say, show, width
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.store.runs import StoredRun

PYTEST_BENCHMARK = "pytest-benchmark"


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
        from bench.report.text.run import runs_table, unfinished_note

        columns = width() if sys.stdout.isatty() else WHOLE_LINES
        show(runs_table(found, width=columns, store=store), columns=columns)
        if note := unfinished_note(found, store):
            say(note, err=True)
    return OK


@app.command("show")
def show_command(
    *,
    run: RunWord = "@latest",
    store: Store = STORE,
    form: ShowForm = "table",
    device_times: DeviceTimes = False,
    against: AgainstReference = None,
) -> int:
    """Show one run."""
    found = find_run(store, run)
    if against:
        from bench.cli.fleet_results import show_against

        show_against(found.folder, against, form)
    elif device_times or form == "table":
        show_run(found, store, device_times=device_times)
    else:
        _export(found, form)
    return OK


@app.command("export")
def export_command(
    *,
    run: RunWord = "@latest",
    store: Store = STORE,
    form: ExportForm = "csv",
) -> int:
    """Print one run for other programs."""
    from bench.report.text.export import FORMS

    check_form(form, (*FORMS, PYTEST_BENCHMARK))
    if form == PYTEST_BENCHMARK:
        _export_samples(find_run(store, run))
    else:
        _export(find_run(store, run), form)
    return OK


@app.command("import")
def import_command(
    *,
    file: ImportFile,
    store: Store = STORE,
    label: ImportLabel = None,
    as_json: Json = False,
) -> int:
    """Bring runs from another machine or program into the store; what is there already stays."""
    from bench.store.import_run import import_runs

    found = import_runs(store, file, label)
    for left_out in (what for one in found for what in one.left_out):
        say(f"left out: {left_out}", err=True)
    if as_json:
        listed = [
            {
                "run": one.run.info.run_id,
                "path": str(one.run.folder),
                "new": one.new,
                "left_out": list(one.left_out),
            }
            for one in found
        ]
        print_json({"store": str(store), "runs": listed})
        return OK
    for one in found:
        said = "is now" if one.new else "was already, and nothing was added,"
        cases = counted(sum(one.run.info.counts.values()), "case")
        say(f"run {one.run.info.run_id} ({cases}) {said} in {one.run.folder}")
    return OK


@app.command("report")
def report_command(
    *,
    run: ReportRuns = None,
    store: Store = STORE,
    out: Out = OUT,
    single_file: SingleFile = False,
    as_json: Json = False,
) -> int:
    """Write an HTML page per run, and of several one that compares them; all open offline."""
    found = [find_run(store, word) for word in run or ["@latest"]]
    page = write_report(found, out, single_file=single_file)
    if as_json:
        print_json({"report": str(page), "runs": [one.info.run_id for one in found]})
    else:
        say(f"page: {page}")
    return OK


def find_run(store: Path, word: str) -> StoredRun:
    """The run that a word means; of which others it was chosen, if there were any, is told on stderr.

    Raises:
        StoreError: it means no run, or several.
    """
    from bench.store import find

    choice = find.choose(store, word)
    if choice.note:
        say(choice.note, err=True)
    return choice.run


def show_run(run: StoredRun, store: Path, *, device_times: bool = False) -> None:
    """Print the table of a run: its cases, or what is known of their times on a GPU."""
    from bench.report.text.run import device_table, run_table
    from bench.store.load import load_records

    rows = load_records(run.folder)
    if device_times:
        show(device_table(rows, width=width()))
    else:
        show(run_table(rows, width=width(), store=store))


def _export(run: StoredRun, form: str) -> None:
    from bench.report.text.export import export
    from bench.store.load import load_values

    say(export(load_values(run.folder), run.info, form).rstrip("\n"))


def _export_samples(run: StoredRun) -> None:
    """Print a run in the format that is made of samples; what it has no place for is counted on stderr."""
    from bench.report.html.run_page.samples import by_case
    from bench.report.text.pytest_benchmark_writer import exported, left_out
    from bench.store.load import load_records, load_samples

    rows = load_records(run.folder)
    samples = {key: of.time_s.tolist() for key, of in by_case(load_samples(run.folder)).items()}
    say(exported(rows, samples, run.info).rstrip("\n"))
    lacking = left_out(rows, samples)
    if lacking:
        say(f"left out: {counted(lacking, 'case')} without samples", err=True)


def write_report(found: Sequence[StoredRun], out: Path, *, single_file: bool) -> Path:
    """Write the pages of these runs; gives the one to open."""
    from bench.report.html.build import build_report

    return build_report(found, out, single_file=single_file)
