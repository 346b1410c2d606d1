"""Which axis is the size, which cases make a line, in which order they are read."""

from __future__ import annotations

import random

import pytest

from bench.analysis import grid
from tests.fakes.rows import example, lost, record


@pytest.mark.parametrize(
    ("params", "axis"),
    [
        ({"rows": 4, "n": 8, "dtype": "float32"}, "n"),
        ({"layout": "NCHW", "rows": 4, "columns": 8}, "rows"),
        ({"n": "4x4", "batch": 8}, "batch"),
        ({"dim": 0, "dtype": "float32"}, None),
        ({"n": "nan"}, None),
        ({}, None),
    ],
)
def test_the_size_is_n_or_the_first_positive_numeric_axis(
    params: dict[str, object], axis: str | None
) -> None:
    """An axis that a logarithmic scale can't show is no size."""
    assert grid.size_axes([record(params=params)]) == {("matmul", "square"): axis}


def test_one_label_that_is_no_number_makes_the_axis_no_size() -> None:
    """All of an op's cases must lie on its size axis."""
    cases = [record(params={"n": 4}), record(params={"n": "max"})]
    assert grid.size_axes(cases) == {("matmul", "square"): None}
    assert grid.lines(cases) == []
    assert grid.without_size(cases) == cases


@pytest.mark.parametrize(
    ("axis", "values", "sizes"),
    [
        ("n", (0, 1, 16), [1, 16]),
        ("n", (0, 1), [1]),
        ("n", (-4, 0, 0.5, 8), [0.5, 8]),
        ("rows", (0, 4, 64), [4, 64]),
        ("dim", (0, 1), []),
        ("dim", (-2, -1, 1, 2), []),
        ("n", (0, -1), []),
        ("n", (0, "inf", 4), []),
    ],
)
def test_a_size_of_0_leaves_the_others_their_line(
    axis: str, values: tuple[object, ...], sizes: list[float]
) -> None:
    """Where the others are sizes, and not a choice of dimensions."""
    cases = [record(params={axis: value}) for value in values]
    found = [[size for size, _ in line.points] for line in grid.lines(cases)]
    assert found == ([sizes] if sizes else [])
    assert sorted(grid.in_reading_order(cases), key=id) == sorted(cases, key=id)


def test_a_size_of_0_is_read_before_the_others() -> None:
    """And a negative one before that."""
    cases = [record(params={"n": n}) for n in (16, -1, 0, 4)]
    assert [r.params["n"] for r in grid.in_reading_order(cases)] == ["-1", "0", "4", "16"]


def test_a_label_that_could_be_misread_is_quoted_in_a_title() -> None:
    """As in the id."""
    assert grid.title(record(params={"n": 4, "call": "a,b"})) == 'square n=4 call="a,b"'


def test_lines_part_by_everything_but_size() -> None:
    """Dtype, device and every other axis begin a new line; points go by size."""
    cases = [
        record(params={"n": n, "call": call, "dtype": "float32"}, device=device)
        for n in (64, 16)
        for call in ("@", "mm")
        for device in ("cpu", "cuda")
    ]
    found = grid.lines(cases)
    assert [(line.name, line.device) for line in found] == [
        ("square call=@", "cpu"),
        ("square call=@", "cuda"),
        ("square call=mm", "cpu"),
        ("square call=mm", "cuda"),
    ]
    assert [size for size, _ in found[0].points] == [16, 64]
    assert found[0].at(16) is cases[4]
    assert found[0].at(32) is None


def test_the_reading_order_does_not_depend_on_sizes_coming_in_order() -> None:
    """Sizes and devices are sorted as numbers; the usual dtype comes first."""
    cases = [
        record(params={"n": n, "dtype": dtype}, device=device)
        for device in ("cuda:10", "cuda:2", "cpu")
        for dtype in ("bfloat16", "float32")
        for n in (1024, 16)
    ]
    random.Random(1).shuffle(cases)  # noqa: S311 - no secret
    ordered = grid.in_reading_order(cases)
    assert [(r.dtype, r.params["n"], r.device) for r in ordered[:4]] == [
        ("float32", "16", "cpu"),
        ("float32", "16", "cuda:2"),
        ("float32", "16", "cuda:10"),
        ("float32", "1024", "cpu"),
    ]


def test_suites_and_ops_stay_in_the_order_in_which_they_were_run() -> None:
    """It is the order in which a suite's author declared them."""
    ordered = grid.in_reading_order(example())
    assert list(dict.fromkeys((r.suite, r.op) for r in ordered)) == [
        ("matmul", "square"),
        ("matmul", "spelling"),
        ("view", "reshape"),
        ("view", "t"),
    ]


def test_a_title_has_no_suite_and_says_dtype_by_its_value() -> None:
    """`float32` explains itself."""
    assert grid.title(record(params={"n": 16, "dtype": "float32"})) == "square n=16 float32"
    assert grid.title(record(params={})) == "square"


def test_an_op_with_one_time_on_a_line_makes_no_curve() -> None:
    """All of it: variants and devices that can be compared stay together."""
    curve = [record("s", "a", params={"n": n, "call": "x"}) for n in (1, 2)]
    curve += [record("s", "a", params={"n": 1, "call": "y"})]
    alone = [record("s", "b", params={"n": 4}), lost("oom", "x", "s", "b", params={"n": 8})]
    bare = [record("s", "c", params={"kind": "x"})]
    never = [lost("failed", "x", "s", "d", params={"n": n}) for n in (1, 2)]
    assert grid.off_curves([*curve, *alone, *bare, *never]) == [*alone, *bare]


def test_without_any_curve_nothing_is_on_one() -> None:
    """What has no time is told beside what has one."""
    rows = [record("s", "a", params={"n": 4}), lost("failed", "x", "s", "b", params={"n": 4})]
    assert grid.off_curves(rows) == rows


def test_a_row_is_named_by_what_the_others_do_not_share() -> None:
    """Dtypes are told otherwise."""
    rows = [
        record("s", "a", params={"n": 4, "call": call, "dtype": dtype})
        for call, dtype in (("@", "float32"), ("mm", "float64"))
    ]
    assert grid.shared(rows) == {"n": "4"}
    assert [grid.name_without(r, grid.shared(rows)) for r in rows] == ["a call=@", "a call=mm"]
    assert grid.shared([*rows, record("s", "b", params={"call": "@"})]) == {}
    assert grid.shared([]) == {}


def test_a_full_name_has_the_device_where_there_are_several() -> None:
    """Alone it would say nothing."""
    here, there = record(), record(device="cuda")
    assert grid.full_name(here, [here]) == "matmul/square n=16 float32"
    assert grid.full_name(there, [here, there]) == "matmul/square n=16 float32 on cuda"
