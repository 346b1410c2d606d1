"""`bench trend`: a case over all runs of a machine, and the steps in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.app import OK, app
from bench.cli.options import STORE, Store
from bench.cli.output import print_json, say, show, width

if TYPE_CHECKING:
    from bench.analysis.trend.trend import Trend

FORMS = ("table", "json", "csv")


@app.command("trend")
def trend_command(
    *,
    case: Annotated[
        str, typer.Argument(help="A case's id, or an expression as of -k that leaves one case.")
    ],
    machine: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Name or id. Default: that of the newest run that has the case."
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Which one, if it was measured on several.")
    ] = None,
    store: Store = STORE,
    form: Annotated[str, typer.Option("--format", help="table, json or csv.")] = "table",
) -> int:
    """Follow a case over the runs of a machine, and name the runs between which its time stepped."""
    from bench.analysis.trend.series import series
    from bench.analysis.trend.trend import trend
    from bench.errors import SelectionError, hint
    from bench.store import runs
    from bench.store.load import load_records

    if form not in FORMS:
        message = f"there is no form {form!r} of a trend; {hint(form, FORMS)}"
        raise SelectionError(message)
    infos = {run.info.run_id: run.info for run in runs.list_runs(store)}
    rows = series(load_records(store), case, machine=machine, device=device)
    _print(trend(rows, infos), form)
    return OK


def _print(found: Trend, form: str) -> None:
    from bench.report.text.trend import trend_csv, trend_facts, trend_table

    if form == "json":
        print_json(trend_facts(found))
    elif form == "csv":
        say(trend_csv(found).rstrip("\n"))
    else:
        show(trend_table(found, width=width()))
