"""Two sides visit cases in ABBA order, worker by worker, with workers that stay, and leave runs like any other."""

from __future__ import annotations

import dataclasses
import itertools
import time
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import SelectionError, StoreError, WorkerError
from bench.experiment.ab import DecisionGoal, ab
from bench.experiment.interleave import PairedRun, SideSpec
from bench.machine import hardware
from bench.plan.plan import PlannedSkip
from bench.plan.schedule import Schedule
from bench.pool import protocol
from bench.pool.pool import Start
from bench.run import manifest
from bench.run.manifest import Options
from bench.run.request import Request
from bench.run.stopping import LEAST_ROUNDS
from bench.stats.sequential import LOOKS
from bench.store import runs
from bench.store.load import load_rows, load_samples
from tests.fakes.workers import HELLO, Stage, case, lost, settle, visited

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bench.experiment.interleave import Pair
    from bench.plan.plan import PlannedCase
    from bench.pool.pool import WorkerPool

WORKERS = 4


class TwoSides:
    """Stages that share a log of (side, request); a visit of the second side takes 1.5 times as long."""

    def __init__(
        self,
        memory_bytes: tuple[float, float] = (1e9, 1e9),
        threads: tuple[int, int] = (1, 1),
        run_keys: tuple[str, str] = ("a", "b"),
        **schedule: Any,
    ) -> None:
        self.memory_bytes = memory_bytes
        self.threads = threads
        self.run_keys = run_keys
        self.schedule = {"rounds": LOOKS[-1], "case_budget_s": 1.0, "timeout_s": 60.0, **schedule}
        self.log: list[tuple[int, protocol.WorkerRequest]] = []
        self.stages = [self._stage(place) for place in (0, 1)]
        self.pools: list[WorkerPool] = []

    def _stage(self, place: int) -> Stage:
        stage = Stage()

        def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
            self.log.append((place, request))
            if isinstance(request, protocol.VisitRequest):
                return visited(1_000_000 + 500_000 * place)
            return settle(request)

        stage.answer = answer
        return stage

    def spec(self, place: int, cases: Sequence[PlannedCase] = (), **environment: Any) -> SideSpec:
        """A side."""
        schedule = Schedule(workers=WORKERS, memory_bytes=self.memory_bytes[place], **self.schedule)
        known = {"seed": 7, "preset": "quick", "selection": {}, "tags": {"side": "ab"[place]}}
        self.pools.append(self.stages[place].pool(WORKERS))
        threads = self.threads[place]
        return SideSpec(
            options=Options(schedule=schedule, threads=threads, **known),  # type: ignore[arg-type]
            started=Start(pool=self.pools[-1], state=hardware.read_state()),
            run_key=self.run_keys[place],
            cases=cases,
            environment=environment,
        )

    def open(self, store: Path, pairs: Sequence[Pair] = ()) -> AbstractContextManager[PairedRun]:
        """Both sides, at these cases."""
        specs = self.spec(0), self.spec(1, variables={"MKL_CBWR": "AVX2"})
        return PairedRun.open(specs, store, pairs)

    def visits(self, identity: str | None = None) -> list[int]:
        """Which side was visited, visit by visit; with a case, or with any."""
        return [
            place
            for place, request in self.log
            if isinstance(request, protocol.VisitRequest) and identity in {None, request.case.id}
        ]


def searching(**changes: Any) -> TwoSides:
    """Sides as a search for a crossover has them: thread counts, few rounds."""
    known: dict[str, Any] = {"threads": (1, 2), "rounds": LEAST_ROUNDS}
    return TwoSides(**{**known, **changes})


def twice(*numbers: int) -> list[Pair]:
    """Cases that meet themselves."""
    return [(case(number), case(number)) for number in numbers]


