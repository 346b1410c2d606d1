"""Standings: who is called slow, who is not, and what it takes."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.analysis.fleet.standing import controls, suspects
from bench.analysis.fleet.summary import summarise
from tests.fakes.fleets import MODEL, FleetPlan, node_name, units_of, visits

if TYPE_CHECKING:
    from bench.analysis.fleet.fleet_summary import Deviation, FleetSummary
    from bench.records.record import Record

PLAN = FleetPlan()
ONE = ("n001", "cuda:3")


def names(found: tuple[Deviation, ...]) -> set[tuple[str, str]]:
    """Node and device."""
    return {(one.unit.node, one.unit.device) for one in found}


def told(summary: FleetSummary, group: str = "memory", unit: tuple[str, str] = ONE) -> Deviation:
    """What is said of one unit."""
    return next(
        one
        for one in summary.deviations
        if (one.unit.node, one.unit.device) == unit and one.group == group
    )


def test_a_slow_unit_is_a_suspect_until_it_is_confirmed() -> None:
    """Two visits make a suspect; a third, with the other units of its node beside it, makes it slow."""
    slow = {ONE: 1.06}
    first = summarise(visits(PLAN, slow, only="memory"))
    found = suspects(first)
    assert [(one.unit.node, one.unit.device, one.group) for one in found] == [(*ONE, "memory")]
    assert (found[0].standing, found[0].confirmed, first.slow) == ("unsure", None, ())
    assert 1.03 < found[0].ratio_lo < found[0].ratio < found[0].ratio_hi < 1.09

    then = summarise(visits(PLAN, slow, only="memory", again=["n001", "n004"]))
    (one,) = then.slow
    assert (one.unit.node, one.unit.device, one.group) == (*ONE, "memory")
    assert (one.confirmed, one.suspect, one.visits, one.cases) == (True, False, 2, 6)
    assert one.ratio == pytest.approx(1.06, abs=0.01)
    assert told(then, "compute").standing == "ordinary"


def test_a_fast_unit_is_fast() -> None:
    """The other side is looked at alike."""
    found = summarise(visits(PLAN, {ONE: 1 / 1.06}, again=["n001"]))
    assert {told(found, group).standing for group in ("compute", "memory")} == {"fast"}
    assert found.slow == ()


def test_a_suspect_is_cleared_by_a_visit_that_finds_it_ordinary() -> None:
    """What it says then counts alone: the first visits chose it."""

    def at_first(row: Record, visit: int) -> Record:
        slower = 1.06 if visit < 3 and row.device == ONE[1] else 1.0
        return dataclasses.replace(row, time_s=(row.time_s or 0) * slower)

    plan = dataclasses.replace(PLAN, nodes=1)
    many = visits(PLAN) + [
        dataclasses.replace(one, node="odd")
        for one in visits(plan, changed=at_first, again=["n000"])
    ]
    one = told(summarise(many), unit=("odd", ONE[1]))
    assert (one.confirmed, one.standing, one.suspect) == (False, "ordinary", False)
    assert one.ratio == pytest.approx(1.0, abs=0.015)
    before = told(summarise([v for v in many if not v.confirms]), unit=("odd", ONE[1]))
    assert before.suspect


def test_what_all_changed_by_confirms_nobody() -> None:
    """It is warmer at the third visit, by 6 % for all: the controls show that."""

    def warmer(row: Record, visit: int) -> Record:
        slower = 1.06 if visit == 3 else 1.0
        early = 1.06 if visit < 3 and row.device == ONE[1] else 1.0
        return dataclasses.replace(row, time_s=(row.time_s or 0) * slower * early)

    plan = dataclasses.replace(PLAN, nodes=1)
    odd = visits(plan, changed=warmer, again=["n000"])
    found = summarise(visits(PLAN) + [dataclasses.replace(one, node="odd") for one in odd])
    assert told(found, unit=("odd", ONE[1])).confirmed is False


def test_without_controls_nothing_is_confirmed() -> None:
    """A suspect that was visited alone may be slow, and so may the day be."""
    plan = FleetPlan(nodes=12, gpus=1)
    slow = {("n003", "cuda:0"): 1.08}
    alone = summarise(visits(plan, slow, again=["n003"]))
    assert names(suspects(alone)) == {("n003", "cuda:0")}
    assert alone.slow == ()
    beside = summarise(visits(plan, slow, again=["n003", "n007"]))
    assert names(beside.slow) == {("n003", "cuda:0")}


def test_several_slow_units_do_not_hide_each_other() -> None:
    """Five of forty."""
    slow = {units_of(PLAN)[place]: 1.07 for place in (0, 9, 18, 27, 36)}
    assert names(suspects(summarise(visits(PLAN, slow)))) == set(slow)


def test_a_slow_node_is_all_its_units() -> None:
    """One of five nodes: eight of forty units."""
    slow = {unit: 1.07 for unit in units_of(PLAN) if unit[0] == "n002"}
    found = summarise(visits(PLAN, slow, again=["n002", "n000"]))
    assert names(found.slow) == set(slow)


@pytest.mark.parametrize(("nodes", "gpus", "named"), [(1, 5, False), (1, 8, True), (8, 1, True)])
def test_of_few_units_none_is_named(nodes: int, gpus: int, named: bool) -> None:  # noqa: FBT001
    """With five, two could be slow or three fast; with eight on one node one is seen that is far off."""
    plan = FleetPlan(nodes=nodes, gpus=gpus)
    slow = {units_of(plan)[3]: 1.25}
    found = summarise(visits(plan, slow))
    assert names(suspects(found)) == (set(slow) if named else set())
    if not named:
        assert {one.standing for one in found.deviations} == {"unsure"}
        assert found.tests == 0


def test_a_unit_alone_is_held_against_nobody() -> None:
    """It is in the summary all the same, with an interval that has no end."""
    found = summarise(visits(FleetPlan(nodes=1, gpus=1)))
    one = told(found, unit=("n000", "cuda:0"))
    assert (one.ratio, one.ratio_lo, one.ratio_hi, one.p_value) == (1.0, 0.0, math.inf, 1.0)
    assert one.standing == "unsure"


def test_one_visit_makes_suspects_and_no_more() -> None:
    """How visits differ is not known: how units differ stands for it."""
    plan = dataclasses.replace(PLAN, visits=1)
    found = summarise(visits(plan, {ONE: 1.08}))
    assert names(suspects(found)) == {ONE}
    assert all(spread.between_visits is None for spread in found.spreads)
    calm = told(found, unit=("n000", "cuda:0"))
    twice = told(summarise(visits(PLAN)), unit=("n000", "cuda:0"))
    assert calm.ratio_hi / calm.ratio_lo > twice.ratio_hi / twice.ratio_lo


def test_a_unit_that_is_slow_from_its_second_visit_on_is_unsure() -> None:
    """One visit says it is slow, and one that it is not; both are told."""
    found = summarise(visits(PLAN, {ONE: 1.12}, since=2))
    one = told(found)
    assert (one.standing, one.suspect) == ("unsure", False)
    assert one.ratio == pytest.approx(1.06, abs=0.01)
    assert one.reasons[0].startswith("its visits differ: ")
    thrice = dataclasses.replace(PLAN, visits=4)
    assert not told(summarise(visits(thrice, {ONE: 1.12}, since=4))).suspect


def test_the_band_decides_what_matters() -> None:
    """2 % off, for certain: ordinary with a band of 3 %, a suspect with one of 1 %."""
    made = visits(dataclasses.replace(PLAN, device=0.001, visit=0.001), {ONE: 1.02})
    assert told(summarise(made)).standing == "ordinary"
    assert told(summarise(made, band=0.01)).suspect


def test_noisy_visits_widen_the_band() -> None:
    """Where a unit differs by 5 % from visit to visit, 6 % are within what chance does."""
    noisy = dataclasses.replace(PLAN, visit=0.05)
    found = summarise(visits(noisy, {ONE: 1.06}))
    assert suspects(found) == ()
    assert {one.standing for one in found.deviations} == {"ordinary", "unsure"}
    wide = [one for one in found.deviations if one.standing == "ordinary"]
    assert all(one.ratio_hi / one.ratio_lo > 1.06 for one in wide)


def test_what_the_spread_of_others_explains_is_no_suspect() -> None:
    """Units that differ by 6 %: some lie beyond the band, for certain, and all are alike in that."""
    found = summarise(visits(dataclasses.replace(PLAN, device=0.06, visit=0.001)))
    assert sum(one.ratio_lo > 1.03 for one in found.deviations) > 5
    assert suspects(found) == ()


def test_an_interval_that_reaches_into_the_band_makes_no_suspect() -> None:
    """3.5 % ± 0.7 %, far from all others."""
    plan = dataclasses.replace(PLAN, device=0.001, visit=0.004)
    one = told(summarise(visits(plan, {ONE: 1.035})))
    assert one.ratio_lo < 1.03 < one.ratio
    assert one.p_value < 1e-6
    assert (one.suspect, one.standing) == (False, "unsure")


def test_a_unit_that_was_visited_once_must_lie_further_off() -> None:
    """The same times in both visits, or in one that is missing."""

    def odd(row: Record, visit: int) -> Record | None:
        return row if row.device != ONE[1] or visit == 1 else None

    plan, single = dataclasses.replace(PLAN, device=0.002, visit=0.004), FleetPlan(nodes=1, gpus=4)
    once, first = (visits(dataclasses.replace(single, seed=9), changed=c) for c in (odd, None))
    twice = [first[0], dataclasses.replace(first[0], visit=2)]
    p_values = [
        told(
            summarise(visits(plan) + [dataclasses.replace(one, node="odd") for one in made]),
            unit=("odd", ONE[1]),
        ).p_value
        for made in (once, twice)
    ]
    assert p_values[0] > p_values[1] * 1.05


@pytest.mark.parametrize(
    ("later", "visit", "confirmed"),
    [(1.012, 0.0005, False), (1.03, 0.0005, True), (1.018, 0.004, False), (1.04, 0.004, True)],
)
def test_a_confirming_visit_must_be_surely_beyond_half_the_band(
    later: float,
    visit: float,
    confirmed: bool,  # noqa: FBT001
) -> None:
    """A unit that seemed 8 % slower and is slower by a little is cleared; so is one that may be."""

    def less(row: Record, number: int) -> Record:
        by = (later if number == 3 else 1.08) if row.device == ONE[1] else 1.0
        return dataclasses.replace(row, time_s=(row.time_s or 0) * by)

    calm = dataclasses.replace(PLAN, device=0.0005, visit=visit)
    odd = visits(dataclasses.replace(calm, nodes=1), changed=less, again=["n000"])
    many = visits(calm) + [dataclasses.replace(one, node="odd") for one in odd]
    one = told(summarise(many), unit=("odd", ONE[1]))
    assert one.confirmed is confirmed
    assert one.ratio == pytest.approx(later, abs=4 * visit)


@given(st.permutations(range(10)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_visits_changes_nothing(order: list[int]) -> None:
    """Whoever was measured first."""
    made = visits(PLAN, {ONE: 1.06})
    assert summarise([made[place] for place in order]) == summarise(made)


@given(st.floats(1e-3, 1e3))
@settings(max_examples=10, deadline=None)
def test_scaling_all_times_changes_no_deviation(factor: float) -> None:
    """Nor any word."""

    def scaled(row: Record, _: int) -> Record:
        return dataclasses.replace(row, time_s=(row.time_s or 0) * factor)

    one, other = (
        summarise(visits(PLAN, {ONE: 1.06}, changed=changed)) for changed in (None, scaled)
    )
    for before, after in zip(one.deviations, other.deviations, strict=True):
        assert after.ratio == pytest.approx(before.ratio)
        assert after.p_value == pytest.approx(before.p_value, rel=1e-4, abs=1e-12)
        assert (after.standing, after.suspect) == (before.standing, before.suspect)


@given(st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_more_ordinary_units_make_no_ordinary_one_slow(seed: int) -> None:
    """Its interval is within the band, which others don't move."""
    few = visits(dataclasses.replace(PLAN, seed=seed))
    plan = dataclasses.replace(PLAN, seed=seed + 1)
    more = [dataclasses.replace(one, node=f"x{one.node}") for one in visits(plan)]
    ordinary = {
        (one.unit, one.group) for one in summarise(few).deviations if one.standing == "ordinary"
    }
    after = summarise(few + more)
    assert len(ordinary) > 60
    assert not {(one.unit, one.group) for one in suspects(after)} & ordinary


