"""Simulated cluster: a queue, nodes that fail, and jobs that run the real visit, all by a clock that the test moves.

Each job is a thread that waits whenever simulated time is to pass, so that one of them runs at a time and a schedule
gives the same events every time. What a job measures is a stretch of time and a run of no rows.
"""

from __future__ import annotations

import dataclasses
import json
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import SuiteError
from bench.fleet import visit
from bench.fleet.engine import EngineError, Job, Node
from bench.fleet.follow import Clock, Follower, Watcher
from bench.fleet.preflight import Facts
from bench.fleet.spool import Spool
from bench.fleet.visit import NodeVisit
from bench.run.listener import Listener
from bench.run.request import Request
from bench.store import campaigns, runs
from bench.store.runs import RunInfo, StoredRun
from tests.fleet import made_up
from tests.store.memory_objects import BEGUN, MemoryObjects

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from bench.records.campaign import Campaign, CampaignState, Pool
    from bench.run.manifest import Options

STEPS = 8
"""Of a visit; between two of them its holder may say that it lives."""
IDLE_S = 1.0
"""A job that finds nothing to do."""


class Killed(BaseException):
    """A process that is ended at once, as by a power cut."""


class Process:
    """A job's process: runs until it waits, and goes on when its time has come."""

    def __init__(self, simulation: Simulation, node: str, work: Callable[[], object]) -> None:
        self._simulation, self.node, self._work = simulation, node, work
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._end: type[BaseException] | None = None
        self.wakes_s, self.ended = simulation.now_s, False
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._thread.start()

    def go_on(self) -> None:
        """Let it run until it waits again, or ends."""
        before, self._simulation.current = self._simulation.current, self
        self._go.release()
        self._back.acquire()
        self._simulation.current = before

    def end(self, how: type[BaseException]) -> None:
        """End it where it waits, now."""
        if not self.ended:
            self._end = how
            self.go_on()

    def wait(self, seconds: float) -> None:
        """Let simulated time pass; called by the process itself."""
        self.wakes_s = self._simulation.now_s + seconds
        self._back.release()
        self._go.acquire()
        if self._end:
            how, self._end = self._end, None
            raise how

    def _main(self) -> None:
        self._go.acquire()
        try:
            if self._end is None:
                self._work()
        except (Killed, KeyboardInterrupt):
            pass
        except BaseException as error:  # noqa: BLE001 - a job of a scheduler, whose errors stay in its log
            self.error = error
        self.ended = True
        self._back.release()


@dataclass(slots=True)
class SimulatedNode:
    """A node, and what is wrong with it."""

    name: str
    up: bool = True
    taken: bool = False
    """Whether somebody else's job is on it."""
    broken: bool = False
    """Whether its preflight always fails."""
    without_suites: bool = False
    """Whether the plan can't be made there."""


