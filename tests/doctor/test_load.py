"""What moves by the second: each rule at its limit, just below it, and where nothing is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.doctor import load
from tests.fakes.rows import info

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.doctor.hazard import Rule

GIB = 2**30
MACHINE = {"memory_bytes": 10 * GIB}
FREE = {"free_memory_bytes": 5 * GIB, "swap_used_bytes": 0, "memory_stall_share": 0.0}


def program(cores: float) -> dict[str, Any]:
    """A program as a checkup notes it."""
    return {"pid": 7, "name": "make", "cores": cores}


@pytest.mark.parametrize(
    ("rule", "state", "severity"),
    [
        (load.busy, {"cpu_busy_share": 0.1}, "will"),
        (load.busy, {"cpu_busy_share": 0.09}, "fine"),
        (load.programs, {"programs": [program(0.5)]}, "will"),
        (load.programs, {"programs": [program(0.49)]}, "may"),
        (load.programs, {"programs": [program(0.09)]}, "fine"),
        (load.programs, {"programs": ()}, "fine"),
        (load.stolen, {"stolen_share": 0.01}, "will"),
        (load.stolen, {"stolen_share": 0.009}, "fine"),
        (load.loaded, {"load_1min": 2.0}, "may"),
        (load.loaded, {"load_1min": 1.9}, "fine"),
        (load.memory, FREE, "fine"),
        (load.memory, {**FREE, "free_memory_bytes": GIB - 1}, "may"),
        (load.memory, {**FREE, "swap_used_bytes": 64 * 2**20}, "may"),
        (load.memory, {**FREE, "swap_used_bytes": 64 * 2**20 - 1}, "fine"),
        (load.memory, {**FREE, "memory_stall_share": 0.001}, "will"),
        (load.memory, {"free_memory_bytes": 5 * GIB}, "fine"),
        (load.hot, {"temperature_c": 90.0}, "will"),
        (load.hot, {"temperature_c": 89.0}, "fine"),
        (load.slowed_down, {"slowdowns": 1}, "may"),
        (load.slowed_down, {"slowdowns": 0}, "fine"),
        (load.power, {"on_battery": True}, "will"),
        (load.power, {"on_battery": False}, "fine"),
    ],
)
def test_each_rule_has_a_limit(rule: Rule, state: Mapping[str, Any], severity: str) -> None:
    """At it numbers suffer, below it they don't."""
    found = rule(info(state=state, machine=MACHINE))
    assert found.severity == severity
    assert found.alarming == bool(found.remedy)


@pytest.mark.parametrize("rule", load.RULES)
def test_what_was_not_noted_is_not_known(rule: Rule) -> None:
    """Older runs and other systems say less."""
    assert rule(info(state={}, machine={}, environment={})).severity == "unknown"


def test_programs_are_named_with_what_tells_more() -> None:
    """Their ids, to ask the system whose they are."""
    found = load.programs(info(state={"programs": [program(1.5), program(0.01)]}))
    assert found.seen == "at work: make (7) takes 1.5 cores"
    assert found.remedy.endswith("ps -fp 7")
