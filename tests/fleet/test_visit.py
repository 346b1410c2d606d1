"""Visit of a node: what a job does when it arrives, in which words, and what it leaves whatever happens to it."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import StoreError, WorkerError
from bench.fleet import visit
from bench.fleet.preflight import Facts
from bench.fleet.spool import RETRIES_S, Spool
from bench.fleet.visit import LeaseListener, NodeVisit, Outcome
from bench.run.listener import Listener
from bench.run.request import Request
from bench.store import campaign_progress, claims
from bench.store.claims import Claim
from tests.fleet import made_up
from tests.fleet.simulated import Process, Simulation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.records.campaign import VisitState

HOUR_S = 3600.0


@contextmanager
def node(folder: Path, **facts: Any) -> Iterator[Simulation]:
    """One node, where jobs are begun by the test."""
    of_pool = {k: facts.pop(k) for k in ("apart_s", "lease_s") if k in facts}
    plan = made_up.campaign(made_up.pool(**of_pool), ["n1"], **facts)
    simulation = Simulation(folder, plan)
    with simulation.in_place_of_the_world():
        try:
            yield simulation
        finally:
            simulation.close()


def begin(simulation: Simulation, job: str = "1_0") -> tuple[Process, list[Outcome]]:
    """A job that arrives; its outcome comes when it ends."""
    outcome: list[Outcome] = []

    def work() -> None:
        job_of = NodeVisit(
            simulation.store,
            simulation.campaign,
            simulation.pool,
            node="n1",
            job=job,
            listener=Listener(),
            sleep=simulation.wait,
        )
        outcome.append(job_of.run())

    process = Process(simulation, "n1", work)
    simulation.processes.append(process)
    return process, outcome


def whole(simulation: Simulation, job: str = "1_0") -> tuple[str, str]:
    """How a job ends, and what it says."""
    process, outcome = begin(simulation, job)
    simulation.advance(0.5 * HOUR_S)
    assert process.error is None
    (found,) = outcome
    return found.kind, found.sentence


def states(simulation: Simulation) -> list[VisitState]:
    """All visits of the node."""
    state = campaign_progress.progress(simulation.store, simulation.campaign, now=simulation.now())
    return list(state.visits)


def test_a_visit_is_measured_published_and_counted(tmp_path: Path) -> None:
    """Its run says of which campaign and visit it is, and nothing is left in the spool."""
    with node(tmp_path, label="ü", tags={"who": "me"}) as simulation:
        kind, sentence = whole(simulation)
        (run_id,) = [m.run_id for m in simulation.measured]
        assert (kind, sentence) == ("done", f"visit 1 of n1 is done: run {run_id}")
        assert [v.run_id for v in states(simulation)] == [run_id]
        manifest = simulation.store.read(f"{run_id}/run.json") or b""
        for text in (b'"campaign": "acceptance"', b'"visit": "1"', b'"who": "me"', b'"node": "n1"'):
            assert text in manifest
        assert not list(simulation.spool_of("n1").glob("2*"))
        assert whole(simulation, "1_1") == ("idle", "n1 has had its 1 visits")


def test_each_visit_has_an_order_of_its_own_that_the_plan_gives(tmp_path: Path) -> None:
    """Another for each node and visit, the same when it is begun again."""
    seeds = []
    with node(tmp_path, visits=2) as simulation:
        asked = Request()
        plan: Any = SimpleNamespace(cases=[1])
        for number in (1, 2, 1):
            job = NodeVisit(
                simulation.store,
                simulation.campaign,
                simulation.pool,
                node="n1",
                job="1",
                listener=Listener(),
            )
            seeds.append(job._options(asked, plan, job._claim(number, 1)).seed)
    assert seeds[0] == seeds[2] != seeds[1]
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_second_visit_waits_until_it_is_apart_from_the_first(tmp_path: Path) -> None:
    """A job that comes too early ends at once and says for how long."""
    with node(tmp_path, visits=2) as simulation:
        whole(simulation)
        kind, sentence = whole(simulation, "1_1")
        assert kind == "idle"
        assert sentence.startswith("visit 2 of n1 may begin in 40")
        simulation.advance(0.5 * HOUR_S)
        assert whole(simulation, "1_2")[0] == "done"
        assert [m.visit for m in simulation.measured] == [1, 2]


def test_an_excluded_node_is_left_at_once(tmp_path: Path) -> None:
    """With the reason."""
    with node(tmp_path) as simulation:
        claims.exclude(simulation.store, ("acceptance", "p", "n1"), "its fan is broken")
        assert whole(simulation) == ("idle", "n1 is excluded: its fan is broken")


def held(simulation: Simulation, job: str = "7_1", attempt: int = 1) -> Claim:
    """The first visit, as another job has it."""
    claim = Claim(campaign="acceptance", pool="p", node="n1", visit=1, attempt=attempt)
    claims.take(simulation.store, claim, {"job": job})
    return claim


def test_a_visit_that_another_job_has_is_left_to_it(tmp_path: Path) -> None:
    """Until nothing was heard of that one for longer than its lease."""
    with node(tmp_path) as simulation:
        held(simulation)
        assert whole(simulation) == ("idle", "visit 1 of n1 is under way in another job")
        assert whole(simulation)[0] == "done"
        assert [v.attempt for v in states(simulation)] == [2]


def test_a_job_that_is_begun_again_goes_on_at_once(tmp_path: Path) -> None:
    """Its own claim needs no lease."""
    with node(tmp_path) as simulation:
        held(simulation, job="1_0")
        assert whole(simulation, "1_0")[0] == "done"


def test_a_claim_that_can_not_be_read_is_some_other_jobs(tmp_path: Path) -> None:
    """Until its lease is over."""
    with node(tmp_path) as simulation:
        simulation.store.write(held(simulation).key("1.claim"), b"[" * 100_000)
        assert whole(simulation)[0] == "idle"
        assert whole(simulation)[0] == "done"


def test_a_visit_is_not_begun_for_ever(tmp_path: Path) -> None:
    """After twenty times it is left."""
    with node(tmp_path) as simulation:
        claims.end(simulation.store, held(simulation, attempt=20), "interrupted", "told to end")
        assert whole(simulation) == ("idle", "visit 1 of n1 was begun 20 times")


def test_a_job_that_is_told_to_end_says_so_and_the_next_one_goes_on(tmp_path: Path) -> None:
    """Without waiting for a lease."""
    with node(tmp_path) as simulation:
        process, _ = begin(simulation)
        simulation.advance(200.0)
        process.end(KeyboardInterrupt)
        (before,) = states(simulation)
        assert (before.state, before.reason) == (
            "waiting",
            "ended from outside before it was done",
        )
        assert whole(simulation, "1_1")[0] == "done"


@pytest.mark.parametrize(
    "error", [StoreError("the disk is full"), WorkerError("no torch"), OSError(28, "No space")]
)
def test_a_visit_that_can_not_be_measured_says_why_and_the_second_excludes(
    tmp_path: Path, error: Exception
) -> None:
    """Whoever looks at the campaign reads it there."""

    def fails(*_: Any) -> None:
        raise error

    with node(tmp_path) as simulation, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Spool, "measured", fails)
        assert whole(simulation, "1_0") == ("failed", f"n1: {error}")
        assert [(v.state, v.reason) for v in states(simulation)] == [("failed", str(error))]
        assert whole(simulation, "1_1") == ("failed", f"n1: {error}; no more jobs are tried here")
        assert [v.state for v in states(simulation)] == ["excluded"]


def test_a_plan_that_can_not_be_made_here_is_noted(tmp_path: Path) -> None:
    """Before anything is claimed; else the node would take one job after the other."""
    with node(tmp_path) as simulation:
        simulation.nodes["n1"].without_suites = True
        assert whole(simulation) == ("failed", "n1: there is no suite own.py here")
        assert [v.state for v in states(simulation)] == ["failed"]


def test_options_that_no_request_has_are_noted_too(tmp_path: Path) -> None:
    """A plan is anybody's."""
    with node(tmp_path, options={"suites": 5}) as simulation:
        kind, sentence = whole(simulation)
        assert kind == "failed"
        assert "\n" not in sentence