@dataclass(slots=True)
class SimulatedJob:
    """A job in the queue or on a node."""

    id: str
    array: int
    among: tuple[str, ...]
    avoid: tuple[str, ...]
    node: str = ""
    process: Process | None = None
    held: bool = False
    not_before_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A whole visit that was measured, whether or not it counts."""

    node: str
    visit: int
    run_id: str
    from_s: float
    to_s: float


@dataclass(slots=True)
class Simulation:
    """A cluster of one pool, its store and its clock."""

    folder: Path
    campaign: Campaign
    minutes: float = 10.0
    """Of a visit."""
    most_in_queue: int = 1000
    requeue_s: float = 120.0
    now_s: float = 0.0
    nodes: dict[str, SimulatedNode] = field(default_factory=dict)
    queue: list[SimulatedJob] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    faults: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    apart: bool = False
    """Whether two copies of a job know nothing of each other: a node that was set up anew, say."""
    mute: bool = False
    """Whether jobs end without a word."""
    measured: list[Measured] = field(default_factory=list)
    submissions: list[tuple[int, tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    begun: list[tuple[float, str]] = field(default_factory=list)
    """When a job began on which node."""
    running: list[int] = field(default_factory=list)
    """How many jobs ran, whenever one began."""
    away: bool = False
    """Whether the scheduler does not answer."""
    current: Process | None = None
    store: MemoryObjects = field(init=False)

    def __post_init__(self) -> None:
        (pool,) = self.campaign.pools
        spool = str(self.folder / "spool")
        self.campaign = dataclasses.replace(
            self.campaign, pools=(dataclasses.replace(pool, spool=spool),)
        )
        self.store = MemoryObjects(self.now)
        campaigns.create(self.store, self.campaign)
        if not self.nodes:
            self.nodes = {name: SimulatedNode(name) for name in self.campaign.nodes[pool.name]}

    @property
    def pool(self) -> Pool:
        """The one pool."""
        return self.campaign.pools[0]

    def now(self) -> datetime:
        """The time."""
        return BEGUN + timedelta(seconds=self.now_s)

    def follower(self, deadline_s: float = 12 * 3600.0, **options: Any) -> Follower:
        """What follows the campaign here."""
        return Follower(
            self.store,
            self.campaign,
            {self.pool.name: SimulatedEngine(self)},
            watcher=options.pop("watcher", Watcher()),
            clock=Clock(now=self.now, sleep=self.advance),
            deadline_s=deadline_s,
            poll_s=options.pop("poll_s", 60.0),
            **options,
        )

    def follow(self, deadline_s: float = 12 * 3600.0, **options: Any) -> CampaignState:
        """Follow the campaign to its end."""
        with self.in_place_of_the_world():
            return self.follower(deadline_s, **options).follow()

    def advance(self, seconds: float) -> None:
        """Let time pass: faults happen, jobs begin and go on."""
        until_s = self.now_s + seconds
        while True:
            self._schedule()
            living = [p for p in self.processes if not p.ended and p.wakes_s <= until_s]
            fault_s = min((at for at, _ in self.faults if at <= until_s), default=None)
            first = min(living, key=lambda p: p.wakes_s) if living else None
            begin_s = min(
                (j.not_before_s for j in self.queue if self.now_s < j.not_before_s <= until_s),
                default=None,
            )
            times = [
                t for t in (fault_s, first.wakes_s if first else None, begin_s) if t is not None
            ]
            if not times:
                break
            self.now_s = max(self.now_s, min(times))
            if fault_s is not None and fault_s <= self.now_s:
                self._happen(fault_s)
            elif first is not None and first.wakes_s <= self.now_s:
                first.go_on()
        self.now_s = until_s

    def _happen(self, at_s: float) -> None:
        at, fault = next(one for one in self.faults if one[0] == at_s)
        self.faults.remove((at, fault))
        fault()

    def settle(self) -> None:
        """Let everything that runs end, also what the scheduler has lost sight of."""
        with self.in_place_of_the_world():
            self.faults = []
            self.store.away = self.away = False
            self.queue = [job for job in self.queue if job.process]
            self.advance(24 * 3600.0)

    def close(self) -> None:
        """End every process."""
        with self.in_place_of_the_world():
            for process in self.processes:
                process.end(Killed)

    def _schedule(self) -> None:
        self.queue = [j for j in self.queue if j.process is None or not j.process.ended]
        for job in self.queue:
            if job.process or job.held or job.not_before_s > self.now_s:
                continue
            of_array = sum(1 for one in self.queue if one.array == job.array and one.process)
            node = self._free(job) if of_array < (self.pool.at_most or 1000) else None
            if node:
                self._begin(job, node)

    def _free(self, job: SimulatedJob) -> SimulatedNode | None:
        """A node that a job may begin on; one that is broken is always the first that is free."""
        used = {one.node for one in self.queue if one.process}
        free = [
            node
            for node in self.nodes.values()
            if node.up and not node.taken and node.name not in used and node.name not in job.avoid
            if not job.among or node.name in job.among
        ]
        bad = [node for node in free if node.broken or node.without_suites]
        return next(iter((*bad, *free)), None)

    def _begin(self, job: SimulatedJob, node: SimulatedNode) -> None:
        job.node = node.name
        job.process = Process(self, node.name, lambda: self._job(job, node.name))
        self.processes.append(job.process)
        self.begun.append((self.now_s, node.name))
        self.running.append(sum(1 for one in self.queue if one.process))

    def _job(self, job: SimulatedJob, node: str) -> None:
        self.wait(IDLE_S)
        if self.mute:
            return
        NodeVisit(
            self.store,
            self.campaign,
            self.pool,
            node=node,
            job=job.id,
            listener=Listener(),
            sleep=self.wait,
        ).run()

    def wait(self, seconds: float) -> None:
        """Let a job's time pass."""
        assert self.current is not None
        self.current.wait(seconds)

    # What goes wrong.

    def fail(self, name: str, *, requeue: bool = True, lost: bool = False) -> None:
        """A node goes down; its job dies, or lives on unseen, and begins again if there is one."""
        self.nodes[name].up = False
        self._end_job(name, None if lost else Killed, requeue=requeue)

    def preempt(self, name: str, *, requeue: bool = True) -> None:
        """The job on a node is told to end, and begins again later, or does not."""
        self._end_job(name, KeyboardInterrupt, requeue=requeue)

    def hold(self) -> None:
        """The first job that waits is held."""
        for job in self.queue:
            if not job.process and not job.held:
                job.held = True
                return

    def _end_job(self, name: str, how: type[BaseException] | None, *, requeue: bool) -> None:
        for job in [one for one in self.queue if one.node == name and one.process]:
            process, job.process, job.node = job.process, None, ""
            job.not_before_s = self.now_s + self.requeue_s
            if not requeue:
                self.queue.remove(job)
            if how and process:
                process.end(how)

    @contextmanager
    def in_place_of_the_world(self) -> Iterator[None]:
        """Visits see this simulation: its time, its nodes, and what it measures."""
        clock = SimpleNamespace(monotonic=lambda: self.now_s)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(visit, "datetime", SimpleNamespace(now=lambda _zone: self.now()))
            patch.setattr(visit, "time", clock)
            patch.setattr(Facts, "read", self._facts)
            patch.setattr(Spool, "measured", self._measure)
            if self.apart:
                patch.setattr(Spool, "locked", lambda _spool: nullcontext(True))  # noqa: FBT003
            patch.setattr(Request, "start", lambda _asked: nullcontext())
            patch.setattr(Request, "plan", lambda _asked: self._plan())
            yield

    def _here(self) -> SimulatedNode:
        assert self.current is not None
        return self.nodes[self.current.node]

    def _facts(self, _spool: Path) -> Facts:
        return made_up.facts(torch="2.9.0") if self._here().broken else made_up.facts()

    def _plan(self) -> Any:
        if self._here().without_suites:
            message = "there is no suite own.py here"
            raise SuiteError(message)
        cases = [SimpleNamespace(id=k, fingerprint=v) for k, v in self.campaign.cases.items()]
        return SimpleNamespace(cases=cases, all_cases=cases)

    def _measure(
        self, number: int, _plan: Any, options: Options, listener: Listener, _started: Any
    ) -> StoredRun:
        """Let a visit's time pass, and leave its run in the spool."""
        node, from_s = self._here().name, self.now_s
        for _ in range(STEPS):
            self.wait(self.minutes * 60 / STEPS)
            listener.advanced(made_up.CASE, 1)
        run_id = f"{BEGUN + timedelta(seconds=from_s):%Y%m%dT%H%M%SZ}-{len(self.measured):06x}"
        info = RunInfo(
            run_id=run_id,
            started_at=BEGUN.isoformat(),
            tags=options.tags,
            options=options.selection,
        )
        folder = self.spool_of(node) / run_id
        folder.mkdir()
        (folder / runs.MANIFEST).write_text(json.dumps(dataclasses.asdict(info)))
        self.measured.append(
            Measured(node=node, visit=number, run_id=run_id, from_s=from_s, to_s=self.now_s)
        )
        return StoredRun(folder=folder, info=info, finished=True)

    def spool_of(self, node: str) -> Path:
        """Where a node keeps runs."""
        return self.folder / "spool" / self.campaign.identity / node


