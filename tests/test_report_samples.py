"""Samples are drawn turn by turn; thinning takes from every turn and changes no time by more than is seen."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.samples import by_case, drawn, most_of


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


def test_turns_keep_their_order_worker_and_round() -> None:
    """And begin when their first sample was taken."""
    found = drawn(frame([(0, 0, [1e-6, 2e-6]), (1, 0, [3e-6]), (0, 1, [1e-6])]), most=100)
    assert found is not None
    assert [turn[:3] for turn in found["turns"]] == [[0, 0, 0], [1, 0, 200], [0, 1, 300]]
    assert found["of"] == 4


@given(
    st.lists(st.lists(st.floats(1e-9, 10.0), min_size=1, max_size=30), min_size=1, max_size=8),
    st.integers(1, 60),
)
def test_no_turn_is_lost_and_times_are_what_they_were(turns: list[list[float]], most: int) -> None:
    """To a ten thousandth of the middle one."""
    taken = frame([(place % 3, place, times) for place, times in enumerate(turns)])
    found = drawn(taken, most)
    assert found is not None
    assert len(found["turns"]) == len(turns)
    for (_, _, _, written), times in zip(found["turns"], turns, strict=True):
        assert written
        assert math.isclose(written[0] * found["unit_s"], times[0], abs_tol=found["unit_s"])
    total = sum(len(turn[3]) for turn in found["turns"])
    assert total <= most + len(turns)


def test_a_case_without_times_has_none_to_draw() -> None:
    """Neither has one without samples."""
    assert drawn(None, 10) is None
    assert drawn(frame([(0, 0, [math.nan])]), 10) is None
    assert by_case(None) == {}


def test_samples_are_found_by_case_and_device() -> None:
    """As rows are."""
    both = pd.concat([frame([(0, 0, [1.0])], "a/b"), frame([(0, 0, [2.0, 3.0])], "a/c")])
    assert {key: len(of) for key, of in by_case(both).items()} == {
        ("a/b", "cpu"): 1,
        ("a/c", "cpu"): 2,
    }


@pytest.mark.parametrize(("cases", "most"), [(0, 360), (10, 360), (1000, 160), (10_000, 30)])
def test_a_larger_page_has_fewer_samples_of_each_case(cases: int, most: int) -> None:
    """But some of every one."""
    assert most_of(cases) == most
