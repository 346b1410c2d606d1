"""The state of the machine, told from made-up sentinels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records import machine_state
from bench.records.machine_state import SAME_LEVEL, Conditions

CALM = Conditions(compute_s=100e-6, barrier_s=3e-6)
SLOW_CORE = Conditions(compute_s=180e-6, barrier_s=3e-6)
SLOW_BARRIER = Conditions(compute_s=99e-6, barrier_s=5.6e-6)
TIMES = st.floats(1e-9, 1.0)
TURNS = st.builds(Conditions, compute_s=TIMES, barrier_s=TIMES)


def test_the_level_is_that_of_the_fast_turns() -> None:
    """Slow states do not move it, however many turns they take, while a tenth is fast."""
    turns = [CALM] * 3 + [SLOW_CORE] * 17 + [SLOW_BARRIER] * 10

    assert machine_state.level(turns).compute_s == pytest.approx(99e-6, rel=0.02)
    assert machine_state.level(turns).barrier_s == pytest.approx(3e-6)


def test_one_lucky_turn_is_no_level() -> None:
    """A single turn that is far faster than all others is passed over."""
    lucky = Conditions(compute_s=50e-6, barrier_s=1e-6)

    assert machine_state.level([lucky, *[CALM] * 19]) == CALM


def test_one_thread_has_no_barrier() -> None:
    """Then the level has none either."""
    alone = Conditions(compute_s=1e-4)

    assert machine_state.level([alone]) == alone
    assert machine_state.is_at(alone, alone)
    assert not machine_state.is_at(alone, CALM)
    assert not machine_state.is_at(CALM, alone)


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (CALM, True),
        (Conditions(compute_s=104e-6, barrier_s=2.9e-6), True),
        (SLOW_CORE, False),
        (SLOW_BARRIER, False),
        (Conditions(compute_s=80e-6, barrier_s=3e-6), False),
    ],
    ids=["calm", "drifted a little", "slow core", "slow barrier", "faster"],
)
def test_a_turn_is_at_reference_where_every_sentinel_is(
    *, turn: Conditions, expected: bool
) -> None:
    """A few per cent of drift are the same state; 1.4 times and more are another, in any sentinel."""
    assert machine_state.is_at(turn, CALM) is expected


def test_the_first_run_sets_the_reference_and_later_ones_keep_it() -> None:
    """Drift from run to run does not move it, so that times at reference stay comparable."""
    drifted = Conditions(compute_s=96e-6, barrier_s=3.1e-6)

    assert machine_state.reference([]) is None
    assert machine_state.reference([CALM, drifted, SLOW_CORE]) == CALM


def test_a_faster_state_replaces_the_reference_sentinel_by_sentinel() -> None:
    """The first run may have been slow from end to end."""
    assert machine_state.reference([SLOW_CORE, SLOW_BARRIER]) == Conditions(
        compute_s=99e-6, barrier_s=3e-6
    )


@given(turns=st.lists(TURNS, min_size=1, max_size=30))
def test_a_run_is_at_the_level_of_its_own_turns_in_each_sentinel(turns: list[Conditions]) -> None:
    """The level is near a time that was seen, and no faster than the fastest turn."""
    level = machine_state.level(turns)

    assert min(t.compute_s for t in turns) <= level.compute_s <= max(t.compute_s for t in turns)
    ratios = [level.compute_s / t.compute_s for t in turns]
    assert any(1 / SAME_LEVEL <= ratio <= SAME_LEVEL for ratio in ratios)


def test_a_machine_is_slower_when_one_sentinel_is() -> None:
    """By more than drift; one that both lack says nothing."""
    assert machine_state.is_slower(SLOW_CORE, CALM)
    assert machine_state.is_slower(SLOW_BARRIER, CALM)
    assert not machine_state.is_slower(CALM, SLOW_CORE)
    assert not machine_state.is_slower(Conditions(compute_s=114e-6, barrier_s=3e-6), CALM)
    assert not machine_state.is_slower(Conditions(compute_s=99e-6), SLOW_BARRIER)


def test_conditions_are_as_far_apart_as_the_sentinel_that_moved_most() -> None:
    """In either direction; a barrier that one of them lacks says nothing."""
    assert machine_state.distance(CALM, CALM) == 1
    assert machine_state.distance(SLOW_CORE, CALM) == pytest.approx(1.8)
    assert machine_state.distance(CALM, SLOW_CORE) == pytest.approx(1.8)
    assert machine_state.distance(SLOW_BARRIER, CALM) == pytest.approx(5.6 / 3)
    assert machine_state.distance(Conditions(compute_s=100e-6), SLOW_BARRIER) == pytest.approx(
        100 / 99
    )


def test_a_time_at_reference_is_in_proportion_to_the_compute_sentinel() -> None:
    """A core that is 2 % slower makes a time 2 % longer."""
    turn = Conditions(compute_s=102e-6, barrier_s=3e-6)

    assert machine_state.at_conditions(5.1e-6, turn, CALM) == pytest.approx(5.0e-6)