class SimulatedEngine:
    """The scheduler of a simulation, as an engine."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def nodes(self) -> Sequence[Node]:
        """The nodes of the pool."""
        self._reach()
        used = {one.node for one in self._simulation.queue if one.process}
        return [_seen(node, used) for node in self._simulation.nodes.values()]

    def submit(self, visits: int, *, among: Sequence[str], avoid: Sequence[str]) -> int:
        """Take as many as the queue may hold."""
        self._reach()
        simulation = self._simulation
        taken = min(visits, simulation.most_in_queue - len(simulation.queue))
        places: list[tuple[str, ...]] = [(node,) for node in among] or [()] * visits
        array = len(simulation.submissions) + 1
        for index, place in enumerate(places[: max(0, taken)]):
            job = SimulatedJob(f"{array}_{index}", array, place, tuple(avoid))
            simulation.queue.append(job)
        if taken > 0:
            simulation.submissions.append((taken, tuple(among), tuple(avoid)))
        return max(0, taken)

    def jobs(self) -> Sequence[Job]:
        """What waits and what runs."""
        self._reach()
        return [_told(job) for job in self._simulation.queue]

    def cancel(self, states: Collection[str]) -> None:
        """Take jobs back."""
        self._reach()
        simulation = self._simulation
        for job in list(simulation.queue):
            if _told(job).state in states:
                simulation.queue.remove(job)
                if job.process:
                    job.process.end(KeyboardInterrupt)

    def gather(self) -> None:
        """Nodes write into the store."""
        self._reach()

    def close(self) -> None:
        """Jobs go on."""

    def _reach(self) -> None:
        if self._simulation.away:
            message = "squeue: Unable to contact slurm controller"
            raise EngineError(message)


def _seen(node: SimulatedNode, used: Collection[str]) -> Node:
    """A node as a scheduler tells of it."""
    if not node.up:
        return Node(name=node.name, state="down", reason="it is down (test)")
    if node.taken or node.name in used:
        return Node(name=node.name, state="busy", reason="it is allocated")
    return Node(name=node.name, state="idle")


def _told(job: SimulatedJob) -> Job:
    if job.process:
        return Job(id=job.id, state="running", node=job.node)
    node = "".join(job.among)
    if job.held:
        return Job(id=job.id, state="held", node=node, reason="Resources")
    return Job(id=job.id, state="waiting", node=node, reason="Resources")
