"""Preflight: what keeps a node from being measured, in which words, and what a pool may allow."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bench.fleet import preflight
from bench.fleet.preflight import Facts
from bench.machine.activity import GpuSnapshot
from bench.machine.hardware import Gpu
from bench.records.campaign import CHECKS
from tests.fleet import made_up

if TYPE_CHECKING:
    from pathlib import Path

GPU = {field.name: None for field in dataclasses.fields(GpuSnapshot)}


def gpus(count: int) -> Any:
    """A machine of so many GPUs."""
    known: dict[str, Any] = {f.name: None for f in dataclasses.fields(Gpu)}
    machine = made_up.facts().machine
    return dataclasses.replace(machine, gpus=tuple(Gpu(**known) for _ in range(count)))


def snapshot(**changes: Any) -> Any:
    """What goes on at a node."""
    return dataclasses.replace(made_up.facts().snapshot, **changes)


def on_gpus(*processes: int | None) -> Any:
    """So many programs on each GPU."""
    found: Any = [GpuSnapshot(**(GPU | {"processes": n})) for n in processes]  # type: ignore[arg-type]
    return snapshot(gpus=tuple(found))


BUSY = snapshot(
    cpu_busy_share=0.5,
    programs=(SimpleNamespace(name="make"), SimpleNamespace(name="python3")),
)
REFUSED: list[tuple[str, int, dict[str, Any], str]] = [
    ("torch", 0, {"torch": "2.12.0"}, "torch is 2.12.0 here and 2.13.0 in the plan"),
    ("gpus", 8, {"machine": gpus(7)}, "7 GPUs of 8 can be seen"),
    ("gpus", 8, {}, "0 GPUs of 8 can be seen"),
    ("cores", 0, {"usable_cores": 1}, "the job may use 1 of 8 cores; ask for whole nodes"),
    ("disk", 0, {"free_disk_bytes": 2**20}, "are free on the disk of the spool"),
    ("busy", 0, {"snapshot": on_gpus(0, 2)}, "other programs use 1 GPU (the first: 1)"),
    ("busy", 0, {"snapshot": BUSY}, "50 % of the CPU is busy (by make, python3)"),
    (
        "busy",
        0,
        {"snapshot": snapshot(cpu_busy_share=0.25, programs=None)},
        "25 % of the CPU is busy before anything is measured",
    ),
]


@pytest.mark.parametrize(("code", "count", "changes", "says"), REFUSED)
def test_what_keeps_a_node_from_being_measured(
    code: str, count: int, changes: dict[str, Any], says: str
) -> None:
    """In words for whoever looks after the node; a pool may allow it."""
    plan, facts = made_up.campaign(), made_up.facts(**changes)
    refusal = preflight.before_planning(plan, made_up.pool(gpus=count), facts)
    assert refusal
    assert refusal.code == code
    assert says in refusal.reason
    allowing = made_up.pool(gpus=count, allow=(code,))
    assert preflight.before_planning(plan, allowing, facts) is None


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"machine": gpus(9)},
        {"snapshot": on_gpus(0, None)},
        {"snapshot": snapshot(cpu_busy_share=None)},
        {"snapshot": snapshot(cpu_busy_share=0.19)},
        {"usable_cores": 16},
    ],
)
def test_a_node_at_rest_is_measured(changes: dict[str, Any]) -> None:
    """Also where nothing can be told of it, or it has more than is asked for."""
    facts = made_up.facts(**changes)
    assert preflight.before_planning(made_up.campaign(), made_up.pool(), facts) is None


def test_what_is_wrong_for_longest_is_said_first() -> None:
    """Another torch stays, a load passes; what is allowed is passed over."""
    facts = made_up.facts(torch="2.9.0", usable_cores=1, snapshot=BUSY)
    codes = []
    for allow in ((), ("torch",), ("torch", "cores"), CHECKS):
        found = preflight.before_planning(made_up.campaign(), made_up.pool(allow=allow), facts)
        codes.append(found and found.code)
    assert codes == ["torch", "cores", "busy", None]


def of_plan(here: dict[str, str | None], **pool: Any) -> str:
    """Why a node's plan with these cases is not the campaign's."""
    cases = {f"s/op[n={n}]": "abc" for n in range(5)}
    plan: Any = SimpleNamespace(
        all_cases=[SimpleNamespace(id=case, fingerprint=code) for case, code in here.items()]
    )
    campaign = made_up.campaign(cases=cases)
    found = preflight.of_plan(campaign, made_up.pool(**pool), plan)
    return found.reason if found else ""


def test_every_case_has_the_code_of_the_plan() -> None:
    """One that is not there, or is another, is named; more than the plan has do no harm."""
    same: dict[str, str | None] = {f"s/op[n={n}]": "abc" for n in range(5)}
    assert of_plan(same | {"s/more[]": "x"}) == ""
    assert of_plan(same | {"s/op[n=3]": "changed"}).startswith("1 case (s/op[n=3]) have other code")
    said = of_plan({})
    assert said.startswith("5 cases (s/op[n=0], s/op[n=1], s/op[n=2], …) have other code here")
    assert of_plan({}, allow=("code",)) == ""


def test_this_node_can_be_looked_at(tmp_path: Path) -> None:
    """All of it, as a visit does."""
    facts = Facts.read(tmp_path)
    assert facts.free_disk_bytes > 0
    assert facts.usable_cores >= 1
    assert facts.torch.count(".") == 2
