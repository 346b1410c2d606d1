"""How a machine is set up: what is steady, what is not, and what was not noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.doctor import setup
from tests.fakes.rows import info

if TYPE_CHECKING:
    from bench.doctor.hazard import Rule

SIBLINGS = {
    "environment": {"smt_siblings": ["0-1"], "usable_cores": [0, 1]},
    "machine": {"physical_cores": 1, "logical_cores": 4},
}


def severity(rule: Rule, **facts: Any) -> str:
    """What a rule says of a run that notes nothing but these."""
    bare: dict[str, Any] = {"environment": {}, "state": {}, "options": {}, "machine": {}}
    found = rule(info(**{**bare, **facts}))
    assert found.alarming == bool(found.remedy)
    return found.severity


@pytest.mark.parametrize(
    ("rule", "environment", "said"),
    [
        (setup.virtual, {"hypervisor": True}, "may"),
        (setup.virtual, {"hypervisor": False}, "fine"),
        (setup.quota, {"cpu_quota_cores": 1.5}, "may"),
        (setup.quota, {"cpu_quota_cores": None}, "fine"),
        (setup.nodes, {"numa_nodes": {"node0": "0", "node1": "1"}}, "may"),
        (setup.nodes, {"numa_nodes": {"node0": "0-1"}}, "fine"),
        (setup.huge_pages, {"transparent_huge_pages": "always"}, "may"),
        (setup.huge_pages, {"transparent_huge_pages": "madvise"}, "fine"),
        (setup.slow_clock, {"clock_source": "hpet"}, "will"),
        (setup.slow_clock, {"clock_source": "kvm-clock"}, "fine"),
        (setup.unbound, {"variables": {"OMP_PROC_BIND": "FALSE"}}, "will"),
        (setup.unbound, {"variables": {"OMP_PLACES": "sockets"}}, "may"),
        (setup.unbound, {"variables": {"OMP_PROC_BIND": "close"}}, "fine"),
        (setup.blocking, {"variables": {"CUDA_LAUNCH_BLOCKING": "1"}}, "will"),
        (setup.blocking, {"variables": {}}, "fine"),
    ],
)
def test_a_setting_is_steady_or_not(rule: Rule, environment: dict[str, Any], said: str) -> None:
    """Each by its own fact."""
    assert severity(rule, environment=environment) == said


@pytest.mark.parametrize(
    ("state", "governor", "turbo"),
    [
        ({"governor": "performance", "turbo": False}, "fine", "fine"),
        ({"governor": "schedutil", "turbo": True}, "may", "may"),
    ],
)
def test_a_clock_is_steady_or_not(state: dict[str, Any], governor: str, turbo: str) -> None:
    """It follows the load, or raises itself."""
    assert severity(setup.governor, state=state) == governor
    assert severity(setup.turbo, state=state) == turbo


@pytest.mark.parametrize(("threads", "said"), [(1, "fine"), (2, "will")])
def test_threads_have_a_physical_core_each_or_share_it(threads: int, said: str) -> None:
    """Two threads of one core share it."""
    assert severity(setup.siblings, options={"threads": threads}, **SIBLINGS) == said


def test_more_threads_than_the_quota_are_stopped() -> None:
    """Not only may be."""
    facts = {"environment": {"cpu_quota_cores": 1.5}, "options": {"threads": 2}}
    assert severity(setup.quota, **facts) == "will"


@pytest.mark.parametrize("rule", setup.RULES)
def test_what_was_not_noted_is_not_known(rule: Rule) -> None:
    """Older runs and other systems say less."""
    assert severity(rule) == "unknown"
