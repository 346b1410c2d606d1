"""A bucket as a store, on a real S3 server of this machine: claims, races, listings, and a whole visit."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bench.errors import StoreError
from bench.fleet.visit import NodeVisit
from bench.run.listener import Listener
from bench.store import campaign_progress, campaigns, claims
from bench.store.claims import Claim
from bench.store.objects import Objects
from tests.fleet import made_up
from tests.fleet.simulated import Process, Simulation
from tests.store.test_objects import ODD, THREADS, TRIES, check_line, race, race_of_processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("moto.server", reason="needs moto[server]")
pytestmark = pytest.mark.slow
ENVIRON = {
    "AWS_ALLOW_HTTP": "true",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test-secret",
    "AWS_REGION": "us-east-1",
}
BUCKET = "fleet"


@contextmanager
def server() -> Iterator[str]:
    """A server as a process of its own: in this one it would wait for itself."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            _make_bucket(address)
            yield address
        finally:
            process.kill()


def _make_bucket(address: str) -> None:
    ends_s = time.monotonic() + 60.0
    while True:
        try:
            asked = urllib.request.Request(f"{address}/{BUCKET}", method="PUT")  # noqa: S310
            urllib.request.urlopen(asked, timeout=10).close()  # noqa: S310 - on the loopback
        except OSError:
            assert time.monotonic() < ends_s, "the server does not start"
            time.sleep(0.1)
        else:
            return


@pytest.fixture(name="address", scope="module")
def _address() -> Iterator[str]:
    """A server with an empty bucket, which everything here finds in the environment."""
    with server() as address, pytest.MonkeyPatch.context() as patch:
        for name, value in (ENVIRON | {"AWS_ENDPOINT_URL": address}).items():
            patch.setenv(name, value)
        yield address


@pytest.fixture(name="place")
def _place(address: str, request: pytest.FixtureRequest) -> str:
    """A prefix of the test's own."""
    assert address
    return f"s3://{BUCKET}/{request.node.name.partition('[')[0]}"


def test_of_threads_that_claim_a_visit_one_has_it(place: str) -> None:
    """In each of a hundred."""
    several = [Objects(place) for _ in range(THREADS)]

    def take(number: int, one: int) -> bool:
        claim = Claim(campaign="a", pool="p", node="n1", visit=1, attempt=one + 1)
        return claims.take(several[number], claim, {"job": str(number)})

    won = race([lambda one, n=n: take(n, one) for n in range(THREADS)])  # type: ignore[misc]
    assert [len(one) for one in won] == [1] * TRIES


def test_of_processes_that_create_an_object_one_does(place: str) -> None:
    """In each of a hundred."""
    assert [len(one) for one in race_of_processes(place)] == [1] * TRIES


def test_objects_are_as_in_a_folder(place: str, tmp_path: Path) -> None:
    """Odd names, listings in order and whole names of a prefix, and what is not there."""
    listed = []
    for objects in (Objects(place, make=True), Objects(tmp_path)):
        assert objects.read("none") is None
        assert objects.found("none") == []
        for key in (*ODD, "b/1", "bc/1"):
            assert objects.create(f"x/{key}", b"1")
            assert not objects.create(f"x/{key}", b"2")
            assert objects.read(f"x/{key}") == b"1"
            objects.write(f"x/{key}", b"33")
        listed.append([(one.key, one.size) for one in objects.found("x")])
        assert [one.key for one in objects.found("x/b")] == ["x/b/1"]
        objects.remove(["x/b/1", "x/none"])
        objects.remove([])
        assert objects.found("x/b/") == []
        assert all((datetime.now(UTC) - one.at).total_seconds() < 600 for one in objects.found("x"))
    assert listed[0] == listed[1]


def test_more_objects_than_a_listing_has_at_once_are_found(place: str) -> None:
    """A server gives a thousand at a time."""
    objects = Objects(place)
    for number in range(1001):
        objects.create(f"many/{number}", b"")
    assert len(objects.found("many")) == 1001
    objects.remove([one.key for one in objects.found("many")])
    assert objects.found("many") == []


def test_a_bucket_that_is_not_there_is_one_line(address: str) -> None:
    """Without what was sent."""
    assert address
    objects = Objects("s3://no-such-bucket/x")
    for act in (
        lambda: objects.create("a", b""),
        lambda: objects.found("a"),
        lambda: campaigns.load(objects, "a"),
    ):
        with pytest.raises(StoreError) as caught:
            act()
        check_line(caught.value)
        assert "test-secret" not in str(caught.value)


def test_a_whole_visit_is_published_to_a_bucket(place: str, tmp_path: Path) -> None:
    """Claimed, measured, published, counted; a second job finds nothing to do; a follower sees that all is done."""
    simulation = Simulation(tmp_path, made_up.campaign(nodes=["n1"]))
    objects, said = Objects(place), list[str]()
    campaigns.create(objects, simulation.campaign)
    plan = campaigns.load(objects, "acceptance")
    assert plan == simulation.campaign

    def work(job: str) -> None:
        visit = NodeVisit(
            objects,
            plan,
            plan.pools[0],
            node="n1",
            job=job,
            listener=Listener(),
            sleep=simulation.wait,
        )
        said.append(visit.run().sentence)

    # The store's clock is the real one, which the simulated one has to begin at.
    simulation.now_s = (datetime.now(UTC) - simulation.now()).total_seconds()
    with simulation.in_place_of_the_world():
        for job in ("1_0", "1_1"):
            simulation.processes.append(Process(simulation, "n1", lambda job=job: work(job)))  # type: ignore[misc]
            simulation.advance(1000.0)
    assert [p.error for p in simulation.processes] == [None, None]
    state = campaign_progress.progress(objects, plan)
    assert state.complete
    (run_id,) = [m.run_id for m in simulation.measured]
    assert said == [f"visit 1 of n1 is done: run {run_id}", "n1 has had its 1 visits"]
    assert objects.read(f"{run_id}/run.json")
    with pytest.raises(StoreError, match="its plan never changes"):
        campaigns.create(objects, plan)
