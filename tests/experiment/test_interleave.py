"""Two pools visit cases in turn, the side that goes first changing, and leave a run each."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import WorkerError
from bench.experiment.ab import DecisionGoal, ab
from bench.experiment.interleave import PairedRun, Team
from bench.machine import hardware
from bench.plan.schedule import Schedule
from bench.pool import protocol
from bench.pool.pool import Start
from bench.run.manifest import Options
from bench.stats.sequential import LOOKS
from bench.store import runs
from bench.store.load import load_rows, load_samples
from tests.fakes.workers import Stage, case, lost, settle, visited

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.plan.plan import PlannedCase
    from bench.pool.pool import WorkerPool

WORKERS = 4


class Arena:
    """Two stages that share a log of (side, process, request); the second side takes 1.5 times as long."""

    def __init__(self, memory_bytes: tuple[float, float] = (1e9, 1e9)) -> None:
        self.memory_bytes = memory_bytes
        self.log: list[tuple[int, protocol.Request]] = []
        self.stages = [self._stage(place) for place in (0, 1)]
        self.pools: list[WorkerPool] = []

    def _stage(self, place: int) -> Stage:
        stage = Stage()

        def answer(request: protocol.Request) -> protocol.Reply:
            self.log.append((place, request))
            if isinstance(request, protocol.VisitRequest):
                return visited(1_000_000 + 500_000 * place)
            return settle(request)

        stage.answer = answer
        return stage

    def team(self, place: int, **environment: Any) -> Team:
        """A side."""
        schedule = Schedule(
            workers=WORKERS,
            rounds=LOOKS[-1],
            case_budget_s=1,
            timeout_s=60,
            memory_bytes=self.memory_bytes[place],
        )
        known = {"seed": 7, "preset": "quick", "selection": {}, "tags": {"ab": "ab"[place]}}
        self.pools.append(self.stages[place].pool(WORKERS))
        return Team(
            options=Options(schedule=schedule, threads=1, **known),  # type: ignore[arg-type]
            started=Start(pool=self.pools[-1], state=hardware.read_state()),
            environment=environment,
        )

    def duel(self, store: Path, pairs: Sequence[tuple[PlannedCase, PlannedCase]]) -> PairedRun:
        """Both sides, at these cases."""
        return PairedRun((self.team(0), self.team(1, variables={"MKL_CBWR": "AVX2"})), pairs, store)

    def visits(self, identity: str) -> list[int]:
        """Which side was visited with a case, in order."""
        return [
            place
            for place, request in self.log
            if isinstance(request, protocol.VisitRequest) and request.case.id == identity
        ]


def twice(*numbers: int) -> list[tuple[PlannedCase, PlannedCase]]:
    """Cases that meet themselves."""
    return [(case(number), case(number)) for number in numbers]


def test_sides_are_visited_in_the_order_one_other_other_one(tmp_path: Path) -> None:
    """For every worker both sides, and each side is the first as often."""
    arena = Arena()
    with arena.duel(tmp_path, twice(1, 2)) as duel:
        pairs = duel.call()
        for number in range(4):
            duel.round(pairs, number)
        for pair in pairs:
            duel.keep(pair, "rounds")
    for number in (1, 2):
        visits = arena.visits(case(number).id)
        couples = [tuple(visits[at : at + 2]) for at in range(0, len(visits), 2)]
        assert len(couples) == 4 * WORKERS
        assert set(couples) == {(0, 1), (1, 0)}
        assert couples.count((0, 1)) == couples.count((1, 0))
        by_round = [couples[at : at + WORKERS] for at in range(0, len(couples), WORKERS)]
        for couples_of in by_round:
            assert all(a != b for a, b in itertools.pairwise(couples_of))
        assert len({couples_of[0] for couples_of in by_round}) == 2


def test_cells_are_workers_by_rounds_of_both_sides(tmp_path: Path) -> None:
    """The overhead is subtracted as in rows."""
    with Arena().duel(tmp_path, twice(1)) as duel:
        pairs = duel.call()
        for number in range(3):
            duel.round(pairs, number)
        one, other = pairs[0].cells()
        duel.keep(pairs[0], "rounds")
    assert one.shape == other.shape == (WORKERS, 3)
    assert one == pytest.approx(1e-4)
    assert other == pytest.approx(1.5e-4)


def test_each_side_leaves_a_run(tmp_path: Path) -> None:
    """Finished, tagged, with its rows and samples, and with what differs in its environment."""
    arena = Arena()
    with arena.duel(tmp_path, twice(1, 2)) as duel:
        found = ab(duel, DecisionGoal(budget_s=1e9), now_s=lambda: 0.0)
    assert [a.verdict for a in found.answers] == ["slower", "slower"]
    one, other = duel.runs
    assert [run.info.tags["ab"] for run in (one, other)] == ["a", "b"]
    assert all(run.finished and run.info.sentinels["cpu"] for run in runs.list_runs(tmp_path))
    assert other.info.environment["variables"] == {"MKL_CBWR": "AVX2"}
    assert one.info.environment["variables"] != other.info.environment["variables"]
    rows = load_rows(tmp_path)
    assert set(rows["stopped_by"]) == {"decided"}
    assert set(rows["rounds"]) == {LOOKS[0]}
    assert sorted(rows["time_s"]) == pytest.approx([1e-4, 1e-4, 1.5e-4, 1.5e-4])
    assert len(load_samples(tmp_path)) == rows["samples"].sum()


def test_a_decided_case_is_not_profiled_while_others_are_open(tmp_path: Path) -> None:
    """The worker that profiles may time nothing any more; a graph is replayed all the same."""
    arena = Arena()
    on_gpu = [(case(number, device="cuda"),) * 2 for number in (1, 2)]
    with arena.duel(tmp_path, [(one, other) for one, other in on_gpu]) as duel:
        pairs = duel.call()
        duel.round(pairs, 0)
        duel.keep(pairs[0], "decided")
    asked = [type(request) for _, request in arena.log]
    assert protocol.Profile not in asked
    assert protocol.Replay in asked


def test_two_ops_meet(tmp_path: Path) -> None:
    """Each side has its own."""
    arena = Arena()
    with arena.duel(tmp_path, [(case(1), case(2))]) as duel:
        (answer,) = ab(duel, DecisionGoal(budget_s=1e9), now_s=lambda: 0.0).answers
    assert (answer.one.case, answer.other.case) == (case(1).id, case(2).id)
    assert set(arena.visits(case(1).id)) == {0}
    assert set(arena.visits(case(2).id)) == {1}


@pytest.mark.parametrize("place", [0, 1])
def test_what_does_not_fit_beside_the_others_waits(tmp_path: Path, place: int) -> None:
    """On either side; a worker's inputs take 8 bytes, and all pairs are measured in the end."""
    memory = [1e9, 1e9]
    memory[place] = 8.0 * WORKERS
    arena = Arena(memory_bytes=(memory[0], memory[1]))
    with arena.duel(tmp_path, twice(1, 2, 3)) as duel:
        batches = []
        while pairs := duel.call():
            batches.append([pair.one.case.id for pair in pairs])
            assert [pair.other.case.id for pair in pairs] == batches[-1]
            duel.round(pairs, 0)
            for pair in pairs:
                duel.keep(pair, "budget")
    assert batches == [[case(n).id] for n in (1, 2, 3)]
    assert set(load_rows(tmp_path)["status"]) == {"ok"}


