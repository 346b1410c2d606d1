"""`bench trend`: a case over all runs of a machine, and the steps in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cli.app import OK, app
from bench.cli.options import (
    STORE,
    TREND_FORMS,
    Store,
    TrendCase,
    TrendDevice,
    TrendForm,
    TrendMachine,
    check_form,
)
from bench.cli.output import print_json, say, show, width

if TYPE_CHECKING:
    from bench.analysis.trend.trend import Trend


@app.command("trend")
def trend_command(
    *,
    case: TrendCase,
    machine: TrendMachine = None,
    device: TrendDevice = None,
    store: Store = STORE,
    form: TrendForm = "table",
) -> int:
    """Follow a case over the runs of a machine, and name the runs between which its time stepped."""
    from bench.analysis.trend.series import series
    from bench.analysis.trend.trend import trend
    from bench.store import runs
    from bench.store.load import load_records

    check_form(form, TREND_FORMS)
    infos = {run.info.run_id: run.info for run in runs.list_runs(store)}
    rows = series(load_records(store), case, machine=machine, device=device, store=store)
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
