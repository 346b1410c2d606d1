"""The first sentences say where a GPU starts to win, and claim a winner only where intervals part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.crossover.crossovers import crossovers
from bench.analysis.findings.gpu_speedup import by_weight, gpu_elsewhere, gpu_wins
from tests.fakes.crossover import both, copies, cpu_s, curve, gpu_s
from tests.fakes.rows import example, lost, on, record

if TYPE_CHECKING:
    from collections.abc import Callable

WIDE: dict[str, Any] = {"time_lo_s": 1e-9, "time_hi_s": 1.0}


def test_a_win_is_told_with_its_size_and_how_far_it_may_be_off() -> None:
    """And with the sizes between which a line was drawn, if these lie far apart."""
    assert gpu_wins(both()) == (
        "The GPU (cuda) wins matmul/square float32 from n ≈ 105 on (104 to 106, "
        "on a straight line from 64 to 256), data already on the GPU."
    )


def test_copies_are_told_in_the_same_breath_where_they_were_measured() -> None:
    """A win that is none with its copies is half of the truth."""
    cheap, dear = (gpu_wins([*both(), *copies(start)]) for start in (2e-5, 1.0))
    assert "; with its data copied there and the result back, from n ≈ 375 on (369 to 381" in str(
        cheap
    )
    assert str(dear).endswith(
        "; with its data copied there and the result back, at no size measured."
    )


@pytest.mark.parametrize(
    ("gpu", "sentence"),
    [
        (
            lambda n: cpu_s(n) / 4,
            (
                "The GPU (cuda) wins matmul/square float32 at every size measured, n = 16 to 1024, "
                "data already on the GPU: at least 3.9 times as fast."
            ),
        ),
        (
            lambda n: cpu_s(n) * 4,
            (
                "The GPU (cuda) wins at no size of matmul/square float32, n = 16 to 1024: "
                "it takes at least 3.9 times as long."
            ),
        ),
        (
            lambda n: 2e-8 * n,
            (
                "The GPU (cuda) wins matmul/square float32 from n ≈ 20 on (19.7 to 20.3, "
                "on a straight line from 16 to 64), data already on the GPU."
            ),
        ),
        (
            lambda n: 1e-12 * n**4,
            (
                "The GPU (cuda) loses matmul/square float32 from n ≈ 31.6 on (31.4 to 31.8, "
                "on a straight line from 16 to 64), though its data is already on the GPU."
            ),
        ),
    ],
)
def test_a_win_everywhere_or_nowhere_is_told_by_its_weakest_interval(
    gpu: Callable[[float], float], sentence: str
) -> None:
    """Never by the best of its numbers."""
    assert gpu_wins([*curve("cpu", cpu_s), *curve("cuda", gpu)]) == sentence


def test_where_intervals_touch_nobody_wins() -> None:
    """The counts say that it is unsure."""
    rows = [*curve("cpu", cpu_s), *curve("cuda", gpu_s, **WIDE)]
    assert gpu_wins(rows) is None
    assert gpu_elsewhere(rows) == (
        "Of 1 op (each dtype counted) measured along a size on cpu and cuda: 1 unsure."
    )


def test_a_change_between_sizes_far_apart_is_not_told_to_the_digit() -> None:
    """Only that it is somewhere between them; and it comes after those which are known better."""
    far = [r for r in both("creation/randn") if r.params["n"] in {"16", "1024"}]
    assert str(gpu_wins(far)).startswith(
        "The GPU (cuda) wins creation/randn float32 from some n between 16 and 1024 on (on a straight line, from "
    )
    assert str(gpu_wins([*far, *both()])).startswith("The GPU (cuda) wins matmul/square")


def test_an_op_of_one_size_is_counted_by_who_wins_there() -> None:
    """That is no unsure op."""
    cases = [record("mul", op, params={"n": 64}, time_s=1e-6) for op in "abc"]
    wide = record("mul", "d", params={"n": 64}, time_s=1e-6, **WIDE)
    slow = record("mul", "c", params={"n": 64}, time_s=1.0, device="cuda")
    there = [r for r in on("cuda", [*cases, wide]) if r.op != "c"]
    assert gpu_elsewhere([*cases, wide, slow, *there]) == (
        "Of 4 ops measured at a single size on cpu and cuda: "
        "cuda is faster in 2 and slower in 1; 1 unsure."
    )


def test_one_device_wins_nothing() -> None:
    """Also not against itself with other threads."""
    rows = [*curve("cpu", cpu_s, threads=1), *curve("cpu", gpu_s, threads=2)]
    assert gpu_wins(rows) is gpu_elsewhere(rows) is None


def test_every_op_is_counted_once() -> None:
    """By what becomes of it along its size."""
    rows = [
        *both(),
        *both(dtype="float64"),
        *curve("cpu", cpu_s, "mul/a"),
        *curve("cuda", lambda n: cpu_s(n) / 4, "mul/a"),
        *curve("cpu", cpu_s, "mul/b"),
        *curve("cuda", lambda n: cpu_s(n) * 4, "mul/b"),
        *curve("cpu", gpu_s, "mul/c"),
        *curve("cuda", cpu_s, "mul/c"),
        *curve("cpu", cpu_s, "mul/d"),
        *curve("cuda", cpu_s, "mul/d"),
    ]
    assert gpu_elsewhere(rows) == (
        "Of 6 ops (each dtype counted) measured along a size on cpu and cuda: "
        "cuda wins 2 from some size on, wins 1 at every size, loses 1 at every size, "
        "loses 1 from some size on; 1 unsure."
    )


def test_the_first_op_named_is_the_one_for_which_it_matters_most() -> None:
    """A change before none, the usual dtype before others, and then the seconds between the sides."""
    rows = [
        *curve("cpu", cpu_s, "mul/never"),
        *curve("cuda", lambda n: cpu_s(n) * 400, "mul/never"),
        *both("mul/double", "float64"),
        *curve("cpu", lambda n: 10 * cpu_s(n), "mul/heavy"),
        *curve("cuda", lambda n: 10 * gpu_s(n), "mul/heavy"),
        *both("mul/light"),
    ]
    ranked = [one.name for one in by_weight(crossovers(rows))]
    assert ranked == ["heavy", "light", "double", "never"]


def test_devices_without_a_common_size_are_compared_case_by_case() -> None:
    """Touching intervals decide nothing, and a time without an interval least of all."""
    cases = [record("mul", op, params={}, time_s=1e-6) for op in "ab"]
    wide = record("mul", "c", params={}, time_s=1e-6, **WIDE)
    bare = record("mul", "d", params={}, time_s=1e-6, time_lo_s=None, time_hi_s=None)
    rows = [*cases, wide, bare]
    assert gpu_elsewhere([*rows, *on("cuda", rows)]) == (
        "Of 3 cases measured on both, cuda is faster than cpu in 2 and slower in 0; 1 unsure."
    )
    assert gpu_elsewhere(rows) is None
    assert gpu_elsewhere([*cases, *on("cuda", [lost("failed", "x")])]) is None
    assert gpu_elsewhere(example()) is None
