"""A plan as people and programs read it."""

from __future__ import annotations

import io

from rich.console import Console

from bench.plan.plan import Plan, PlannedSkip
from bench.report.text.plan import plan_facts, plan_table
from tests.fakes.workers import case

PLAN = Plan(
    cases=(case(1, flop=2.0, bytes=8.0), case(2), case(3, op="other", id="s/other[n=3]")),
    skips=(
        PlannedSkip(case=case(1, device="cuda"), reason="no such device"),
        PlannedSkip(case=case(2, device="cuda"), reason="no such device"),
        PlannedSkip(case=case(9), reason="odd"),
    ),
)


def shown(plan: Plan, estimate_s: float) -> list[str]:
    """The lines on a terminal of 80 columns."""
    console = Console(file=io.StringIO(), width=80)
    console.print(plan_table(plan, estimate_s))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_programs_read_every_case_and_every_skip() -> None:
    """With what tells them apart and what they cost."""
    facts = plan_facts(PLAN, 12.5)
    assert facts["cases"][0] == {
        "case": "s/op[n=1]",
        "suite": "s",
        "op": "op",
        "device": "cpu",
        "dtype": "float32",
        "params": {"n": "1"},
        "flop": 2.0,
        "bytes": 8.0,
    }
    assert [one["case"] for one in facts["cases"]] == ["s/op[n=1]", "s/op[n=2]", "s/other[n=3]"]
    assert [(one["device"], one["reason"]) for one in facts["skips"]] == [
        ("cuda", "no such device"),
        ("cuda", "no such device"),
        ("cpu", "odd"),
    ]
    assert facts["estimated_s"] == 12.5


def test_people_read_a_line_per_op_and_a_line_per_reason() -> None:
    """And how long it would take."""
    assert shown(PLAN, 75) == [
        "op       device  cases  axes",
        "s/op     cpu         2  n=1,2",
        "s/other  cpu         1  n=3",
        "skipped: 2 cases on cuda: no such device",
        "skipped: 1 case on cpu: odd",
        "3 cases, about 1 min 15 s",
    ]


def test_a_plan_of_skips_alone_has_no_table() -> None:
    """A head without lines says nothing."""
    assert shown(Plan(cases=(), skips=PLAN.skips[:1]), 0) == [
        "skipped: 1 case on cuda: no such device",
        "0 cases, about 0 s",
    ]


def test_values_that_look_like_markup_are_shown_as_they_are() -> None:
    """A label may hold anything but brackets; a reason may hold those too."""
    plan = Plan(cases=(), skips=(PlannedSkip(case=case(), reason="[bold]no[/bold]"),))
    assert shown(plan, 0)[0] == "skipped: 1 case on cpu: [bold]no[/bold]"
