"""Runs → files in a folder. Pages are replaced whole, and the index is made from what lies there.

In a folder a page has its rows beside it, as Parquet; a single file has the run inside.
"""

from __future__ import annotations

import gc
import multiprocessing
import re
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from bench.analysis.compare.runs import lineup
from bench.analysis.rerun_command import on_store
from bench.errors import StoreError
from bench.machine.hardware import usable_cores
from bench.report.html import render
from bench.report.html.compare_page import page as compare_page_page
from bench.report.html.downloads import ROWS, beside, inside
from bench.report.html.fleet_page import page as fleet_page_page
from bench.report.html.run_page import page
from bench.store import atomic
from bench.store.load import load_records, load_samples
from bench.store.runs import CASES, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from bench.analysis.compare.runs import Lineup
    from bench.analysis.fleet.fleet_summary import FleetSummary
    from bench.records.campaign import CampaignState
    from bench.records.record import Record
    from bench.store.runs import StoredRun

INDEX = "index.html"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MANY_ROWS = 8_000
"""From so many on, pages are made by several processes: a second one takes about as long to start as a page
of a thousand rows takes to make."""
HEAD_BYTES = 65_536
"""A page's facts stand within its beginning, so that an index needs no more of it."""


def build_report(
    runs: Sequence[StoredRun], out: Path, *, single_file: bool = False, comparing: bool = True
) -> Path:
    """Write a page for each run into `out`, of several also one that compares them; return what to open.

    Args:
        runs: finished runs; the others are compared with the first.
        out: the folder, made if there is none.
        single_file: whether there is one page, of the run or of the comparison, with everything inside.
        comparing: whether several runs are compared; else their index is what to open.

    Raises:
        StoreError: a run can't be read, or `out` can't be written.
    """
    if not runs:
        message = "there is no run to report; make one with: bench run"
        raise StoreError(message)
    named = {_name(run): run for run in runs}
    infos, several = [run.info for run in named.values()], len(named) > 1
    if several and single_file:
        rows = (load_records(run.folder) for run in named.values())
        return build_comparison(lineup(infos, rows), out, carried=list(named.values()))
    written = _run_pages(list(named.values()), out, single_file=single_file)
    if several and comparing:
        return build_comparison(lineup(infos, written), out)
    deque(written, maxlen=0)
    if not single_file:
        _shared(out)
    return out / (INDEX if several else f"{next(iter(named))}.html")


def build_comparison(found: Lineup, out: Path, *, carried: Sequence[StoredRun] = ()) -> Path:
    """Write the page of a comparison into `out` and return it; runs' pages that lie there are linked.

    Args:
        found: what it shows.
        out: the folder, made if there is none.
        carried: the runs, if the page is to hold them and all else that it needs.

    Raises:
        StoreError: `out` can't be written, a run can't be read, or the base's id can't name a file.
    """
    _file_name(found.runs[0].run_id)
    path = out / f"{compare_page_page.name(found.runs)}.html"
    made = compare_page_page.page(
        found,
        linked=() if carried else {page.stem for page in out.glob("*.html")},
        downloads=inside(carried),
        single_file=bool(carried),
    )
    _write(path, made.encode())
    if not carried:
        _shared(out)
    return path


def build_fleet(
    state: CampaignState, summary: FleetSummary, out: Path, *, single_file: bool = False
) -> Path:
    """Write the page of a campaign into `out`, and return it.

    Args:
        state: what has become of its visits.
        summary: what they say.
        out: the folder, made if there is none.
        single_file: whether everything is inside the page.

    Raises:
        StoreError: `out` can't be written, or the campaign's name can't name a file.
    """
    name = state.campaign.name
    if not _FILE_NAME.fullmatch(name):
        message = f"{name!r} can't name a campaign's page; was campaign.json changed by hand?"
        raise StoreError(message)
    path = out / f"{fleet_page_page.name(state.campaign)}.html"
    _write(path, fleet_page_page.page(state, summary, single_file=single_file).encode())
    if not single_file:
        _shared(out)
    return path


def _run_pages(
    runs: Sequence[StoredRun], out: Path, *, single_file: bool
) -> Iterator[list[Record]]:
    """Write the pages of runs, several at once where that is worth it; gives the rows of each, one after the other."""
    rows = sum(sum(run.info.counts.values()) for run in runs)
    if rows < _MANY_ROWS or len(runs) == 1:
        yield from (_run_page(run, out, single_file=single_file) for run in runs)
        return
    spawn = multiprocessing.get_context(
        "spawn"
    )  # a fork would inherit the threads of pyarrow, half alive
    workers = min(len(runs), len(usable_cores()))
    # Rows and texts hold no cycles, and looking for some takes a sixth of the time of a large page.
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=gc.disable) as pool:
        made = [pool.submit(_run_page, run, out, single_file=single_file) for run in runs]
        for one in made:
            yield one.result()


def _run_page(run: StoredRun, out: Path, *, single_file: bool) -> list[Record]:
    """Write the page of a run; gives its rows."""
    rows = load_records(run.folder)
    made = page.run_page(
        rows,
        run.info,
        samples=_samples(run),
        downloads=inside([run]) if single_file else beside([run]),
        single_file=single_file,
    )
    path = out / f"{run.info.run_id}.html"
    _write(path, made.encode())
    if not single_file:
        _write(path.with_suffix(ROWS), (run.folder / CASES).read_bytes())
    return rows


def _shared(out: Path) -> None:
    """What the pages of a folder have in common."""
    for name, text in render.shared().items():
        _write(out / name, text.encode())
    _write(out / INDEX, page.index_page(pages_in(out)).encode())


def pages_in(out: Path) -> list[dict[str, str]]:
    """What the pages in `out` say of themselves, newest run first; other files are passed over."""
    found = []
    for path in sorted(out.glob("*.html")):
        if path.name != INDEX:
            with path.open(encoding="utf-8", errors="replace") as file:
                facts = render.facts_in(file.read(HEAD_BYTES))
            if facts:
                found.append({**facts, "run_id": path.stem})
    return sorted(found, key=lambda facts: (facts["when"], facts["run_id"]), reverse=True)


def _name(run: StoredRun) -> str:
    """The run's id, if it can name a file."""
    if not run.finished:
        how = on_store(f"bench run --resume {run.info.run_id}", run.folder.parent)
        message = f"run {run.info.run_id} is not finished; go on with: {how}"
        raise StoreError(message)
    return _file_name(run.info.run_id, f"{run.folder}: ")


def _file_name(run_id: str, where: str = "") -> str:
    """The id, which comes from a file that anyone may have written."""
    if not _FILE_NAME.fullmatch(run_id):
        message = f"{where}{run_id!r} is no run id; was run.json changed by hand?"
        raise StoreError(message)
    return run_id


def _samples(run: StoredRun) -> pd.DataFrame | None:
    """The raw samples, which a run that came in a page may be without."""
    return load_samples(run.folder) if (run.folder / SAMPLES).is_file() else None


def _write(path: Path, data: bytes) -> None:
    try:
        atomic.write(path, data)
    except OSError as error:
        message = f"{path.parent} can't be written: {error.strerror}; choose another with --out"
        raise StoreError(message) from error
