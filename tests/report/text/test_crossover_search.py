"""A search for a crossover reads as its answer, the sizes it rests on, and why it ended."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.experiment.crossover_search import SearchGoal, search
from bench.report.text.crossover import CrossoverNames, search_facts, search_table, step_line
from bench.store.runs import StoredRun
from tests.fakes.rows import assert_golden, lost, record
from tests.fakes.workers import info
from tests.report.text.test_crossover import shown

if TYPE_CHECKING:
    from bench.experiment.crossover_search import Search
    from bench.records.record import Record

NAMES = CrossoverNames(axis="n", one="1 thread", other="2 threads")
TITLE = "matmul/square dtype=float32, 1 thread against 2 threads"
KEPT = [StoredRun(folder=Path("results/20260102T030405Z-abcdef"), info=info(), finished=True)]


def measure(size: float) -> tuple[Record, Record]:
    """One thread is faster up to 200; 4096 does not fit."""
    params = {"n": round(size), "dtype": "float32"}
    one = record(params=params, time_s=1e-9 * size**2, threads=1)
    if size == 4096:
        return one, lost("oom", "no memory", params=params)
    return one, record(params=params, time_s=1e-5 + 0.75e-9 * size**2)


def found(budget_s: float = 100) -> Search:
    """A search that takes a second a size."""
    aim = SearchGoal(first=(16, 256, 4096), tolerance=1.25, budget_s=budget_s)
    ticks = iter(range(100))
    return search(measure, aim, now_s=lambda: next(ticks))


@pytest.mark.parametrize("width", [80, 120])
def test_it_is_readable_in_a_usual_terminal(width: int) -> None:
    """The answer first; sizes in order; what failed, and where the rows are."""
    table = search_table(TITLE, found(), NAMES, KEPT, width=width)
    assert_golden(shown(table, width), f"report_search_{width}.txt")


def test_an_end_for_lack_of_time_says_what_to_do() -> None:
    """Go on with more."""
    out = shown(search_table(TITLE, found(budget_s=2), NAMES, [], width=200), 200)
    assert "Measured 2 sizes in 3 s: the time was up; --budget with more seconds goes on." in out


def test_an_end_without_an_answer_says_what_to_do() -> None:
    """Where no other size would help."""
    aim = SearchGoal(first=(8, 32), tolerance=1.25, budget_s=100)
    same = record(time_s=1e-6)
    nothing = search(lambda _: (same, same), aim, now_s=lambda: 0)
    out = shown(search_table(TITLE, nothing, NAMES, [], width=200), 200)
    assert "no other size would tell more; a longer --step or a calmer machine" in out


def test_a_step_is_one_line() -> None:
    """With both times, or why there is none."""
    lines = [step_line(step, NAMES) for step in found().steps]
    assert lines[0] == "n=16: 1 thread 256 ns ± 1.0 %, 2 threads 10.2 µs ± 1.0 %"
    assert lines[2].endswith("2 threads oom")


def test_json_has_every_step() -> None:
    """And the answer; what is not known is null."""
    one = found()
    told = search_facts(TITLE, one, NAMES, KEPT)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert (told["op"], told["one"], told["other"], told["axis"]) == (
        TITLE,
        "1 thread",
        "2 threads",
        "n",
    )
    assert [step["size"] for step in told["steps"]] == [step.size for step in one.steps]
    assert told["steps"][2]["other"]["reason"] == "no memory"
    assert told["steps"][0]["one"]["threads"] == 1
    assert told["runs"] == [{"run": KEPT[0].info.run_id, "path": str(KEPT[0].folder)}]
    assert told["ended"] == one.ended
    bare = dataclasses.replace(one, steps=())
    assert search_facts(TITLE, bare, NAMES, [])["steps"] == []
