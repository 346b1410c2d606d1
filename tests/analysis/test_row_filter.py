"""A filter keeps what it says, and a word that means nothing is told with what it may have meant."""

from __future__ import annotations

import dataclasses

import pytest

from bench.analysis.row_filter import parse, values_of
from bench.errors import SelectionError
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
    """Each alone is there."""
    with pytest.raises(SelectionError, match="no row has all of these values"):
        parse("op=square n=64").keep([ROWS[0], ROWS[5]])
