"""What rows of a GPU must say: each check holds on good ones, and names what is off on others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tests.gpu import rows

if TYPE_CHECKING:
    from tests.gpu.check import Check

RUN_IDS = ("20260102T030405Z-aaaaaa", "20260103T030405Z-bbbbbb", "20260104T030405Z-cccccc")
L2_BYTES = 50 * 2**20
KIB, MIB = 2**10, 2**20
OTHERS = pytest.mark.parametrize("other", rows.OTHERS)


def row(case: str = "s/op[n=0]", **facts: Any) -> dict[str, Any]:
    """A hot case of 1 ms on the GPU, and everybody agrees."""
    known = {
        "run_id": RUN_IDS[0],
        "case": case,
        "device": "cuda",
        "status": "ok",
        "cache": "hot",
        "time_s": 1e-3,
        "bytes": 1e6,
        "input_bytes": 5e5,
        "device_time_s": 1e-3,
        "profiled_time_s": 1e-3,
        "graph_time_s": 1e-3,
    }
    return {**known, **facts}


def found(other: str, *records: dict[str, Any]) -> Check:
    """What a check of these rows says."""
    return rows.other_agrees(pd.DataFrame(records), other)


def timed(other: str, ours_s: float, theirs_s: float | None, case: str = "s/op[n=0]") -> Any:
    """A row in which only this other way of timing says something else."""
    return row(case, device_time_s=ours_s, **{rows.OTHERS[other]: theirs_s})


@OTHERS
@pytest.mark.parametrize(
    ("ours_s", "theirs_s", "kernels", "ok"),
    [
        (1e-3, 1.029e-3, 1, True),
        (1e-3, 1.04e-3, 1, False),
        (1e-3, 0.96e-3, 1, False),
        (1.69e-6, 0.86e-6, 1, True),
        (2.5e-6, 0.86e-6, 1, False),
        (16.53e-6, 12.93e-6, 4, True),
        (16.53e-6, 12.93e-6, 1, False),
        (16.53e-6, 12.93e-6, None, False),
        (2e-6, 2.25e-6, 1, True),
        (2e-6, 2.4e-6, 1, False),
    ],
)
def test_long_calls_agree_by_a_share_and_short_ones_but_for_the_gaps_of_a_stream(
    other: str,
    ours_s: float,
    theirs_s: float,
    kernels: int | None,
    ok: bool,  # noqa: FBT001 - what comes of the two
) -> None:
    """A microsecond a kernel is in our time and in nobody else's; the short ones are an H200's."""
    record = {**timed(other, ours_s, theirs_s), "kernels_per_call": kernels}
    assert found(other, record).ok is ok


@OTHERS
def test_what_lies_partly_in_the_l2_is_not_judged(other: str) -> None:
    """How much of it is found there differs from one series of calls to another."""
    between = {**timed(other, 12.9e-6, 11.0e-6), "bytes": 40 * MIB}
    small = {**timed(other, 1e-3, 1e-3, "b"), "bytes": 10 * MIB}
    frame = pd.DataFrame([between, small])
    assert rows.other_agrees(frame, other).ok is False
    check = rows.other_agrees(frame, other, L2_BYTES)
    assert (check.ok, check.note) == (True, "1 case partly in the L2, not judged")


def test_a_case_that_reads_nothing_has_nothing_to_find_in_a_cache() -> None:
    """`arange` has no inputs, `rand_like` looks at none of what it is given."""
    frame = caches((12 * MIB, 2e-6, 3e-6), (8 * MIB, 2e-6, 2e-6), (8 * MIB, 2e-6, 2e-6))
    frame["input_bytes"] = [8 * MIB, 0, 8 * MIB]
    check = rows.cold_is_slower(frame, L2_BYTES)
    assert check.ok is True
    assert check.seen.startswith("0 of 1 case off")


@OTHERS
def test_the_worst_three_are_named_and_all_are_written(other: str) -> None:
    """Worst is by how much more than allowed: 5 µs of 2 are worse than 10 % of a millisecond."""
    records = [
        timed(other, 1e-3, 1e-3, "good"),
        timed(other, 1e-3, 1.04e-3, "fourth"),
        timed(other, 1e-3, 1.05e-3, "third"),
        timed(other, 2e-6, 7e-6, "first"),
        timed(other, 1e-3, 1.1e-3, "second"),
    ]
    check = found(other, *records)
    assert (check.ok, check.seen) == (False, "4 of 5 cases off")
    assert check.note.split("; ") == [
        f"first: 2.00 µs, {other} 7.00 µs (-71 %)",
        f"second: 1.00 ms, {other} 1.10 ms (-9.1 %)",
        f"third: 1.00 ms, {other} 1.05 ms (-4.8 %)",
    ]
    assert [one["case"] for one in check.cases] == ["first", "second", "third", "fourth"]
    assert check.cases[0][rows.OTHERS[other]] == 7e-6
    wanted = {"case", "device", "device_time_s", "profiled_time_s", "graph_time_s"}
    assert set(check.cases[0]) == wanted


@OTHERS
@pytest.mark.parametrize("nothing", [None, math.nan, 0.0])
def test_what_the_other_could_not_tell_is_not_judged(other: str, nothing: float | None) -> None:
    """The other cases are, and it is said how many are left out."""
    check = found(other, timed(other, 1e-3, nothing, "a"), timed(other, 1e-3, 1e-3, "b"))
    assert (check.ok, check.seen) == (True, "0 of 1 case off")
    assert check.note == f"1 case without `{rows.OTHERS[other]}`"
    alone = found(other, timed(other, 1e-3, nothing))
    assert (alone.ok, alone.note) == (None, f"no case has `{rows.OTHERS[other]}`")


def test_runs_of_versions_without_the_column_are_not_judged() -> None:
    """Nor does the lack of one column keep the other from being judged; it is null in the file."""
    record = row(device_time_s=2e-3)
    del record["profiled_time_s"]
    assert found("profiler", record).ok is None
    graph = found("graph", record)
    assert graph.ok is False
    assert graph.cases[0]["profiled_time_s"] is None


@OTHERS
@pytest.mark.parametrize(
    "changes",
    [
        {"device": "cpu"},
        {"status": "failed"},
        {"cache": "cold"},
        {"cache": None},
        {"device_time_s": None},
    ],
)
def test_only_what_was_measured_hot_on_the_gpu_is_judged(
    other: str, changes: dict[str, Any]
) -> None:
    """Cold calls are not what profiler and graph have seen."""
    check = found(other, {**timed(other, 1e-3, 2e-3), **changes})
    assert check.ok is None
    assert "`quick`" in check.note


def test_no_rows_are_nothing_to_judge() -> None:
    """As `load_rows` gives them where there is no run."""
    empty = pd.DataFrame([row()]).iloc[:0]
    assert rows.other_agrees(empty, "graph").ok is None
    assert rows.runs_agree(empty).ok is None
    assert rows.cold_is_slower(empty, L2_BYTES).ok is None


@OTHERS
def test_the_newest_run_of_a_case_counts(other: str) -> None:
    """Whatever order the folders are read in."""
    old, new = timed(other, 1e-3, 2e-3), {**timed(other, 1e-3, 1e-3), "run_id": RUN_IDS[1]}
    assert found(other, new, old).ok is True
    assert found(other, {**old, "run_id": RUN_IDS[2]}, new).ok is False


def runs(*times_s: float, moving: int = 1, device: str = "cuda") -> pd.DataFrame:
    """A run for each time: of three cases some take that long, the others always the same."""
    return pd.DataFrame(
        row(
            f"s/op[n={n}]",
            run_id=run_id,
            device=device,
            device_time_s=time_s if n < moving else 1.0,
        )
        for run_id, time_s in zip(RUN_IDS, times_s, strict=False)
        for n in range(3)
    )


@pytest.mark.parametrize(("again_s", "ok"), [(1.0, True), (1.04, True), (1.06, False)])
def test_two_runs_must_agree(again_s: float, ok: bool) -> None:  # noqa: FBT001
    """To 2 % in the middle case, to 5 % in the worst, which is named."""
    check = rows.runs_agree(runs(1.0, again_s))
    assert check.ok is ok, check
    assert "(3 cases)" in check.seen
    assert check.note.startswith("the widest: s/op[n=0]")
    assert [one["case"] for one in check.cases] == ([] if ok else ["s/op[n=0]"])


def test_most_cases_may_not_move_either() -> None:
    """A middle of 3 % is too much, though none is 5 % apart."""
    check = rows.runs_agree(runs(1.0, 1.03, moving=3))
    assert check.ok is False
    assert [one["spread"] for one in check.cases] == [pytest.approx(0.03, rel=0.02)] * 3


def test_the_newest_two_runs_count() -> None:
    """What an earlier session left in the folder does not."""
    assert rows.runs_agree(runs(2.0, 1.0, 1.01)).ok is True


def test_one_run_has_nothing_to_agree_with() -> None:
    """And it is said what makes another."""
    check = rows.runs_agree(runs(1.0))
    assert check.ok is None
    assert "`quick`" in check.note


def test_runs_that_never_reached_the_gpu_do_not_agree() -> None:
    """The CPU's times say nothing of it."""
    assert rows.runs_agree(runs(1.0, 1.0, device="cpu")).ok is False


