"""Samples are drawn turn by turn; thinning takes from every turn and changes no time by more than is seen."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.html.run_page.samples import by_case, drawn, most_of


def frame(turns: list[tuple[int, int, list[float]]], case: str = "a/b") -> pd.DataFrame:
    """Samples as the store gives them, a tenth of a second apart."""
    rows = [(w, r, t) for w, r, times in turns for t in times]
    return pd.DataFrame(
        {
            "case": case,
            "device": "cpu",
            "worker": [w for w, _, _ in rows],
            "round": [r for _, r, _ in rows],
            "at_s": [5.0 + 0.1 * i for i in range(len(rows))],
            "time_s": [t for _, _, t in rows],
        }
    )


def of_one(turns: list[tuple[int, int, list[float]]], most: int) -> dict[str, Any]:
    """What is drawn of a case with these turns."""
    (taken,) = by_case(frame(turns)).values()
    found = drawn(taken, most)
    assert found is not None
    return found


def test_turns_keep_their_order_worker_and_round() -> None:
    """And how long after the one before each began, in tenths of a second."""
    found = of_one([(0, 0, [1e-6, 2e-6]), (1, 0, [3e-6]), (0, 1, [1e-6])], most=100)
    assert found["worker"] == [0, 1, 0]
    assert found["round"] == [0, 0, 1]
    assert found["after"] == [0, 2, 1]
    assert [len(times) for times in found["times"]] == [2, 1, 1]
    assert found["of"] == 4


@given(
    st.lists(st.lists(st.floats(1e-9, 10.0), min_size=1, max_size=30), min_size=1, max_size=8),
    st.integers(1, 60),
)
def test_no_turn_is_lost_and_times_are_what_they_were(turns: list[list[float]], most: int) -> None:
    """To the step of a figure's scale; of each turn there is a sample, and no more in all than asked."""
    found = of_one([(place % 3, place, times) for place, times in enumerate(turns)], most)
    assert len(found["times"]) == len(turns)
    for written, times in zip(found["times"], turns, strict=True):
        first = found["base_s"] + written[0] * found["unit_s"]
        assert math.isclose(first, times[0], abs_tol=0.51 * found["unit_s"])
    assert sum(map(len, found["times"])) <= max(most, len(turns))


def test_one_slow_sample_does_not_blur_the_others() -> None:
    """The scale is that of the usual ones."""
    found = of_one([(0, 0, [1.0 + 0.001 * i for i in range(40)] + [100.0])], most=100)
    assert found["unit_s"] < 0.001


def test_a_case_without_times_has_none_to_draw() -> None:
    """Neither has one without samples."""
    assert drawn(None, 10) is None
    assert by_case(frame([(0, 0, [math.nan])])) == {}
    assert by_case(None) == {}


def test_samples_are_found_by_case_and_device() -> None:
    """As rows are, also where cases took turns."""
    both = pd.concat([frame([(0, 0, [1.0])], "a/b"), frame([(0, 0, [2.0, 3.0])], "a/c")] * 2)
    assert {key: of.time_s.tolist() for key, of in by_case(both).items()} == {
        ("a/b", "cpu"): [1.0, 1.0],
        ("a/c", "cpu"): [2.0, 3.0, 2.0, 3.0],
    }


@pytest.mark.parametrize(("cases", "most"), [(0, 360), (10, 360), (1000, 40), (10_000, 30)])
def test_a_larger_page_has_fewer_samples_of_each_case(cases: int, most: int) -> None:
    """But some of every one."""
    assert most_of(cases) == most
