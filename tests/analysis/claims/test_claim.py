"""A claim is answered by the newest run that has its cases, within that run alone, by rows that are fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.claims.claim import (
    CaseSelector,
    Claim,
    ClaimAnswer,
    ClaimVerdict,
    answers,
    by_run,
    fit,
    select,
)
from bench.analysis.claims.judges import cheaper
from tests.fakes.rows import lost, on, record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.record import Record

OLD, NEW = "20261121T050201Z-aaaaaa", "20261122T050201Z-bbbbbb"


def row(op: str, time_s: float, **values: Any) -> Record:
    """A case of the suite `mul` at n=16."""
    return record("mul", op, time_s=time_s, **values)


def claim(*ops: str, **facts: Any) -> Claim:
    """The first op is cheaper than the second."""
    needs = tuple(CaseSelector(op=f"mul/{op}", **facts) for op in ops)
    return Claim(id="x", sentence="It is cheaper.", sources=(), needs=needs, judge=cheaper())


def answer(one: Claim, *runs: Sequence[Record]) -> ClaimAnswer:
    """The answer of these runs, the newest first."""
    (found,) = answers([one], runs)
    return found


def test_an_answer_rests_on_the_newest_run_that_has_the_cases() -> None:
    """Also where an older one says otherwise; a run that has other cases is passed over."""
    newest = [row("c", 1.0, run_id="20261123T050201Z-cccccc")]
    new = [row("a", 1.0, run_id=NEW), row("b", 2.0, run_id=NEW)]
    old = [row("a", 2.0, run_id=OLD), row("b", 1.0, run_id=OLD)]

    found = answer(claim("a", "b"), newest, new, old)

    assert (found.verdict.kind, found.run_id, found.records) == ("holds", NEW, tuple(new))


def test_cases_of_different_runs_are_not_compared() -> None:
    """What changed between runs is not the op's doing."""
    found = answer(claim("a", "b"), [row("a", 1.0, run_id=NEW)], [row("b", 2.0, run_id=OLD)])
    assert found == ClaimAnswer(
        claim=found.claim, verdict=ClaimVerdict(kind="not-measured", numbers=""), run_id=None
    )


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lost("failed", "no memory", "mul", "b"), "mul/b: failed: no memory"),
        (lost("skipped", None, "mul", "b"), "mul/b: skipped: no reason was given"),
        (row("b", 2.0, correct=False), "mul/b: its result is wrong"),
        (row("b", 2.0, warnings=("wrong-result",)), "mul/b: its result is wrong"),
        (row("b", 2.0, time_lo_s=None), "mul/b: its time has no interval"),
    ],
)
def test_rows_that_are_not_fit_are_said_to_be_there(broken: Record, said: str) -> None:
    """The claim can't be told, and why; unless an older run can."""
    found = answer(claim("a", "b"), [row("a", 1.0), broken])
    assert (found.verdict.kind, found.verdict.numbers) == ("cant-tell", said)
    older = [row("a", 1.0, run_id=OLD), row("b", 2.0, run_id=OLD)]
    assert answer(claim("a", "b"), [row("a", 1.0), broken], older).run_id == OLD


def test_a_time_lost_in_overhead_may_stay() -> None:
    """Its interval reaches as far as it is uncertain; that of a wrong result says nothing."""
    assert fit(row("a", 1e-9, time_lo_s=-1e-9, warnings=("below-overhead",)))
    assert not fit(row("a", 0.0))


def test_cases_are_told_apart_by_all_that_is_asked_for() -> None:
    """Op, dtype, kind of device and axes; within these, only sizes make a series."""
    params = [
        {"n": n, "call": call, "dtype": dtype}
        for n in (64, 16)
        for call in ("*", "mul")
        for dtype in ("float32", "float64")
    ]
    rows = [record("mul", "spelling", params=one) for one in params]
    rows += [*on("cuda:1", rows), *on("cuda:0", rows)]
    for device, first in (("cpu", "cpu"), ("cuda", "cuda:0")):
        cases = CaseSelector(op="mul/spelling", dtype="float64", device=device, where={"call": "*"})
        found = select(cases, rows)
        assert found is not None
        assert found.axis == "n"
        assert [place for place, _ in found.points] == [16, 64]
        assert {(r.device, r.dtype, r.params["call"]) for _, r in found.points} == {
            (first, "float64", "*")
        }
    assert CaseSelector(op="mul/spelling", where={"call": "*"}).name == "mul/spelling call=*"
    assert select(CaseSelector(op="mul/spell"), rows) is None


def test_an_op_without_a_size_is_one_point_for_every_size() -> None:
    """So it can stand beside one that has sizes."""
    found = select(CaseSelector(op="mul/a"), [row("a", 1.0, params={"kind": "b"})])
    assert found is not None
    assert found.axis is None
    assert found.at(7) == found.at(16) == found.points[0][1]


def test_runs_are_told_apart_newest_first() -> None:
    """Whatever the order of their rows."""
    rows = [row("a", 1.0, run_id=OLD), row("a", 2.0, run_id=NEW), row("b", 3.0, run_id=OLD)]
    assert [[r.time_s for r in found] for found in by_run(rows)] == [[2.0], [1.0, 3.0]]


def test_a_claim_knows_whether_it_needs_a_gpu() -> None:
    """By what it needs, not by its name."""
    assert claim("a", "b", device="cuda").needs_gpu
    assert not claim("a", "b").needs_gpu