def test_workers_that_do_not_start_are_noted(
    tmp_path: Path,
) -> None:
    """No torch in that interpreter, say."""

    def fails(_asked: Request) -> None:
        message = "no worker starts: there is no torch"
        raise WorkerError(message)

    with node(tmp_path) as simulation, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Request, "start", fails)
        assert whole(simulation) == ("failed", "n1: no worker starts: there is no torch")


def test_a_spool_that_can_not_be_made_is_noted(tmp_path: Path) -> None:
    """As a node that can't be measured."""
    with node(tmp_path) as simulation:
        (tmp_path / "spool").write_text("")
        kind, sentence = whole(simulation)
        assert kind == "failed"
        assert "can't be made" in sentence
        assert [v.state for v in states(simulation)] == ["failed"]


def test_a_busy_node_is_looked_at_again_for_a_minute(
    tmp_path: Path,
) -> None:
    """The job before may be ending."""
    at_rest = made_up.facts().snapshot
    with node(tmp_path) as simulation, pytest.MonkeyPatch.context() as patch:
        free_s = [1e9]

        def read(_spool: Path) -> Any:
            share = 0.9 if simulation.now_s < free_s[0] else 0.0
            return made_up.facts(snapshot=dataclasses.replace(at_rest, cpu_busy_share=share))

        patch.setattr(Facts, "read", read)
        kind, sentence = whole(simulation)
        assert (kind, sum(visit._BUSY_PAUSES_S)) == ("failed", 65.0)
        assert "90 % of the CPU is busy" in sentence
        free_s[0] = simulation.now_s + 30.0
        assert whole(simulation, "1_1")[0] == "done"