def caches(*cases: tuple[float, float, float]) -> pd.DataFrame:
    """For each (bytes, hot, cold) a row."""
    return pd.DataFrame(
        row(f"mul/op[n={place}]", bytes=moved, device_time_s=hot_s, device_time_cold_s=cold_s)
        for place, (moved, hot_s, cold_s) in enumerate(cases)
    )


@pytest.mark.parametrize(("cold_s", "ok"), [(3e-6, True), (2.08e-6, False), (1e-6, False)])
def test_emptying_the_caches_must_cost_what_fits(cold_s: float, ok: bool) -> None:  # noqa: FBT001
    """By more than they may differ elsewhere; what lies between and beyond is not asked."""
    between, beyond = (30 * MIB, 1e-5, 1e-5), (300 * MIB, 1e-4, 1e-4)
    frame = caches((12 * MIB, 2e-6, 3e-6), between, beyond, (768 * KIB, 2e-6, cold_s))
    check = rows.cold_is_slower(frame, L2_BYTES)
    assert check.ok is ok, check
    assert check.seen.startswith(f"{0 if ok else 1} of 2 cases off")
    assert ("mul/op[n=3] (768 KiB): hot 2.00 µs" in check.note) is not ok
    assert [one["case"] for one in check.cases] == ([] if ok else ["mul/op[n=3]"])


