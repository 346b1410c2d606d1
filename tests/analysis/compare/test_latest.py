"""The newest run is held against the newest earlier one that is of its machine and will do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.compare.latest import Standing, standing
from bench.errors import StoreError
from bench.store.runs import StoredRun
from tests.fakes.rows import lost
from tests.fakes.two_runs import run, timed

if TYPE_CHECKING:
    from bench.records.record import Record

FIRST, SECOND, THIRD = (f"2026112{day}T050201Z-aaaaaa" for day in (1, 2, 3))


class Store:
    """Runs and their rows in memory; remembers which were read."""

    def __init__(self) -> None:
        self.runs: list[StoredRun] = []
        self.rows: dict[str, list[Record]] = {}
        self.read: list[str] = []

    def add(self, run_id: str, *rows: Record, **facts: Any) -> None:
        """One more run; without rows it can't be read."""
        about = run(run_id, **facts)
        self.runs.append(StoredRun(folder=Path(run_id), info=about, finished=True))
        self.rows[run_id] = list(rows)

    def standing(self) -> Standing:
        """Where its newest run stands."""
        found = standing(self.runs, self._rows)
        assert found is not None
        return found

    def _rows(self, one: StoredRun) -> list[Record]:
        self.read.append(one.info.run_id)
        if not self.rows[one.info.run_id]:
            message = f"{one.folder} can't be read"
            raise StoreError(message)
        return self.rows[one.info.run_id]


@pytest.fixture(name="store")
def _store() -> Store:
    """Two runs, the newest first; in it a case is slower than in the other."""
    store = Store()
    store.add(THIRD, timed(2e-5), timed(params={"n": 64}), lost("failed", "x", params={"n": 4}))
    store.add(FIRST, timed(1e-5), timed(params={"n": 64}))
    return store


def test_the_newest_run_is_held_against_the_one_before_it(store: Store) -> None:
    """In whatever order they are named."""
    found = store.standing()
    assert found.new.run_id == THIRD
    assert found.base is not None
    assert found.base.run_id == FIRST
    assert found.summary is not None
    assert (found.summary.slower, found.summary.same, found.measured) == (1, 1, 2)
    assert (found.wrong, found.failed, found.summary.failed) == (0, 1, 0)


def test_a_case_that_broke_is_in_common_and_one_that_is_gone_is_not() -> None:
    """A run of other cases is no base, one in which the only case was still right is."""
    store = Store()
    store.add(FIRST, timed())
    store.add(SECOND, timed(params={"n": 9}))
    store.add(THIRD, timed(correct=False))
    found = store.standing()
    assert found.base is not None
    assert found.base.run_id == FIRST
    assert found.summary is not None
    assert (found.summary.wrong, found.wrong, found.measured) == (1, 1, 0)


def test_the_nearest_that_will_do_is_the_base(store: Store) -> None:
    """Older ones are not even read."""
    store.add(SECOND, timed(2e-5), timed(params={"n": 64}))
    found = store.standing()
    assert found.base is not None
    assert found.base.run_id == SECOND
    assert store.read == [THIRD, SECOND]


@pytest.mark.parametrize(
    "facts",
    [
        {"machine": {"machine_id": "m-2"}},
        {"options": {"threads": 1, "cache": "hot", "suites": ["matmul"]}},
    ],
)
def test_another_machine_or_question_is_no_base(store: Store, facts: dict[str, Any]) -> None:
    """Another machine, other threads: an earlier run may do."""
    store.add(SECOND, timed(5e-5), **facts)
    found = store.standing()
    assert found.base is not None
    assert found.base.run_id == FIRST


def test_a_run_with_no_case_in_common_or_that_is_torn_is_passed_over(store: Store) -> None:
    """They say nothing of the newest."""
    store.add(SECOND, timed(params={"n": 9}))
    store.add("20261122T060201Z-aaaaaa")
    found = store.standing()
    assert found.base is not None
    assert found.base.run_id == FIRST
    assert len(store.read) == 4


def test_where_nothing_will_do_there_is_no_base() -> None:
    """A first run, one of a machine that nobody knows, or no run at all."""
    assert standing([], lambda _: []) is None
    for machine in ({"machine_id": "m-1"}, {}):
        store = Store()
        store.add(SECOND, timed(), machine=machine)
        if not machine:
            store.add(FIRST, timed(), machine=machine)
        found = store.standing()
        assert (found.base, found.summary, found.measured) == (None, None, 1)


def test_a_newest_run_that_can_not_be_read_is_an_error(store: Store) -> None:
    """An older one must not stand for it."""
    store.add("20261129T060201Z-aaaaaa")
    with pytest.raises(StoreError, match="can't be read"):
        store.standing()
