"""How well do we and our peers repeat ourselves? The same thirteen cases, each tool in turn, N times.

    nox -s repeatability -- --runs 6 --budget 0.5

Prints a table in Markdown. Tools take turns, so that none has the machine's good minutes to itself;
each turn is a fresh process, and each tool is given the same budget per case.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bench.analysis.compare import repeatability
from bench.run import session
from bench.run.listener import Listener
from bench.run.request import Request
from bench.store.load import load_rows, load_samples
from bench.units import MISSING, share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PANEL = Path(__file__).resolve().with_name("panel.py")
THRESHOLDS = (0.03, 0.05, 0.10)
CONFIDENCE = 0.99
CLEARLY = 0.02
"""Intervals this far apart are called a change."""
PEER_COLUMNS = ("run_id", "case", "device", "status", repeatability.HEADLINE)

LOAD = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("panel", {panel!r})
panel = importlib.util.module_from_spec(spec)
spec.loader.exec_module(panel)
calls = panel.callables()
"""
TIMER = """
import json, torch
from torch.utils.benchmark import Timer
def median(call):
    timer = Timer("call()", globals={{"call": call}}, num_threads={threads} or torch.get_num_threads())
    return timer.blocked_autorange(min_run_time={budget}).median
print(json.dumps({{name: median(call) for name, call in calls.items()}}))
"""
PYTEST = """
import pytest
@pytest.mark.parametrize("name", list(calls))
def test_case(benchmark, name):
    benchmark(calls[name])
"""

Times = dict[str, float]
"""Case → seconds, as one run of a tool reports them."""


@dataclass(slots=True)
class Ours:
    """What our runs left: their folders, and how long each took from end to end."""

    store: Path
    folders: list[Path] = field(default_factory=list)
    wall_s: float = 0.0


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    asked = _arguments(argv)
    with tempfile.TemporaryDirectory(prefix="bench-repeatability-") as name:
        ours = Ours(Path(name))
        peers: dict[str, list[Times]] = {}
        for turn in range(1, asked.runs + 1):
            print(f"turn {turn} of {asked.runs}", file=sys.stderr, flush=True)
            run_ours(ours, asked.budget, asked.preset)
            for peer in PEERS:
                for tool, times in peer(asked.budget).items():
                    peers.setdefault(tool, []).append(times)
        rows = load_rows(*ours.folders)
        sampling_s = float(load_samples(*ours.folders)["elapsed_s"].sum())
    if (rows["status"] != "ok").any():
        print("some of our cases could not be measured", file=sys.stderr)
        return 1
    print(table(rows, {tool: frame(runs) for tool, runs in peers.items()}))
    print()
    print(about_ours(rows, sampling_s / ours.wall_s))
    if asked.json:
        kept = {"tensorbench": _times(rows, repeatability.HEADLINE), **peers}
        kept["tensorbench at reference"] = _times(rows, repeatability.AT_REFERENCE)
        asked.json.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=6, help="runs of each tool, at least 2")
    parser.add_argument("--budget", type=float, default=0.5, help="seconds of sampling per case")
    parser.add_argument("--preset", default="quick", help="workers and rounds of our runs")
    parser.add_argument("--json", type=Path, help="a file for every tool's times")
    asked = parser.parse_args(argv)
    if asked.runs < 2 or not asked.budget > 0:
        parser.error("there must be two runs to compare, and some time to measure them in")
    return asked


def run_ours(ours: Ours, budget_s: float, preset: str) -> None:
    """One run of this project's engine into the store, its intervals at 99 %."""
    began = time.perf_counter()
    asked = Request(suites=(str(PANEL),), devices=("cpu",), budget_s=budget_s, preset=preset)
    plan = asked.plan()
    options = asked.options(len(plan.cases), label=None, tags={}, argv=sys.argv)
    options = dataclasses.replace(options, confidence=CONFIDENCE)
    run = session.run(plan, options, ours.store, Listener())
    ours.wall_s += time.perf_counter() - began
    ours.folders.append(run.folder)


def one_thread(budget_s: float) -> dict[str, Times]:
    """torch.utils.benchmark as it comes."""
    return {"torch Timer, one thread": _timer(1, budget_s)}


def all_threads(budget_s: float) -> dict[str, Times]:
    """torch.utils.benchmark with the threads that torch would take."""
    return {"torch Timer, all threads": _timer(0, budget_s)}


