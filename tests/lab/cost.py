"""What does measuring cost beside sampling? Whole runs of `bench run`, from its start to its last line.

    nox -s cost -- --budget 0.5 --runs 1

Prints a table in Markdown: how much of the wall time of 60 cheap cases was spent sampling, and what one
more cheap case costs each worker beyond its samples, from a run of 8 cases and one of 40.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.plan import discover
from bench.store.load import load_samples
from bench.units import share

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
SUITE = Path(__file__).resolve().with_name("cheap.py")
PANEL = Path(__file__).resolve().with_name("panel.py")
SIZES = tuple(discover.load(SUITE).suite.axes["n"].choices)
FEW, MANY = 2, 10
"""Sizes of each of the four ops in the two runs that are compared: 8 cases, and 40."""
SMALL_BUDGET_S = 0.05
"""Sampling time of a case in these two: the least that `bench run` takes by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Where the time of one run went."""

    cases: int
    workers: int
    wall_s: float
    """From the start of the process to its end: Python, planning, workers, sampling, storing."""
    sampling_s: float
    """Between the two readings of the clock of every sample."""

    @property
    def sampling_share(self) -> float:
        """Share of the wall time that was spent sampling."""
        return self.sampling_s / self.wall_s


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    asked = _arguments(argv)
    whole: list[tuple[str, Cost]] = []
    extra_s: list[float] = []
    for turn in range(1, asked.runs + 1):
        print(f"turn {turn} of {asked.runs}", file=sys.stderr, flush=True)
        whole.append(("60 cheap cases", cost_of(SUITE, len(SIZES), asked.budget)))
        whole.append(("the panel of `repeatability`", cost_of(PANEL, None, asked.budget)))
        few, many = (cost_of(SUITE, sizes, SMALL_BUDGET_S) for sizes in (FEW, MANY))
        extra_s.append(extra_case_s(few, many))
    print(table(whole))
    print()
    print(f"- one more cheap case, beyond its samples: {1e3 * median(extra_s):.1f} ms per worker")
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1, help="how often each is measured")
    parser.add_argument("--budget", type=float, default=0.5, help="seconds of sampling per case")
    asked = parser.parse_args(argv)
    if asked.runs < 1 or not asked.budget > 0:
        parser.error("there must be a run, and some time to measure in")
    return asked


def cost_of(suite: Path, sizes: int | None, budget_s: float) -> Cost:
    """What one run of `bench run` costs, on the CPU, in a store that is empty."""
    words = ["run", str(suite), "--device", "cpu", "--budget", str(budget_s), "--json"]
    words += ["--patience", "0"]  # waiting for the machine is no cost of measuring
    if sizes is not None:
        words += ["--set", "n=" + ",".join(SIZES[:sizes])]
    with tempfile.TemporaryDirectory(prefix="bench-cost-") as store:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "bench", *words, "--store", store],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        wall_s = time.perf_counter() - began
        samples = load_samples(store)
    return Cost(
        cases=sum(json.loads(done.stdout)["cases"].values()),
        workers=int(samples["worker"].nunique()),
        wall_s=wall_s,
        sampling_s=float(samples["elapsed_s"].sum()),
    )


def extra_case_s(few: Cost, many: Cost) -> float:
    """Wall time that one more case takes in each worker beyond its samples, in seconds."""
    beyond_s = (many.wall_s - many.sampling_s) - (few.wall_s - few.sampling_s)
    return beyond_s / (many.cases - few.cases) / many.workers


def table(runs: Sequence[tuple[str, Cost]]) -> str:
    """Each run's wall time and how much of it was spent sampling, in Markdown."""
    lines = [
        "| what | cases | workers | wall | sampling | share of wall time |",
        "|---|---|---|---|---|---|",
        *(
            f"| {what} | {one.cases} | {one.workers} | {one.wall_s:.1f} s | {one.sampling_s:.1f} s |"
            f" {share(one.sampling_share)} |"
            for what, one in runs
        ),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
