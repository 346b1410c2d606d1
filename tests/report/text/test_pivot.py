"""A table of cases by columns fits a terminal, a document and a program."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from bench.analysis.pivot import crosstab
from bench.report.text.pivot import (
    NOTHING,
    crosstab_csv,
    crosstab_facts,
    crosstab_markdown,
    crosstab_table,
)
from tests.fakes.rows import assert_golden, lost, record

if TYPE_CHECKING:
    from bench.analysis.pivot import Crosstab

BARE = {"time_lo_s": None, "time_hi_s": None}


def example() -> Crosstab:
    """Four columns; a cell without a row, one that failed, one without an interval; two mixtures."""
    found = []
    for place, threads in enumerate((1, 2, 4, 8)):
        for n in (64, 1024):
            values = {"params": {"n": n, "dtype": "float32"}, "threads": threads}
            found.append(record(time_s=n**2 * 1.234e-8 / threads**0.5, **values))
        if place == 1:
            found.append(dataclasses.replace(found[-1], cache="cold", run_id="0"))
    big = {"n": 4096, "dtype": "float32"}
    found.append(record(params=big, threads=1, time_s=0.5, **BARE))
    found.append(record(params=big, threads=2, time_s=0.3, torch_version="2.14.0"))
    found.append(lost("oom", "no memory", params=big, threads=4))
    found.append(record(params=big, threads=None, time_s=0.2))
    return crosstab(found, "threads")


@pytest.mark.parametrize("width", [80, 100, 120])
def test_four_columns_fit_a_usual_terminal(width: int) -> None:
    """Within a hundred columns nothing but a case's id is folded."""
    file = io.StringIO()
    Console(file=file, width=width, no_color=True, legacy_windows=False).print(
        crosstab_table(example(), width=width)
    )
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert max(map(len, lines)) <= width
    assert_golden("\n".join(lines) + "\n", f"report_crosstab_{width}.txt")


def test_markdown_has_both_ends_of_each_ratio() -> None:
    """And what the table hides, beneath."""
    assert_golden(crosstab_markdown(example()), "report_crosstab.md")


def test_json_has_every_cell() -> None:
    """Null where there is none, and where an end isn't known."""
    told = crosstab_facts(example())
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert (told["base"], told["columns"]) == ("1", ["1", "2", "4", "8"])
    small, _, big = told["lines"]
    assert small["cells"]["4"]["ratio"] == pytest.approx(0.5)
    assert small["cells"]["1"]["ratio"] is None
    assert big["cells"]["2"]["ratio"] == pytest.approx(0.6)
    assert big["cells"]["2"]["ratio_hi"] is None
    assert (big["cells"]["4"]["status"], big["cells"]["8"]) == ("oom", None)
    assert [(one["column"], one["inside_cells"]) for one in told["mixed"]] == [
        ("cache", True),
        ("torch_version", False),
    ]
    assert told["left_out"] == 1


def test_csv_has_a_line_per_cell() -> None:
    """Those that are empty have none."""
    lines = list(csv.DictReader(io.StringIO(crosstab_csv(example()))))
    assert len(lines) == 11
    assert lines[1]["threads"] == "2"
    assert float(lines[1]["ratio"]) == pytest.approx(0.5**0.5)


def test_nothing_is_one_sentence() -> None:
    """With the command that says what there is."""
    file = io.StringIO()
    empty = crosstab([], "device")
    Console(file=file, width=100).print(crosstab_table(empty, width=100))
    assert file.getvalue().strip() == NOTHING
    assert crosstab_markdown(empty) == f"{NOTHING}\n"
    assert crosstab_facts(empty)["base"] is None
