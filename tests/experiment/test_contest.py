"""Two sides take turns at each size, with workers that stay, and leave runs like any other."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import StoreError, WorkerError
from bench.experiment.axis_sides import Side
from bench.experiment.contest import Contest, Entrant
from bench.machine import hardware
from bench.plan.plan import PlannedSkip
from bench.plan.schedule import Schedule
from bench.pool import protocol
from bench.pool.pool import Start
from bench.run.manifest import Options
from bench.run.stopping import LEAST_ROUNDS
from bench.store import runs
from bench.store.load import load_rows, load_samples
from tests.fakes.workers import Stage, case, lost, settle, visited

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.pool.pool import WorkerPool

WORKERS = 2


class Arena:
    """Two stages that share a log of (threads, request), and how a contest on them is made."""

    def __init__(self, threads: tuple[int, int] = (1, 2)) -> None:
        self.threads = threads
        self.log: list[tuple[int, protocol.Request]] = []
        self.stages = [self._stage(place) for place in (0, 1)]
        self.pools: list[WorkerPool] = []
        self.devices = ("cpu", "cpu")

    def _stage(self, place: int) -> Stage:
        """The second side takes half the time."""
        stage = Stage()

        def answer(request: protocol.Request) -> protocol.Reply:
            self.log.append((place, request))
            if isinstance(request, protocol.VisitRequest):
                return visited(1_000_000 // (place + 1))
            return settle(request)

        stage.answer = answer
        return stage

    def entrant(self, place: int, planned: Any) -> Entrant:
        """A side."""
        schedule = Schedule(
            workers=WORKERS, rounds=LEAST_ROUNDS, case_budget_s=1, timeout_s=60, memory_bytes=1e9
        )
        known = {"seed": 7, "preset": "quick", "selection": {}, "tags": {"crossover": "s/op"}}
        threads = self.threads[place]
        self.pools.append(self.stages[place].pool(WORKERS))
        return Entrant(
            side=Side(name=str(place), device=self.devices[place], threads=threads),
            options=Options(schedule=schedule, threads=threads, **known),  # type: ignore[arg-type]
            started=Start(pool=self.pools[-1], state=hardware.read_state()),
            planned=planned,
        )

    def contest(self, store: Path, *planned: Any) -> Contest:
        """Both sides, at these cases."""
        one, other = planned or (case(), case())
        return Contest((self.entrant(0, one), self.entrant(1, other)), store)

    def visits(self) -> Iterator[int]:
        """Which side was visited, visit by visit."""
        return (place for place, request in self.log if isinstance(request, protocol.VisitRequest))


def test_both_sides_are_measured_round_by_round(tmp_path: Path) -> None:
    """Never is a side visited more often in a row than in the ends of two rounds."""
    arena = Arena()
    with arena.contest(tmp_path) as contest:
        one, other = contest.measure(case(1), case(1))
    assert [one.time_s, other.time_s] == pytest.approx([1e-4, 5e-5])
    stretches = [len(list(same)) for _, same in itertools.groupby(arena.visits())]
    assert len(stretches) >= LEAST_ROUNDS
    assert max(stretches) <= 2 * WORKERS
    assert one.rounds == other.rounds == LEAST_ROUNDS


def test_the_side_that_goes_first_is_drawn(tmp_path: Path) -> None:
    """Else what the first leaves behind would always meet the second."""
    arena = Arena()
    with arena.contest(tmp_path) as contest:
        for number in range(8):
            contest.measure(case(number), case(number))
    visits = list(arena.visits())
    per_round = 2 * WORKERS
    first = {visits[place] for place in range(0, len(visits), per_round)}
    assert first == {0, 1}


def test_workers_stay_from_size_to_size(tmp_path: Path) -> None:
    """And free one size before they build the next."""
    arena = Arena()
    with arena.contest(tmp_path) as contest:
        for number in (1, 2, 3):
            contest.measure(case(number), case(number))
    assert [len(stage.processes) for stage in arena.stages] == [WORKERS, WORKERS]
    forgotten = [place for place, request in arena.log if isinstance(request, protocol.Forget)]
    assert sorted(forgotten) == [0] * 2 * WORKERS + [1] * 2 * WORKERS


def test_each_number_of_threads_leaves_a_run(tmp_path: Path) -> None:
    """Finished, tagged, with every size's row and samples."""
    with Arena().contest(tmp_path) as contest:
        assert contest.runs == []
        contest.measure(case(1), case(1))
        contest.measure(case(2), case(2))
    found = runs.list_runs(tmp_path)
    assert sorted(run.info.run_id for run in found) == sorted(r.info.run_id for r in contest.runs)
    assert all(run.finished for run in found)
    assert [run.info.options["threads"] for run in contest.runs] == [1, 2]
    assert {run.info.tags["crossover"] for run in found} == {"s/op"}
    assert all(run.info.sentinels["cpu"] and run.info.reference["cpu"] for run in found)
    rows = load_rows(tmp_path)
    assert sorted(rows["case"]) == [case(1).id] * 2 + [case(2).id] * 2
    assert len(load_samples(tmp_path)) == rows["samples"].sum()


