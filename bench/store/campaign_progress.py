"""Progress of a campaign: what has become of each visit, told by the objects of its store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bench.records.campaign import Campaign, CampaignState, VisitState
from bench.store import claims
from bench.store.campaigns import key
from bench.store.claims import LONGEST_REASON, MOST_ATTEMPTS, Claim, Visit
from bench.units import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bench.records.campaign import State
    from bench.store.objects import Objects


_UNREACHED = "unreached.json"
_SILENT = "it was begun, and nothing was heard of it since"


def is_final(visit: VisitState) -> bool:
    """Whether nothing more is tried for a visit."""
    tried = visit.state == "failed" and visit.attempt >= MOST_ATTEMPTS
    return tried or visit.state in {"done", "excluded"}


def wanted(
    campaign: Campaign,
    confirming: Collection[tuple[str, str]] = (),
    seen: Collection[tuple[str, str]] = (),
) -> dict[tuple[str, str], int]:
    """Pool and node → how many visits it gets.

    Args:
        campaign: whose plan it is.
        confirming: nodes that get one more, to confirm or clear a suspect.
        seen: nodes that have begun visits; those that are not in the plan have joined their pool since.
    """
    planned = [(pool, node) for pool, nodes in campaign.nodes.items() for node in nodes]
    joined = sorted(place for place in seen if campaign.pool(place[0]) and place not in planned)
    missing = []
    for pool in campaign.pools:
        there = sum(place[0] == pool.name for place in (*planned, *joined))
        missing += [(pool.name, f"machine-{n}") for n in range(there + 1, pool.machines + 1)]
    places = (*planned, *joined, *missing)
    return {place: campaign.visits + (place in confirming) for place in places}


def note_unreached(objects: Objects, name: str, reasons: Mapping[tuple[str, str], str]) -> None:
    """Note of nodes, as pool and name, why no visit began there: they were busy, or down, until a deadline."""
    told = [[*place, reason] for place, reason in reasons.items()]
    objects.write(key(name, _UNREACHED), (json.dumps(told, ensure_ascii=False) + "\n").encode())


def unreached_in(objects: Objects, name: str) -> dict[tuple[str, str], str]:
    """What was noted last."""
    try:
        told = json.loads(objects.read(key(name, _UNREACHED)) or b"[]")
        return {
            (str(pool), str(node)): one_line(str(reason), LONGEST_REASON)
            for pool, node, reason in told
        }
    except (ValueError, TypeError, RecursionError):
        return {}


def progress(
    objects: Objects,
    campaign: Campaign,
    *,
    now: datetime | None = None,
) -> CampaignState:
    """What has become of all visits.

    Args:
        objects: of the store.
        campaign: whose plan it is.
        now: the time; tests pass one.
    """
    given_up, failed = (
        claims.excluded(objects, campaign.name),
        claims.failures(objects, campaign.name),
    )
    known, unreached = claims.visits(objects, campaign.name), unreached_in(objects, campaign.name)
    look = _Look(objects, campaign, now or datetime.now(UTC))
    states = []
    confirming = claims.to_confirm(objects, campaign.name)
    seen = {place[:2] for place in known}
    for place, count in wanted(campaign, confirming, seen).items():
        why = unreached.get(place, "")
        for number in range(1, count + 1):
            visit = known.get((*place, number), Visit(pool=place[0], node=place[1], number=number))
            states.append(look.state(visit, given_up.get(place), failed.get(place, ()), why))
    extra = (run for visit in known.values() for run in (*visit.runs[1:], *visit.extra))
    return CampaignState(
        campaign=campaign,
        visits=tuple(states),
        excluded=_by_node(given_up),
        extra_runs=tuple(sorted(extra)),
    )


def _by_node(given_up: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """Node → why it was given up, in whichever of its pools."""
    reasons: dict[str, list[str]] = {}
    for (_, node), reason in given_up.items():
        reasons.setdefault(node, []).append(reason)
    return {node: "; ".join(dict.fromkeys(several)) for node, several in reasons.items()}


class _Look:
    """One look at a campaign's visits, at one time."""

    def __init__(self, objects: Objects, campaign: Campaign, now: datetime) -> None:
        self._objects, self._campaign, self._now = objects, campaign, now

    def state(
        self, visit: Visit, given_up: str | None, failed: tuple[str, ...], why: str
    ) -> VisitState:
        """What has become of a visit.

        Args:
            visit: as the store has it.
            given_up: why its node is excluded.
            failed: why jobs could not begin on its node.
            why: why it was not reached.
        """
        state, reason = self._said(visit, given_up, failed, why)
        return VisitState(
            pool=visit.pool,
            node=visit.node,
            visit=visit.number,
            state=state,
            reason=reason,
            run_id=visit.runs[0] if visit.runs else "",
            attempt=visit.last.number if visit.last else 0,
        )

    def _said(
        self, visit: Visit, given_up: str | None, failed: tuple[str, ...], why: str
    ) -> tuple[State, str]:
        last = visit.last
        if visit.runs:
            return "done", ""
        if given_up is not None:
            return "excluded", given_up
        if last is None:
            return self._not_begun(failed, why)
        if not last.ended and not is_lost(self._campaign, visit, self._now):
            return "running", ""
        reason = _SILENT
        if last.ended:
            reason = claims.reason_of(self._objects, self._claim(visit), last.ended)
        if last.number >= MOST_ATTEMPTS:
            return "failed", f"it was begun {last.number} times; at last: {reason}"
        return self._ended(last.ended, reason, why)

    @staticmethod
    def _ended(how: str, reason: str, why: str) -> tuple[State, str]:
        """Of an attempt that ended, or of which nothing is heard, without a run."""
        if how == "failed":
            return "failed", reason
        if not how:
            return "lost", why or reason
        return ("unreached", f"{reason}; {why}") if why else ("waiting", reason)

    def _not_begun(self, failed: tuple[str, ...], why: str) -> tuple[State, str]:
        if failed:
            return "failed", failed[-1]
        return ("unreached", why) if why else ("waiting", "")

    def _claim(self, visit: Visit) -> Claim:
        attempt = visit.last.number if visit.last else 0
        return Claim(
            campaign=self._campaign.name,
            pool=visit.pool,
            node=visit.node,
            visit=visit.number,
            attempt=attempt,
        )


def is_lost(campaign: Campaign, visit: Visit, now: datetime) -> bool:
    """Whether nothing was heard of the holder of a visit's last attempt for longer than its lease."""
    last, pool = visit.last, campaign.pool(visit.pool)
    if last is None or last.ended:
        return False
    heard = max((at for at in (last.claimed_at, last.seen_at) if at), default=None)
    lease = timedelta(seconds=pool.lease_s if pool else 0)
    return heard is None or now - heard > lease
