"""The plan of a campaign in words: nodes, cases, visits, and what a visit won't fit into."""

from __future__ import annotations

import dataclasses

import pytest

from bench.records.campaign import Pool
from bench.report.text.fleet_plan import plan_facts, plan_lines, wall_s
from tests.fakes import fleet_stores

PLAN = fleet_stores.campaign([f"n{number}" for number in range(20)], ["a", "b"])
STATES = {"h100": {"idle": 15, "busy": 5}}


def test_a_plan_says_nodes_cases_visits_and_minutes() -> None:
    """With what the scheduler says of the nodes now, and about how long all takes if they are free."""
    one, whole = plan_lines(PLAN, STATES)
    assert one == (
        "h100: 20 nodes of slurm (15 idle, 5 busy) × 8 devices, 2 cases, 2 visits of about 12 min 0 s each, "
        "at most 16 at a time"
    )
    assert whole == "40 visits: about 1 h 24 min if the queue is empty."
    facts = plan_facts(PLAN, STATES)
    assert (facts["visits"], facts["minutes_per_visit"]) == (40, 12)
    assert facts["pools"][0]["states"] == STATES["h100"]


@pytest.mark.parametrize(("time_s", "short"), [(600.0, True), (839.0, True), (840.0, False)])
def test_a_time_limit_that_is_too_short_is_said_before_anything_runs(
    time_s: float, *, short: bool
) -> None:
    """A visit would go on in one job after the other; the two minutes before the limit count too."""
    pool = dataclasses.replace(PLAN.pools[0], time_s=time_s)
    lines = plan_lines(dataclasses.replace(PLAN, pools=(pool,)), STATES)
    assert any("is short" in line and "raise time in fleet.toml" in line for line in lines) is short


def test_visits_of_one_machine_follow_each_other() -> None:
    """And of many nodes as many at a time as may be."""
    here = Pool(name="h100", engine="local", apart_s=0, at_most=1)
    alone = dataclasses.replace(PLAN, pools=(here,), nodes={"h100": ("me",)})
    assert wall_s(alone, here) == 2 * 12 * 60
    assert wall_s(PLAN, dataclasses.replace(PLAN.pools[0], at_most=5, apart_s=0)) == 8 * 12 * 60