def test_devices_share_a_run(tmp_path: Path) -> None:
    """As those of `bench run` do, so that its page shows both."""
    arena = Arena(threads=(2, 2))
    arena.devices = ("cpu", "cuda")
    gpu = dataclasses.replace(case(1), device="cuda")
    with arena.contest(tmp_path, case(1), gpu) as contest:
        contest.measure(case(1), gpu)
    (run,) = contest.runs
    assert list(run.info.devices) == ["cpu", "cuda"]
    assert set(run.info.sentinels) == set(run.info.reference) == {"cpu", "cuda"}
    assert set(load_rows(run.folder)["device"]) == {"cpu", "cuda"}


def test_earlier_sizes_say_how_sure_a_time_is(tmp_path: Path) -> None:
    """What their spreads have in common narrows the interval of one more."""
    arena = Arena()
    ticks = itertools.cycle([1_000_000, 1_010_000, 995_000, 1_004_000, 990_000])
    arena.stages[0].answer = lambda request: (
        visited(next(ticks)) if isinstance(request, protocol.VisitRequest) else settle(request)
    )
    with arena.contest(tmp_path) as contest:
        widths = []
        for number in range(8):
            row, _ = contest.measure(case(number), case(number))
            assert row.time_hi_s is not None
            assert row.time_lo_s is not None
            widths.append(row.time_hi_s / row.time_lo_s)
    assert max(widths[-3:]) < max(widths[:3])


def test_a_skip_and_a_failure_are_rows(tmp_path: Path) -> None:
    """The other side is measured all the same."""
    arena = Arena()
    works = arena.stages[1].answer

    def fails(request: protocol.Request) -> protocol.Reply:
        if isinstance(request, protocol.Check) and request.case.id == case(2).id:
            raise lost(status="oom", reason="no memory")
        return works(request)

    arena.stages[1].answer = fails
    skip = PlannedSkip(case=case(1), reason="not here")
    with arena.contest(tmp_path) as contest:
        assert [row.status for row in contest.measure(skip, case(1))] == ["skipped", "ok"]
        assert [row.status for row in contest.measure(case(2), case(2))] == ["ok", "oom"]
        assert [row.status for row in contest.measure(case(3), case(3))] == ["ok", "ok"]
    assert set(load_rows(tmp_path)["reason"].dropna()) == {"not here", "no memory"}


def test_what_was_measured_is_whole_when_it_ends_early(tmp_path: Path) -> None:
    """Ctrl-C leaves finished runs."""
    contest = Arena().contest(tmp_path)

    def interrupted() -> None:
        with contest:
            contest.measure(case(1), case(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [run.finished for run in runs.list_runs(tmp_path)] == [True, True]


def test_nothing_measured_leaves_nothing(tmp_path: Path) -> None:
    """Nor does a worker that never became ready."""
    with Arena().contest(tmp_path):
        pass
    arena = Arena()
    one, other = arena.entrant(0, case()), arena.entrant(1, case())
    arena.stages[1].processes[0].broken = lost()
    with pytest.raises(WorkerError):
        Contest((one, other), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cant_be_written_is_said_first(tmp_path: Path) -> None:
    """Before anything is measured."""
    (tmp_path / "file").write_text("")
    arena = Arena()
    with pytest.raises(StoreError, match="can't be written"):
        arena.contest(tmp_path / "file" / "store")
    assert arena.log == []