def test_controls_are_ordinary_units_on_other_nodes() -> None:
    """Of the same model, each on a node of its own, the same for a seed and others for another."""
    summary = summarise(visits(PLAN, {ONE: 1.06}))
    found = controls(summary, suspects(summary), seed=1)
    assert len(found) == len({unit.node for unit in found}) == 2
    assert {unit.model for unit in found} == {MODEL}
    assert ONE[0] not in {unit.node for unit in found}
    assert found == controls(summary, suspects(summary), seed=1)
    assert len({controls(summary, suspects(summary), seed=s) for s in range(20)}) > 5
    assert len(controls(summary, suspects(summary), seed=1, n=99)) == 4
    assert controls(summary, (), seed=1) == ()


def test_controls_may_be_unsure_where_nobody_is_ordinary() -> None:
    """Better than none; a suspect or a slow unit never is one."""
    summary = summarise(visits(PLAN, {ONE: 1.06}))
    unsure = [
        dataclasses.replace(one, standing="unsure") for one in summary.deviations if not one.suspect
    ]
    vague = dataclasses.replace(summary, deviations=(*unsure, *suspects(summary)))
    assert len(controls(vague, suspects(summary), seed=1)) == 2
    off = [dataclasses.replace(one, suspect=True) for one in summary.deviations]
    assert controls(dataclasses.replace(summary, deviations=tuple(off)), suspects(summary), 1) == ()


def test_a_simulated_fleet_has_few_false_alarms_and_names_what_is_slow() -> None:
    """Of 50 nodes with 8 GPUs each: 8 % are named for certain, 2 % never, and one of 800 by chance at most."""
    plan = FleetPlan(nodes=50, device=0.006, visit=0.004, case=0.003, seed=12)
    rng = np.random.default_rng(3)
    chosen = [units_of(plan)[place] for place in rng.choice(400, 12, replace=False)]
    slow = dict(zip(chosen, [1.08] * 6 + [1.02] * 6, strict=True))
    everywhere = [node_name(n) for n in range(plan.nodes)]
    found = summarise(visits(plan, slow, only="compute", again=everywhere))
    named = names(found.slow)
    assert {unit for unit, by in slow.items() if by == 1.08} <= named
    assert len(named & {unit for unit, by in slow.items() if by == 1.02}) <= 1
    assert not named - slow.keys()
    assert sum(one.standing == "ordinary" for one in found.deviations) > 0.93 * 800
    assert found.tests == 800
