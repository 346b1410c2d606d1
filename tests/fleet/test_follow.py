"""The follower ends, submits no more than is needed, and loses or counts nothing twice, whatever fails meanwhile."""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.errors import SettingsError, StoreError
from bench.fleet.follow import Watcher
from bench.store import campaign_progress, claims
from bench.store.claims import Claim
from tests.fleet import made_up
from tests.fleet.simulated import SimulatedNode, Simulation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.records.campaign import CampaignState

HOUR_S = 3600.0
DEADLINE_S = 12 * HOUR_S


class Told(Watcher):
    """Keeps what a follower tells."""

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self.taken: list[int] = []

    def troubled(self, what: str) -> None:
        """Keep it."""
        self.troubles.append(what)

    def submitted(self, pool: str, visits: int) -> None:
        """Keep it."""
        assert pool == "p"
        self.taken.append(visits)


@contextmanager
def cluster(folder: Path, nodes: int = 3, **facts: Any) -> Iterator[Simulation]:
    """A cluster of nodes `n0` and so on, with what its campaign, pool and simulation are to be."""
    of_pool = {k: facts.pop(k) for k in ("at_most", "apart_s", "lease_s") if k in facts}
    of_plan = {k: facts.pop(k) for k in ("visits",) if k in facts}
    names = [f"n{number}" for number in range(nodes)]
    plan = made_up.campaign(made_up.pool(**of_pool), names, **of_plan)
    simulation = Simulation(folder, plan, **facts)
    try:
        yield simulation
    finally:
        simulation.close()


def said(state: CampaignState) -> dict[tuple[str, int], str]:
    """Node and visit → what has become of it."""
    return {(visit.node, visit.visit): visit.state for visit in state.visits}


def looked(simulation: Simulation) -> CampaignState:
    """The campaign as the store has it now."""
    return campaign_progress.progress(simulation.store, simulation.campaign, now=simulation.now())


def check_counts(simulation: Simulation, state: CampaignState) -> None:
    """One counted run of each visit that is done, none lost, and no two visits of a node closer than they may be."""
    ids = {one.run_id for one in simulation.measured}
    counted = [visit.run_id for visit in state.visits if visit.state == "done"]
    assert len(set(counted)) == len(counted)
    assert set(counted) <= ids
    kept = {
        found.key.split("/")[0] for found in simulation.store.found("") if "run.json" in found.key
    }
    spooled = {path.name for path in (simulation.folder / "spool").glob("*/*/2*")}
    assert ids <= kept | spooled
    noted = {*counted, *state.extra_runs}
    assert kept == noted, "a published run is neither counted nor called an extra one"
    apart = simulation.pool.apart_s
    for node in simulation.nodes:
        of_node = sorted((m for m in simulation.measured if m.node == node), key=lambda m: m.visit)
        for one, other in itertools.pairwise(of_node):
            if one.visit < other.visit:
                assert other.from_s >= one.to_s + apart


def check_end(state: CampaignState) -> None:
    """Of each visit that is not done there is a reason."""
    for visit in state.visits:
        assert visit.state == "done" or visit.reason or visit.state == "running", visit


def test_all_nodes_are_visited_as_often_as_asked_apart_in_time(tmp_path: Path) -> None:
    """With no more jobs than visits, and the second ones an hour after the first."""
    with cluster(tmp_path, 5, visits=2) as simulation:
        told = Told()
        state = simulation.follow(watcher=told)
        assert state.complete
        assert sum(told.taken) == len(simulation.begun) == len(simulation.measured) == 10
        check_counts(simulation, state)
        seconds = [m for m in simulation.measured if m.visit == 2]
        assert min(m.from_s for m in seconds) >= HOUR_S
        assert not told.troubles


def test_a_second_follower_does_nothing_twice(tmp_path: Path) -> None:
    """Neither when all is done, nor when the first was stopped while jobs ran."""

    def stop() -> None:
        raise KeyboardInterrupt

    with cluster(tmp_path, 4, visits=2, apart_s=0.0) as simulation:
        simulation.faults = [(5 * 60.0, stop)]
        with pytest.raises(KeyboardInterrupt):
            simulation.follow()
        assert len(simulation.queue) == 4
        assert simulation.follow().complete
        before = len(simulation.measured), len(simulation.begun), len(simulation.submissions)
        assert before[:2] == (8, 8)
        assert simulation.follow().complete
        assert (
            len(simulation.measured),
            len(simulation.begun),
            len(simulation.submissions),
        ) == before


