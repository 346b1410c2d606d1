"""What the roofs say of a row: its least time, its share, and when it can't be."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records import codec, roofs
from bench.records.roofs import BANDWIDTH, FLOP, Roof, Roofs
from tests.fakes.workers import record

L1 = Roof(kind=BANDWIDTH, value=90e9, level="L1", bytes=40_000, how="in place")
L2_COPY = Roof(kind=BANDWIDTH, value=200e9, level="L2", bytes=1_000_000, how="copy")
L2 = Roof(kind=BANDWIDTH, value=400e9, level="L2", bytes=1_000_000, how="in place")
MIXED = Roof(kind=BANDWIDTH, value=100e9, level="L2+DRAM", bytes=4_000_000, how="read")
DRAM = Roof(kind=BANDWIDTH, value=50e9, level="DRAM", bytes=16_000_000, how="copy")
FLOAT32 = Roof(kind=FLOP, value=200e9, dtype="float32", how="512×512 by 512×512")
BFLOAT16 = Roof(kind=FLOP, value=800e9, dtype="bfloat16", how="512×512 by 512×512")
HERE = Roofs(
    device="cpu",
    threads=2,
    torch="2.9.0",
    measured_at="2026-01-02T03:04:05+00:00",
    roofs=(L1, L2_COPY, L2, MIXED, DRAM, FLOAT32, BFLOAT16),
)


def share(**changes: Any) -> tuple[float, str] | None:
    """Of a call of a second with nothing declared but this."""
    asked = {"flop": None, "moved_bytes": None, "time_s": 1.0, "dtypes": ("float32",), **changes}
    found = HERE.share_of(**asked)
    return found and (found.share, found.roof.name)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"flop": 100e9}, (0.5, "float32 matmul")),
        ({"flop": 100e9, "dtypes": ("float32", "bfloat16")}, (0.125, "bfloat16 matmul")),
        ({"flop": 100e9, "moved_bytes": 40e9}, (0.8, "DRAM bandwidth")),
        ({"flop": 180e9, "moved_bytes": 40e9}, (0.9, "float32 matmul")),
        ({"flop": 100e9, "dtypes": ("int64",)}, None),
        ({"flop": 0.0, "moved_bytes": 0.0}, None),
        ({}, None),
    ],
)
def test_the_roof_that_allows_least_binds(
    asked: dict[str, Any], expected: tuple[float, str] | None
) -> None:
    """Least time over time; nothing is said of what is not declared, or has no roof."""
    assert share(**asked) == expected


@pytest.mark.parametrize(
    ("moved_bytes", "roof"),
    [
        (1, dataclasses.replace(L2, level="L1", bytes=40_000)),
        (50_000, dataclasses.replace(L2, level="L1", bytes=40_000)),
        (999_999, dataclasses.replace(L2, level="L1", bytes=40_000)),
        (3_999_999, L2),
        (4_000_000, MIXED),
        (15_999_999, MIXED),
        (16_000_000, DRAM),
        (1e12, DRAM),
    ],
)
def test_data_is_held_against_the_fastest_memory_that_could_hold_it(
    moved_bytes: float, roof: Roof
) -> None:
    """What lies between two sizes counts as the smaller: a share is never overstated."""
    assert HERE.bandwidth(moved_bytes) == roof
    assert HERE.bandwidth(moved_bytes, cold=True) == DRAM


@given(st.floats(1, 1e12), st.floats(1, 1e12))
def test_more_data_is_never_faster(one: float, other: float) -> None:
    """The roof falls with size."""
    small, large = (HERE.bandwidth(size) for size in sorted((one, other)))
    assert small is not None
    assert large is not None
    assert small.value >= large.value


def test_without_roofs_nothing_is_said() -> None:
    """Neither of a device that could not be measured, nor where none were asked for."""
    none = dataclasses.replace(HERE, roofs=())
    row = record(flop=1e9, bytes=1e9)
    assert none.bandwidth(1e6) is None
    assert roofs.judged(row, none) is row
    assert roofs.judged(row, None) is row


def row(**changes: Any) -> Any:
    """200 GFLOP in a second, known to 1 %."""
    known = {"flop": 200e9, "time_s": 1.0, "time_lo_s": 0.99, "time_hi_s": 1.01, "correct": True}
    return record(**{**known, **changes})


def test_a_row_says_how_close_it_came_and_to_what() -> None:
    """Its other warnings stay."""
    found = roofs.judged(row(time_s=2.0, time_hi_s=2.1, warnings=("noisy",)), HERE)
    assert (found.roof_share, found.roof, found.warnings) == (0.5, "float32 matmul", ("noisy",))


def test_a_cold_row_is_held_against_memory() -> None:
    """However small."""
    found = roofs.judged(row(flop=None, bytes=1e5, time_s=4e-6, cache="cold"), HERE)
    assert found.roof_share == pytest.approx(0.5)
    assert found.roof == "DRAM bandwidth"


@pytest.mark.parametrize(
    ("time_s", "time_hi_s", "cache", "implausible"),
    [
        (0.80, 0.85, "hot", True),
        (0.80, 0.92, "hot", False),
        (0.95, 0.96, "hot", False),
        (0.80, None, "hot", True),
        (0.80, 0.85, "cold", False),
    ],
    ids=["beyond", "its slow end is possible", "a little", "no interval", "cold"],
)
def test_implausible_is_what_is_above_its_roof_at_the_slow_end(
    time_s: float, time_hi_s: float | None, cache: str, *, implausible: bool
) -> None:
    """By more than the tolerance; what a cold call writes may stay in a cache."""
    found = roofs.judged(row(time_s=time_s, time_hi_s=time_hi_s, cache=cache), HERE)
    assert (roofs.IMPLAUSIBLE in found.warnings) == implausible
    assert found.roof_share == pytest.approx(1 / time_s)


@pytest.mark.parametrize(("threads", "device", "told"), [(2, "cpu", True), (1, "cpu", False), (4, "cpu", False), (4, "cuda", True)])  # fmt: skip
def test_a_case_with_threads_of_its_own_is_not_held_against_the_roof_of_others(
    threads: int, device: str, *, told: bool
) -> None:
    """Nor does it raise that: four threads do more than two."""
    one = row(threads=threads, device=device, time_s=0.95, time_hi_s=0.96)
    assert (roofs.judged(one, HERE).roof_share is not None) == told
    assert (roofs.raised(HERE, [one]) != HERE) == told


def test_what_failed_has_no_share() -> None:
    """It has no result."""
    failed = row(status="failed")
    assert roofs.judged(failed, HERE) is failed


@pytest.mark.parametrize(("precision", "name"), [("highest", "float32"), ("medium", "bfloat16")])
def test_products_of_lower_precision_have_its_roof(precision: str, name: str) -> None:
    """Where torch may compute in another dtype than the case's."""
    found = roofs.judged(row(params={"float32_matmul_precision": precision}), HERE)
    assert found.roof == f"{name} matmul"


