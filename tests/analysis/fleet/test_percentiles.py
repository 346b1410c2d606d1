"""Percentiles over units, and the place of a time among them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.fleet.fleet_summary import Percentiles
from bench.analysis.fleet.percentiles import percentile_of, place_of, rank_of
from bench.analysis.fleet.summary import summarise
from tests.fakes.fleets import FleetPlan, visits

KNOWN = Percentiles(
    model="H100",
    case="s/op",
    dtype="float32",
    threads=None,
    torch="2.13.0",
    fingerprint=None,
    units=8000,
    p1_s=0.97,
    p5_s=0.98,
    p50_s=1.0,
    p95_s=1.02,
    p99_s=1.03,
    between_visits=None,
)


def test_there_is_one_row_per_case_with_one_time_per_unit() -> None:
    """The median visit; visits that confirm count in none."""
    plan = FleetPlan(nodes=20)
    found = summarise(visits(plan, again=["n001"])).percentiles
    assert len(found) == 12
    one = next(p for p in found if p.case.startswith("fleet/memory[n=3"))
    assert (one.units, one.dtype, one.torch, one.threads) == (160, "float32", "2.13.0", 2)
    assert one.p1_s < one.p5_s < one.p50_s < one.p95_s < one.p99_s
    assert one.p50_s == pytest.approx(4e-4, rel=2e-3)
    assert math.log(one.p95_s / one.p5_s) == pytest.approx(2 * 1.645 * 0.0043, rel=0.2)
    assert one.between_visits == pytest.approx(0.00224, rel=0.2)


def test_with_few_units_the_ends_are_the_fastest_and_the_slowest() -> None:
    """What was not seen is not guessed."""
    found = summarise(visits(FleetPlan(nodes=1, gpus=3, visits=1))).percentiles[0]
    assert found.units == 3
    assert found.p1_s == found.p5_s
    assert found.p99_s == found.p95_s
    assert found.between_visits is None


@pytest.mark.parametrize(("share", "at"), [(5, 0.98), (50, 1.0), (95, 1.02), (99, 1.03), (1, 0.97)])
def test_a_known_percentile_is_found(share: float, at: float) -> None:
    """Exactly."""
    assert percentile_of(at, KNOWN) == pytest.approx(share)


def test_between_two_it_is_right_for_normal_logarithms() -> None:
    """A time whose true percentile is known."""
    shares = [1, 5, 50, 95, 99]
    logs = np.array([-2.326, -1.645, 0.0, 1.645, 2.326]) * 0.01
    times: dict[str, Any] = {f"p{s}_s": math.exp(x) for s, x in zip(shares, logs, strict=True)}
    normal = dataclasses.replace(KNOWN, **times)
    assert percentile_of(math.exp(-0.00412), normal) == pytest.approx(34, abs=0.1)
    assert place_of(math.exp(-0.00412), normal) == "34th percentile of 8000"


@given(st.floats(0.9, 1.1), st.floats(0.9, 1.1))
def test_a_longer_time_is_no_lower(one: float, other: float) -> None:
    """Whatever lies between."""
    low, high = (percentile_of(t, KNOWN) for t in sorted((one, other)))
    assert low is None or high is None or low <= high + 1e-9


@pytest.mark.parametrize(
    ("time_s", "units", "said"),
    [
        (0.9, 8000, "faster than 99 % of 8000"),
        (1.1, 8000, "slower than 99 % of 8000"),
        (1.0, 8000, "50th percentile of 8000"),
        (0.9, 5, "faster than all 5"),
        (1.1, 5, "slower than all 5"),
        (1.0, 5, "within the range of 5"),
        (math.nan, 5, "unknown"),
        (0.0, 5, "unknown"),
    ],
)
def test_as_much_is_said_as_is_known(time_s: float, units: int, said: str) -> None:
    """No 34th percentile of five."""
    assert place_of(time_s, dataclasses.replace(KNOWN, units=units)) == said


def test_units_that_are_all_alike_have_a_middle() -> None:
    """Nothing to interpolate between."""
    alike: dict[str, Any] = dict.fromkeys(("p1_s", "p5_s", "p50_s", "p95_s", "p99_s"), 1.0)
    assert percentile_of(1.0, dataclasses.replace(KNOWN, **alike)) == 50


@pytest.mark.parametrize(
    ("time_s", "others", "said"),
    [
        (1.0, [2.0, 3.0, 4.0, 5.0], "fastest of 5"),
        (2.5, [2.0, 3.0, 4.0, 5.0], "2nd fastest of 5"),
        (4.5, [2.0, 3.0, 4.0, 5.0], "2nd slowest of 5"),
        (9.0, [2.0, 3.0, 4.0, 5.0], "slowest of 5"),
        (3.5, [2.0, 3.0, 4.0, 5.0], "3rd fastest of 5"),
        (1.0, [], "fastest of 1"),
        (50.0, [float(n) for n in range(100) if n != 50], "50th slowest of 100"),
        (11.5, [float(n) for n in range(40)], "13th fastest of 41"),
    ],
)
def test_a_rank_is_told_from_the_nearer_end(time_s: float, others: list[float], said: str) -> None:
    """Itself counted."""
    assert rank_of(time_s, others) == said
