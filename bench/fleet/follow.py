"""Follower of a campaign: submits what is missing, watches, tops up, and stops when all is done or nothing more can be.

It holds nothing that is not in the store or with the engine, so that it can be stopped at any time and begun again,
from any machine: it only compares what is wanted with what is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bench.errors import SettingsError, StoreError
from bench.fleet.engine import EngineError
from bench.store import campaign_progress, claims
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bench.fleet.engine import Engine, Job
    from bench.records.campaign import Campaign, CampaignState, Pool, VisitState
    from bench.store.objects import Objects

POLL_S = 10.0
"""Between two looks. Schedulers start jobs every few seconds at best, and busy ones ask for no more than this."""
STALL_S = 900.0
"""A node that is started anew is back by then."""
_FINAL = frozenset({"done", "excluded"})
_MOST_HELD = 3
_PINNED_SHARE, _PINNED_FEWEST = 0.05, 2
"""The last nodes, this share of them or so few, are waited for by name."""


class Watcher:
    """Is told what the follower sees; the default does nothing with it."""

    def looked(self, state: CampaignState, jobs: Mapping[str, Sequence[Job]]) -> None:
        """The campaign and the jobs of each pool now."""

    def submitted(self, pool: str, visits: int) -> None:
        """So many visits were handed over."""

    def troubled(self, what: str) -> None:
        """Something can't be reached for now; it is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The time, and a pause; tests pass their own."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]


class Follower:
    """Follows one campaign.

    Args:
        objects: of the store.
        campaign: whose plan it is.
        engines: pool → what starts its visits.
        watcher: is told what is seen.
        clock: the time.
        deadline_s: after so long what still waits is taken back, and said to be unreached; what runs goes on.
        poll_s: between two looks.
        stall_s: after so long without a job, or one that could begin, nodes that are down are waited for no more.
    """

    def __init__(
        self,
        objects: Objects,
        campaign: Campaign,
        engines: Mapping[str, Engine],
        *,
        watcher: Watcher,
        clock: Clock,
        deadline_s: float,
        poll_s: float = POLL_S,
        stall_s: float = STALL_S,
    ) -> None:
        self._objects, self._campaign, self._engines = objects, campaign, engines
        self._watcher, self._clock = watcher, clock
        self._poll_s, self._stall = poll_s, timedelta(seconds=stall_s)
        self._ends = clock.now() + timedelta(seconds=deadline_s)
        self._moved = clock.now()
        self._trouble = ""
        self._held = 0

    def follow(self, confirm: Callable[[CampaignState], bool] | None = None) -> CampaignState:
        """Go on until every visit is done, or can't be.

        Args:
            confirm: is asked once, when all visits are done, whether some nodes are to be visited once more.

        Raises:
            BenchError: the engine can't ever do what is asked of it.
        """
        campaign_progress.note_unreached(self._objects, self._campaign.name, {})
        while True:
            state = self._round()
            if state and all(visit.state in _FINAL for visit in state.visits):
                if not (confirm and state.complete and confirm(state)):
                    return state
                confirm = None
                continue
            now = self._clock.now()
            if now >= self._ends or now - self._moved > self._stall:
                return self._given_up()
            self._clock.sleep(self._poll_s)

    def _round(self) -> CampaignState | None:
        """One look, and what follows from it; None where the store or an engine is away."""
        try:
            state = self._look()
        except (StoreError, EngineError) as error:
            if str(error) != self._trouble:
                self._watcher.troubled(str(error))
            self._trouble = str(error)
            self._moved = self._clock.now()  # who is away is waited for until the deadline
            return None
        self._trouble = ""
        return state

    def _look(self) -> CampaignState:
        jobs = {}
        for name, engine in self._engines.items():
            engine.gather()
            jobs[name] = engine.jobs()
        state = campaign_progress.progress(self._objects, self._campaign, now=self._clock.now())
        self._watcher.looked(state, jobs)
        self._release(jobs)
        for pool in self._campaign.pools:
            if self._top_up(pool, state, jobs[pool.name]) or jobs[pool.name]:
                self._moved = self._clock.now()
        return state

    def _release(self, jobs: Mapping[str, Sequence[Job]]) -> None:
        """Take back jobs that the scheduler holds, so that others take their places; not without end.

        Raises:
            SettingsError: it holds one after the other.
        """
        for pool, of_pool in jobs.items():
            held = [job for job in of_pool if job.state == "held"]
            if not held:
                continue
            self._held += len(held)
            self._engines[pool].cancel({"held"})
            told = f"{pool}: the scheduler holds {counted(len(held), 'job')} ({held[0].reason})"
            if self._held > max(_MOST_HELD, len(self._campaign.nodes[pool])):
                self._engines[pool].cancel({"waiting"})
                message = f"{told}, and those before; ask it why (scontrol show job {held[0].id}), then: bench fleet retry"
                raise SettingsError(message)
            self._watcher.troubled(told)

    def _top_up(self, pool: Pool, state: CampaignState, jobs: Sequence[Job]) -> bool:
        """Submit as many visits as nodes could begin one and no job waits for; whether there is still one to come."""
        due, later = self._due(pool, state)
        running = {job.node for job in jobs if job.state == "running"}
        waiting = [job for job in jobs if job.state == "waiting"]
        ready = [node for node in due if node not in running]
        nodes, engine = self._campaign.nodes[pool.name], self._engines[pool.name]
        few = max(_PINNED_FEWEST, round(len(nodes) * _PINNED_SHARE))
        if len(ready) <= few < len(nodes):
            among = self._pinned(engine, ready, waiting)
            taken = engine.submit(len(among), among=among, avoid=()) if among else 0
        else:
            missing = len(ready) - len(waiting)
            avoid = [node for node in nodes if node not in ready]
            taken = engine.submit(missing, among=(), avoid=avoid) if missing > 0 else 0
        if taken:
            self._watcher.submitted(pool.name, taken)
        return bool(taken or later)

    @staticmethod
    def _pinned(engine: Engine, ready: Sequence[str], waiting: Sequence[Job]) -> list[str]:
        """The last nodes that no job waits for by name; one that is down would be waited for in vain."""
        if not ready:
            return []
        waited_for = {job.node for job in waiting}
        up = {node.name for node in engine.nodes() if node.state != "down"}
        return [node for node in ready if node not in waited_for and node in up]

    def _due(self, pool: Pool, state: CampaignState) -> tuple[list[str], bool]:
        """The nodes of a pool on which a visit could begin now, and whether on others it could later."""
        known = claims.visits(self._objects, self._campaign.name)
        now, apart = self._clock.now(), timedelta(seconds=pool.apart_s)
        next_of: dict[str, VisitState] = {}
        for visit in state.visits:
            if visit.pool == pool.name and visit.state != "done":
                next_of.setdefault(visit.node, visit)
        due, later = [], False
        for node, visit in next_of.items():
            before = known.get((pool.name, node, visit.visit - 1))
            if visit.state == "running" or (
                before and before.done_at and now < before.done_at + apart
            ):
                later = True
            elif visit.state != "excluded":
                due.append(node)
        return due, later

    def _given_up(self) -> CampaignState:
        """Take back what waits, and say of each node that was not reached why."""
        unreached: dict[tuple[str, str], str] = {}
        for pool, engine in self._engines.items():
            engine.cancel({"waiting", "held"})
            for node in engine.nodes():
                unreached[pool, node.name] = node.reason or "no visit began here until the deadline"
        campaign_progress.note_unreached(self._objects, self._campaign.name, unreached)
        return campaign_progress.progress(self._objects, self._campaign, now=self._clock.now())