@pytest.mark.parametrize(("cold_s", "ok"), [(1.04e-4, True), (1.06e-4, False), (0.94e-4, False)])
def test_emptying_the_caches_must_not_matter_to_what_is_far_too_large(
    cold_s: float,
    ok: bool,  # noqa: FBT001 - what comes of it
) -> None:
    """Either way; what fits is not asked."""
    frame = caches((12 * MIB, 2e-6, 3e-6), (150 * MIB, 1e-5, 2e-5), (200 * MIB, 1e-4, cold_s))
    check = rows.cold_is_the_same(frame, L2_BYTES)
    assert check.ok is ok, check
    assert check.seen.startswith(f"{0 if ok else 1} of 1 case off")
    assert "L2 50.0 MiB" in check.note


@pytest.mark.parametrize("judge", [rows.cold_is_slower, rows.cold_is_the_same])
def test_what_keeps_caches_from_being_judged_is_said(judge: Any) -> None:
    """Nothing measured both ways, an unknown L2, or sizes that lie between."""
    between = caches((20 * MIB, 1e-5, 1e-5), (100 * MIB, 1e-4, 1e-4))
    hot = between.drop(columns="device_time_cold_s")
    reasons = {
        "`caches`": judge(hot, L2_BYTES),
        "does not say how large the L2 is": judge(between, None),
        "the L2 has 50.0 MiB, and the cases move 20.0 MiB to 100 MiB": judge(between, L2_BYTES),
    }
    for reason, check in reasons.items():
        assert check.ok is None
        assert reason in check.note


def test_a_case_of_the_l2_of_another_gpu_is_judged_by_that() -> None:
    """12 MiB are far too much for 2 MiB."""
    frame = caches((12 * MIB, 2e-6, 3e-6))
    assert rows.cold_is_slower(frame, 2 * MIB).ok is None
    assert rows.cold_is_the_same(frame, 2 * MIB).ok is False
