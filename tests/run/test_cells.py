"""The cells of a case, from made-up times and sentinels: which are chosen, and what they have in common."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records.machine_state import Conditions
from bench.run import cells
from bench.run.cells import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CALM = Conditions(compute_s=1e-4, barrier_s=3e-6)
SLOW = Conditions(compute_s=1.8e-4, barrier_s=3e-6)


def made(
    times: Iterable[float], conditions: Conditions | None = CALM, workers: int = 3
) -> list[Cell]:
    """Cells in the order of time, the workers taking part alternately."""
    return [
        Cell(
            worker=i % workers,
            round=i // workers,
            started_ns=i,
            time_s=time_s,
            conditions=conditions,
        )
        for i, time_s in enumerate(times)
    ]


def both(times: Sequence[float]) -> list[float]:
    """The two times that are told apart without sentinels; none where there is one."""
    found = cells.two_states(made(times, None), None)
    return [state.time_s for state in found] if found else []


def test_cells_become_a_matrix_by_worker_and_round() -> None:
    """One row a worker, one column a round."""
    assert cells.matrix(made([1.0, 2.0, 3.0, 4.0], workers=2)).tolist() == [[1.0, 3.0], [2.0, 4.0]]


def test_the_cells_at_reference_are_chosen_where_they_are_enough() -> None:
    """Six of two workers; the others are told apart, not thrown away."""
    there, elsewhere = made([1.0] * 6), made([2.0] * 20, SLOW)

    assert cells.headline_cells([*there, *elsewhere], CALM) == there
    assert cells.headline_cells([*there[:5], *elsewhere], CALM) == [*there[:5], *elsewhere]
    assert cells.headline_cells(made([1.0] * 9, workers=1), SLOW) == made([1.0] * 9, workers=1)
    assert cells.headline_cells(there, None) == there


def test_cells_without_sentinels_are_not_at_reference() -> None:
    """What is not known is not assumed."""
    assert cells.at_conditions(made([1.0] * 8, None), CALM) == []


def test_one_worker_is_not_enough() -> None:
    """Its placement in memory would be taken for the op's time."""
    assert not cells.enough(made([1.0] * 12, workers=1))
    assert cells.enough(made([1.0] * 6, workers=2))


def test_times_are_scaled_to_reference() -> None:
    """In proportion to the compute sentinel, within a state."""
    warm = Conditions(compute_s=1.1e-4, barrier_s=3e-6)
    seen = made([1.1] * 6, warm)
    assert [t.time_s for t in cells.scaled_to_reference(seen, CALM)] == pytest.approx([1.0] * 6)


def test_what_waits_for_launches_is_scaled_by_them_in_any_state() -> None:
    """Launches that take twice as long double it, also far from the reference; a device's clock does not."""
    best = Conditions(compute_s=1e-4, launch_s=5e-6).of_host(anywhere=True)
    slow = Conditions(compute_s=1.1e-4, launch_s=10e-6)
    seen = [dataclasses.replace(t, device_s=0.5) for t in made([2.0] * 6, slow)]

    assert cells.waits_for_host(seen)
    assert [t.time_s for t in cells.scaled_to_reference(cells.under_host(seen), best)] == [1.0] * 6
    assert cells.at_conditions(cells.under_host(seen), best) == []


def test_two_groups_with_a_gap_are_two_states() -> None:
    """The lower first, whichever came first."""
    assert both([1.4, 1.41] * 4 + [1.0, 1.01] * 3) == pytest.approx([1.005, 1.405])


@pytest.mark.parametrize(
    "times",
    [
        [1.0] * 10,
        [1.0] * 9 + [2.0],
        [1.0] * 6 + [1.04] * 6,
        list(np.linspace(1.0, 2.0, 20)),
        [1.0, 2.0],
        [-1.0] * 6 + [1.0] * 6,
    ],
    ids=["one time", "one odd cell", "4 % apart", "no gap", "two cells", "below the overhead"],
)
def test_other_times_are_one_state(times: list[float]) -> None:
    """Odd cells, small steps and wide noise are no second state."""
    assert both(times) == []


def test_noise_is_rarely_taken_for_two_states() -> None:
    """Of 1,000 cases of 30 cells with noise of 10 %, in fewer than one in a hundred."""
    rng = np.random.default_rng(5)
    found = sum(bool(both(list(np.exp(rng.normal(0, 0.1, 30))))) for _ in range(1000))
    assert found < 10


def test_the_sentinels_tell_states_that_the_times_alone_do_not() -> None:
    """Wide noise leaves no gap, but the cells in the slow state took clearly longer."""
    calm, slow = np.linspace(1.0, 1.3, 10), np.linspace(1.2, 1.6, 10)
    mixed = [*made(calm), *made(slow, SLOW)]

    found = cells.two_states(mixed, CALM)
    assert found is not None
    assert [state.time_s for state in found] == pytest.approx([1.15, 1.4])
    assert [state.share for state in found] == [0.5, 0.5]
    assert cells.two_states(mixed, None) is None


@given(times=st.lists(st.floats(1e-9, 1.0), max_size=40))
def test_two_states_share_all_cells(times: list[float]) -> None:
    """The shares add up, each is a fifth at least, and the lower comes first."""
    found = cells.two_states(made(times), None)
    if found:
        lower, upper = found
        assert lower.time_s * 1.05 < upper.time_s * (1 + 1e-12)
        assert lower.share + upper.share == pytest.approx(1.0)
        assert min(lower.share, upper.share) >= 0.2


@pytest.mark.parametrize("sign", [1, -1], ids=["rising", "falling"])
def test_a_steady_change_is_drift(sign: int) -> None:
    """Five per cent over thirty cells, beneath noise of 1 %, whatever the order they are kept in."""
    rng = np.random.default_rng(6)
    times = np.exp(sign * np.linspace(0, 0.05, 30) + rng.normal(0, 0.01, 30)).tolist()

    assert cells.drifts(made(times)[::-1])


@pytest.mark.parametrize(
    "times",
    [[1.0 + 0.0003 * i for i in range(30)], [1.0, 1.1, 1.2, 1.3, 1.4], [1.0] * 15 + [1.05] * 2],
    ids=["steady but small", "five cells", "two late cells"],
)
def test_other_changes_are_no_drift(times: list[float]) -> None:
    """Too small to matter, too few to tell, or no trend."""
    assert not cells.drifts(made(times))


def test_noise_is_rarely_taken_for_drift() -> None:
    """Of 1,000 cases without a trend, two or three may be: the test is at one in a thousand."""
    rng = np.random.default_rng(7)
    found = sum(cells.drifts(made(np.exp(rng.normal(0, 0.1, 30)).tolist())) for _ in range(1000))
    assert found <= 5


@given(data=st.data(), count=st.integers(6, 12))
def test_drift_is_told_from_the_order_in_time(data: st.DataObject, count: int) -> None:
    """The order of the list does not matter."""
    some = made([1.0 + 0.05 * i for i in range(count)])
    shuffled = data.draw(st.permutations(some))
    assert cells.drifts(shuffled) == cells.drifts(some)
    assert len(list(itertools.chain(shuffled))) == count
