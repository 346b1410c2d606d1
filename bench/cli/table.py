"""`bench table`: runs as one table, by any column or axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cli.app import OK, app
from bench.cli.options import (
    ROWS_FORMS,
    STORE,
    BaseColumn,
    By,
    RowsForm,
    Store,
    TableRuns,
    Where,
    check_form,
)
from bench.cli.output import print_json, say, show, width
from bench.cli.runs import find_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.records.record import Record


@app.command("table")
def table_command(
    *,
    run: TableRuns = None,
    by: By,
    where: Where = None,
    base: BaseColumn = None,
    store: Store = STORE,
    form: RowsForm = "table",
) -> int:
    """Put cases side by side by what they differ in, with ratios to the first column."""
    from bench.store.load import load_records

    places = [find_run(store, word).folder for word in run or ()] or [store]
    rows = load_records(*places)
    return print_crosstab(rows, by=by, where=where, base=base, form=form, store=store)


def print_crosstab(
    rows: Sequence[Record],
    *,
    by: str,
    where: Sequence[str] | None = None,
    base: str | None = None,
    form: str,
    store: Path,
) -> int:
    """Print these rows by a column or axis; gives the exit code.

    Raises:
        SelectionError: a word can't be read, or means nothing in these rows.
    """
    from bench.analysis.pivot import crosstab
    from bench.analysis.row_filter import parse, two_meanings
    from bench.report.text.pivot import TEXTS, crosstab_facts, crosstab_table

    check_form(form, ROWS_FORMS)
    wanted = parse(where)
    kept = wanted.keep(rows)
    found = crosstab(kept, by, base)
    for line in two_meanings([*(word.column for word in wanted.words), by], rows):
        say(f"bench: {line}", err=True)
    if form == "json":
        print_json(crosstab_facts(found))
    elif form == "table":
        show(crosstab_table(found, width=width(), store=store))
    else:
        say(TEXTS[form](found).rstrip("\n"))
    return OK