def test_two_followers_at_once_submit_each_visit_once(tmp_path: Path) -> None:
    """Each sees the jobs of the other."""
    with cluster(tmp_path, 4) as simulation, simulation.in_place_of_the_world():
        one, other = simulation.follower(), simulation.follower()
        for follower in (one, other, one, other):
            follower._round()
            simulation.advance(10.0)
        assert sum(taken for taken, *_ in simulation.submissions) == 4


def test_busy_nodes_block_nobody(tmp_path: Path) -> None:
    """The others are measured meanwhile, and what was not reached by the deadline is said, with the reason."""
    with cluster(tmp_path, 6) as simulation:
        for name in ("n1", "n4"):
            simulation.nodes[name].taken = True
        state = simulation.follow(deadline_s=3 * HOUR_S)
        assert state.counts == {"done": 4, "unreached": 2}
        assert {v.reason for v in state.visits if v.state == "unreached"} == {"it is allocated"}
        assert max(m.to_s for m in simulation.measured) < HOUR_S
        assert not simulation.queue


@pytest.mark.parametrize("at_most", [0, 2, 100])
def test_jobs_that_wait_are_not_submitted_again(tmp_path: Path, at_most: int) -> None:
    """While all nodes are busy the queue has one for each, however often it is looked at."""
    with cluster(tmp_path, 6, at_most=at_most) as simulation:
        for one in simulation.nodes.values():
            one.taken = True
        state = simulation.follow(deadline_s=3 * HOUR_S)
        assert sum(taken for taken, *_ in simulation.submissions) == 6
        assert state.counts == {"unreached": 6}
        assert not simulation.queue


def test_only_the_last_nodes_are_waited_for_by_name(tmp_path: Path) -> None:
    """Of forty, two."""
    with cluster(tmp_path, 40, at_most=100) as simulation:
        for name in ("n7", "n9", "n30"):
            simulation.nodes[name].taken = True

        def free(name: str) -> Callable[[], None]:
            return lambda: setattr(simulation.nodes[name], "taken", False)

        simulation.faults = [
            (HOUR_S, free("n7")),
            (2 * HOUR_S, free("n9")),
            (3 * HOUR_S, free("n30")),
        ]
        state = simulation.follow()
        assert state.complete
        named = [set(among) for _, among, _ in simulation.submissions if among]
        assert named
        assert set().union(*named) <= {"n9", "n30"}
        assert sum(map(len, named)) <= 2


def test_a_pool_of_few_nodes_is_never_waited_for_by_name(tmp_path: Path) -> None:
    """A job for either of two nodes begins on whichever is free."""
    with cluster(tmp_path, 2) as simulation:
        assert simulation.follow().complete
        assert not any(among for _, among, _ in simulation.submissions)


def test_nodes_that_are_down_are_waited_for_until_the_queue_says_no_more(tmp_path: Path) -> None:
    """They are named as unreached, with what the scheduler says of them."""
    with cluster(tmp_path, 6) as simulation:
        simulation.nodes["n5"].up = False
        state = simulation.follow()
        assert state.counts == {"done": 5, "unreached": 1}
        (missing,) = [v for v in state.visits if v.state == "unreached"]
        assert (missing.node, missing.reason) == ("n5", "it is down (test)")
        assert simulation.now_s < 2 * HOUR_S


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("back", [False, True])
def test_a_node_that_goes_down_costs_no_run(tmp_path: Path, *, lost: bool, back: bool) -> None:
    """Its visit is begun again, on it if it is back, and a copy that lived on unseen is an extra run."""
    with cluster(tmp_path, 3) as simulation:
        simulation.faults = [(300.0, lambda: simulation.fail("n1", lost=lost))]
        if back:
            simulation.faults.append((400.0, lambda: setattr(simulation.nodes["n1"], "up", True)))
        state = simulation.follow()
        simulation.settle()
        state = looked(simulation)
        check_counts(simulation, state)
        check_end(state)
        assert said(state)["n1", 1] == ("done" if back or lost else "lost")
        if lost and back:
            assert len(state.extra_runs) == len(simulation.measured) - 3


def test_of_two_copies_of_a_visit_one_counts(tmp_path: Path) -> None:
    """The one whose claim is the last; the other's run is kept as an extra one."""
    with cluster(tmp_path, 1, minutes=60.0, apart=True) as simulation:
        simulation.faults = [
            (600.0, lambda: simulation.fail("n0", lost=True)),
            (660.0, lambda: setattr(simulation.nodes["n0"], "up", True)),
        ]
        simulation.follow()
        simulation.settle()
        state = looked(simulation)
        assert state.complete
        assert len(simulation.measured) == 2
        first, second = (m.run_id for m in simulation.measured)
        assert [v.run_id for v in state.visits] == [second]
        assert state.extra_runs == (first,)