@pytest.mark.parametrize(
    ("precision", "name"),
    [("highest", "float32 matmul"), ("high", "tf32 matmul"), ("medium", "bfloat16 matmul")],
)
def test_float32_that_may_be_computed_in_tf32_has_the_roof_of_that(
    precision: str, name: str
) -> None:
    """Where it was measured, as on CUDA; half of bfloat16's would else be all that such a row can reach."""
    tf32 = Roof(kind=FLOP, dtype=roofs.TF32, value=4.5e11, how="512×512 by 512×512")
    known = dataclasses.replace(HERE, roofs=(*HERE.roofs, tf32))
    found = roofs.judged(row(params={"float32_matmul_precision": precision}), known)
    assert found.roof == name


@pytest.mark.parametrize(
    ("float16_per_s", "name"), [(6e9, "float32"), (900e9, "float16")], ids=["slow", "fast"]
)
def test_half_types_may_be_computed_in_float32(float16_per_s: float, name: str) -> None:
    """A CPU may have no fast product of them, and adds them up faster than it multiplies."""
    own = Roof(kind=FLOP, value=float16_per_s, dtype="float16", how="128×128 by 128×128")
    here = dataclasses.replace(HERE, roofs=(*HERE.roofs, own))
    assert roofs.judged(row(dtype="float16"), here).roof == f"{name} matmul"
    assert roofs.judged(row(), here).roof == "float32 matmul"


def test_a_correct_row_raises_the_roof_of_products() -> None:
    """To what it reached, and only that roof; it says which case that was."""
    after = roofs.raised(HERE, [row(time_s=0.95)])
    better = after.matmul(["float32"])
    assert better is not None
    assert better.value == pytest.approx(200e9 / 0.95)
    assert better.how == "s/op[n=0]"
    assert [one for one in after.roofs if one != better] == [
        one for one in HERE.roofs if one != FLOAT32
    ]
    assert roofs.judged(row(time_s=0.95), after).roof_share == pytest.approx(1.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"time_s": 0.95, "correct": False},
        {"time_s": 0.95, "correct": None},
        {"time_s": 0.5},
        {"time_s": 1.5},
        {"time_s": 0.95, "status": "failed"},
        {"time_s": 0.95, "flop": None, "bytes": 50e9},
    ],
)
def test_nothing_else_raises_a_roof(changes: dict[str, Any]) -> None:
    """Wrong, unchecked, implausible, slower, failed, or bound by memory."""
    assert roofs.raised(HERE, [row(**changes)]) == HERE


def test_roofs_survive_being_written_down() -> None:
    """As fields of plain values."""
    assert codec.decode(Roofs, dataclasses.asdict(HERE)) == HERE
    for broken in ({"device": "cpu"}, {"roofs": [], "colour": "red"}):
        with pytest.raises(TypeError):
            codec.decode(Roofs, broken)
