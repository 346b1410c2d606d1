"""Cohorts: what is compared with what, and what is left out."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.fleet.cohort import cohorts, usable_rows
from bench.analysis.fleet.fleet_summary import VisitRows
from bench.analysis.fleet.standing import suspects
from bench.analysis.fleet.summary import summarise
from bench.analysis.fleet.visit_rows import visit_rows
from bench.store.campaign_progress import progress
from tests.fakes import fleet_stores, rows
from tests.fakes.fleets import FleetPlan, node_name, visits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.analysis.fleet.fleet_summary import Deviation
    from bench.records.record import Record

PLAN = FleetPlan()
ONE = ("n001", "cuda:3")


def on_node(
    made: list[VisitRows], node: str, changed: Callable[[Record], Record | None]
) -> list[VisitRows]:
    """The visits, with other rows on one node."""
    return [
        visit
        if visit.node != node
        else dataclasses.replace(
            visit, records=tuple(row for one in visit.records if (row := changed(one)))
        )
        for visit in made
    ]


def told(deviations: tuple[Deviation, ...], node: str) -> list[Deviation]:
    """What is said of a node's units."""
    return [one for one in deviations if one.unit.node == node]


@pytest.mark.parametrize(
    "values",
    [
        {"correct": False},
        {"status": "failed"},
        {"time_s": None},
        {"time_s": 0.0},
        {"time_s": -1.0},
        {"time_s": math.nan},
        {"time_s": math.inf},
        {"warnings": ("below-overhead",)},
        {"warnings": ("wrong-result",)},
    ],
)
def test_rows_that_may_not_be_used_are_left_out(values: dict[str, Any]) -> None:
    """One of six cases on one node: its units are judged by the other five."""

    def changed(row: Record) -> Record:
        return dataclasses.replace(row, **values) if row.params["n"] == "2" else row

    plain = summarise(visits(PLAN))
    found = summarise(on_node(visits(PLAN), "n001", changed))
    of_node = told(found.deviations, "n001")
    assert {one.cases for one in of_node} == {5}
    assert suspects(found) == ()
    for before, after in zip(told(plain.deviations, "n001"), of_node, strict=True):
        assert after.ratio == pytest.approx(before.ratio, abs=0.003)


def test_a_case_that_few_units_have_does_not_count() -> None:
    """It has no others to be held against."""

    def more(row: Record) -> Record:
        return (
            dataclasses.replace(row, case="fleet/memory[n=99]") if row.params["n"] == "0" else row
        )

    found = summarise(on_node(visits(PLAN), "n001", more))
    assert {one.cases for one in told(found.deviations, "n001")} == {5}
    assert {one.cases for one in told(found.deviations, "n002")} == {6}


def test_a_unit_with_less_than_half_of_the_cases_is_unsure() -> None:
    """Two cases that are slow may be those two alone."""

    def few(row: Record) -> Record | None:
        time_s = (row.time_s or 0) * 1.2
        return dataclasses.replace(row, time_s=time_s) if row.params["n"] in "01" else None

    found = summarise(on_node(visits(PLAN), "n001", few))
    of_node = told(found.deviations, "n001")
    assert {(one.cases, one.standing, one.p_value) for one in of_node} == {(2, "unsure", 1.0)}
    assert suspects(found) == ()


def test_a_visit_that_was_cut_short_does_not_count() -> None:
    """Its one case is 20 % slower; the unit is judged by its other visit."""

    def short(row: Record, visit: int) -> Record | None:
        if visit == 1 or row.device != ONE[1]:
            return row
        slower = dataclasses.replace(row, time_s=(row.time_s or 0) * 1.2)
        return slower if row.params["n"] == "0" else None

    plan = dataclasses.replace(PLAN, nodes=1)
    odd = [dataclasses.replace(one, node="odd") for one in visits(plan, changed=short)]
    found = told(summarise(visits(PLAN) + odd).deviations, "odd")
    cut = [one for one in found if one.unit.device == ONE[1]]
    assert {one.visits for one in cut} == {1}
    assert all(abs(one.ratio - 1) < 0.015 for one in cut)


@pytest.mark.parametrize(
    "values",
    [
        {"fingerprint": "other"},
        {"threads": 7},
        {"cache": "cold"},
        {"memory": "fresh"},
        {"mode": "compile"},
        {"torch_version": "2.12.0"},
    ],
)
def test_what_was_measured_otherwise_is_not_compared(values: dict[str, Any]) -> None:
    """A node that takes twice as long with another torch, code or way of calling is no suspect."""

    def other(row: Record) -> Record:
        return dataclasses.replace(row, time_s=(row.time_s or 0) * 2, **values)

    found = summarise(on_node(visits(PLAN), "n001", other))
    assert suspects(found) == ()
    assert all(one.ratio < 1.1 for one in found.deviations)


