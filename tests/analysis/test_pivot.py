"""A table by a column holds each case once, tells ratios to the first column, and hides nothing."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.pivot import crosstab
from bench.errors import SelectionError
from tests.fakes.rows import WHEN, lost, record

if TYPE_CHECKING:
    from bench.records.record import Record

SIZES = [record(params={"n": n, "dtype": "float32"}, time_s=n * 1e-6) for n in (16, 64)]
DTYPES = [
    record(params={"n": n, "dtype": dtype}, time_s=n * 1e-6 * (2 if dtype == "float64" else 1))
    for dtype in ("float32", "float64")
    for n in (16, 64)
]


def later(days: int, **values: Any) -> list[Record]:
    """The sizes in a run so many days later, changed as said."""
    about: dict[str, Any] = {"started_at": WHEN + timedelta(days=days), "run_id": f"run-{days}"}
    return [dataclasses.replace(r, **about, **values) for r in SIZES]


def test_an_axis_becomes_the_columns_and_leaves_the_ids() -> None:
    """Ratios are to the first column, with an interval out of both."""
    found = crosstab(DTYPES, "dtype")
    assert found.columns == ("float32", "float64")
    assert [line.case for line in found.lines] == ["matmul/square[n=16]", "matmul/square[n=64]"]
    for line in found.lines:
        first, second = line.cells
        assert first is not None
        assert second is not None
        assert first.ratio is None
        assert second.ratio is not None
        assert second.ratio.value == pytest.approx(2)
        assert 1.96 < second.ratio.low < 1.98
        assert 2.02 < second.ratio.high < 2.04
    assert (found.mixed, found.left_out) == ((), 0)


def test_an_axis_of_threads_is_a_column_a_number() -> None:
    """As the rows have them."""
    rows = [record(params={"n": "16", "threads": str(n)}, threads=n) for n in (1, 2)]
    found = crosstab(rows, "threads")
    assert found.columns == ("1", "2")
    assert [[cell and cell.record.threads for cell in line.cells] for line in found.lines] == [[1, 2]]  # fmt: skip


def test_a_base_comes_first() -> None:
    """The others stay in their order."""
    found = crosstab(DTYPES, "dtype", "float64")
    assert found.columns == ("float64", "float32")
    cell = found.lines[0].cells[1]
    assert cell is not None
    assert cell.ratio is not None
    assert cell.ratio.value == pytest.approx(0.5)


def test_columns_are_in_the_order_of_the_rows() -> None:
    """Not of the alphabet, nor of the reading order of cases."""
    assert crosstab(DTYPES[::-1], "dtype").columns == ("float64", "float32")
    assert crosstab(DTYPES[::-1], "n").columns == ("64", "16")


def test_ops_and_suites_can_be_columns() -> None:
    """What all have in common remains of the id."""
    other = [dataclasses.replace(r, op="mm", case=f"matmul/mm[n={r.params['n']}]") for r in SIZES]
    found = crosstab([*SIZES, *other], "op")
    assert found.columns == ("square", "mm")
    assert [line.case for line in found.lines] == [f"matmul/*[n={n},dtype=float32]" for n in (16, 64)]  # fmt: skip
    suites = crosstab([*SIZES, *(dataclasses.replace(r, suite="mine") for r in SIZES)], "suite")
    assert suites.lines[0].case == "*/square[n=16,dtype=float32]"


def test_the_newest_row_of_a_cell_counts_and_what_varies_in_it_is_said() -> None:
    """Two thread counts in a cell are no repetition."""
    found = crosstab([*later(2, threads=1), *later(1, threads=4)], "device")
    assert [cell.record.run_id for line in found.lines for cell in line.cells if cell] == ["run-2"] * 2  # fmt: skip
    (mixed,) = found.mixed
    assert (mixed.column, mixed.inside, mixed.lines) == ("threads", True, 2)
    assert set(mixed.values) == {"1", "4"}


def test_repeated_runs_are_nothing_to_warn_of() -> None:
    """The newest that says something stands for them."""
    broken = dataclasses.replace(SIZES[0], started_at=WHEN + timedelta(days=9), status="oom", time_s=None)  # fmt: skip
    found = crosstab([*later(1), *later(2), broken], "device")
    assert found.mixed == ()
    assert [cell.record.run_id for line in found.lines for cell in line.cells if cell] == ["run-2"] * 2  # fmt: skip


def test_what_varies_from_column_to_column_is_said() -> None:
    """It is compared along with the columns; the columns themselves are shown."""
    found = crosstab([*later(1), *later(2, threads=4)], "run_id")
    (mixed,) = found.mixed
    assert (mixed.column, mixed.inside, mixed.values, mixed.lines) == ("threads", False, ("2", "4"), 2)  # fmt: skip
    assert crosstab([*later(1), *later(2, threads=4)], "threads").mixed == ()


def test_what_is_not_there_has_no_ratio() -> None:
    """A case that a column lacks, one that failed, one whose time says nothing about the op."""
    cuda = [dataclasses.replace(r, device="cuda") for r in SIZES]
    failed = lost("oom", "no memory", params={"n": 64, "dtype": "float32"})
    found = crosstab([SIZES[0], failed, *cuda], "device")
    assert [cell and cell.ratio is not None for cell in found.lines[1].cells] == [False, False]
    assert crosstab([SIZES[0], *cuda], "device").lines[1].cells[0] is None
    vague = dataclasses.replace(cuda[0], warnings=("below-overhead",))
    (line,) = crosstab([SIZES[0], vague], "device").lines
    assert line.cells[1] is not None
    assert line.cells[1].ratio is None


def swept(column: int | None, *axis: int) -> list[Record]:
    """A case for each of these values of an axis `threads`, all with so many threads, or with as many."""
    return [record(params={"n": 16, "threads": t}, threads=column or t) for t in axis]


@pytest.mark.parametrize(
    ("by", "column", "cells"),
    [
        ("threads", 2, [("n=16,threads=1", "2"), ("n=16,threads=2", "2")]),
        ("threads", None, [("n=16", "1"), ("n=16", "2")]),
        ("params.threads", 2, [("n=16", "1"), ("n=16", "2")]),
        ("params.threads", None, [("n=16", "1"), ("n=16", "2")]),
        ("params.n", None, [("threads=1", "16"), ("threads=2", "16")]),
    ],
)
def test_an_axis_that_shares_its_name_with_a_column_merges_no_cases(
    by: str, column: int | None, cells: list[tuple[str, str]]
) -> None:
    """It leaves the line where it is what the columns are of."""
    found = crosstab(swept(column, 1, 2), by)
    shown = [
        (line.case.partition("[")[2].removesuffix("]"), text)
        for line in found.lines
        for text, cell in zip(found.columns, line.cells, strict=True)
        if cell
    ]
    assert shown == cells
    assert found.mixed == ()


def test_two_cases_in_one_cell_are_said() -> None:
    """An op that got an axis since."""
    rows = [record(params={"n": 16}), record(params={"n": 16, "dtype": "float32"}, run_id="run-2")]
    (mixed,) = crosstab(rows, "dtype").mixed
    assert (mixed.column, mixed.inside, mixed.lines) == ("case", True, 1)
    assert mixed.values == tuple(row.case for row in rows)


def test_an_axis_whose_column_is_empty_is_not_shown_as_nothing() -> None:
    """But how to write it."""
    rows = [record(params={"label": text}) for text in "ab"]
    with pytest.raises(SelectionError, match=r"column label is empty in all rows; .* params.label"):
        crosstab(rows, "label")


def test_ops_side_by_side_are_of_one_dtype_even_where_one_has_no_such_axis() -> None:
    """And whatever the order of their axes."""
    view = record("view", "view", params={"n": 16})
    copies = [record("view", "copy", params={"dtype": t, "n": 16}) for t in ("float32", "int8")]
    found = crosstab([view, *copies], "op")
    assert [line.case for line in found.lines] == [
        "view/*[n=16,dtype=float32]",
        "view/*[dtype=int8,n=16]",
    ]
    assert [sum(cell is not None for cell in line.cells) for line in found.lines] == [2, 1]


def test_rows_without_the_axis_are_left_out_and_counted() -> None:
    """An op that has no such axis."""
    found = crosstab([*SIZES, record("view", "t", params={})], "n")
    assert (found.left_out, len(found.lines)) == (1, 1)


@pytest.mark.parametrize(
    ("by", "base", "said"),
    [
        ("devise", None, "--by: 'devise' is no column and no axis of these rows; did you mean device"),
        ("case", None, "--by case: the lines are the cases; write a column or an axis"),
        ("dtype", "float23", "--base 'float23': no row has dtype=float23; did you mean float32"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(by: str, base: str | None, said: str) -> None:
    """With what it may have meant."""
    with pytest.raises(SelectionError) as caught:
        crosstab(DTYPES, by, base)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_devices_come_by_kind_and_what_was_skipped_varies_in_nothing() -> None:
    """So that ratios are to the CPU, whatever the first row is; a skipped case knows no torch."""
    skipped = lost("skipped", "x", "a", "b", params={}, device="cuda", torch_version=None)
    rows = [skipped, record("a", "b", params={}), record(device="cuda"), record()]
    found = crosstab(rows, "device")
    assert found.columns == ("cpu", "cuda")
    assert found.mixed == ()


def in_mode(mode: str | None, time_s: float, **values: Any) -> Record:
    """A row in a mode; one of an older version names none."""
    params = {"n": "16"} | ({"mode": mode} if mode not in {None, "eager"} else {})
    return record(params=params, time_s=time_s, mode=mode, **values)


def test_modes_are_columns_of_one_line_with_their_break_even() -> None:
    """Eager has no mode in its id; what compiling took is earned against eager, whichever column comes first."""
    rows = [
        in_mode("eager", 4e-6),
        in_mode("compile", 2e-6, compile_s=1.0, compile_cached_s=0.1),
        in_mode("autocast", 1e-6),
    ]
    for base in (None, "compile"):
        found = crosstab(rows, "mode", base)
        (line,) = found.lines
        assert line.case == "matmul/square[n=16]"
        cells = {name: cell for name, cell in zip(found.columns, line.cells, strict=True) if cell}
        even = cells["compile"].break_even
        assert even is not None
        assert even.calls == pytest.approx(5e5)
        assert cells["eager"].break_even is None
        assert cells["autocast"].break_even is None
    assert crosstab(rows, "device").lines[0].cells[0].break_even is None  # type: ignore[union-attr]
