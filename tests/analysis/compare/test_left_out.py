"""What can't be compared is named with its reason, and counts where the new run broke or lost it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.compare.comparison import compare
from bench.analysis.compare.gate import gate
from bench.analysis.compare.left_out import counts, left_out, lost
from tests.fakes.comparisons import left_out as made
from tests.fakes.rows import lost as unmeasured
from tests.fakes.two_runs import NEW, run, timed

if TYPE_CHECKING:
    from bench.records.record import Record

WRONG = timed(correct=False, warnings=("wrong-result",), reason="error 0.9 is above 3.8e-06")
KINDS: dict[str, Record | None] = {
    "ok": timed(),
    "unchecked": timed(correct=None, warnings=("unchecked",)),
    "vacuous": timed(correct=None, max_error=0.0, warnings=("vacuous-check",)),
    "wrong": WRONG,
    "failed": unmeasured("failed", "boom"),
    "timeout": unmeasured("timeout", "no answer within 60 s"),
    "oom": unmeasured("oom", "too large"),
    "skipped": unmeasured("skipped", "no CUDA"),
    "untimed": timed(time_s=0.0),
    "absent": None,
}
COMPARED, BROKEN = {"ok", "unchecked", "vacuous"}, {"failed", "timeout", "oom"}
NOT_TRIED = {"skipped", "absent"}


def rows(kind: str) -> list[Record]:
    """A run with a case of this kind, or without it."""
    found = KINDS[kind]
    return [found] if found else []


def expected(base: str, new: str) -> str | None:
    """How the new run loses a case, in the words of the documents."""
    if new == "wrong":
        return "wrong"
    if base in BROKEN | NOT_TRIED:
        return None
    return "failed" if new in BROKEN else "gone" if new in NOT_TRIED else None


@pytest.mark.parametrize("new", KINDS)
@pytest.mark.parametrize("base", KINDS)
def test_every_pair_of_outcomes_has_one_answer(base: str, new: str) -> None:
    """A wrong result always counts, all else where the base measured the case; the gate goes by that."""
    compared = compare(rows(base), rows(new), run(), run(NEW))
    loss = expected(base, new)
    assert [one.loss for one in compared.lost] == ([loss] if loss else [])
    assert len(compared.cases) == (base in COMPARED and new in COMPARED)
    told = not compared.cases and not {base, new} <= NOT_TRIED
    assert len(compared.missing) == compared.summary.missing == told
    code = gate(compared).exit_code
    assert (code == 6) == (loss is not None)
    assert (code == 0) == bool(compared.cases)
    summary = compared.summary
    assert (summary.wrong, summary.failed, summary.gone) == tuple(
        int(loss == one) for one in ("wrong", "failed", "gone")
    )


def test_a_time_that_is_nothing_leaves_it_open() -> None:
    """Both runs ran it; neither a regression nor its absence was shown."""
    (one,) = compare(rows("ok"), rows("untimed"), run(), run(NEW)).missing
    assert (one.loss, one.open, one.why) == (
        None,
        True,
        "new: no time that could be told from none",
    )


@pytest.mark.parametrize(
    ("base", "new", "why"),
    [
        ("ok", "wrong", "new: wrong result, error 0.9 is above 3.8e-06"),
        ("ok", "oom", "new: oom, too large"),
        ("ok", "absent", "new: not there"),
        ("ok", "skipped", "new: skipped, no CUDA"),
        ("wrong", "ok", "base: wrong result, error 0.9 is above 3.8e-06"),
        ("failed", "timeout", "base: failed, boom; new: timeout, no answer within 60 s"),
    ],
)
def test_the_reason_names_the_side_and_what_it_said(base: str, new: str, why: str) -> None:
    """As the row has it."""
    (one,) = compare(rows(base), rows(new), run(), run(NEW)).missing
    assert str(one) == f"matmul/square[n=16,dtype=float32] on cpu ({why})"


def test_a_renamed_case_is_gone_and_another_is_new() -> None:
    """Else a new name would be a way past the gate."""
    found = compare([timed(case="a/old")], [timed(case="a/new")], run(), run(NEW))
    assert [(one.case, one.loss) for one in found.missing] == [("a/old", "gone"), ("a/new", None)]


def test_a_case_on_another_device_is_another() -> None:
    """A GPU that is not there any more is told."""
    found = compare([timed(), timed(device="cuda")], [timed()], run(), run(NEW))
    assert [one.name for one in found.lost] == ["matmul/square[n=16,dtype=float32] on cuda"]


@given(kinds=st.lists(st.sampled_from(["wrong", "failed", "gone", None])))
def test_the_gravest_come_first_and_the_counts_add_up(kinds: list[Any]) -> None:
    """Whatever the order was; cases of a kind stay in theirs."""
    cases = [made(str(place), loss=kind) for place, kind in enumerate(kinds)]
    found = lost(cases)
    order = ["wrong", "failed", "gone"]
    keys = [(order.index(str(one.loss)), int(one.case)) for one in found]
    assert keys == sorted(keys)
    assert len(keys) == sum(kind is not None for kind in kinds)
    said = counts(found)
    assert sum(int(word) for word in said.split() if word.isdigit()) == len(found)


def test_nothing_left_out_is_nothing() -> None:
    """Nor are rows that no run tried."""
    skipped = {("a", "cpu"): unmeasured("skipped", "no kernel")}
    assert left_out(skipped, skipped) == left_out(skipped, {}) == left_out({}, skipped) == []
    assert counts([]) == ""
