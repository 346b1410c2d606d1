"""A run as pytest-benchmark's file: its own program reads it, and our number stands beside its statistics."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import SelectionError
from bench.report.text.pytest_benchmark_writer import exported, extra_info, left_out
from bench.store.pytest_benchmark_reader import run_of
from tests.fakes.workers import info, record

if TYPE_CHECKING:
    from pathlib import Path

TIMES = [3e-6, 1e-6, 2e-6]
ROWS = [
    record(0, time_lo_s=9e-7, time_hi_s=1.1e-6, loops=10),
    record(1, device="cuda"),
    record(2),
    record(3, status="failed", reason="no good", time_s=None),
]
SAMPLES = {
    (ROWS[0].case, "cpu"): TIMES,
    (ROWS[1].case, "cuda"): TIMES,
    (ROWS[3].case, "cpu"): [1.0],
}


def document() -> dict[str, Any]:
    """The file."""
    told: dict[str, Any] = json.loads(exported(ROWS, SAMPLES, info()))
    return told


def test_the_row_travels_beside_the_statistics() -> None:
    """As JSON can hold it, without what is empty or belongs to a run."""
    facts = extra_info(record(warnings=("noisy",)))
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["time_s"], facts["params"], facts["warnings"]) == (1e-6, {"n": "0"}, ["noisy"])
    assert not {"run_id", "started_at", "roof_share"} & set(facts)


def test_statistics_are_over_our_samples() -> None:
    """In the order taken, and named as the same case is in pytest."""
    first, second = document()["benchmarks"]
    assert first["stats"]["data"] == TIMES
    assert first["stats"]["median"] == statistics.median(TIMES)
    assert (first["stats"]["rounds"], first["stats"]["iterations"]) == (3, 10)
    assert (first["group"], first["name"]) == ("s/op", "test_quick[s/op[n=0]]")
    assert second["name"] == "test_quick[s/op[n=1]-cuda]"


def test_cases_without_samples_are_left_out_and_counted() -> None:
    """That format has no place for them."""
    assert [one["extra_info"]["case"] for one in document()["benchmarks"]] == [
        ROWS[0].case,
        ROWS[1].case,
    ]
    assert left_out(ROWS, SAMPLES) == 2


def test_a_run_without_any_samples_is_refused() -> None:
    """In one line, with what would do."""
    with pytest.raises(SelectionError, match=r"has no samples, .*; use json"):
        exported(ROWS, {}, info())


def test_the_machine_is_named_without_its_host() -> None:
    """Files are published."""
    machine = document()["machine_info"]
    assert (machine["node"], machine["cpu"]["brand_raw"]) == ("a machine", "a CPU")


def test_what_is_exported_can_be_imported() -> None:
    """With the interval that our engine gave it."""
    _, entries, _ = run_of(document(), "a.json")
    assert [entry.record.case for entry in entries] == [ROWS[0].case, ROWS[1].case]
    assert (entries[0].record.time_s, entries[0].record.time_lo_s) == (1e-6, 9e-7)
    assert [one.time_s for one in entries[0].samples] == TIMES


def test_pytest_benchmark_compares_such_files(tmp_path: Path) -> None:
    """Its own program, with two of them."""
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(exported(ROWS, SAMPLES, info()), encoding="utf-8")
    program = "import sys; from pytest_benchmark.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, "compare", "a.json", "b.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "benchmark 's/op': 4 tests" in done.stdout
    assert "Failed to load" not in done.stdout + done.stderr
    assert done.stdout.count("test_quick[s/op[n=0]]") == 2
