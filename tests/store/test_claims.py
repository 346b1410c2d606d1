"""Claims: one holder of an attempt, one counted run of a visit, and a state from names alone, whoever wrote them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records.campaign import STATES
from bench.store import campaign_progress, claims
from bench.store.campaigns import key
from bench.store.claims import Claim
from bench.store.objects import Objects
from tests.fleet import made_up
from tests.store.memory_objects import BEGUN, MemoryObjects
from tests.store.test_objects import THREADS, TRIES, race

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records.campaign import CampaignState, VisitState

PLAN = made_up.campaign(nodes=("n1", "n2"), visits=2)
FIRST, SECOND = "20261123T050000Z-000001", "20261123T060000Z-000002"


def claim(attempt: int = 1, visit: int = 1, node: str = "n1") -> Claim:
    """An attempt at a visit of a node."""
    return Claim(campaign=PLAN.name, pool="p", node=node, visit=visit, attempt=attempt)


def told(objects: Objects, seconds: float = 0.0) -> CampaignState:
    """The state of the campaign, so many seconds after its begin."""
    return campaign_progress.progress(objects, PLAN, now=BEGUN + timedelta(seconds=seconds))


def visit_of(objects: Objects, seconds: float = 0.0) -> VisitState:
    """The state of the first visit."""
    return told(objects, seconds).visits[0]


def test_of_many_that_claim_a_visit_one_has_it(tmp_path: Path) -> None:
    """And its words are what the claim says."""
    several = [Objects(tmp_path) for _ in range(THREADS)]
    won = race(
        [
            lambda n, i=i: claims.take(several[i], claim(attempt=n + 1), {"job": str(i)})  # type: ignore[misc]
            for i in range(THREADS)
        ]
    )
    assert [len(one) for one in won] == [1] * TRIES
    for number, (winner,) in enumerate(won):
        assert claims.holder_of(several[0], claim(attempt=number + 1)) == {"job": str(winner)}


def test_a_later_attempt_makes_a_claim_void() -> None:
    """The holder finds that out when it looks again, and its run is an extra one."""
    objects = MemoryObjects()
    assert claims.take(objects, claim(1), {})
    assert claims.is_held(objects, claim(1))
    assert claims.take(objects, claim(2), {})
    assert not claims.is_held(objects, claim(1))
    assert claims.is_held(objects, claim(2))
    claims.note_extra(objects, claim(1), FIRST)
    claims.finish(objects, claim(2), SECOND)
    assert (visit_of(objects).state, visit_of(objects).run_id) == ("done", SECOND)
    assert told(objects).extra_runs == (FIRST,)


def test_of_two_finished_runs_the_first_counts_in_whatever_order_they_came() -> None:
    """The other is called an extra one; to note one twice changes nothing."""
    for order in ((FIRST, SECOND), (SECOND, FIRST)):
        objects = MemoryObjects()
        for run in (*order, *order):
            claims.finish(objects, claim(), run)
        assert visit_of(objects).run_id == FIRST
        assert told(objects).extra_runs == (SECOND,)


def test_a_silent_holder_is_lost_when_its_lease_is_over() -> None:
    """And not while it says that it lives."""
    now = [0.0]
    objects = MemoryObjects(lambda: BEGUN + timedelta(seconds=now[0]))
    claims.take(objects, claim(), {})
    assert visit_of(objects, 600.0).state == "running"
    assert visit_of(objects, 601.0).state == "lost"
    now[0] = 500.0
    claims.beat(objects, claim())
    assert visit_of(objects, 1100.0).state == "running"
    assert visit_of(objects, 1101.0).state == "lost"
    claims.end(objects, claim(), "interrupted", "told to end")
    assert (visit_of(objects, 5000.0).state, visit_of(objects).reason) == ("waiting", "told to end")


def test_the_second_job_that_can_not_begin_excludes_a_node() -> None:
    """The same job begun again is no second one; a reason that both have is said once."""
    objects, where = MemoryObjects(), (PLAN.name, "p", "n1")
    for _ in range(2):
        assert claims.fail(objects, where, "7_1", "a disk is full", most=2) == ["a disk is full"]
    assert visit_of(objects).state == "failed"
    claims.fail(objects, where, "7_2", "a disk is full", most=2)
    assert claims.excluded(objects, PLAN.name) == {("p", "n1"): "a disk is full"}
    assert [v.state for v in told(objects).visits] == ["excluded"] * 2 + ["waiting"] * 2


def test_to_forgive_tries_excluded_nodes_again(tmp_path: Path) -> None:
    """What was measured stays; with nothing to forgive nothing happens."""
    for objects in (MemoryObjects(), Objects(tmp_path)):
        claims.forgive(objects, PLAN.name)
        claims.finish(objects, claim(visit=1), FIRST)
        claims.fail(objects, (PLAN.name, "p", "n1"), "1", "busy", most=1)
        claims.forgive(objects, PLAN.name)
        assert claims.excluded(objects, PLAN.name) == {}
        assert claims.failures(objects, PLAN.name) == {}
        assert [v.state for v in told(objects).visits] == ["done", *["waiting"] * 3]


def test_nodes_to_confirm_get_one_more_visit() -> None:
    """Asked once or twice."""
    objects = MemoryObjects()
    for _ in range(2):
        claims.ask_to_confirm(objects, PLAN.name, [("p", "n2"), ("p", "unknown")])
    assert [(v.node, v.visit) for v in told(objects).visits if v.visit == 3] == [("n2", 3)]


HOSTILE = (
    b"",
    b"\xff\xfe",
    b"[" * 100_000,
    b"null",
    b"[1]",
    b'{"reason": 5}',
    b'{"reason": {"a": "b"}}',
    b'{"reason": "two\\nlines \\u001b[31mred"}',
    b'{"reason": "half a character \\ud800"}',
    b'{"reason": "' + b"x" * 10_000 + b'"}',
    b'{"reason": ' + b"9" * 5000 + b"}",
    b'{"job": 1',
)


@pytest.mark.parametrize("data", HOSTILE)
def test_a_reason_is_one_short_line_whoever_wrote_it(data: bytes) -> None:
    """It can be printed, and a terminal obeys nothing in it."""
    objects = MemoryObjects()
    objects.write(key(PLAN.name, claims.EXCLUDED, "p", "n1"), data)
    objects.write(key(PLAN.name, claims.FAILURES, "p", "n2", "1"), data)
    objects.write(claim(node="n2", visit=2).key("1.claim"), data)
    objects.write(claim(node="n2", visit=2).key("1.failed"), data)
    objects.write(key(PLAN.name, "unreached.json"), data)
    assert isinstance(claims.holder_of(objects, claim(node="n2", visit=2)), dict)
    for visit in told(objects).visits:
        visit.reason.encode()
        assert len(visit.reason) <= 500
        assert visit.reason.isprintable()


@pytest.mark.parametrize(
    "data", [b"[[1,2,3]]", b'[["p"]]', b'{"a": 1}', b'["abc"]', b"7", b'[[["p"], "n1", "x"]]']
)
def test_a_note_of_unreached_nodes_may_be_anything(data: bytes) -> None:
    """What it does not say is not known."""
    objects = MemoryObjects()
    objects.write(key(PLAN.name, "unreached.json"), data)
    assert {v.state for v in told(objects).visits} == {"waiting"}


def test_why_nodes_were_not_reached_is_kept() -> None:
    """In any words, until it is noted anew."""
    objects = MemoryObjects()
    campaign_progress.note_unreached(objects, PLAN.name, {("p", "n1"): 'it is "down"; ü'})
    assert [v.state for v in told(objects).visits] == ["unreached"] * 2 + ["waiting"] * 2
    assert visit_of(objects).reason == 'it is "down"; ü'
    campaign_progress.note_unreached(objects, PLAN.name, {})
    assert visit_of(objects).state == "waiting"


FOREIGN = (
    "excluded/README",
    "excluded/p",
    "excluded/p/n1/deeper/still",
    "excluded/.DS_Store",
    "failures/p/n1",
    "failures/.nfs0001",
    "confirm/x",
    "visits/p/n1",
    "visits/p/n1/x/1.claim",
    "visits/p/n1/1/nothing",
    "visits/p/n1/1/.claim",
    "visits/p/n1/-1/1.claim",
    "visits/p/n1/²/1.claim",
    "visits/p/n1/٣/1.claim",
    f"visits/p/n1/{'9' * 5000}/1.claim",
    f"visits/p/n1/1/{'9' * 5000}.claim",
    "visits/p/n9/1/1.claim",
    "visits/q/n1/1/1.claim",
    "visits/1/1.claim",
    "x",
)


@pytest.mark.parametrize("name", FOREIGN)
def test_an_object_that_is_none_of_ours_is_passed_over(name: str) -> None:
    """An editor, a file system or a person leaves such things."""
    objects = MemoryObjects()
    objects.write(key(PLAN.name, *name.split("/")), b"{}")
    assert len([v for v in told(objects).visits if v.node in {"n1", "n2"} and v.pool == "p"]) == 4
    assert claims.failures(objects, PLAN.name).keys() <= {("p", "n1")}
    claims.forgive(objects, PLAN.name)


PARTS = st.one_of(
    st.sampled_from([claims.VISITS, claims.FAILURES, claims.EXCLUDED, claims.CONFIRM, "p", "n1"]),
    st.sampled_from(["1", "2", "1.claim", "1.beat", "2.claim", "1.failed", "2.interrupted"]),
    st.sampled_from([f"{FIRST}.run", f"{SECOND}.run", f"{SECOND}.extra", ".run", "unreached.json"]),
    st.text(
        st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=5
    ),
)
KEYS = st.one_of(
    st.lists(PARTS, min_size=1, max_size=6),
    st.tuples(
        st.just(claims.VISITS), st.just("p"), st.just("n1"), st.sampled_from("12"), PARTS
    ).map(list),
)
DATA = st.one_of(
    st.binary(max_size=5),
    st.recursive(
        st.one_of(st.none(), st.integers(), st.text(max_size=3)),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("reason"), inner),
    ).map(lambda value: json.dumps(value).encode()),
)


@given(kept=st.lists(st.tuples(KEYS, DATA), max_size=10), seconds=st.floats(0, 1e6))
def test_any_objects_give_a_state(kept: list[tuple[list[str], bytes]], seconds: float) -> None:
    """Whatever lies there: each visit has a state, and where it is none of the usual ones a reason."""
    objects = MemoryObjects()
    for parts, data in kept:
        objects.write(key(PLAN.name, *parts), data)
    state = told(objects, seconds)
    planned = [v for v in state.visits if v.pool == "p" and v.node in {"n1", "n2"}]
    assert [(v.node, v.visit) for v in planned if v.visit < 3] == [
        (node, number) for node in ("n1", "n2") for number in (1, 2)
    ]
    assert {v.state for v in state.visits} <= set(STATES)
    assert state.complete == all(v.run_id for v in state.visits)
    assert sum(state.counts.values()) == len(state.visits)