def test_a_broken_node_takes_two_jobs(tmp_path: Path) -> None:
    """It is always idle, so it gets the first job and the next; then it is excluded, with the reason."""
    with cluster(tmp_path, 4, visits=2, apart_s=0.0) as simulation:
        simulation.nodes["n2"].broken = True
        state = simulation.follow()
        assert Counter(said(state).values()) == {"done": 6, "excluded": 2}
        assert [node for _, node in simulation.begun].count("n2") == 2
        assert state.excluded == {"n2": "torch is 2.9.0 here and 2.13.0 in the plan"}
        assert any("n2" in avoid for _, _, avoid in simulation.submissions)


def test_a_node_that_can_not_make_the_plan_takes_two_jobs(tmp_path: Path) -> None:
    """As one whose preflight fails: without the suite's file there a job ends at once, again and again."""
    with cluster(tmp_path, 3) as simulation:
        simulation.nodes["n1"].without_suites = True
        state = simulation.follow()
        assert said(state)["n1", 1] == "excluded"
        assert [node for _, node in simulation.begun].count("n1") == 2
        assert "there is no suite own.py here" in state.excluded["n1"]


def test_a_node_that_can_not_keep_a_spool_takes_two_jobs(tmp_path: Path) -> None:
    """A disk that can't be written is found before anything is claimed, and is told."""
    with cluster(tmp_path, 2) as simulation:
        folder = tmp_path / "spool" / simulation.campaign.identity
        folder.mkdir(parents=True)
        (folder / "n1").write_text("a file in its place")
        state = simulation.follow()
        assert said(state) == {("n0", 1): "done", ("n1", 1): "excluded"}
        assert [node for _, node in simulation.begun].count("n1") == 2


def test_jobs_that_end_without_a_word_are_not_submitted_for_ever(tmp_path: Path) -> None:
    """No interpreter on any node, say: the store never hears of it, and the follower stops and says so."""
    with cluster(tmp_path, 3) as simulation:
        simulation.mute = True
        state = simulation.follow(poll_s=10.0)
        assert len(simulation.begun) <= 4 * 3
        check_end(state)
        assert state.counts == {"unreached": 3}


def test_a_node_that_joined_after_the_plan_takes_no_jobs_for_ever(tmp_path: Path) -> None:
    """Visited as often as the others, it is avoided; a broken one too."""
    for broken in (False, True):
        with cluster(tmp_path / str(broken), 6) as simulation:
            for name in ("n2", "n3", "n4", "n5"):
                simulation.nodes[name].taken = True
            new = SimulatedNode("new", broken=broken)
            simulation.nodes = {"new": new, **simulation.nodes}
            state = simulation.follow(deadline_s=2 * HOUR_S)
            planned = Counter(v.state for v in state.visits if v.node != "new")
            assert planned == {"done": 2, "unreached": 4}
            assert [node for _, node in simulation.begun].count("new") <= 6


def test_a_campaign_of_another_machine_is_not_measured_here(tmp_path: Path) -> None:
    """The local pool of a plan that was made elsewhere: this machine is none of its nodes."""
    with cluster(tmp_path, 1) as simulation:
        simulation.nodes = {"other": SimulatedNode("other")}
        state = simulation.follow()
        assert len(simulation.begun) <= 2
        assert said(state)["n0", 1] == "unreached"


def test_a_visit_that_is_never_finished_is_not_tried_for_ever(tmp_path: Path) -> None:
    """After so many attempts a node gets no more jobs, and that is said."""
    with cluster(tmp_path, 1, apart_s=0.0) as simulation:
        claim = Claim(
            campaign="acceptance", pool="p", node="n0", visit=1, attempt=claims.MOST_ATTEMPTS
        )
        claims.take(simulation.store, claim, {"job": "0"})
        claims.end(simulation.store, claim, "interrupted", "ended from outside")
        state = simulation.follow()
        assert len(simulation.begun) <= 3
        check_end(state)
        assert said(state)["n0", 1] not in {"done", "waiting"}


def test_who_waits_for_a_node_by_name_blocks_nobody(tmp_path: Path) -> None:
    """With two visits at most at a time, other nodes get their second ones meanwhile."""
    with cluster(tmp_path, 5, at_most=2, visits=2) as simulation:
        for name in ("n3", "n4"):
            simulation.nodes[name].taken = True
        state = simulation.follow(deadline_s=6 * HOUR_S)
        assert state.counts == {"done": 6, "unreached": 4}