def test_sides_of_which_one_can_not_reuse_are_refused(tmp_path: Path) -> None:
    """What differs between them would be where results lie."""
    sides = TwoSides()
    one, other = sides.spec(0, [case(0)]), sides.spec(1, [case(0)])
    for stage, memory, note in zip(sides.stages, ("reuse", "system"), ("", "x"), strict=True):
        for process in stage.processes:
            process.hello = dataclasses.replace(HELLO, memory=memory, memory_note=note)
    message = r"--memory reuse does not hold on both sides \(x\); write --memory system"
    with (
        pytest.raises(SelectionError, match=message),
        PairedRun.open((one, other), tmp_path, twice(0)),
    ):
        pass
    assert runs.list_runs(tmp_path) == []


def couples(visits: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The sides of each two visits that follow each other."""
    return (tuple(visits[at : at + 2]) for at in range(0, len(visits), 2))


def assert_abba(visits: Sequence[int], rounds: int) -> None:
    """For every worker both sides; the side that is the first changes with each worker, and each is as often."""
    found = list(couples(visits))
    assert len(found) == rounds * WORKERS
    assert set(found) == {(0, 1), (1, 0)}
    assert found.count((0, 1)) == found.count((1, 0))
    by_round = [found[at : at + WORKERS] for at in range(0, len(found), WORKERS)]
    for of_round in by_round:
        assert all(a != b for a, b in itertools.pairwise(of_round))
    assert len({of_round[0] for of_round in by_round}) == 2


def test_sides_are_visited_in_abba_order(tmp_path: Path) -> None:
    """Many cases at once: each of them."""
    sides = TwoSides()
    with sides.open(tmp_path, twice(1, 2)) as paired:
        pairs = paired.next_batch()
        for number in range(4):
            paired.round(pairs, number)
        for pair in pairs:
            paired.keep(pair, "rounds")
    for number in (1, 2):
        assert_abba(sides.visits(case(number).id), rounds=4)


def test_cells_are_workers_by_rounds_of_both_sides(tmp_path: Path) -> None:
    """The overhead is subtracted as in rows."""
    with TwoSides().open(tmp_path, twice(1)) as paired:
        pairs = paired.next_batch()
        for number in range(3):
            paired.round(pairs, number)
        one, other = pairs[0].cells()
        paired.keep(pairs[0], "rounds")
    assert one.shape == other.shape == (WORKERS, 3)
    assert one == pytest.approx(1e-4)
    assert other == pytest.approx(1.5e-4)


def test_each_side_leaves_a_run(tmp_path: Path) -> None:
    """Finished, tagged, with its rows and samples, and with what differs in its environment."""
    sides = TwoSides()
    with sides.open(tmp_path, twice(1, 2)) as paired:
        assert paired.waiting == 2
        assert paired.runs == []
        found = ab(paired, DecisionGoal(budget_s=1e9), now_s=lambda: 0.0)
    assert [a.verdict for a in found.answers] == ["slower", "slower"]
    one, other = paired.runs
    assert [run.info.tags["side"] for run in (one, other)] == ["a", "b"]
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
    sides = TwoSides()
    on_gpu = [case(number, device="cuda") for number in (1, 2)]
    with sides.open(tmp_path, [(one, one) for one in on_gpu]) as paired:
        pairs = paired.next_batch()
        paired.round(pairs, 0)
        paired.keep(pairs[0], "decided")
    asked = [type(request) for _, request in sides.log]
    assert protocol.Profile not in asked
    assert protocol.Replay in asked


def test_two_ops_meet(tmp_path: Path) -> None:
    """Each side has its own."""
    sides = TwoSides()
    with sides.open(tmp_path, [(case(1), case(2))]) as paired:
        (answer,) = ab(paired, DecisionGoal(budget_s=1e9), now_s=lambda: 0.0).answers
    assert (answer.one.case, answer.other.case) == (case(1).id, case(2).id)
    assert set(sides.visits(case(1).id)) == {0}
    assert set(sides.visits(case(2).id)) == {1}


@pytest.mark.parametrize("place", [0, 1])
def test_what_does_not_fit_beside_the_others_waits(tmp_path: Path, place: int) -> None:
    """On either side; a worker's inputs take 8 bytes, and all pairs are measured in the end."""
    memory = [1e9, 1e9]
    memory[place] = 8.0 * WORKERS
    sides = TwoSides(memory_bytes=(memory[0], memory[1]))
    with sides.open(tmp_path, twice(1, 2, 3)) as paired:
        batches = []
        while pairs := paired.next_batch():
            batches.append([pair.one.case.id for pair in pairs])
            assert [pair.other.case.id for pair in pairs] == batches[-1]
            paired.round(pairs, 0)
            for pair in pairs:
                paired.keep(pair, "budget")
    assert batches == [[case(n).id] for n in (1, 2, 3)]
    assert set(load_rows(tmp_path)["status"]) == {"ok"}


def test_a_side_that_fails_costs_its_case(tmp_path: Path) -> None:
    """The others are decided all the same."""
    sides = TwoSides()
    works = sides.stages[1].answer

    def fails(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.VisitRequest) and request.case.id == case(2).id:
            raise lost(status="oom", reason="no memory")
        return works(request)

    sides.stages[1].answer = fails
    with sides.open(tmp_path, twice(1, 2)) as paired:
        found = ab(paired, DecisionGoal(budget_s=1e9), now_s=lambda: 0.0)
    assert [(a.verdict, a.ended) for a in found.answers] == [
        ("slower", "decided"),
        ("unsure", "failed"),
    ]
    assert [found.answers[1].one.status, found.answers[1].other.status] == ["ok", "oom"]


def test_a_case_whose_time_is_up_is_visited_no_more(tmp_path: Path) -> None:
    """Also within a round."""
    sides = TwoSides()
    with sides.open(tmp_path, twice(1)) as paired:
        (pair,) = paired.next_batch()
        paired.round([pair], 0)
        pair.other.spent_s = 61.0
        assert pair.over
        paired.round([pair], 1)
        paired.keep(pair, "timeout")
    assert len(sides.visits(case(1).id)) == 2 * WORKERS


def test_a_pair_by_itself_is_measured_in_abba_order(tmp_path: Path) -> None:
    """Both sides have as many rounds, and no more than they need."""
    sides = searching()
    with sides.open(tmp_path) as paired:
        one, other = paired.measure((case(1), case(1)))
    assert [one.time_s, other.time_s] == pytest.approx([1e-4, 1.5e-4])
    assert one.rounds == other.rounds == LEAST_ROUNDS
    assert one.stopped_by == other.stopped_by == "precise"
    assert_abba(sides.visits(), rounds=LEAST_ROUNDS)


def test_the_side_that_begins_changes_from_case_to_case(tmp_path: Path) -> None:
    """The workers are visited in an order that is drawn, so what the first leaves behind meets both."""
    sides = searching()
    with sides.open(tmp_path) as paired:
        for number in range(8):
            paired.measure((case(number), case(number)))
    assert_abba(sides.visits(), rounds=8 * LEAST_ROUNDS)


def test_both_sides_are_measured_until_both_are_precise(tmp_path: Path) -> None:
    """The one that scatters needs more rounds, and the calm one has as many; each says why it stopped."""
    sides = searching(rounds=12)
    ticks = itertools.cycle([1_000_000, 1_150_000, 900_000, 1_050_000, 870_000])
    calm = sides.stages[0].answer

    def scatter(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        reply = calm(request)
        return visited(next(ticks)) if isinstance(request, protocol.VisitRequest) else reply

    sides.stages[0].answer = scatter
    with sides.open(tmp_path) as paired:
        one, other = paired.measure((case(1), case(1)))
    assert one.rounds == other.rounds
    assert (one.rounds or 0) > LEAST_ROUNDS
    assert one.stopped_by in {"no-gain", "precise", "budget"}
    assert other.stopped_by == "precise"


def slow(sides: TwoSides, place: int, visit_ns: int) -> None:
    """Let the visits of a side take longer; the other side scatters so that it is never precise."""
    ticks = itertools.cycle([600_000, 1_000_000, 1_400_000, 700_000, 1_200_000])
    for here, stage in enumerate(sides.stages):
        works = stage.answer

        def answer(
            request: protocol.WorkerRequest, here: int = here, works: Any = works
        ) -> protocol.WorkerReply:
            reply = works(request)
            if not isinstance(request, protocol.VisitRequest):
                return reply  # type: ignore[no-any-return]  # as the script has it
            return visited(visit_ns if here == place else next(ticks))

        stage.answer = answer


def test_a_side_that_has_spent_its_budget_is_visited_no_more(tmp_path: Path) -> None:
    """Once each of its workers has seen the case; the other side goes on by itself."""
    sides = searching(rounds=6)
    slow(sides, 0, visit_ns=300_000_000)  # four visits are more than the budget of 1 s
    with sides.open(tmp_path) as paired:
        one, other = paired.measure((case(1), case(1)))
    assert sides.visits().count(0) == WORKERS
    assert (one.status, one.rounds, one.stopped_by) == ("ok", 1, "budget")
    assert other.rounds is not None
    assert other.rounds > LEAST_ROUNDS


def test_time_that_is_left_over_is_spent_on_further_rounds(tmp_path: Path) -> None:
    """Three times the planned ones at most, as in a run; here a round takes a hundredth of the budget."""
    sides = searching(rounds=2, case_budget_s=0.4)
    slow(sides, 0, visit_ns=1_000_000)
    with sides.open(tmp_path) as paired:
        one, other = paired.measure((case(1), case(1)))
    assert one.rounds == other.rounds == 3 * 2


def test_a_side_whose_time_is_up_leaves_the_other_alone(tmp_path: Path) -> None:
    """A size that is too slow on one side is still measured on the other."""
    sides = searching(timeout_s=0.5)
    works = sides.stages[0].answer

    def hang(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.VisitRequest) and 0 in sides.visits():
            time.sleep(0.6)  # from the second visit on
        return works(request)

    sides.stages[0].answer = hang
    with sides.open(tmp_path) as paired:
        one, other = paired.measure((case(1), case(1)))
    assert sides.visits().count(0) == 2
    assert (one.status, one.stopped_by) == ("ok", "timeout")
    assert (other.rounds, other.stopped_by) == (LEAST_ROUNDS, "precise")


def test_workers_stay_from_size_to_size(tmp_path: Path) -> None:
    """And free one size before they build the next."""
    sides = searching()
    with sides.open(tmp_path) as paired:
        for number in (1, 2, 3):
            paired.measure((case(number), case(number)))
    assert [len(stage.processes) for stage in sides.stages] == [WORKERS, WORKERS]
    forgotten = [place for place, request in sides.log if isinstance(request, protocol.Forget)]
    assert sorted(forgotten) == [0] * 2 * WORKERS + [1] * 2 * WORKERS


def test_each_run_has_every_size(tmp_path: Path) -> None:
    """Finished, with the state of the machine, all rows and samples."""
    with searching().open(tmp_path) as paired:
        paired.measure((case(1), case(1)))
        paired.measure((case(2), case(2)))
    found = runs.list_runs(tmp_path)
    assert sorted(run.info.run_id for run in found) == sorted(r.info.run_id for r in paired.runs)
    assert all(run.finished for run in found)
    assert [run.info.options["threads"] for run in paired.runs] == [1, 2]
    assert all(run.info.sentinels["cpu"] and run.info.reference["cpu"] for run in found)
    rows = load_rows(tmp_path)
    assert sorted(rows["case"]) == [case(1).id] * 2 + [case(2).id] * 2
    assert len(load_samples(tmp_path)) == rows["samples"].sum()


def test_sides_with_one_key_share_a_run(tmp_path: Path) -> None:
    """Devices do, as those of `bench run`, so that its page shows both; it knows the states of both."""
    sides = searching(threads=(2, 2), run_keys=("same", "same"))
    gpu = dataclasses.replace(case(1), device="cuda")
    specs = sides.spec(0, [case(1)]), sides.spec(1, [gpu])
    with PairedRun.open(specs, tmp_path) as paired:
        paired.measure((case(1), gpu))
    (run,) = paired.runs
    assert list(run.info.devices) == ["cpu", "cuda"]
    assert set(run.info.sentinels) == set(run.info.reference) == {"cpu", "cuda"}
    assert set(load_rows(run.folder)["device"]) == {"cpu", "cuda"}


def test_earlier_sizes_say_how_sure_a_time_is(tmp_path: Path) -> None:
    """What their spreads have in common narrows the interval of one more."""
    sides = searching()
    ticks = itertools.cycle([1_000_000, 1_010_000, 995_000, 1_004_000, 990_000])
    sides.stages[0].answer = lambda request: (
        visited(next(ticks)) if isinstance(request, protocol.VisitRequest) else settle(request)
    )
    with sides.open(tmp_path) as paired:
        widths = []
        for number in range(8):
            row, _ = paired.measure((case(number), case(number)))
            assert row.time_hi_s is not None
            assert row.time_lo_s is not None
            widths.append(row.time_hi_s / row.time_lo_s)
    assert max(widths[-3:]) < max(widths[:3])


def test_a_skip_and_a_failure_are_rows(tmp_path: Path) -> None:
    """The other side is measured all the same."""
    sides = searching()
    works = sides.stages[1].answer

    def fails(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.Check) and request.case.id == case(2).id:
            raise lost(status="oom", reason="no memory")
        return works(request)

    sides.stages[1].answer = fails
    skip = PlannedSkip(case=case(1), reason="not here")
    with sides.open(tmp_path) as paired:
        assert [row.status for row in paired.measure((skip, case(1)))] == ["skipped", "ok"]
        one, other = paired.measure((case(2), case(2)))
        assert [one.status, other.status] == ["ok", "oom"]
        assert one.rounds == LEAST_ROUNDS
        assert [row.status for row in paired.measure((case(3), case(3)))] == ["ok", "ok"]
    assert set(load_rows(tmp_path)["reason"].dropna()) == {"not here", "no memory"}


def test_what_was_measured_is_whole_when_it_ends_early(tmp_path: Path) -> None:
    """Ctrl-C leaves finished runs."""

    def interrupted() -> None:
        with TwoSides().open(tmp_path, twice(1)) as paired:
            (pair,) = paired.next_batch()
            paired.round([pair], 0)
            paired.keep(pair, "budget")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [run.finished for run in runs.list_runs(tmp_path)] == [True, True]


def test_nothing_measured_leaves_nothing(tmp_path: Path) -> None:
    """Neither side leaves a folder."""
    with TwoSides().open(tmp_path, twice(1)):
        pass
    assert [one.name for one in tmp_path.iterdir()] == [".gitignore"]


def test_a_side_that_can_not_start_leaves_nothing(tmp_path: Path) -> None:
    """Nor does the other."""
    sides = TwoSides()
    specs = sides.spec(0), sides.spec(1)
    sides.stages[1].processes[0].broken = lost(reason="no torch")
    with (
        pytest.raises(WorkerError, match="a worker can't start: no torch"),
        PairedRun.open(specs, tmp_path, twice(1)),
    ):
        pass
    assert [one.name for one in tmp_path.iterdir()] == [".gitignore"]


def test_a_store_that_cant_be_written_is_said_first(tmp_path: Path) -> None:
    """Before anything is measured."""
    (tmp_path / "file").write_text("")
    sides = TwoSides()
    with (
        pytest.raises(StoreError, match="can't be written"),
        sides.open(tmp_path / "file" / "store"),
    ):
        pass
    assert sides.log == []


def test_a_side_may_take_half_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both hold their inputs at the same time."""
    monkeypatch.setattr(manifest, "usable_memory_bytes", lambda: 64.0)
    started = TwoSides().spec(0).started
    spec = SideSpec.of(Request(), started, run_key="a", tags={}, argv=(), cases=[case()])
    assert spec.options.schedule.memory_bytes == 32.0
