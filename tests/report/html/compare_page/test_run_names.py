"""Names of runs side by side are short and never alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from bench.report.html.compare_page.page import run_names
from tests.fakes.rows import info

if TYPE_CHECKING:
    from bench.store.runs import RunInfo

OTHER = {"machine_id": "m-2", "name": "Other machine"}


def run(place: int = 0, **values: Any) -> RunInfo:
    """A run of this hour."""
    facts = {
        "run_id": f"20261123T0{place}0201Z-aaaaa{place}",
        "started_at": f"2026-11-23T0{place}:02:01+00:00",
        "label": None,
    }
    return info(**{**facts, **values})


def test_labels_name_runs_of_one_machine() -> None:
    """They are what people chose; a run without one is named by its time."""
    assert run_names([run(0, label="before"), run(1, label="after")]) == ("before", "after")
    assert run_names([run(0, label="before"), run(1)]) == ("before", "11-23 01:02")


def test_machines_name_runs_of_several() -> None:
    """A label then is only for those that a machine has several of."""
    assert run_names([run(0, label="x"), run(1, label="x", machine=OTHER)]) == (
        "Test machine",
        "Other machine",
    )
    three = [run(0, label="a"), run(1, label="b"), run(2, machine=OTHER)]
    assert run_names(three) == ("Test machine, a", "Test machine, b", "Other machine")


def test_times_of_runs_have_as_much_as_tells_them_apart() -> None:
    """The year where it differs, the end of the id within a minute, the place of a run named twice."""
    old = run(1, started_at="2025-01-02T03:04:05+00:00")
    assert run_names([run(0), old]) == ("2026-11-23 00:02", "2025-01-02 03:04")
    twins = [run(0), run(0, run_id="20261123T000259Z-bbbbbb")]
    assert run_names(twins) == ("11-23 00:02, aaaaa0", "11-23 00:02, bbbbbb")
    assert run_names([run(0, label="x")] * 2) == (
        "x, 11-23 00:02, aaaaa0 (1)",
        "x, 11-23 00:02, aaaaa0 (2)",
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "", "a", "b"]),
            st.sampled_from(["m-1", "m-2"]),
            st.integers(0, 3),
        ),
        min_size=2,
        max_size=8,
    )
)
def test_no_two_runs_are_called_alike(facts: list[tuple[str | None, str, int]]) -> None:
    """Whatever they have in common."""
    runs = [
        run(place, label=label, machine={"machine_id": machine, "name": "M"})
        for label, machine, place in facts
    ]
    found = run_names(runs)
    assert len(set(found)) == len(runs)
    assert all(found)
