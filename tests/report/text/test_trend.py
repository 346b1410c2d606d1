"""A trend reads as a sentence or two, then a line per run; files have every number."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from bench.analysis.trend.trend import trend
from bench.report.text.trend import answer, trend_csv, trend_facts, trend_table
from tests.fakes.rows import HOSTILE, WHEN, assert_golden, info, record

if TYPE_CHECKING:
    from bench.analysis.trend.trend import Trend
    from bench.records.record import Record

UP = (1.0, 1.01, 0.99, 1.0, 1.3, 1.31, 1.29, 1.3)


def rows(*shares: float) -> list[Record]:
    """A row a day, so many times 10 µs; the fifth has another torch."""
    return [
        record(
            params={"n": 1024, "dtype": "float32"},
            run_id=f"2026112{day}T050201Z-aaaaa{day}",
            started_at=WHEN + timedelta(days=day),
            time_s=1e-5 * share,
            torch_version="2.14.0" if day >= 4 else "2.13.0",
        )
        for day, share in enumerate(shares)
    ]


def example(found: list[Record] | None = None) -> Trend:
    """A step with the torch, a run that failed, one of other threads, and a label that is hostile."""
    if found is None:
        found = rows(*UP)
        found[1] = dataclasses.replace(found[1], status="failed", time_s=None)
        found.insert(0, dataclasses.replace(found[0], threads=1))
    infos = {
        one.run_id: info(
            run_id=one.run_id,
            label=HOSTILE if place == 2 else None,
            environment={"git_commit": f"{place}4e84f8a6fc9b", "git_dirty": place == 5},
        )
        for place, one in enumerate(found)
    }
    return trend(found, infos)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_table_is_readable_in_a_usual_terminal(width: int) -> None:
    """No line is wider, and none is cut."""
    file = io.StringIO()
    Console(file=file, width=width, no_color=True, legacy_windows=False).print(
        trend_table(example(), width=width)
    )
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert max(map(len, lines)) <= width
    assert_golden("\n".join(lines) + "\n", f"report_trend_{width}.txt")


def test_a_step_is_one_sentence_with_its_runs() -> None:
    """Torch and commit beside them, as far as they are known."""
    assert answer(example(rows(*UP))) == (
        "Step between 20261123T050201Z-aaaaa3 (torch 2.13.0, commit 34e84f8) and"
        " 20261124T050201Z-aaaaa4 (torch 2.14.0, commit 44e84f8): 1.300 (1.265 to 1.336) times as long"
        " as before. Nothing was known of the machine's state, which may be what changed."
    )
    bare = [dataclasses.replace(r, torch_version=None) for r in rows(*UP)]
    assert answer(trend(bare, {})).startswith(
        "Step between 20261123T050201Z-aaaaa3 and 20261124T050201Z-aaaaa4: 1.300 "
    )


@pytest.mark.parametrize(
    ("moved", "said"),
    [(1.0, False), (1.01, False), (1.3, True), (0.8, True)],
)
def test_a_machine_that_moved_is_told(moved: float, *, said: bool) -> None:
    """Where the sentinels moved with a headline it need not be the code."""
    found = [
        dataclasses.replace(r, sentinel_compute_s=1e-4 * (moved if day >= 4 else 1))
        for day, r in enumerate(rows(*UP))
    ]
    assert ("the machine changed, too" in answer(trend(found, {}))) == said
    brought = [
        dataclasses.replace(r, time_at_reference_s=r.time_s, reference_compute_s=1e-4)
        for r in found
    ]
    told = answer(trend(brought, {}))
    assert "Step between" in told
    assert "machine" not in told


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        (UP[:3], "Unsure about steps: 3 runs; it takes two on either side, less is one run only."),
        (UP[:1], "Unsure about steps: 1 run; it takes two on either side, less is one run only."),
        (UP[:4], "No step in 4 runs; one of 11 % in the middle would be named."),
        (
            UP[:5],
            ("No step in 5 runs; one of 120 % in the middle would be named. The newest run took"
             " 1.300 (1.167 to 1.449) times as long as those before it: one run only, so no step yet."),
        ),
    ],
)  # fmt: skip
def test_what_is_no_step_is_told_too(shares: tuple[float, ...], said: str) -> None:
    """With what could have been seen."""
    assert answer(trend(rows(*shares), {})) == said


def test_json_has_the_sentence_and_every_number() -> None:
    """It is JSON, and what is not known is null."""
    told = trend_facts(example())
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    (step,) = told["steps"]
    assert (step["runs_before"], step["runs_after"]) == (3, 4)
    assert step["ratio_lo"] < step["ratio"] < step["ratio_hi"]
    assert [run["why_not"] for run in told["runs"][:3]] == [None, "failed", None]
    assert told["left_out"] == 1
    assert told["newest_alone"] is None
    alone = trend_facts(example(rows(*UP[:5])))["newest_alone"]
    assert alone["ratio"] == pytest.approx(1.3, rel=0.01)


def test_csv_has_a_line_per_run() -> None:
    """The step in the first run after it, nothing where nothing is known."""
    lines = list(csv.DictReader(io.StringIO(trend_csv(example()))))
    assert len(lines) == 8
    assert [line["run"][-1] for line in lines if line["step_ratio"]] == ["4"]
    assert lines[1]["time_s"] == ""
    assert float(lines[0]["time_s"]) == 1e-5


def test_runs_that_agree_have_no_picture() -> None:
    """There is nothing between the fastest and the slowest."""
    file = io.StringIO()
    Console(file=file, width=100, no_color=True).print(
        trend_table(trend(rows(1, 1, 1, 1), {}), width=100)
    )
    assert "●" not in file.getvalue()
