"""Runs → files in a folder. Pages are replaced whole, and the index is made from what lies there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from plotly.offline import get_plotlyjs

from bench.analyse.rows import records
from bench.errors import StoreError
from bench.report import page, shell
from bench.store.load import load_rows, load_samples

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.store.runs import StoredRun

INDEX = "index.html"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HEAD_BYTES = 65_536  # a page's facts stand at its beginning


def build_report(runs: Sequence[StoredRun], out: Path, *, single_file: bool = False) -> Path:
    """Write a page for each run into `out` and return the one to open.

    Args:
        runs: finished runs; of several, an index is what to open.
        out: the folder, made if there is none.
        single_file: whether each page holds everything it needs, to be sent on alone.

    Raises:
        StoreError: a run can't be read, or `out` can't be written.
    """
    if not runs:
        message = "there is no run to report; make one with: bench run"
        raise StoreError(message)
    pages = {out / f"{_name(run)}.html": run for run in runs}
    written = []
    for path, run in pages.items():
        rows = records(load_rows(run.folder))
        samples = load_samples(run.folder)
        _write(path, page.run_page(rows, run.info, samples=samples, single_file=single_file))
        written.append(path)
    if not single_file:
        _write(out / shell.PLOTLY, get_plotlyjs())
    if single_file and len(written) == 1:
        return written[0]
    _write(out / INDEX, page.index_page(_pages(out)))
    return written[0] if len(written) == 1 else out / INDEX


def _name(run: StoredRun) -> str:
    """The run's id, if it can name a file."""
    if not run.finished:
        message = f"run {run.info.run_id} is not finished; go on with: bench run --resume {run.info.run_id}"
        raise StoreError(message)
    if not _FILE_NAME.fullmatch(run.info.run_id):
        message = f"{run.folder}: {run.info.run_id!r} is no run id; was run.json changed by hand?"
        raise StoreError(message)
    return run.info.run_id


def _pages(out: Path) -> list[dict[str, str]]:
    """What the pages in `out` say of themselves, newest run first; other files are passed over."""
    found = []
    for path in sorted(out.glob("*.html")):
        if path.name != INDEX:
            with path.open(encoding="utf-8", errors="replace") as file:
                facts = shell.facts_in(file.read(_HEAD_BYTES))
            if facts:
                found.append({**facts, "run_id": path.stem})
    return sorted(found, key=lambda facts: facts["run_id"], reverse=True)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(path)
    except OSError as error:
        message = f"{path.parent} can't be written: {error.strerror}; choose another with --out"
        raise StoreError(message) from error
