"""Visit of a node: claim the next one that is due, measure the whole plan, publish the run. What a job of a pool runs.

Nothing here knows a scheduler. A job that finds nothing to do ends within a second, so that as many may be submitted
as there are visits missing, for whichever nodes become free.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from bench.errors import BenchError, StoreError
from bench.fleet import preflight, spool
from bench.fleet.preflight import Facts
from bench.fleet.spool import Spool
from bench.records import codec, kinds
from bench.run.listener import Listener
from bench.run.request import Request
from bench.store import campaign_progress, campaigns, claims
from bench.store.claims import Claim
from bench.units import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.fleet.preflight import Refusal
    from bench.plan.plan import Plan
    from bench.pool.pool import Start
    from bench.records.campaign import Campaign, Pool
    from bench.records.record import Record
    from bench.run.manifest import Options
    from bench.store.objects import Objects
    from bench.store.runs import StoredRun

MOST_FAILURES = 2
"""Jobs that may fail to begin on a node: the second could have met the end of what disturbed the first."""
_BUSY_PAUSES_S = (5.0, 10.0, 20.0, 30.0)
_BEATS_PER_LEASE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a job ended, in words for its log."""

    kind: Literal["done", "idle", "failed"]
    sentence: str


class LeaseListener(Listener):
    """Says between two steps of a run that its holder lives, a few times per lease; hands all on to another listener."""

    def __init__(self, beat: Callable[[], None], every_s: float, to: Listener) -> None:
        self._beat, self._every_s, self._to = beat, every_s, to
        self._last_s = time.monotonic()

    def started(self, run_id: str, cases: int, steps: int) -> None:
        """Hand it on."""
        self._to.started(run_id, cases, steps)

    def advanced(self, case: str, steps: int) -> None:
        """Beat, if it is time to."""
        self._live()
        self._to.advanced(case, steps)

    def waiting(self) -> None:
        """Beat, if it is time to."""
        self._live()
        self._to.waiting()

    def surveying(self, device: str, seconds: float) -> None:
        """Beat, if it is time to."""
        self._live()
        self._to.surveying(device, seconds)

    def memory_differs(self, why: str) -> None:
        """Hand it on."""
        self._to.memory_differs(why)

    def finished(self, record: Record) -> None:
        """Beat, if it is time to."""
        self._live()
        self._to.finished(record)

    def _live(self) -> None:
        now_s = time.monotonic()
        if now_s - self._last_s >= self._every_s:
            self._last_s = now_s
            self._beat()


