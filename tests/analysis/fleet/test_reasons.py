"""Reasons and mixtures: what else differs, and what should be one and is not."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.fleet.standing import suspects
from bench.analysis.fleet.summary import summarise
from tests.fakes.fleets import ENVIRONMENT, HOST, FleetPlan, visits

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.records.record import Record

PLAN = FleetPlan()
ONE = ("n001", "cuda:3")
SLOW = {ONE: 1.08}
LIMITS = {"power_limit_w": 700.0, "temperature_c": 40.0, "name": "H100", "persistent": True}


def reasons(
    changed: Callable[[Record, int], Record] | None = None,
    info: Callable[[str, int], dict[str, Any]] | None = None,
) -> tuple[str, ...]:
    """Of the one suspect; nobody else has any."""
    found = summarise(visits(PLAN, SLOW, changed=changed, info=info))
    assert {one.reasons for one in found.deviations if not one.suspect} == {()}
    (said,) = {one.reasons for one in suspects(found)}
    return said


def test_nothing_known_is_nothing_said() -> None:
    """CPU rows have no clocks, nor do runs of old."""
    assert reasons() == ()


@pytest.mark.parametrize(
    ("usual", "own", "said"),
    [
        (
            {"sm_clock_hz": 1.755e9},
            {"sm_clock_hz": 1.41e9},
            "SM clock 1410 MHz, others 1755 MHz",
        ),
        ({"sm_clock_hz": 1.755e9}, {"sm_clock_hz": 1.74e9}, None),
        (
            {"throttled_share": 0.0},
            {"throttled_share": 0.4},
            "clocks held down in 40 % of the readings, others 0 %",
        ),
        ({"temperature_c": 61.0}, {"temperature_c": 84.0}, "84 °C, others 61 °C"),
        ({"temperature_c": 61.0}, {"temperature_c": 63.0}, None),
        ({"other_processes": 0}, {"other_processes": 2}, "other processes on it: 2"),
        ({}, {"sm_clock_hz": 1.0e9}, None),
        ({"sm_clock_hz": 0.0}, {"sm_clock_hz": 1.0e9}, None),
    ],
)
def test_a_column_that_differs_is_named(
    usual: dict[str, Any], own: dict[str, Any], said: str | None
) -> None:
    """With what the others have; a little less or more is none."""

    def changed(row: Record, _: int) -> Record:
        return dataclasses.replace(row, **(own if row.device == ONE[1] else usual))

    plan = dataclasses.replace(PLAN, gpus=4, nodes=1)
    many = visits(PLAN, changed=lambda row, _: dataclasses.replace(row, **usual))
    odd = [
        dataclasses.replace(one, node="odd")
        for one in visits(plan, {("n000", ONE[1]): 1.08}, changed=changed)
    ]
    (found,) = {one.reasons for one in suspects(summarise(many + odd))}
    assert found == (() if said is None else (said,))


def test_a_fact_of_the_run_that_differs_is_named() -> None:
    """The driver of its node, and the power limit of this GPU; what changes by the second is not."""

    def info(node: str, _: int) -> dict[str, Any]:
        gpus = [dict(LIMITS) for _ in range(8)]
        odd = node == ONE[0]
        if odd:
            gpus[3] |= {"power_limit_w": 600.0, "temperature_c": 80.0}
        driver = {**ENVIRONMENT, "gpu_driver": "550.2"} if odd else ENVIRONMENT
        return {"state": {"gpus": gpus}, "environment": driver}

    assert reasons(info=info) == ("driver 550.2, others 580.1", "power limit 600 W, others 700 W")


def test_facts_of_another_shape_are_passed_over() -> None:
    """A manifest may be anybody's."""

    def info(node: str, _: int) -> dict[str, Any]:
        return {"state": {"gpus": "none" if node == "n000" else [None] * 8}, "torch": {}}

    assert reasons(info=info) == ()


def test_what_should_be_one_is_named() -> None:
    """Per model: drivers, kernels, hosts, code."""

    def info(node: str, _: int) -> dict[str, Any]:
        odd = node == "n002"
        return {
            "environment": {**ENVIRONMENT, "kernel": "6.2" if odd else "6.1"},
            "machine": {**HOST, "architecture": "aarch64" if odd else "x86_64"},
        }

    def changed(row: Record, _: int) -> Record:
        return dataclasses.replace(row, fingerprint="b" if row.device == "cuda:1" else "a")

    found = summarise(visits(PLAN, info=info, changed=changed)).mixtures
    assert found == {
        "architecture": ("aarch64", "x86_64"),
        "code of fleet/compute": ("a", "b"),
        "code of fleet/memory": ("a", "b"),
        "kernel": ("6.1", "6.2"),
    }
    assert summarise(visits(PLAN)).mixtures == {}


def test_cases_of_an_op_may_have_codes_of_their_own() -> None:
    """By what stands on their axes; only a case that has several is a mixture."""

    def changed(record: Record, _: int) -> Record:
        return dataclasses.replace(record, fingerprint=f"code of {record.case}")

    assert summarise(visits(PLAN, changed=changed)).mixtures == {}
