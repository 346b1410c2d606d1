"""Pairs of cases to compare: each case with itself, or the cases of two ops at equal axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.errors import SelectionError
from bench.plan.choose import pairs, split_names, split_ops
from bench.plan.plan import Plan, PlannedSkip
from tests.fakes.workers import case

if TYPE_CHECKING:
    from pathlib import Path

    from bench.plan.plan import PlannedCase


def of_op(op: str, number: int, device: str = "cpu") -> PlannedCase:
    """A case of an op."""
    return case(number, op=op, id=f"s/{op}[n={number}]", device=device)


PLAN = Plan(
    cases=(of_op("one", 1), of_op("one", 2), of_op("other", 2), of_op("other", 2, "cuda")),
    skips=(PlannedSkip(case=of_op("lost", 1), reason="not here"),),
)


def test_ops_name_their_suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none is named; a file is a suite, wherever it is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my").mkdir()
    (tmp_path / "my/suite").touch()
    assert split_ops(["mul", "view"]) == (("mul", "view"), ())
    words = ("mul/matrices", "mul/in_place", "mul/matrices[n=64]")
    assert split_ops(words) == (words, words[:2])
    suites, named = split_names(words)
    assert (suites, [name.op_id for name in named]) == ((), [*words[:2], words[0]])
    assert split_names(["mine.py", "mine/op"])[0] == ("mine.py",)
    assert split_ops(["my/file.py", "my/suite", "a/b/c", "x" * 5000])[1] == ()
    assert split_ops([]) == ((), ())
    with pytest.raises(SelectionError, match=r"3 ops \(a/b, a/c, a/d\) are more than two sides"):
        split_ops(["a/b", "a/c", "a/d"])


def test_each_case_is_paired_with_itself() -> None:
    """All of them, or those of one op."""
    assert pairs(PLAN, ()) == [(one, one) for one in PLAN.cases]
    assert pairs(PLAN, ("s/one",)) == [(one, one) for one in PLAN.cases[:2]]
    assert pairs(PLAN, ("s/one", "s/one")) == [(one, one) for one in PLAN.cases[:2]]


def test_two_ops_are_paired_at_equal_axes() -> None:
    """And on one device."""
    assert pairs(PLAN, ("s/one", "s/other")) == [(of_op("one", 2), of_op("other", 2))]


def labelled(op: str, **labels: str) -> PlannedCase:
    """A case with these labels."""
    inside = ",".join(f"{k}={v}" for k, v in labels.items())
    return case(op=op, id=f"s/{op}[{inside}]", labels=labels, dtype=labels.get("dtype", "float32"))


def test_ops_are_paired_by_the_axes_that_both_have() -> None:
    """A view has no dtype axis, and is float32; where one could meet several, an axis is to be fixed."""
    views = [labelled("view", n=n) for n in ("1", "2")]
    copies = [labelled("copy", n=n, dtype=t) for n in ("1", "2") for t in ("float32", "int8")]
    plan = Plan(cases=(*views, *copies), skips=())
    assert pairs(plan, ("s/view", "s/copy")) == list(zip(views, copies[::2], strict=True))
    several = Plan(cases=(*views, *(labelled("copy", n="1", m=m) for m in "123")), skips=())
    said = r"s/view\[n=1\] could be compared with s/copy\[n=1,m=1\], s/copy\[n=1,m=2\], …; fix axes"
    with pytest.raises(SelectionError, match=said):
        pairs(several, ("s/view", "s/copy"))


@pytest.mark.parametrize(
    ("ops", "said"),
    [
        (("s/won",), "there is no op 's/won' among what was chosen; did you mean s/one?"),
        (("s/one", "s/lost"), "s/one and s/lost have no case with equal axes (s/one[n=1]; none)"),
    ],
)
def test_a_mistake_is_one_sentence(ops: tuple[str, ...], said: str) -> None:
    """With what there is."""
    with pytest.raises(SelectionError) as error:
        pairs(PLAN, ops)
    assert str(error.value).startswith(said)