def test_a_side_that_fails_costs_its_case(tmp_path: Path) -> None:
    """The others are decided all the same."""
    arena = Arena()
    works = arena.stages[1].answer

    def fails(request: protocol.Request) -> protocol.Reply:
        if isinstance(request, protocol.VisitRequest) and request.case.id == case(2).id:
            raise lost(status="oom", reason="no memory")
        return works(request)

    arena.stages[1].answer = fails
    with arena.duel(tmp_path, twice(1, 2)) as duel:
        found = ab(duel, DecisionGoal(budget_s=1e9), now_s=lambda: 0.0)
    assert [(a.verdict, a.ended) for a in found.answers] == [
        ("slower", "decided"),
        ("unsure", "failed"),
    ]
    assert [found.answers[1].one.status, found.answers[1].other.status] == ["ok", "oom"]


def test_a_case_whose_time_is_up_is_visited_no_more(tmp_path: Path) -> None:
    """Also within a round."""
    arena = Arena()
    with arena.duel(tmp_path, twice(1)) as duel:
        (pair,) = duel.call()
        duel.round([pair], 0)
        pair.other.spent_s = 61.0
        assert pair.over
        duel.round([pair], 1)
        duel.keep(pair, "timeout")
    assert len(arena.visits(case(1).id)) == 2 * WORKERS


def test_what_was_measured_is_whole_when_it_ends_early(tmp_path: Path) -> None:
    """Ctrl-C leaves finished runs."""
    duel = Arena().duel(tmp_path, twice(1))

    def interrupted() -> None:
        with duel:
            (pair,) = duel.call()
            duel.round([pair], 0)
            duel.keep(pair, "budget")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [run.finished for run in runs.list_runs(tmp_path)] == [True, True]


def test_a_side_that_can_not_start_leaves_nothing(tmp_path: Path) -> None:
    """Nor does the other."""
    arena = Arena()
    teams = arena.team(0), arena.team(1)
    arena.stages[1].processes[0].broken = lost(reason="no torch")
    with pytest.raises(WorkerError, match="a worker can't start: no torch"):
        PairedRun(teams, twice(1), tmp_path)
    assert list(tmp_path.iterdir()) == []