def test_at_most_so_many_visits_run_at_once(tmp_path: Path) -> None:
    """Over all arrays: a limit of the scheduler holds within one."""
    with cluster(tmp_path, 8, at_most=2, visits=2, apart_s=0.0) as simulation:
        assert simulation.follow().complete
        assert max(simulation.running) <= 2


def test_a_queue_that_takes_few_jobs_is_filled_again_and_again(tmp_path: Path) -> None:
    """What it does not take now it takes later."""
    with cluster(tmp_path, 7, most_in_queue=2) as simulation:
        told = Told()
        state = simulation.follow(watcher=told)
        assert state.complete
        assert sum(told.taken) == 7
        assert max(told.taken) <= 2


def test_a_held_job_is_replaced_and_one_after_the_other_is_an_error(tmp_path: Path) -> None:
    """The scheduler has a reason, which only it can tell."""
    with cluster(tmp_path, 3) as simulation:
        for node in simulation.nodes.values():
            node.taken = True
        simulation.faults = [(100.0, simulation.hold)]

        def free() -> None:
            for node in simulation.nodes.values():
                node.taken = False

        simulation.faults.append((900.0, free))
        told = Told()
        assert simulation.follow(watcher=told).complete
        assert told.troubles == ["p: the scheduler holds 1 job (Resources)"]
    with cluster(tmp_path, 3) as simulation:
        for node in simulation.nodes.values():
            node.taken = True
        simulation.faults = [(100.0 * n, simulation.hold) for n in range(1, 100)]
        with pytest.raises(SettingsError, match=r"scontrol show job .*; then|bench fleet retry"):
            simulation.follow()
        assert not simulation.queue


@pytest.mark.parametrize("what", ["store", "scheduler"])
def test_who_is_away_for_a_while_is_waited_for(tmp_path: Path, what: str) -> None:
    """That is said once, and nothing is lost."""
    with cluster(tmp_path, 4, visits=2) as simulation:

        def away(value: bool) -> Callable[[], None]:  # noqa: FBT001
            owner = simulation.store if what == "store" else simulation
            return lambda: setattr(owner, "away", value)

        simulation.faults = [(9.5 * 60, away(True)), (40 * 60.0, away(False))]  # noqa: FBT003
        told = Told()
        state = simulation.follow(watcher=told)
        assert state.complete
        assert len(told.troubles) == 1
        check_counts(simulation, state)


@pytest.mark.parametrize("what", ["store", "scheduler"])
def test_who_is_still_away_at_the_deadline_ends_it_in_words(tmp_path: Path, what: str) -> None:
    """Where only the scheduler is away the state is told all the same."""
    with cluster(tmp_path, 3) as simulation:
        owner = simulation.store if what == "store" else simulation
        simulation.faults = [(300.0, lambda: setattr(owner, "away", True))]
        if what == "store":
            with pytest.raises(StoreError, match="is away"):
                simulation.follow(deadline_s=HOUR_S)
            assert simulation.now_s >= HOUR_S
        else:
            check_end(simulation.follow(deadline_s=HOUR_S))


def test_a_visit_that_was_interrupted_and_not_reached_again_is_not_waiting(tmp_path: Path) -> None:
    """When the follower has ended nothing more will come of it by itself."""
    with cluster(tmp_path, 3) as simulation:

        def take_away() -> None:
            simulation.preempt("n1", requeue=False)
            simulation.nodes["n1"].taken = True

        simulation.faults = [(300.0, take_away)]
        state = simulation.follow(deadline_s=2 * HOUR_S)
        assert said(state)["n1", 1] == "unreached"


def test_a_node_that_left_the_pool_is_named(tmp_path: Path) -> None:
    """The scheduler says nothing of it any more."""
    with cluster(tmp_path, 3) as simulation:
        del simulation.nodes["n1"]
        state = simulation.follow(deadline_s=2 * HOUR_S)
        check_end(state)
        assert said(state)["n1", 1] == "unreached"


def test_a_second_visit_that_was_not_due_is_said_to_be_unreached(tmp_path: Path) -> None:
    """With a deadline before it could begin."""
    with cluster(tmp_path, 2, visits=2) as simulation:
        state = simulation.follow(deadline_s=0.5 * HOUR_S)
        assert state.counts == {"done": 2, "unreached": 2}
        check_end(state)


KINDS = ("down", "lost", "up", "taken", "free", "preempt", "cancel", "hold")
AWAY = ("store", "scheduler")
FAULTS = st.lists(
    st.tuples(
        st.integers(1, 240), st.sampled_from(KINDS + AWAY), st.integers(0, 4), st.integers(1, 90)
    ),
    max_size=8,
)


