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


def used(
    *kinds: tuple[float, float, float, float], conditions: Conditions | None = CALM
) -> list[Cell]:
    """Cells of these times, faults per call, shares of switched samples and of CPU time; three workers alternately."""
    return [
        dataclasses.replace(cell, faults=faults, switched_share=switched, cpu_share=cpu)
        for cell, (_, faults, switched, cpu) in zip(
            made([time_s for time_s, *_ in kinds], conditions), kinds, strict=True
        )
    ]


REUSED, FRESHLY = (1.0, 0.0, 0.0, 1.0), (5.0, 3072.0, 0.0, 1.0)
ASIDE = (1.0, 0.0, 1.0, 0.5)
KINDS = st.tuples(
    st.floats(1e-9, 1e3),
    st.sampled_from([0.0, 0.3, 0.99, 1.0, 7.0, 3072.0]),
    st.sampled_from([0.0, 0.2, 0.5, 1.0]),
    st.sampled_from([0.1, 0.94, 1.0, 2.0]),
)


def places(of: Iterable[Cell]) -> list[tuple[int, int]]:
    """Which cells they are, whatever their time."""
    return [(c.worker, c.round) for c in of]


def test_faults_tell_two_states_where_times_do_not() -> None:
    """Wide noise leaves no gap between them, and one time in between belongs where its faults say."""
    fresh = [(1.2 + 0.05 * i, 768.0 + i, 0.0, 1.0) for i in range(10)]
    reused = [(0.9 + 0.05 * i, 0.02, 0.0, 1.0) for i in range(10)]
    found = cells.two_states(used(*fresh, *reused), CALM)

    assert found is not None
    assert [state.faults for state in found] == pytest.approx([0.02, 772.5])
    assert [state.time_s for state in found] == pytest.approx([1.125, 1.425])
    assert found == cells.states_by_faults(used(*fresh, *reused))


def test_faults_come_before_conditions_and_gaps() -> None:
    """The machine was slow in the cells with fresh pages, too; what is known of the case itself explains it."""
    slow = [dataclasses.replace(c, conditions=SLOW) for c in used(*[FRESHLY] * 6)]
    found = cells.two_states([*used(*[REUSED] * 6), *slow], CALM)

    assert found is not None
    assert [state.faults for state in found] == [0.0, 3072.0]


def test_fresh_pages_that_cost_nothing_come_first_all_the_same() -> None:
    """The lower time is first, and its faults with it."""
    found = cells.two_states(used(*[(5.0, 0.0, 0.0, 1.0), (1.0, 9.0, 0.0, 1.0)] * 4), CALM)
    assert found is not None
    assert [(state.time_s, state.faults) for state in found] == [(1.0, 9.0), (5.0, 0.0)]


@pytest.mark.parametrize(
    "kinds",
    [
        [REUSED] * 9 + [FRESHLY],
        [REUSED] * 25 + [FRESHLY] * 5,
        [FRESHLY] * 30,
        [(1.0, 3072.0, 0.0, 1.0), (1.04, 0.0, 0.0, 1.0)] * 10,
        [(1.0, 0.0, 0.0, 1.0), (5.0, 0.9, 0.0, 1.0)] * 10,
    ],
    ids=["one odd cell", "less than a fifth", "one kind", "4 % apart", "less than a fault a call"],
)
def test_other_faults_are_no_states(kinds: list[tuple[float, float, float, float]]) -> None:
    """Odd cells, one kind alone, small steps, and faults now and then."""
    assert cells.states_by_faults(used(*kinds)) is None


@pytest.mark.parametrize(
    ("memory", "faults"), [("reuse", {0.0}), ("fresh", {3072.0}), ("system", {0.0, 3072.0})]
)
def test_the_policy_says_which_kind_of_memory_counts(memory: str, faults: set[float]) -> None:
    """For the headline and at reference alike; none is left out as the system found it."""
    mixed = used(*[REUSED, REUSED, FRESHLY, FRESHLY] * 9)
    assert {c.faults for c in cells.headline_cells(mixed, CALM, memory)} == faults
    assert {c.faults for c in cells.headline_cells(mixed, None, memory)} == faults
    assert {c.faults for c in cells.scaled_to_reference(mixed, CALM, memory)} == faults