def test_a_row_without_a_word_is_hot_and_eager() -> None:
    """Older versions had no such columns."""

    def said(row: Record) -> Record:
        return dataclasses.replace(row, cache="hot", mode="eager")

    assert len(told(summarise(on_node(visits(PLAN), "n001", said)).deviations, "n001")) == 16


def test_each_torch_has_units_of_its_own() -> None:
    """Half of the nodes have another, and take twice as long: no unit stands out, and the mixture is named."""

    def other(row: Record) -> Record:
        return dataclasses.replace(row, time_s=(row.time_s or 0) * 2, torch_version="2.12.0")

    made = visits(PLAN)
    for node in ("n001", "n003"):
        made = on_node(made, node, other)
    found = summarise(made)
    assert found.mixtures == {"torch": ("2.12.0", "2.13.0")}
    assert {one.standing for one in found.deviations} == {"ordinary"}
    assert {(one.torch, one.units) for one in found.percentiles} == {("2.12.0", 16), ("2.13.0", 24)}
    slow = summarise(on_node(visits(PLAN, {("n002", "cuda:1"): 1.07}), "n001", other))
    assert {one.unit.node for one in suspects(slow)} == {"n002"}


def test_a_unit_with_two_torches_is_judged_with_the_usual_one() -> None:
    """Its second visit had another, which is that of no other unit."""

    def changed(row: Record, visit: int) -> Record:
        odd = visit == 2 and row.device == "cuda:0"
        return dataclasses.replace(row, torch_version="2.12.0") if odd else row

    plan = dataclasses.replace(PLAN, nodes=1)
    made = visits(PLAN) + [
        dataclasses.replace(one, node="odd") for one in visits(plan, changed=changed)
    ]
    found = [one for one in told(summarise(made).deviations, "odd") if one.unit.device == "cuda:0"]
    assert [one.visits for one in found] == [1, 1]


def test_models_are_looked_at_by_themselves() -> None:
    """A100 take twice as long as H100, and none of them is slow."""

    def older(row: Record, _: int) -> Record:
        return dataclasses.replace(row, device_name="A100", time_s=(row.time_s or 0) * 2)

    old = [dataclasses.replace(one, node=f"a{one.node}") for one in visits(PLAN, changed=older)]
    found = summarise(visits(PLAN) + old)
    assert {one.unit.model for one in found.deviations} == {"A100", "NVIDIA H100"}
    assert {one.standing for one in found.deviations} == {"ordinary"}
    assert found.mixtures == {}


def test_nothing_is_nothing() -> None:
    """No visits, and visits without a usable row."""
    empty = summarise([])
    assert (empty.deviations, empty.spreads, empty.percentiles) == ((), (), ())
    lost = VisitRows(
        pool="p", node="n", visit=1, records=(rows.lost("failed", "x"),), info=rows.info()
    )
    assert summarise([lost]).deviations == ()


def test_a_table_has_a_place_for_each_visit() -> None:
    """In the order of visits; those that confirm are marked, and not among the first."""
    made = visits(dataclasses.replace(PLAN, nodes=2), again=["n001"])
    (table,) = cohorts(made, usable_rows(made))
    assert table.logs.shape == (16, 3, 12)
    assert table.confirms.sum() == 8
    assert table.confirms[:, :2].sum() == 0
    assert {unit.node for unit, own in zip(table.units, table.confirms, strict=True) if own[2]} == {
        "n001"
    }
    assert (math.isnan(table.first[15, 2, 0]), math.isnan(table.logs[15, 2, 0])) == (True, False)
    assert set(table.nodes.tolist()) == {0, 1}


def test_the_error_within_a_run_is_that_of_the_intervals() -> None:
    """±1 % at 95 % are half a per cent of standard error."""
    made = visits(PLAN)
    (table,) = cohorts(made, usable_rows(made))
    assert table.errors == pytest.approx([0.01 / 1.96] * 12, rel=1e-3)

    def bare(row: Record, _: int) -> Record:
        return dataclasses.replace(row, time_lo_s=None, time_hi_s=None, confidence=None)

    spread = summarise(visits(PLAN, changed=bare)).spreads[0]
    assert spread.within_run is None
    assert summarise(made).spreads[0].within_run == pytest.approx(
        0.01 / 1.96 / math.sqrt(6), rel=1e-3
    )


def test_no_other_column_is_asked_for_than_is_read(tmp_path: Path) -> None:
    """What is said of a fleet is the same from its store as from whole rows."""
    made = visits(FleetPlan(nodes=6, gpus=4), {("n001", "cuda:2"): 1.09})
    names = [node_name(n) for n in range(6)]
    plan = fleet_stores.campaign(names, [row.case for row in made[0].records])
    objects = fleet_stores.write(tmp_path, plan, made)
    read, torn = visit_rows(objects, progress(objects, plan))
    assert torn == []
    one, other = summarise(made), summarise(read)
    assert one.deviations == other.deviations
    assert one.percentiles == other.percentiles
    assert one.spreads == other.spreads
    assert any(found.suspect for found in one.deviations)
