"""Rows of the visits of a campaign that count, as its store has them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.analysis.fleet.fleet_summary import VisitRows
from bench.errors import StoreError
from bench.store import runs
from bench.store.load import load_records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.records.campaign import CampaignState, VisitState
    from bench.store.objects import Objects


COLUMNS = (
    *("run_id", "machine_id", "machine", "suite", "op", "case", "device", "device_name", "dtype"),
    *("params", "status", "reason", "warnings", "time_s", "time_lo_s", "time_hi_s", "confidence"),
    *("bound_by", "kernels", "flop", "bytes", "roof", "correct", "max_error"),
    *("sm_clock_hz", "throttled_share", "temperature_c", "other_processes"),
    *("threads", "cache", "memory", "mode", "torch_version", "fingerprint", "started_at"),
)
"""What is asked of a row here: a third of its columns, of a million rows."""


def visit_rows(objects: Objects, state: CampaignState) -> tuple[list[VisitRows], list[str]]:
    """The rows of each visit that is done; and of those that can't be read, why.

    Args:
        objects: of the campaign's store.
        state: which runs count.
    """
    found, torn = [], []
    with tempfile.TemporaryDirectory() as name:
        for visit in state.visits:
            if visit.state == "done":
                try:
                    found.append(_rows(objects, state, visit, Path(name)))
                except StoreError as error:
                    torn.append(f"visit {visit.visit} of {visit.node}: {error}")
    return found, torn


def _rows(objects: Objects, state: CampaignState, visit: VisitState, scratch: Path) -> VisitRows:
    folder = objects.path(visit.run_id) or _fetched(objects, visit.run_id, scratch)
    run = runs.read(folder)
    if run is None or not run.finished:
        message = f"its run {visit.run_id} is not in the store, or can't be read"
        raise StoreError(message)
    return VisitRows(
        pool=visit.pool,
        node=visit.node,
        visit=visit.visit,
        records=tuple(load_records(folder, columns=COLUMNS)),
        info=run.info,
        confirms=visit.visit > state.campaign.visits,
    )


def _fetched(objects: Objects, run_id: str, scratch: Path) -> Path:
    """The rows of a run in a bucket, in a folder."""
    folder = scratch / run_id
    folder.mkdir(exist_ok=True)
    for name, data in _files(objects, run_id):
        (folder / name).write_bytes(data)
    return folder


def _files(objects: Objects, run_id: str) -> Iterator[tuple[str, bytes]]:
    for name in (runs.MANIFEST, runs.CASES):
        data = objects.read(f"{run_id}/{name}")
        if data is None:
            message = f"its run {run_id} has no {name} in the store"
            raise StoreError(message)
        yield name, data