@pytest.mark.parametrize("memory", ["reuse", "fresh"])
def test_a_kind_with_too_few_cells_is_not_chosen(memory: str) -> None:
    """Five, or those of one worker: all count then."""
    kinds = [REUSED, FRESHLY] if memory == "reuse" else [FRESHLY, REUSED]
    few = used(*[kinds[0]] * 5, *[kinds[1]] * 20)
    assert cells.counted(few, memory) == few
    alone = used(*[kinds[0], kinds[1], kinds[1]] * 10)
    assert cells.counted(alone, memory) == alone


@given(
    kinds=st.lists(KINDS, max_size=40),
    memory=st.sampled_from(["reuse", "fresh", "system"]),
    data=st.data(),
)
def test_no_cell_is_chosen_by_its_time(
    kinds: list[tuple[float, float, float, float]], memory: str, data: st.DataObject
) -> None:
    """Other times in the same cells: the same cells count, for the headline, at reference, and as preempted."""
    before = used(*kinds)
    times = data.draw(st.permutations([c.time_s for c in before]))
    after = [dataclasses.replace(c, time_s=t) for c, t in zip(before, times, strict=True)]
    for choose in (
        cells.preempted,
        lambda of: cells.counted(of, memory),
        lambda of: cells.headline_cells(of, CALM, memory),
        lambda of: cells.scaled_to_reference(of, CALM, memory),
    ):
        assert places(choose(after)) == places(choose(before))


@given(kinds=st.lists(KINDS, max_size=40), memory=st.sampled_from(["reuse", "fresh", "system"]))
def test_what_counts_is_enough_or_everything(
    kinds: list[tuple[float, float, float, float]], memory: str
) -> None:
    """Nothing is left out where what is left would be a matter of luck, and nothing is made up."""
    some = used(*kinds)
    chosen = cells.counted(some, memory)
    assert set(places(chosen)) <= set(places(some))
    assert chosen == some or cells.enough(chosen)
    wanted = [c for c in some if c.fresh == (memory == "fresh") and c not in cells.preempted(some)]
    if memory != "system" and cells.enough(wanted):
        assert chosen == wanted


def test_a_cell_that_was_pushed_aside_is_preempted() -> None:
    """Switched out in its samples, and with half of the CPU time that the others had; it took no longer."""
    seen = used(*[REUSED] * 9, ASIDE)
    assert cells.preempted(seen) == seen[-1:]
    assert cells.counted(seen) == seen[:-1]
    assert cells.headline_cells(seen, CALM) == seen[:-1]


def test_most_cells_may_be_preempted() -> None:
    """They are told by those that were not; where only one is left, all are compared, and all count."""
    most = used(*[ASIDE] * 16, *[REUSED] * 3)
    assert cells.preempted(most) == most[:16]
    assert cells.counted(most) == most  # three are no headline
    assert cells.preempted(used(*[ASIDE] * 9, REUSED)) == []


@pytest.mark.parametrize(
    "odd",
    [
        (9.0, 0.0, 0.0, 1.0),
        (9.0, 0.0, 0.4, 0.5),
        (9.0, 0.0, 1.0, 0.96),
        (9.0, 0.0, 0.0, 0.1),
        (9.0, 0.0, 1.0, 2.0),
    ],
    ids=["slow", "few samples switched", "CPU time enough", "asleep", "another thread spins"],
)
def test_other_cells_are_not_preempted(odd: tuple[float, float, float, float]) -> None:
    """However slow: it takes switches and a lack of CPU time together."""
    assert cells.preempted(used(*[REUSED] * 9, odd)) == []


@given(cpu=st.floats(0.001, 64.0), kinds=st.lists(KINDS, max_size=30))
def test_what_is_short_depends_on_the_case(
    cpu: float, kinds: list[tuple[float, float, float, float]]
) -> None:
    """A call that sleeps and one of 64 threads that spin: only the proportion to the others counts."""
    exact = 2.0 ** round(np.log2(cpu))
    scaled = used(*[(t, f, s, c * exact) for t, f, s, c in kinds])
    assert places(cells.preempted(scaled)) == places(cells.preempted(used(*kinds)))
