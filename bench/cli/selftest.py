"""`bench selftest`: the same cases measured several times, how far the numbers differ, and what comparing says."""

from __future__ import annotations

import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.app import app, exit_code
from bench.cli.options import Json, Memory, Patience, Repetitions, SelftestBudget, SelftestStore
from bench.cli.output import console, print_json, say, show, width

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bench.run.request import Request
    from bench.store.runs import StoredRun

PANEL = Path(__file__).resolve().with_name("selftest_suite.py")


@app.command("selftest")
def selftest_command(
    *,
    repetitions: Repetitions = 3,
    budget: SelftestBudget = "0.2",
    patience: Patience = None,
    memory: Memory = "reuse",
    store: SelftestStore = None,
    as_json: Json = False,
) -> int:
    """Run the same cases several times: this machine's false alarms and smallest visible effect."""
    from bench.analysis.compare.repeatability import powers, repeats
    from bench.report.text.selftest import selftest_facts, selftest_table
    from bench.run.request import Request, parse_budget, parse_patience
    from bench.store.load import load_records, load_rows

    asked = Request(
        suites=(str(PANEL),),
        devices=("cpu",),
        budget_s=parse_budget(budget, "--budget"),
        patience_s=parse_patience(patience),
        memory=memory,
        roofs=False,
    )
    with _folder(store) as folder:
        runs = _runs(asked, repetitions, Path(folder))
        rows = load_rows(*(run.folder for run in runs))
        records = [load_records(run.folder) for run in runs]
    judged = powers([(run.info, of) for run, of in zip(runs, records, strict=True)])
    found = repeats(rows)
    if as_json:
        kept = None if store is None else str(store)
        names = [run.info.run_id for run in runs]
        print_json({**selftest_facts(found, judged), "store": kept, "run_ids": names})
    else:
        show(selftest_table(found, judged, width=width()))
    return exit_code(row for of in records for row in of)


def _folder(store: Path | None) -> AbstractContextManager[str]:
    """The folder for the runs: the one asked for, else one that is gone afterwards."""
    if store is not None:
        return nullcontext(str(store))
    return tempfile.TemporaryDirectory(prefix="bench-selftest-")


def _runs(asked: Request, repetitions: int, store: Path) -> list[StoredRun]:
    from bench import units
    from bench.cli.progress import LiveListener
    from bench.run import session

    plan = asked.plan()
    argv = ["bench", *sys.argv[1:]]
    options = asked.options(len(plan.cases), label=None, tags={}, argv=argv)
    about = units.clock(repetitions * asked.estimate_s(len(plan.cases)))
    cases = units.counted(len(plan.cases), "case")
    say(f"measuring {cases} of the CPU {repetitions} times over, about {about}", err=True)
    found = []
    for number in range(1, repetitions + 1):
        say(f"run {number} of {repetitions}", err=True)
        with LiveListener(console(stderr=True), repeats=number > 1) as listener:
            found.append(session.run(plan, options, store, listener))
    return found