def disturb(simulation: Simulation, faults: list[tuple[int, str, int, int]]) -> None:
    """Let all this happen: at which minute, what, to which node, for how many minutes."""
    names = sorted(simulation.nodes)
    for minute, kind, number, minutes in faults:
        name = names[number % len(names)]
        node = simulation.nodes[name]
        acts: dict[str, Callable[[], None]] = {
            "down": lambda name=name: simulation.fail(name),  # type: ignore[misc]
            "lost": lambda name=name: simulation.fail(name, lost=True),  # type: ignore[misc]
            "up": lambda node=node: setattr(node, "up", True),  # type: ignore[misc]
            "taken": lambda node=node: setattr(node, "taken", True),  # type: ignore[misc]
            "free": lambda node=node: setattr(node, "taken", False),  # type: ignore[misc]
            "preempt": lambda name=name: simulation.preempt(name),  # type: ignore[misc]
            "cancel": lambda name=name: simulation.preempt(name, requeue=False),  # type: ignore[misc]
            "hold": simulation.hold,
        }
        at_s = minute * 60.0
        if kind in AWAY:
            owner = simulation.store if kind == "store" else simulation
            simulation.faults.append((at_s, lambda owner=owner: setattr(owner, "away", True)))  # type: ignore[misc]
            end_s = at_s + minutes * 60.0
            simulation.faults.append((end_s, lambda owner=owner: setattr(owner, "away", False)))  # type: ignore[misc]
        else:
            simulation.faults.append((at_s, acts[kind]))
            if kind in {"down", "lost"}:
                simulation.faults.append((at_s + minutes * 60.0, acts["up"]))
            if kind == "taken":
                simulation.faults.append((at_s + minutes * 60.0, acts["free"]))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    nodes=st.integers(1, 5),
    visits=st.integers(1, 2),
    apart_s=st.sampled_from([0.0, 1800.0]),
    most_in_queue=st.sampled_from([1, 3, 100]),
    at_most=st.integers(1, 4),
    broken=st.sets(st.integers(0, 4), max_size=1),
    faults=FAULTS,
)
def test_whatever_fails_nothing_is_lost_counted_twice_or_submitted_without_end(
    *,
    nodes: int,
    visits: int,
    apart_s: float,
    most_in_queue: int,
    at_most: int,
    broken: set[int],
    faults: list[tuple[int, str, int, int]],
) -> None:
    """The follower ends, with a reason for each visit that is not done, and once more changes nothing that is done."""
    with (
        tempfile.TemporaryDirectory() as folder,
        cluster(
            Path(folder),
            nodes,
            visits=visits,
            apart_s=apart_s,
            at_most=at_most,
            most_in_queue=most_in_queue,
        ) as simulation,
    ):
        for number in broken:
            simulation.nodes[f"n{number % nodes}"].broken = True
        disturb(simulation, faults)
        state = simulation.follow(deadline_s=DEADLINE_S)
        check_end(state)
        simulation.settle()
        done = {k: v.run_id for k, v in _done(looked(simulation)).items()}
        check_counts(simulation, looked(simulation))
        assert max(simulation.running, default=0) <= at_most
        submitted = sum(taken for taken, *_ in simulation.submissions)
        assert submitted <= 3 * nodes * visits + 4 * len(faults)
        measured = len(simulation.measured)
        simulation.follow(deadline_s=DEADLINE_S)
        simulation.settle()
        again = {k: v.run_id for k, v in _done(looked(simulation)).items()}
        assert done.items() <= again.items()
        assert len(simulation.measured) - measured == len(again) - len(done)


def _done(state: CampaignState) -> dict[tuple[str, int], Any]:
    return {(v.node, v.visit): v for v in state.visits if v.state == "done"}


def test_nodes_that_are_asked_for_are_visited_once_more_and_no_others(tmp_path: Path) -> None:
    """After all visits are done, and once: what the further visits say is not asked again."""
    with cluster(tmp_path, 6, visits=2, apart_s=0.0) as simulation:
        asked: list[CampaignState] = []

        def confirm(state: CampaignState) -> bool:
            asked.append(state)
            nodes = [("p", "n1"), ("p", "n4")]
            claims.ask_to_confirm(simulation.store, simulation.campaign.name, nodes)
            return True

        with simulation.in_place_of_the_world():
            state = simulation.follower().follow(confirm)
        assert len(asked) == 1
        assert asked[0].complete
        assert state.complete
        assert Counter(m.node for m in simulation.measured) == {
            **dict.fromkeys(("n0", "n2", "n3", "n5"), 2),
            **dict.fromkeys(("n1", "n4"), 3),
        }
        check_counts(simulation, state)
