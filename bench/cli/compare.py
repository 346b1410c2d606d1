"""`bench compare`: a run compared with others, case by case, with a verdict on each case."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.app import OK, SOME_FAILED, app
from bench.cli.ci import hand_over
from bench.cli.options import (
    OUT,
    ROWS_FORMS,
    STORE,
    Base,
    ByInstead,
    Confidence,
    Gated,
    Junit,
    New,
    Out,
    PageToo,
    RowsForm,
    Store,
    Threshold,
    Where,
    check_form,
)
from bench.cli.output import print_json, say, show, width
from bench.cli.runs import find_run
from bench.cli.table import print_crosstab

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.analysis.compare.comparison import Comparison
    from bench.analysis.compare.gate import Gate
    from bench.records.record import Record
    from bench.store.runs import RunInfo, StoredRun

    Read = tuple[list[Record], RunInfo]
    Gates = Sequence[Gate | None]


@app.command("compare")
def compare_command(
    *,
    base: Base,
    new: New = None,
    threshold: Threshold = "5%",
    confidence: Confidence = "99%",
    where: Where = None,
    by: ByInstead = None,
    gate: Gated = False,
    junit: Junit = None,
    form: RowsForm = "table",
    report: PageToo = False,
    out: Out = OUT,
    store: Store = STORE,
) -> int:
    """Say what is faster, slower, the same or unsure between a run and others."""
    from bench.analysis.compare.gate import gate as judged
    from bench.errors import SelectionError
    from bench.units import parse_portion

    check_form(form, ROWS_FORMS)
    if by and (gate or junit):
        message = "--by judges nothing; leave it out, or leave out --gate and --junit"
        raise SelectionError(message)
    read = [_read(_find(store, word)) for word in (base, *_others(base, new, by))]
    there = [one for one in read if one]
    if by:
        rows = [row for rows, _ in there for row in rows]
        return print_crosstab(rows, by=by, where=where, form=form, store=store) or _whole(read)
    band = parse_portion(threshold, "--threshold")
    sure = parse_portion(confidence, "--confidence", least=0.5)
    limit = _limit(Path.cwd(), there, band)
    chosen = _chosen(read, where)
    found = [_suggesting(one, store) for one in _compared(chosen, band, sure, limit)]
    gates = list(map(judged, found))
    if found:
        _print(form, found, gates if gate else [None] * len(found))
        if report:
            page = _page([one for one in chosen if one], out, band, sure, limit)
            say(f"page: {page}", err=form != "table")  # other forms are for programs
    code = hand_over(found, gates, gated=gate, junit=junit, environ=os.environ)
    return _whole(read) or code


def _others(base: str, new: Sequence[str] | None, by: str | None) -> Sequence[str]:
    """The runs beside the first.

    Raises:
        SelectionError: there are none, and nothing says what to compare within the one.
    """
    from bench.errors import SelectionError

    if not new and not by:
        message = f"{base} is compared with nothing; name another run, or --by a column (device)"
        raise SelectionError(message)
    return new or ()


def _whole(read: Sequence[object]) -> int:
    return OK if all(read) else SOME_FAILED


def _chosen(read: Sequence[Read | None], where: Sequence[str] | None) -> list[Read | None]:
    """The rows of each run that are asked for; a value need only be in one of the runs."""
    from bench.analysis.row_filter import parse, two_meanings

    wanted = parse(where)
    rows = [row for one in read if one for row in one[0]]
    wanted.keep(rows)
    for line in two_meanings((word.column for word in wanted.words), rows):
        say(f"bench: {line}", err=True)
    return [([r for r in one[0] if wanted.matches(r)], one[1]) if one else None for one in read]


def _limit(folder: Path, read: Sequence[Read], band: float) -> Callable[[str], float]:
    """Each case's threshold, as a folder's file or else the band says; idle patterns are told on stderr.

    Raises:
        SettingsError: the file can't be read.
    """
    from bench.analysis.compare import thresholds

    own = thresholds.read(folder)
    for pattern in own.idle({row.case for rows, _ in read for row in rows}):
        say(f"bench: the threshold of {pattern!r} matches no case", err=True)
    return partial(own.of, default=band)


def _compared(
    read: Sequence[Read | None], band: float, sure: float, limit: Callable[[str], float]
) -> list[Comparison]:
    """Each run that can be read, compared with the first."""
    from bench.analysis.compare.comparison import compare

    first, *others = read
    how = partial(compare, threshold=band, confidence=sure, limit=limit)
    return [how(first[0], one[0], first[1], one[1]) for one in others if first and one]


def _suggesting(found: Comparison, store: Path) -> Comparison:
    """The comparison with the command that would make it one, on this store."""
    from dataclasses import replace

    from bench.analysis.rerun_command import all_on_store

    known = found.comparable
    return replace(found, comparable=replace(known, remedy=all_on_store(known.remedy, store)))


def _page(
    read: Sequence[Read], out: Path, band: float, sure: float, limit: Callable[[str], float]
) -> Path:
    """Write the page of these runs, the base first."""
    from bench.analysis.compare.runs import lineup
    from bench.report.html.build import build_comparison

    rows, infos = zip(*read, strict=True)
    found = lineup(infos, rows, threshold=band, confidence=sure, limit=limit)
    return build_comparison(found, out)


def _print(form: str, found: Sequence[Comparison], gates: Gates) -> None:
    """Print comparisons in a form; Markdown also says what the gate found."""
    if form == "table":
        from bench.report.text.compare_terminal import comparisons_table

        show(comparisons_table(found, width=width()))
    elif form == "json":
        from bench.report.text.compare_terminal import comparisons_facts

        print_json(comparisons_facts(found))
    elif form == "csv":
        from bench.report.text.compare_markdown import as_csv

        say(as_csv(*found).rstrip("\n"))
    else:
        from bench.report.text.compare_markdown import markdown

        pages = [markdown(*pair).rstrip("\n") for pair in zip(found, gates, strict=True)]
        say("\n\n".join(pages))


def _find(store: Path, word: str) -> StoredRun | None:
    """The run that a word means; None, said on stderr, where its manifest or the page it is in is torn.

    Raises:
        StoreError: it means no run, or several.
    """
    from bench.errors import StoreError
    from bench.store import runs
    from bench.store.page_archive import TornPageError

    try:
        return find_run(store, word)
    except TornPageError as error:
        say(f"passed over: {error}", err=True)
        return None
    except StoreError:
        manifest = next(
            (p for p in (Path(word), store / word) if (p / runs.MANIFEST).is_file()), None
        )
        if manifest is None:
            raise
        say(f"passed over: {manifest / runs.MANIFEST} can't be read", err=True)
        return None


def _read(run: StoredRun | None) -> Read | None:
    """A run's rows; None, said on stderr, where the file is missing or torn."""
    from bench.errors import StoreError
    from bench.store.load import load_records

    if run is None:
        return None
    try:
        return load_records(run.folder), run.info
    except StoreError as error:
        say(f"passed over: {error}", err=True)
        return None
