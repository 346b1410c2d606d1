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

    from bench.fleet.engine import Engine, Job, Node
    from bench.records.campaign import Campaign, CampaignState, Pool, VisitState
    from bench.store.objects import Objects

POLL_S, LOCAL_POLL_S = 30.0, 2.0
"""Between two looks. A scheduler has other users too, and a visit takes minutes; this machine alone has nobody to ask."""
STALL_S = 900.0
"""A node that is started anew is back by then."""
_MOST_HELD = 3
_RECALL_S = 300.0
_MOST_UNHEARD = 2
"""Jobs per node: two of a node are told of, since then it is excluded."""
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
        poll_s: between two looks; usually by whom is asked.
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
        poll_s: float | None = None,
        stall_s: float = STALL_S,
    ) -> None:
        self._objects, self._campaign, self._engines = objects, campaign, engines
        self._watcher, self._clock = watcher, clock
        local = all(pool.engine == "local" for pool in campaign.pools)
        self._poll_s = poll_s or (LOCAL_POLL_S if local else POLL_S)
        self._stall = timedelta(seconds=stall_s)
        self._ends = clock.now() + timedelta(seconds=deadline_s)
        self._moved = clock.now()
        self._trouble = ""
        self._held = 0
        self._last: tuple[VisitState, ...] = ()
        self._unheard = 0
        """Visits that were submitted since the store has told of anything new."""
        self._most_unheard = _MOST_UNHEARD * sum(map(len, campaign.nodes.values()))
        self._living = False
        self._offered: dict[str, set[str]] = {}
        """Pool → the nodes that jobs in the queue may begin on."""
        self._recalled = clock.now()

    def follow(self, confirm: Callable[[CampaignState], bool] | None = None) -> CampaignState:
        """Go on until every visit is done, or can't be.

        Args:
            confirm: is asked once, when all visits are done, whether some nodes are to be visited once more.

        Raises:
            BenchError: the engine can't ever do what is asked of it, or the store is away at the end.
        """
        campaign_progress.note_unreached(self._objects, self._campaign.name, {})
        while True:
            state = self._round()
            if state and all(map(campaign_progress.is_final, state.visits)):
                if not (confirm and state.complete and confirm(state)):
                    return state
                confirm = None
                continue
            now = self._clock.now()
            if now >= self._ends or now - self._moved > self._stall:
                return self._given_up("no visit began here until the deadline")
            if state and self._unheard > self._most_unheard and not self._living:
                return self._given_up("jobs ended here without a word; see what they printed")
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
        if state.visits != self._last:
            self._last, self._unheard = state.visits, 0
        self._living = any(jobs.values())
        self._watcher.looked(state, jobs)
        self._release(jobs)
        for pool in self._campaign.pools:
            if self._top_up(pool, state, jobs[pool.name]):
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
        """Submit as many visits as nodes could begin one and no job waits for; whether any is still to come."""
        due, later = self._due(pool, state)
        running = {job.node for job in jobs if job.state == "running"}
        ready = [node for node in due if node not in running]
        if not ready or self._unheard > self._most_unheard:
            return bool(later or jobs)
        here = {node.name: node for node in self._engines[pool.name].nodes()}
        taken = self._submitted(pool, [node for node in ready if node in here], jobs, here)
        if taken:
            self._unheard += taken
            self._watcher.submitted(pool.name, taken)
        return bool(taken or later or jobs)

    def _submitted(
        self, pool: Pool, ready: Sequence[str], jobs: Sequence[Job], here: Mapping[str, Node]
    ) -> int:
        """Hand over what is missing: interchangeable visits, or at the end one for each node by its name.

        As many as there are nodes where nothing is in the queue, since the engine minds how many run at a time; else
        as many as may run beside those that are.
        """
        engine, nodes = self._engines[pool.name], self._campaign.nodes[pool.name]
        offered = self._offered.setdefault(pool.name, set())
        waiting = [job for job in jobs if job.state == "waiting"]
        free = max(0, pool.at_most - len(jobs)) if pool.at_most else len(ready)
        ready = sorted(ready, key=lambda node: here[node].state != "idle")
        idle = [node for node in ready if here[node].state == "idle" and node not in offered]
        if waiting and not free and idle and self._may_recall():
            # What waits can't go to nodes that were not due when it was submitted, and nothing may be added to it.
            engine.cancel({"waiting"})
            free, waiting = pool.at_most - (len(jobs) - len(waiting)), []
        if not waiting:
            offered.clear()
        few = max(_PINNED_FEWEST, round(len(nodes) * _PINNED_SHARE))
        if len(ready) <= few < len(nodes):
            waited_for = {job.node for job in waiting}
            up = [n for n in ready if n not in waited_for and here[n].state != "down"][:free]
            offered.update(up)
            return engine.submit(len(up), among=up, avoid=()) if up else 0
        missing = min(len(ready) - len(waiting), free if jobs else len(ready))
        if missing <= 0:
            return 0
        offered.update(ready)
        avoid = [node for node in here if node not in ready]
        return engine.submit(missing, among=(), avoid=avoid)

    def _may_recall(self) -> bool:
        """Whether jobs that wait may be taken back, which loses their place in the queue; not again and again."""
        now = self._clock.now()
        if now - self._recalled < timedelta(seconds=_RECALL_S):
            return False
        self._recalled = now
        return True

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
            elif not campaign_progress.is_final(visit):
                due.append(node)
        return due, later

    def _given_up(self, why: str) -> CampaignState:
        """Take back what waits, and say of each node why it was not reached, as its engine says, or else this."""
        unreached: dict[tuple[str, str], str] = {}
        for pool, engine in self._engines.items():
            reasons = dict.fromkeys(self._campaign.nodes[pool], "it is not in the pool any more")
            try:
                engine.cancel({"waiting", "held"})
                reasons |= {node.name: node.reason or why for node in engine.nodes()}
            except EngineError as error:
                reasons = dict.fromkeys(self._campaign.nodes[pool], str(error))
                self._watcher.troubled(str(error))
            unreached |= {(pool, node): reason for node, reason in reasons.items()}
        campaign_progress.note_unreached(self._objects, self._campaign.name, unreached)
        return campaign_progress.progress(self._objects, self._campaign, now=self._clock.now())
