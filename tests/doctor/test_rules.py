"""What may make a machine's numbers noisy is said where it was seen, and what is not known is no hazard."""

from __future__ import annotations

from typing import Any

import pytest

from bench.doctor import hazard, rules
from tests.fakes.machine import KNOWN
from tests.fakes.rows import info, record

CALM: dict[str, dict[str, Any]] = {"environment": {}, "state": {}, "options": {}, "machine": {}}


def codes(**facts: Any) -> list[str]:
    """What is found in a run that notes nothing but these."""
    return [one.code for one in rules.hazards(info(**{**CALM, **facts}))]


def test_nothing_known_is_nothing_to_fear() -> None:
    """An old manifest lacks most facts."""
    assert codes() == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"state": {"cpu_busy_share": 0.1}}, "busy"),
        ({"state": {"load_1min": 2.0}, "environment": {"usable_cores": [0, 1]}}, "load"),
        ({"environment": {"hypervisor": True}}, "virtual-machine"),
        ({"environment": {"cpu_quota_cores": 1.5}}, "cpu-quota"),
        ({"environment": {"numa_nodes": {"node0": "0-7", "node1": "8-15"}}}, "numa"),
        ({"environment": {"transparent_huge_pages": "always"}}, "huge-pages"),
        ({"environment": {"clock_source": "hpet"}}, "slow-clock"),
        ({"environment": {"variables": {"OMP_PROC_BIND": "false"}}}, "threads-unbound"),
        ({"state": {"governor": "powersave"}}, "governor"),
        ({"state": {"turbo": True}}, "turbo"),
        ({"state": {"temperature_c": 93.0}}, "hot"),
        ({"environment": {"variables": {"CUDA_LAUNCH_BLOCKING": "1"}}}, "launch-blocking"),
        ({"waited_s": 30.0}, "states"),
        (
            {
                "environment": {"smt_siblings": ["0-1"]},
                "options": {"threads": 4},
                "machine": {"physical_cores": 2},
            },
            "shared-cores",
        ),
    ],
)
def test_each_is_found_by_its_rule_alone(facts: dict[str, Any], code: str) -> None:
    """And has words for what was seen, what follows and what helps."""
    assert codes(**facts) == [code]
    (one,) = rules.hazards(info(**{**CALM, **facts}))
    assert all((one.seen, one.effect, one.remedy))


@pytest.mark.parametrize(
    "facts",
    [
        {"state": {"cpu_busy_share": 0.09}},
        {"state": {"load_1min": 1.9}, "environment": {"usable_cores": [0, 1]}},
        {"state": {"load_1min": 9.0}},
        {"environment": {"hypervisor": False, "numa_nodes": {"node0": "0-1"}}},
        {"environment": {"cpu_quota_cores": None, "smt_siblings": ["0-1"]}},
        {"state": {"governor": "performance", "turbo": False, "temperature_c": 60.0}},
        {"environment": {"variables": {"CUDA_LAUNCH_BLOCKING": "0"}}},
        {"state": {"cpu_busy_share": "a lot", "temperature_c": None, "governor": None}},
        {"environment": {"transparent_huge_pages": "madvise", "clock_source": "tsc"}},
        {"waited_s": 2.0},
        {
            "environment": {"smt_siblings": ["0-1"]},
            "options": {"threads": 2},
            "machine": {"physical_cores": 2},
        },
    ],
)
def test_what_is_usual_or_unknown_is_not_found(facts: dict[str, Any]) -> None:
    """A list of everything is read by nobody."""
    assert codes(**facts) == []


def test_visits_away_from_reference_are_told_from_the_rows() -> None:
    """In the middle over cases; waiting and being away are one hazard."""
    away = [record(reference_share=share) for share in (0.1, 0.3, 1.0)]
    (one,) = rules.hazards(info(**CALM, waited_s=30.0), away)
    assert one.seen == (
        "the run waited 30 s for the machine to come back to its reference and "
        "in the middle, 30 % of a case's visits were at reference"
    )
    assert rules.hazards(info(**CALM), [record(reference_share=0.9)]) == []


def test_a_checkup_tells_all_and_the_worst_first() -> None:
    """What is not known is told as well, before what is fine."""
    facts = {**CALM, "state": {"cpu_busy_share": 0.5, "governor": "performance", "turbo": True}}
    found = rules.checkup(info(**facts), KNOWN)
    order = [hazard.SEVERITIES.index(one.severity) for one in found]
    assert order == sorted(order)
    by_code = {one.code: one.severity for one in found}
    assert by_code["busy"] == "will"
    assert by_code["turbo"] == "may"
    assert by_code["battery"] == "unknown"
    assert by_code["governor"] == by_code["roofs"] == "fine"


def test_the_page_and_the_checkup_have_one_set_of_rules() -> None:
    """What the one fears the other fears, in the same words."""
    facts = {**CALM, "state": {"turbo": True}, "environment": {"hypervisor": True}}
    feared = [one for one in rules.checkup(info(**facts), KNOWN) if one.alarming]
    assert feared == rules.hazards(info(**facts))


def test_every_rule_of_a_checkup_has_a_code_of_its_own() -> None:
    """So that programs can tell them apart."""
    found = [one.code for one in rules.checkup(info(**CALM), KNOWN)]
    assert len(found) == len(set(found)) > 20
