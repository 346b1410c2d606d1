"""Side effects of a case: those of all its builds together, bounded, and the warnings that they make."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from bench.pool import protocol
from bench.pool.side_effects import MOST_CHARACTERS, MOST_TEXTS, SideEffects, together
from tests.fakes.workers import PREPARED

COUNT = st.none() | st.integers(0, 9)


@given(
    effects=st.lists(
        st.builds(
            SideEffects,
            state_changed=st.lists(st.sampled_from(["a: 1 → 2", "a: 2 → 3", "b: 0 → 1"])).map(
                tuple
            ),
            python_warnings=st.lists(st.text(max_size=400)).map(tuple),
            graph_breaks=COUNT,
            recompiles=COUNT,
            recompile_limit=st.booleans(),
            reference_cycles=st.booleans(),
        )
    )
)
def test_all_together_say_each_thing_once_and_no_more_than_is_read(
    effects: list[SideEffects],
) -> None:
    """Nothing is told that none of them saw, and putting them together once more changes nothing."""
    found = together(effects)
    names = [text.partition(":")[0] for text in found.state_changed]
    assert set(names) == {t.partition(":")[0] for one in effects for t in one.state_changed}
    assert len(set(names)) == len(names)
    assert len(found.python_warnings) <= MOST_TEXTS
    assert all(len(text) <= MOST_CHARACTERS for text in found.python_warnings)
    known = [one.recompiles for one in effects if one.recompiles is not None]
    assert found.recompiles == max(known, default=None)
    assert found.recompile_limit == any(one.recompile_limit for one in effects)
    assert together([found, SideEffects()]) == found


def test_each_makes_its_warning() -> None:
    """A compiled case without a break makes none."""
    clean = SideEffects(graph_breaks=0, recompiles=3)
    assert clean.codes == ()
    assert clean.compiled
    dirty = SideEffects(
        state_changed=("seed: set to 0",),
        graph_breaks=1,
        recompile_limit=True,
        reference_cycles=True,
    )
    assert dirty.codes == ("state-changed", "graph-break", "recompile-limit", "reference-cycles")


def test_they_go_from_a_worker_to_the_session() -> None:
    """As part of its reply."""
    effects = SideEffects(state_changed=("num_threads: 2 → 1",), graph_breaks=0)
    reply = dataclasses.replace(PREPARED, effects=effects)
    assert protocol.decode(protocol.encode(reply)) == reply
