"""Runs → files in a folder. Pages are replaced whole, and the index is made from what lies there.

In a folder a page has its rows beside it, as Parquet; a single file has the run inside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from plotly.offline import get_plotlyjs

from bench.analyse.rows import records
from bench.errors import StoreError
from bench.report import page, shell
from bench.report.downloads import ROWS, beside, inside
from bench.store.load import load_rows, load_samples
from bench.store.runs import CASES, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from bench.store.runs import StoredRun

INDEX = "index.html"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
HEAD_BYTES = 65_536
"""A page's facts stand within its beginning, so that an index needs no more of it."""


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
        made = page.run_page(
            rows,
            run.info,
            samples=_samples(run),
            downloads=inside([run]) if single_file else beside([run]),
            single_file=single_file,
        )
        _write(path, made.encode())
        if not single_file:
            _write(path.with_suffix(ROWS), (run.folder / CASES).read_bytes())
        written.append(path)
    if not single_file:
        _write(out / shell.PLOTLY, get_plotlyjs().encode())
    if single_file and len(written) == 1:
        return written[0]
    _write(out / INDEX, page.index_page(pages_in(out)).encode())
    return written[0] if len(written) == 1 else out / INDEX


def pages_in(out: Path) -> list[dict[str, str]]:
    """What the pages in `out` say of themselves, newest run first; other files are passed over."""
    found = []
    for path in sorted(out.glob("*.html")):
        if path.name != INDEX:
            with path.open(encoding="utf-8", errors="replace") as file:
                facts = shell.facts_in(file.read(HEAD_BYTES))
            if facts:
                found.append({**facts, "run_id": path.stem})
    return sorted(found, key=lambda facts: facts["run_id"], reverse=True)


def _name(run: StoredRun) -> str:
    """The run's id, if it can name a file."""
    if not run.finished:
        message = f"run {run.info.run_id} is not finished; go on with: bench run --resume {run.info.run_id}"
        raise StoreError(message)
    if not _FILE_NAME.fullmatch(run.info.run_id):
        message = f"{run.folder}: {run.info.run_id!r} is no run id; was run.json changed by hand?"
        raise StoreError(message)
    return run.info.run_id


def _samples(run: StoredRun) -> pd.DataFrame | None:
    """The raw samples, which a run that came in a page may be without."""
    return load_samples(run.folder) if (run.folder / SAMPLES).is_file() else None


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        message = f"{path.parent} can't be written: {error.strerror}; choose another with --out"
        raise StoreError(message) from error
