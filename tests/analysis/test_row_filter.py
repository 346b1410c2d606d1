"""A filter keeps what it says, and a word that means nothing is told with what it may have meant."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.row_filter import parse, two_meanings, values_of
from bench.errors import SelectionError
from bench.plan.case_id import term
from tests.fakes.rows import record

ROWS = [
    record("matmul", op, params={"n": n, "dtype": dtype}, device_name="A CPU", threads=2)
    for op in ("square", "batched")
    for dtype in ("float32", "float64")
    for n in (16, 64)
]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 8),
        ("op=square", 4),
        ("op=square dtype=float32", 2),
        ("n=16,64 op=square", 4),
        ("n=64 device_name='A CPU' threads=2", 4),
        ("correct=True", 8),
    ],
)
def test_rows_that_have_every_value_are_kept(text: str, count: int) -> None:
    """Columns and axes alike, several values by comma."""
    where = parse(text)
    kept = where.keep(ROWS)
    assert len(kept) == count
    assert kept == [row for row in ROWS if where.matches(row)]


def test_one_of_a_list_is_enough() -> None:
    """As with warnings."""
    warned = dataclasses.replace(ROWS[0], warnings=("noisy", "drift"))
    assert parse("warnings=drift").keep([*ROWS, warned]) == [warned]
    assert values_of(ROWS[0], "flop") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("opp=square", "--where: 'opp' is no column and no axis of these rows; did you mean op?"),
        ("zebra=1", "axes: dtype, n; results/README.md has the columns"),
        ("params=1", "'params' is no column"),
        ("op=squar", "--where: no row has op=squar; did you mean square?"),
        ("n=17", "--where: no row has n=17; known: 16, 64"),
        ("op", "--where 'op' can't be read; write COLUMN=VALUE"),
        ("op=", "--where 'op=' can't be read"),
        ("=1", "--where '=1' can't be read"),
        ("op='a", "a quote is not closed"),
    ],
)
def test_anything_else_is_one_line_with_a_way_out(text: str, said: str) -> None:
    """Near names where there are any."""
    with pytest.raises(SelectionError) as caught:
        parse(text).keep(ROWS)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_values_that_no_row_has_together_are_refused() -> None:
    """Each alone is there; the words are named, also of several filters."""
    with pytest.raises(
        SelectionError, match=r"no row has all of these values: op=square n=64; leave"
    ):
        parse("op=square n=64").keep([ROWS[0], ROWS[5]])
    with pytest.raises(
        SelectionError, match=r"no row has all of these values: n=16 n=64; leave out"
    ):
        parse(["n=16", "n=64"]).keep(ROWS)


def test_several_filters_all_count() -> None:
    """In whatever order, and none is the same as an empty one."""
    assert parse(["op=square", "n=64"]) == parse("op=square n=64")
    assert len(parse(["n=64", "op=square"]).keep(ROWS)) == 2
    assert parse(None) == parse([]) == parse("") == parse(" ")


@given(st.text(), st.text())
def test_any_value_can_be_quoted(one: str, other: str) -> None:
    """Beside another, and in a filter of several words."""
    rows = [record(params={"kind": text, "n": 4}) for text in {one, other, "z"}]
    kept = parse(f"{term('kind', one)},{term('k', other)[2:]} n=4").keep(rows)
    assert kept == [row for row in rows if row.params["kind"] in {one, other}]
    for row in rows:
        assert parse(row.case).keep(rows) == parse(f"case={row.case}").keep(rows) == [row]


def test_an_id_and_an_ops_name_are_words() -> None:
    """As everywhere else."""
    assert parse("matmul/square[n=16,dtype=float32]").keep(ROWS) == [ROWS[0]]
    assert parse("matmul/square dtype=float32").keep(ROWS) == ROWS[:2]
    assert parse("case=matmul/square[n=16,dtype=float32],matmul/batched[n=16,dtype=float32]").keep(ROWS) == [ROWS[0], ROWS[4]]  # fmt: skip
    assert parse('"device_name=A CPU"').keep(ROWS) == ROWS


SHARED = [record(params={"n": 16, "threads": t}, threads=2, label=None) for t in (1, 2)]


def test_an_axis_with_the_name_of_a_column_has_a_name_of_its_own() -> None:
    """The plain one is the column's, and where that is something else, it is said."""
    assert parse("threads=2").keep(SHARED) == SHARED
    assert parse("params.threads=2").keep(SHARED) == SHARED[1:]
    assert parse("params.n=16").keep(SHARED) == SHARED
    (line,) = two_meanings(["threads", "n", "dtype"], SHARED)
    assert line.startswith("threads is the column here, and the axis threads has other values in ")
    assert line.endswith("write params.threads for the axis")
    assert two_meanings(["threads"], SHARED[1:]) == two_meanings(["dtype"], ROWS) == []
    with pytest.raises(
        SelectionError, match=r"threads=1; on the axis .*there is: params.threads=1"
    ):
        parse("threads=1").keep(SHARED)
    with pytest.raises(SelectionError, match=r"'params.m' is no column and no axis"):
        parse("params.m=1").keep(SHARED)
