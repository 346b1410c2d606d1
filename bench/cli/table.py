"""`bench table`: runs as one table, by any column or axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.app import OK, app
from bench.cli.options import STORE, Store
from bench.cli.output import print_json, say, show, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.record import Record

FORMS = ("table", "json", "markdown", "csv")

Where = Annotated[
    str,
    typer.Option(
        metavar="'COLUMN=VALUE,... ...'",
        help="Only rows with these values of columns or axes: 'op=square dtype=float32,float64'.",
    ),
]


@app.command("table")
def table_command(
    *,
    run: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...",
            help="Paths, ids' beginnings, @latest, @-2, label:X, machine:X or git:COMMIT. "
            "Default: all runs.",
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="COLUMN", help="What the columns are: device, threads, run_id, an axis, …"
        ),
    ],
    where: Where = "",
    base: Annotated[
        str | None, typer.Option(metavar="VALUE", help="The first column, which ratios are to.")
    ] = None,
    store: Store = STORE,
    form: Annotated[str, typer.Option("--format", help="table, json, markdown or csv.")] = "table",
) -> int:
    """Put cases side by side by what they differ in, with ratios to the first column."""
    from bench.store import find
    from bench.store.load import load_records

    places = [find.find(store, word).folder for word in run or ()] or [store]
    return print_crosstab(load_records(*places), by=by, where=where, base=base, form=form)


def print_crosstab(
    rows: Sequence[Record], *, by: str, where: str = "", base: str | None = None, form: str
) -> int:
    """Print these rows by a column or axis; gives the exit code.

    Raises:
        SelectionError: a word can't be read, or means nothing in these rows.
    """
    from bench.analysis.pivot import crosstab
    from bench.analysis.row_filter import parse
    from bench.errors import SelectionError, hint
    from bench.report.text.pivot import TEXTS, crosstab_facts, crosstab_table

    if form not in FORMS:
        message = f"there is no form {form!r} of a table; {hint(form, FORMS)}"
        raise SelectionError(message)
    found = crosstab(parse(where).keep(rows), by, base)
    if form == "json":
        print_json(crosstab_facts(found))
    elif form == "table":
        show(crosstab_table(found, width=width()))
    else:
        say(TEXTS[form](found).rstrip("\n"))
    return OK