def test_a_run_that_the_store_could_not_take_waits_for_the_next_job(tmp_path: Path) -> None:
    """It is tried for two minutes, then kept on the node; it counts when it comes."""
    with node(tmp_path, apart_s=0.0) as simulation:
        process, outcome = begin(simulation)
        simulation.advance(500.0)
        simulation.store.away = True
        simulation.advance(100.0 + sum(RETRIES_S) + 10.0)
        assert process.ended
        (found,) = outcome
        assert found.kind == "failed"
        assert "waits in" in found.sentence
        simulation.store.away = False
        assert whole(simulation, "1_1")[0] == "idle"
        assert [v.state for v in states(simulation)] == ["done"]
        assert not list(simulation.spool_of("n1").glob("2*"))


def test_a_run_that_was_abandoned_is_kept_and_does_not_count(tmp_path: Path) -> None:
    """What was left by an earlier system of the node."""
    with node(tmp_path) as simulation:
        process, _ = begin(simulation)
        simulation.advance(500.0)
        simulation.store.away = True
        simulation.advance(HOUR_S)
        assert process.ended
        simulation.store.away = False
        (left,) = simulation.spool_of("n1").glob("2*")
        (left / "abandoned").touch()
        assert whole(simulation, "1_1")[0] == "done"
        (state,) = states(simulation)
        assert state.run_id not in {"", left.name}
        assert claims.visits(simulation.store, "acceptance")["p", "n1", 1].extra == (left.name,)


def test_two_jobs_of_a_node_do_not_measure_each_other(tmp_path: Path) -> None:
    """The second one ends at once."""
    with node(tmp_path) as simulation:
        begin(simulation)
        simulation.advance(100.0)
        assert whole(simulation, "1_1")[0] == "idle"
        assert [v.state for v in states(simulation)] == ["done"]
        assert len(simulation.measured) == 1


def test_a_store_that_is_away_ends_a_job_before_it_measures(tmp_path: Path) -> None:
    """As an error of the store, which is nothing of this node."""
    with node(tmp_path) as simulation:
        simulation.store.away = True
        process, outcome = begin(simulation)
        simulation.advance(HOUR_S)
        assert isinstance(process.error, StoreError)
        assert not outcome
        simulation.store.away = False
        assert [v.state for v in states(simulation)] == ["waiting"]


def test_who_lives_says_so_a_few_times_per_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between steps, and everything is handed on."""
    now, beats, told = [0.0], list[float](), list[str]()

    class Told(Listener):
        def __getattribute__(self, name: str) -> Any:
            told.append(name)
            return super().__getattribute__(name)

    monkeypatch.setattr(visit, "time", SimpleNamespace(monotonic=lambda: now[0]))
    listener = LeaseListener(lambda: beats.append(now[0]), 10.0, Told())
    row: Any = None
    for seconds in range(0, 50, 3):
        now[0] = float(seconds)
        listener.advanced("case", 1)
    assert beats == [12.0, 24.0, 36.0, 48.0]
    for event, facts in (
        ("started", ("run", 1, 2)),
        ("waiting", ()),
        ("surveying", ("cpu", 1.0)),
        ("memory_differs", ("why",)),
        ("finished", (row,)),
    ):
        getattr(listener, event)(*facts)
    assert told[-5:] == ["started", "waiting", "surveying", "memory_differs", "finished"]
    events = {name for name in vars(Listener) if not name.startswith("_")}
    assert events <= set(vars(LeaseListener))