class NodeVisit:
    """One job on one node.

    Args:
        objects: of the store.
        campaign: whose plan is measured.
        pool: of the node.
        node: its name.
        job: what its scheduler calls the job; the same when it is begun again.
        listener: is told how measuring goes on.
        sleep: between two tries to reach the store.
    """

    def __init__(
        self,
        objects: Objects,
        campaign: Campaign,
        pool: Pool,
        *,
        node: str,
        job: str,
        listener: Listener,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._objects, self._campaign, self._pool = objects, campaign, pool
        self._node, self._job, self._listener = node, job, listener
        self._sleep = sleep
        self._place = (campaign.name, pool.name, node)

    def run(self) -> Outcome:
        """Make the next visit that is due on this node.

        Raises:
            BenchError: the store can't be reached.
            KeyboardInterrupt: it was ended from outside; what was measured is kept in the spool.
        """
        try:
            self._spool = Spool.of(self._pool, self._campaign, self._node)
        except StoreError as error:
            return self._refused(str(error))
        with self._spool.locked() as alone:
            if not alone:
                return Outcome(
                    kind="idle", sentence=f"another job of this campaign lives on {self._node}"
                )
            return self._next()

    def _next(self) -> Outcome:
        """The next visit that is due, if this node may be visited."""
        self._publish_left()
        why = claims.excluded(self._objects, self._campaign.name).get(self._place[1:])
        if why is not None:
            return Outcome(kind="idle", sentence=f"{self._node} is excluded: {why}")
        due, sentence = self._due()
        if due is None:
            return Outcome(kind="idle", sentence=sentence)
        refusal = self._preflight()
        return self._refused(refusal.reason) if refusal else self._begin(due)

    def _preflight(self) -> Refusal | None:
        """Why this node can't be measured; one that is busy is looked at again, since the job before may be ending."""
        for pause_s in (*_BUSY_PAUSES_S, None):
            facts = Facts.read(self._spool.folder)
            refusal = preflight.before_planning(self._campaign, self._pool, facts)
            if refusal is None or refusal.code != "busy" or pause_s is None:
                return refusal
            self._sleep(pause_s)
        return None

    def _begin(self, due: Claim) -> Outcome:
        """Plan, claim, measure, publish."""
        try:
            asked = codec.decode(Request, self._campaign.options)
            kinds.check(asked)
        except (TypeError, ValueError) as error:
            return self._refused(f"the plan's options can't be read: {error}")
        asked = dataclasses.replace(asked, devices=self._campaign.devices[self._pool.name])
        try:
            with asked.start() as started:
                plan = asked.plan()
                refusal = preflight.of_plan(self._campaign, self._pool, plan)
                if refusal:
                    return self._refused(refusal.reason)
                return self._claimed(due, asked, plan, started)
        except (BenchError, OSError) as error:
            return self._refused(str(error))

    def _claimed(self, due: Claim, asked: Request, plan: Plan, started: Start) -> Outcome:
        """Measure and publish, if no other job was faster to claim the visit."""
        holder = {"job": self._job, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        if not claims.take(self._objects, due, holder):
            return Outcome(kind="idle", sentence=f"visit {due.visit} was begun by another job")
        try:
            run = self._spool.measured(
                due.visit, plan, self._options(asked, plan, due), self._leased(due), started
            )
            return self._published(due, run)
        except KeyboardInterrupt:
            self._end(due, "interrupted", "ended from outside before it was done")
            raise
        except (BenchError, OSError) as error:
            self._end(due, "failed", str(error))
            raise

    def _leased(self, claim: Claim) -> LeaseListener:
        def beat() -> None:
            with suppress(StoreError):  # a store that is away for a minute does not end a visit
                claims.beat(self._objects, claim)

        return LeaseListener(beat, self._pool.lease_s / _BEATS_PER_LEASE, self._listener)

    def _published(self, claim: Claim, run: StoredRun) -> Outcome:
        """Put the run into the store; one whose claim is void is kept there, and does not count."""

        def publish() -> None:
            # A folder can be there, and the disk that was mounted on it not.
            campaigns.load(self._objects, self._campaign.name)
            self._settle(claim, run, counts=claims.is_held(self._objects, claim))

        if not spool.tried(publish, self._sleep):
            sentence = f"the store can't be reached; run {run.info.run_id} waits in {run.folder} for the next job here"
            return Outcome(kind="failed", sentence=sentence)
        return Outcome(
            kind="done",
            sentence=f"visit {claim.visit} of {self._node} is done: run {run.info.run_id}",
        )

    def _settle(self, claim: Claim, run: StoredRun, *, counts: bool) -> None:
        spool.publish(run, self._objects)
        note = claims.finish if counts else claims.note_extra
        note(self._objects, claim, run.info.run_id)
        spool.remove(run)

    def _publish_left(self) -> None:
        """Publish what the store could not take before, and what an earlier environment of this node has left."""
        known = claims.visits(self._objects, self._campaign.name)
        for run in self._spool.runs():
            number = run.info.tags.get("visit", "")
            if run.finished and number.isdecimal():
                visit = known.get((*self._place[1:], int(number)))
                counts = not (visit and visit.runs) and not self._spool.is_abandoned(run)
                self._settle(self._claim(int(number), 0), run, counts=counts)

    def _refused(self, reason: str) -> Outcome:
        """Note that this job could not begin here; the second one excludes the node."""
        reasons = claims.fail(self._objects, self._place, self._job, reason, most=MOST_FAILURES)
        ended = "; no more jobs are tried here" if len(reasons) >= MOST_FAILURES else ""
        return Outcome(kind="failed", sentence=f"{self._node}: {reason}{ended}")

    def _end(self, claim: Claim, how: str, reason: str) -> None:
        with suppress(StoreError):  # it can be begun again when its lease is over
            claims.end(self._objects, claim, how, reason)

    def _due(self) -> tuple[Claim | None, str]:
        """The attempt to claim, or why there is none."""
        place, confirming = self._place[1:], claims.to_confirm(self._objects, self._campaign.name)
        count = campaign_progress.wanted(self._campaign, confirming, {place})[place]
        known = claims.visits(self._objects, self._campaign.name)
        now, before = datetime.now(UTC), None
        for number in range(1, count + 1):
            visit = known.get((*place, number))
            if visit is None or not visit.runs:
                return self._attempt(number, visit, before, now)
            before = visit.done_at
        return None, f"{self._node} has had its {count} visits"

    def _attempt(
        self, number: int, visit: claims.Visit | None, before: datetime | None, now: datetime
    ) -> tuple[Claim | None, str]:
        ready = before + timedelta(seconds=self._pool.apart_s) if before else now
        if now < ready:
            left = clock((ready - now).total_seconds())
            return (
                None,
                f"visit {number} of {self._node} may begin in {left}, apart from the last one",
            )
        last = visit.last if visit else None
        if last is None or visit is None:
            return self._claim(number, 1), ""
        claim = self._claim(number, last.number)
        over = last.ended or claims.holder_of(self._objects, claim).get("job") == self._job
        if not over and not campaign_progress.is_lost(self._campaign, visit, now):
            return None, f"visit {number} of {self._node} is under way in another job"
        if last.number >= claims.MOST_ATTEMPTS:
            return None, f"visit {number} of {self._node} was begun {last.number} times"
        return self._claim(number, last.number + 1), ""

    def _claim(self, visit: int, attempt: int) -> Claim:
        campaign, pool, node = self._place
        return Claim(campaign=campaign, pool=pool, node=node, visit=visit, attempt=attempt)

    def _options(self, asked: Request, plan: Plan, claim: Claim) -> Options:
        """How it is measured: each visit in an order of its own, on the same inputs."""
        campaign, pool, node = self._place
        told = f"{self._campaign.seed} {pool} {node} {claim.visit}"
        seed = int.from_bytes(hashlib.blake2s(told.encode(), digest_size=4).digest(), "big") >> 1
        tags = {"campaign": campaign, "pool": pool, "node": node, "visit": str(claim.visit)}
        fixed = dataclasses.replace(asked, seed=seed)
        return fixed.options(
            len(plan.cases),
            label=self._campaign.label or campaign,
            tags={**self._campaign.tags, **tags},
            argv=["bench", "fleet", "run", campaign],
        )
