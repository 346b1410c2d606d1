"""Is the number true? Calls that keep their own time, measured by the whole engine and compared.

    nox -s trueness -- --budget 1

Prints a table in Markdown. A wait ends at the first reading of its clock at or beyond the stated length,
so the truth is what the calls kept: how long each watched the clock, and how long it was from one call's
last reading to the next one's first, less what an empty call takes in a plain loop.
"""

from __future__ import annotations

import argparse
import bisect
import json
import os
import random
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING

from bench.run.outcome import RunFacts
from bench.run.request import Request
from bench.run.scheduler import Scheduler
from bench.run.state_monitor import StateMonitor
from bench.units import seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.store.journal import Entry

SUITE = Path(__file__).resolve().with_name("waits.py")
FOLDER = "BENCH_LAB_WAITS"
ALLOWED_SHARE = 0.005
ALLOWED_S = 20e-9
"""An error is small below the larger of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """When each call of one stated length began and how long it took, in all workers, in order."""

    calls: Sequence[tuple[int, int]]
    empty_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One stated length: the truth, and what was measured."""

    stated_s: float
    true_s: float
    headline_s: float

    @property
    def error_s(self) -> float:
        """How far the headline is off."""
        return self.headline_s - self.true_s

    @property
    def allowed_s(self) -> float:
        """How far it may be off."""
        return max(ALLOWED_SHARE * self.true_s, ALLOWED_S)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--budget", type=float, default=1.0, help="seconds of sampling per case")
    asked = parser.parse_args(argv)
    if not asked.budget > 0:
        parser.error("there must be some time to measure in")
    with tempfile.TemporaryDirectory(prefix="bench-trueness-") as name:
        os.environ[FOLDER] = name
        entries = measured(asked.budget)
        kept = read_kept(Path(name))
    print(table([line(entry, kept) for entry in entries]))
    return 0


def measured(budget_s: float) -> list[Entry]:
    """Every wait, measured as `bench run` does it; samples are dated by the clock that waits use."""
    asked = Request(suites=(str(SUITE),), devices=("cpu",), budget_s=budget_s)
    with asked.start() as started:
        plan = asked.plan()
        options = asked.options(len(plan.cases), label=None, tags={}, argv=())
        order = random.Random(options.seed)  # noqa: S311 - an order, not a secret
        scheduler = Scheduler(
            started.pool,
            options.schedule,
            shuffle=order,
            advance=lambda _case, _steps: None,
            monitor_of=lambda device: StateMonitor(started.pool.sense, device=device),
        )
        (batch,) = scheduler.measure(plan.cases)
    facts = RunFacts(
        run_id="trueness",
        machine_id="",
        machine="",
        device_names={},
        torch_version=None,
        threads=options.threads,
        confidence=options.confidence,
        started_at=datetime.now(UTC),
        started_ns=0,
    )
    return [outcome.entry(facts) for outcome in batch]


def read_kept(folder: Path) -> dict[str, Kept]:
    """Stated length, as in a case's id → what the calls kept."""
    files = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    found = {}
    for stated in {file["stated_us"] for file in files}:
        own = [file for file in files if file["stated_us"] == stated]
        found[str(stated)] = Kept(
            calls=sorted((began, took) for file in own for began, took in file["calls"]),
            empty_s=median(file["empty_ns"] for file in own) * 1e-9,
        )
    return found


def line(entry: Entry, kept: Mapping[str, Kept]) -> Line:
    """The headline beside the same statistic of the truth: the median over turns of their medians."""
    label = entry.record.params["stated_us"]
    own = kept[label]
    turns: dict[tuple[int, int], list[float]] = {}
    for sample in entry.samples:
        began_ns = round(sample.at_s * 1e9)
        true_s = true_sample_s(own, began_ns, sample.loops)
        turns.setdefault((sample.worker, sample.round), []).append(true_s)
    return Line(
        stated_s=int(label) * 1e-6,
        true_s=median(median(times) for times in turns.values()),
        headline_s=entry.record.time_s or float("nan"),
    )


def true_sample_s(own: Kept, began_ns: int, loops: int) -> float:
    """Seconds per call, by the clock of the calls themselves: so many, from now on."""
    first = bisect.bisect_left(own.calls, (began_ns, 0))
    calls = own.calls[first : first + loops]
    watched_ns = fmean(took for _, took in calls)
    between_ns = [b - a - took for (a, took), (b, _) in pairwise(calls)]
    return (watched_ns + fmean(between_ns or [0.0])) * 1e-9 - own.empty_s


def table(lines: Sequence[Line]) -> str:
    """Stated, true and measured times with the error, in Markdown."""
    head = [
        "| stated | true, by the calls' own clock | headline | error | allowed | |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(_row(one) for one in lines)])


def _row(one: Line) -> str:
    error = f"{one.error_s * 1e9:+.1f} ns ({100 * one.error_s / one.true_s:+.3f} %)"
    verdict = "met" if abs(one.error_s) <= one.allowed_s else "**missed**"
    cells = [seconds(one.stated_s), seconds(one.true_s, 5), seconds(one.headline_s, 5)]
    return "| " + " | ".join([*cells, error, seconds(one.allowed_s), verdict]) + " |"


if __name__ == "__main__":
    sys.exit(main())
