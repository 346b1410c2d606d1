"""Sentences on ways to do the same: backends, compiled calls, half types; none stronger than the intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.findings.choices import choices, found_choices
from bench.analysis.findings.compiling import compiling
from bench.analysis.findings.half_types import half_types
from tests.fakes.rows import lost, record

if TYPE_CHECKING:
    from bench.records.record import Record


def way(n: int, backend: str, time_s: float, **values: Any) -> Record:
    """Attention of a length by a backend."""
    return record("attention", "full", params={"n": n, "backend": backend}, time_s=time_s, **values)


TWO_WAYS = [
    way(128, "math", 1e-5),
    way(128, "flash", 2e-5),
    way(1024, "math", 9e-4),
    way(1024, "flash", 3e-4),
    way(512, "math", 2.01e-4),
    way(512, "flash", 2e-4),
]


def test_the_fastest_way_is_told_size_by_size() -> None:
    """With how much it leads, and where that can't be told."""
    said = choices(TWO_WAYS)
    assert said is not None
    assert "math at n=128 (the next takes 2.00 (1.97 to 2.03) times as long)" in said
    assert "flash at n=1024 (the next takes 3.00 " in said
    assert said.endswith("can't tell at 1 more.")


def test_a_way_that_failed_or_is_wrong_is_none() -> None:
    """Then there is nothing to choose between."""
    rows = [way(8, "math", 1e-5), way(8, "flash", 1e-6, correct=False)]
    rows.append(lost("failed", "x", "attention", "full", params={"n": 8, "backend": "cudnn"}))
    assert choices(rows) is None


def test_ops_without_a_choice_say_nothing() -> None:
    """Most runs have none."""
    assert choices([record(), record(params={"n": 64})]) is None


@given(st.lists(st.floats(1e-6, 1e-3), min_size=2, max_size=5))
def test_no_way_is_called_fastest_that_may_not_be(times_s: list[float]) -> None:
    """Where it is certain, it is the least of all, by more than five per cent."""
    rows = [way(8, f"b{k}", time_s) for k, time_s in enumerate(times_s)]
    (found,) = found_choices(rows)
    ordered = sorted(times_s)
    assert times_s[int(found.fastest[1:])] == ordered[0]
    if found.certain:
        assert ordered[1] > 1.05 * ordered[0]
    if ordered[1] > 1.1 * ordered[0]:
        assert found.certain


def compiled(n: int, eager_s: float, time_s: float) -> list[Record]:
    """A case, eager and compiled in two seconds."""
    params = {"n": str(n)}
    return [
        record(params=params, time_s=eager_s, mode="eager"),
        record(
            params={**params, "mode": "compile"},
            time_s=time_s,
            mode="compile",
            compile_s=2.0,
            compile_cached_s=0.5,
        ),
    ]


def test_whether_compiling_pays_is_counted_and_the_best_named() -> None:
    """With its break-even, and what can't be told."""
    rows = [*compiled(8, 1e-5, 5e-6), *compiled(16, 1e-5, 3e-5), *compiled(32, 1e-5, 1.001e-5)]
    assert compiling(rows) == (
        "Compiled, a call takes certainly less time in 1 of 3 cases, certainly no less in 1, which can't be told in 1. "
        "Most is gained by matmul/square n=8 mode=compile: 0.500 (0.493 to 0.507) times as long as eager. "
        "Compiling it took 2.0 s, earned after 400000 calls, or 100000 where its code is cached."
    )


@pytest.mark.parametrize("rows", [[], [record()], compiled(8, 1e-5, 5e-6)[1:]])
def test_without_pairs_nothing_is_said_of_compiling(rows: list[Record]) -> None:
    """As in a run of one mode."""
    assert compiling(rows) is None


def test_half_types_are_compared_with_float32() -> None:
    """Case by case, on the CPU alone; the worst is named."""
    rows = [
        record(params={"n": n, "dtype": dtype}, time_s=time_s)
        for n, dtype, time_s in (
            (16, "float32", 1e-6),
            (16, "float16", 5e-7),
            (1024, "float32", 1e-4),
            (1024, "float16", 1e-2),
        )
    ]
    assert half_types(rows) == (
        "On this CPU float16 takes certainly less time than float32 in 1 of 2 cases, certainly more in 1; "
        "longest in matmul/square n=1024: 100 (98.6 to 101) times as long."
    )
    assert half_types([record(device="cuda", dtype="float16"), record(device="cuda")]) is None
