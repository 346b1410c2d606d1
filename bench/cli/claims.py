"""`bench claims`: what a course says about time and memory, and what people dispute, checked by what was measured here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cli.app import OK, app
from bench.cli.options import STORE, ClaimRuns, Json, Store
from bench.cli.output import print_json, say, show, width
from bench.cli.runs import find_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.store.runs import StoredRun


@app.command("claims")
def claims_command(*, run: ClaimRuns = None, store: Store = STORE, as_json: Json = False) -> int:
    """Answer claims of a course, and of public disputes, by what was measured.

    Each claim is settled by the newest run that has its cases, and within that run alone: it holds,
    holds from a size on, does not hold here, or is unsure. What was not measured says what to run.
    """
    from bench.analysis.claims.claim import answers, by_run
    from bench.analysis.claims.known import CLAIMS
    from bench.report.text.claims import claims_facts, claims_table, next_steps
    from bench.store.load import load_records

    chosen = _chosen(store, run or ())
    found = answers(CLAIMS, by_run(load_records(*(one.folder for one in chosen))))
    gpu = any(one.info.machine.get("gpus") for one in chosen)
    if as_json:
        print_json(claims_facts(found, gpu=gpu, store=store))
        return OK
    show(claims_table(found, width=width(), store=store))
    for step in next_steps(found, gpu=gpu, store=store):
        say(f"\n{step}")
    return OK


def _chosen(store: Path, words: Sequence[str]) -> list[StoredRun]:
    """The runs that were named, else those of the latest run's machine with hot caches and without fresh memory."""
    from bench.records.memory_policy import FRESH
    from bench.store import runs

    if words:
        return [find_run(store, word) for word in words]
    latest = find_run(store, "@latest")
    mine = latest.info.machine.get("machine_id")
    return [
        one
        for one in runs.list_runs(store)
        if one.finished
        and one.info.machine.get("machine_id") == mine
        and one.info.options.get("cache") != "cold"
        and one.info.memory_on("cpu") != FRESH
    ]
