"""A GPU wins from the size on from which it wins for certain, its copies counted where they are asked for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from bench.analysis.claims.claim import CaseSelector, ClaimSeries
from bench.analysis.claims.gpu_judge import copy_time, overtakes
from tests.fakes.rows import record

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (16, 64, 256, 1024)


def along(time_of: Callable[[float], float], sizes: tuple[int, ...] = SIZES) -> ClaimSeries:
    """A series of these times, known to 1 %."""
    points = tuple((float(n), record(time_s=time_of(n))) for n in sizes)
    return ClaimSeries(cases=CaseSelector(op="s/op"), axis="n", points=points)


CPU = along(lambda n: 1e-9 * n * n)
"""1 ns an element: 256 ns to 1 ms."""


@pytest.mark.parametrize(
    ("start_s", "kind"),
    [(1e-9, "holds"), (5e-6, "holds-from"), (1.0, "does-not-hold")],
)
def test_a_gpu_that_takes_its_start_wins_from_a_size_on(start_s: float, kind: str) -> None:
    """A start of 5 µs is made good between 4,096 and 65,536 elements."""
    found = overtakes()([CPU, along(lambda n: start_s + 1e-11 * n * n)])
    assert found is not None
    assert found.kind == kind
    assert (found.axis, found.size is not None) == (
        ("n", True) if kind == "holds-from" else (None, False)
    )
    assert "CPU against GPU, n=16: 256 ns against " in found.numbers
    if found.size is not None:
        assert 64 <= found.size <= 256


def test_copies_are_added_each_as_often_as_it_is_made() -> None:
    """Three copies of 0.3 ns an element leave a GPU that needs next to nothing barely ahead; four don't."""
    gpu = along(lambda n: 1e-12 * n * n)
    copy = along(lambda elements: 3e-10 * elements, (1, 4**20))
    verdicts = []
    for number in (2, 3):
        found = overtakes(matrices_copied=(number, 1))([CPU, gpu, copy, copy])
        assert found is not None
        verdicts.append(found.kind)
    assert verdicts == ["holds", "does-not-hold"]


def test_a_copy_between_two_sizes_lies_on_a_straight_line() -> None:
    """Its ends as well; beyond the sizes measured nothing is made up."""
    copy = along(lambda elements: 1e-5 + 1e-9 * elements, (100, 10_000))
    found = copy_time(copy, 1000)
    assert found is not None
    assert found.time_s == pytest.approx(1.1e-5)
    assert (found.low_s, found.high_s) == pytest.approx((1.1e-5 * 0.99, 1.1e-5 * 1.01))
    assert copy_time(copy, 99) is copy_time(copy, 10_001) is None


def test_a_gpu_judge_needs_two_sizes_on_both_with_their_copies() -> None:
    """From which size on can't be said of one."""
    assert overtakes()([CPU, along(lambda _: 1.0, (16,))]) is None
    copy = along(lambda _: 1e-6, (1, 4000))
    assert overtakes(matrices_copied=[1])([CPU, CPU, copy]) is None


def test_sizes_at_which_the_gpu_waits_for_the_host_are_named() -> None:
    """There its time is that of launching, whatever the size."""
    gpu = along(lambda n: 5e-6 + 1e-11 * n * n)
    bound = [
        (n, dataclasses.replace(r, bound_by="launch" if n < limit else "device"))
        for limit in (100, 2000)
        for n, r in gpu.points
    ]
    some, every = (
        overtakes()([CPU, dataclasses.replace(gpu, points=tuple(points))])
        for points in (bound[:4], bound[4:])
    )
    assert some is not None
    assert every is not None
    assert some.numbers.endswith("; at n=16, 64 the GPU waits for the host to launch")
    assert every.numbers.endswith("; at every size the GPU waits for the host to launch")
