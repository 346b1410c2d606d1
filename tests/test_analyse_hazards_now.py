"""What moves by the second: each rule at its limit, just below it, and where nothing is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.analyse import hazards_now
from tests.fakes_report import info

if TYPE_CHECKING:
    from collections.abc import Mapping

GIB = 2**30
MACHINE = {"memory_bytes": 10 * GIB}
FREE = {"free_memory_bytes": 5 * GIB, "swap_used_bytes": 0, "memory_stall_share": 0.0}


def program(cores: float) -> dict[str, Any]:
    """A program as a look at the machine notes it."""
    return {"pid": 7, "name": "make", "cores": cores}


@pytest.mark.parametrize(
    ("rule", "state", "severity"),
    [
        (hazards_now.busy, {"cpu_busy_share": 0.1}, "will"),
        (hazards_now.busy, {"cpu_busy_share": 0.09}, "fine"),
        (hazards_now.programs, {"programs": [program(0.5)]}, "will"),
        (hazards_now.programs, {"programs": [program(0.49)]}, "may"),
        (hazards_now.programs, {"programs": [program(0.09)]}, "fine"),
        (hazards_now.programs, {"programs": ()}, "fine"),
        (hazards_now.stolen, {"stolen_share": 0.01}, "will"),
        (hazards_now.stolen, {"stolen_share": 0.009}, "fine"),
        (hazards_now.loaded, {"load_1min": 2.0}, "may"),
        (hazards_now.loaded, {"load_1min": 1.9}, "fine"),
        (hazards_now.memory, FREE, "fine"),
        (hazards_now.memory, {**FREE, "free_memory_bytes": GIB - 1}, "may"),
        (hazards_now.memory, {**FREE, "swap_used_bytes": 64 * 2**20}, "may"),
        (hazards_now.memory, {**FREE, "swap_used_bytes": 64 * 2**20 - 1}, "fine"),
        (hazards_now.memory, {**FREE, "memory_stall_share": 0.001}, "will"),
        (hazards_now.memory, {"free_memory_bytes": 5 * GIB}, "fine"),
        (hazards_now.hot, {"temperature_c": 90.0}, "will"),
        (hazards_now.hot, {"temperature_c": 89.0}, "fine"),
        (hazards_now.slowed_down, {"slowdowns": 1}, "may"),
        (hazards_now.slowed_down, {"slowdowns": 0}, "fine"),
        (hazards_now.power, {"on_battery": True}, "will"),
        (hazards_now.power, {"on_battery": False}, "fine"),
    ],
)
def test_each_rule_has_a_limit(
    rule: hazards_now.Rule, state: Mapping[str, Any], severity: str
) -> None:
    """At it numbers suffer, below it they don't."""
    found = rule(info(state=state, machine=MACHINE))
    assert found.severity == severity
    assert found.alarming == bool(found.remedy)


@pytest.mark.parametrize("rule", hazards_now.RULES)
def test_what_was_not_noted_is_not_known(rule: hazards_now.Rule) -> None:
    """Older runs and other systems say less."""
    assert rule(info(state={}, machine={}, environment={})).severity == "unknown"


def test_programs_are_named_with_what_tells_more() -> None:
    """Their ids, to ask the system whose they are."""
    found = hazards_now.programs(info(state={"programs": [program(1.5), program(0.01)]}))
    assert found.seen == "at work: make (7) takes 1.5 cores"
    assert found.remedy.endswith("ps -fp 7")
