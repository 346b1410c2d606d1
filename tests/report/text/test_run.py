"""Tables for a terminal fit it, align, and leave nothing out."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from bench.report.text.run import (
    NO_CASES,
    NO_DEVICE_TIMES,
    NO_RUNS,
    device_table,
    run_table,
    runs_table,
)
from bench.store.runs import StoredRun
from tests.fakes.launches import launched
from tests.fakes.rows import CODES, HOSTILE, assert_golden, example, info, lost, on, record

if TYPE_CHECKING:
    from rich.console import RenderableType


@pytest.fixture(autouse=True)
def fixed_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Golden files do not change with the wording of warnings."""
    monkeypatch.setattr("bench.analysis.findings.footnotes.CODES", CODES)


def shown(table: RenderableType, width: int) -> str:
    """What a terminal without colours shows, without the blanks at line ends."""
    file = io.StringIO()
    Console(file=file, width=width, no_color=True, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def some_runs() -> list[StoredRun]:
    """A finished run without a label, one with, and one that was killed."""
    counts = {"ok": 149, "failed": 1, "timeout": 0, "oom": 0, "skipped": 3}
    options = {"preset": "full", "devices": ["cpu", "cuda"]}
    first = info(run_id="20261122T050201Z-aaaaaa", label=None, counts=counts)
    second = info(run_id="20261123T050201Z-bbbbbb", label="[red]é", options=options, counts=counts)
    third = info(run_id="20261124T050201Z-cccccc", counts={})
    return [
        StoredRun(folder=Path("a"), info=first, finished=True),
        StoredRun(folder=Path("b"), info=second, finished=True),
        StoredRun(folder=Path("c"), info=third, finished=False),
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_a_run_is_readable_at_usual_widths(width: int) -> None:
    """Suites in blocks, numbers aligned, failures with reasons, skips folded, footnotes beneath."""
    text = shown(run_table(example(), width=width), width)
    assert_golden(text, f"report_run_{width}.txt")


@pytest.mark.parametrize("width", [80, 120])
def test_two_devices_stand_under_each_other(width: int) -> None:
    """The device is a column only where there are several."""
    rows = example()[:7]
    text = shown(run_table([*rows, *on("cuda", rows)], width=width), width)
    assert_golden(text, f"report_run_devices_{width}.txt")


def test_cold_times_are_called_so() -> None:
    """At the head of their column."""
    heads = [
        shown(run_table([record(cache=cache)], width=80), 80).splitlines()[0].split()
        for cache in ("cold", "hot", None)
    ]
    assert heads == [["case", "cold", "time", "rate"], *[["case", "time", "rate"]] * 2]


@pytest.mark.parametrize("width", [80, 120, 160])
def test_the_list_of_runs_is_readable_at_usual_widths(width: int) -> None:
    """A line a run; unfinished ones are marked."""
    assert_golden(shown(runs_table(some_runs(), width=width), width), f"report_runs_{width}.txt")


def test_empty_tables_say_what_to_do() -> None:
    """Nothing at all would look like a fault."""
    assert shown(run_table([], width=80), 80).split() == NO_CASES.split()
    assert shown(runs_table([], width=80), 80).split() == NO_RUNS.split()


def test_a_run_of_only_skips_says_why() -> None:
    """There is no time to show, but there are reasons."""
    text = shown(run_table([lost("skipped", "no fast kernel")], width=80), 80)
    assert "skipped  matmul/square n=16 float32: no fast kernel" in text


FRESH = {"fresh_time_s": 1.3e-2, "fresh_time_lo_s": 1.2e-2, "fresh_time_hi_s": 1.4e-2}


def test_what_fresh_memory_costs_is_said_below_the_cases() -> None:
    """In a sentence, since few cases have it."""
    text = shown(run_table([record(time_s=1.6e-3, **FRESH)], width=200), 200)
    assert text.rstrip().endswith(
        "In fresh memory matmul/square n=16 float32 takes 13 ms instead of 1.6 ms: "
        "at least 87 % of that is page faults."
    )
    assert "In fresh memory" not in shown(run_table([record()], width=200), 200)


def test_data_is_never_markup() -> None:
    """Square brackets in a label or a reason are shown, not obeyed."""
    rows = [lost("failed", HOSTILE), record("x", "y", params={"kind": "(/bold)"})]
    text = shown(run_table(rows, width=300), 300)
    assert HOSTILE in text
    assert "kind=(/bold)" in text
    fresh = record("x", "y", params={"kind": "[red]"}, time_s=1.6e-3, **FRESH)
    assert 'In fresh memory x/y kind="[red]"' in shown(run_table([fresh], width=300), 300)
    assert "[red]é" in shown(runs_table(some_runs(), width=160), 160)


@given(
    width=st.integers(min_value=72, max_value=140),
    name=st.text(alphabet="abcdefgh ", min_size=1, max_size=90),
)
def test_no_line_is_wider_than_asked_for(width: int, name: str) -> None:
    """Long names fold; numbers never do."""
    rows = [*example(), record("x", "y", params={"kind": name.strip() or "x", "n": 16777216})]
    text = shown(run_table(rows, width=width), 200)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "2.040 µs" in text or "2.04 µs" in text


def test_listing_runs_needs_neither_pandas_nor_torch() -> None:
    """`bench runs` is to be quick."""
    code = "import sys, bench.report.text.run; print(sorted({'pandas', 'torch', 'plotly'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("width", [80, 120])
def test_times_on_a_device_stand_side_by_side(width: int) -> None:
    """Those that explain least are left out where there is little space; each is said in a sentence."""
    cold = {"device_time_cold_s": 3e-6, "profiled_time_s": None, "drain_s": 6e-6}
    rows = [
        launched(),
        launched("matmul", params={"n": 1024, "dtype": "bfloat16"}, **cold),
        record(),
    ]
    assert_golden(shown(device_table(rows, width=width), width), f"report_device_{width}.txt")
    assert NO_DEVICE_TIMES in shown(device_table([record()], width=width), 200)


def test_several_gpus_are_named() -> None:
    """The same case may have run on each."""
    text = shown(device_table([launched(), launched(device="cuda:1")], width=120), 120)
    assert "cuda:1" in text