def pytest_benchmark(budget_s: float) -> dict[str, Times]:
    """Both numbers that people read off pytest-benchmark."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        code = LOAD.format(panel=str(PANEL)) + PYTEST
        (folder / "test_panel.py").write_text(code, encoding="utf-8")
        words = (f"--benchmark-max-time={budget_s}", "--benchmark-json=out.json")
        _python("-m", "pytest", "-q", "test_panel.py", *words, folder=folder)
        told = json.loads((folder / "out.json").read_text(encoding="utf-8"))["benchmarks"]
    return {
        f"pytest-benchmark, {statistic}": {one["params"]["name"]: one["stats"][key] for one in told}
        for statistic, key in (("median", "median"), ("minimum", "min"))
    }


PEERS: tuple[Callable[[float], dict[str, Times]], ...] = (one_thread, all_threads, pytest_benchmark)


def _timer(threads: int, budget_s: float) -> Times:
    code = LOAD.format(panel=str(PANEL)) + TIMER.format(threads=threads, budget=budget_s)
    times: Times = json.loads(_python("-c", code))
    return times


def _python(*words: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def frame(runs: Sequence[Times]) -> pd.DataFrame:
    """A peer's runs in the columns that ours have, as far as the analysis reads them."""
    rows = [
        (f"{number:04d}", case, "cpu", "ok", time_s)
        for number, times in enumerate(runs)
        for case, time_s in times.items()
    ]
    return pd.DataFrame(rows, columns=list(PEER_COLUMNS))


def table(ours: pd.DataFrame, peers: Mapping[str, pd.DataFrame]) -> str:
    """Each tool's spread, and how often two of its runs of unchanged code differ, in Markdown."""
    alarms = "".join(f" over {100 * t:g} % apart |" for t in THRESHOLDS)
    lines = [
        f"| tool | spread, middle case | spread, worst case |{alarms}",
        "|---|---" + "|---" * (1 + len(THRESHOLDS)) + "|",
        _line("tensorbench, headline", ours, repeatability.HEADLINE),
        _line(
            "tensorbench, at reference",
            repeatability.at_one_reference(ours),
            repeatability.AT_REFERENCE,
        ),
        *(_line(tool, rows, repeatability.HEADLINE) for tool, rows in peers.items()),
    ]
    return "\n".join(lines)


def _line(tool: str, rows: pd.DataFrame, column: str) -> str:
    seen = repeatability.agreement(rows, column, THRESHOLDS)
    if seen is None:
        return f"| {tool} |" + f" {MISSING} |" * (2 + len(THRESHOLDS))
    few = f" ({seen.pairs} pairs)" if column == repeatability.AT_REFERENCE else ""
    worst = f"{share(seen.spread_worst)} ({seen.worst_case})"
    cells = [f"{tool}{few}", share(seen.spread_middle), worst]
    return "| " + " | ".join([*cells, *(share(part) for part in seen.changed.values())]) + " |"


def about_ours(rows: pd.DataFrame, sampling_share: float) -> str:
    """What only our runs can say: their intervals, and where their time went."""
    usual = repeatability.at_one_reference(rows)
    lines = [
        _intervals("intervals of the headline", rows, repeatability.HEADLINE),
        _intervals("intervals at reference", usual, repeatability.AT_REFERENCE),
        f"- share of our wall time spent sampling: {share(sampling_share)}",
    ]
    return "\n".join(lines)


def _intervals(what: str, rows: pd.DataFrame, column: str) -> str:
    gaps = repeatability.interval_gaps(rows, column)
    apart = repeatability.disjoint_share(gaps, CLEARLY) if len(gaps) else None
    return (
        f"- {share(CONFIDENCE)} {what}, unchanged pairs disjoint by more than {share(CLEARLY, 1)}: "
        f"{share(apart)} of {len(gaps)}; half-width, middle: {share(repeatability.half_width(rows, column))}"
    )


def _times(rows: pd.DataFrame, column: str) -> list[Times]:
    """One mapping per run, without the cases that lack the number."""
    known = rows.dropna(subset=[column])
    return [
        dict(zip(run["case"].tolist(), run[column].tolist(), strict=True))
        for _, run in known.groupby("run_id")
    ]


if __name__ == "__main__":
    sys.exit(main())
