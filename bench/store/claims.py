"""Claims on the visits of a campaign: which process measures which visit of which node, decided by the store alone.

A visit is claimed by an object that only one process can create. Who begins it again, since its holder is gone, makes
the next attempt, and the attempt before it is then void, also where its process should still live: a scheduler starts
a job a second time when it lost sight of the first. So a holder looks at its claim again before it publishes.
The state of all visits is told by the names of objects alone: one listing, however large the fleet.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.records.campaign import is_name
from bench.store.campaigns import key
from bench.store.runs import is_run_id
from bench.units import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from bench.store.objects import Found, Objects

VISITS, FAILURES, EXCLUDED, CONFIRM = "visits", "failures", "excluded", "confirm"
_NOTE_PARTS, _VISIT_PARTS = 5, 7
"""Parts of `campaigns/NAME/KIND/POOL/NODE`, and of `campaigns/NAME/visits/POOL/NODE/NUMBER/WHAT`."""
MOST_ATTEMPTS = 20
"""Preemption may well interrupt a visit often; one that never ends should not be tried for ever."""
_ATTEMPT = re.compile(r"([1-9][0-9]{0,5})\.(claim|beat|interrupted|failed)")
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a visit."""

    number: int
    claimed_at: datetime | None = None
    seen_at: datetime | None = None
    """When its holder last said that it lives."""
    ended: str = ""
    """`interrupted` or `failed`, where it has ended without a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What the store has of one visit."""

    pool: str
    node: str
    number: int
    attempts: Mapping[int, Attempt] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    """Complete ones, the first by its id first: that one counts."""
    extra: tuple[str, ...] = ()
    """Runs that don't count."""
    done_at: datetime | None = None

    @property
    def last(self) -> Attempt | None:
        """The latest attempt."""
        return self.attempts[max(self.attempts)] if self.attempts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A held claim."""

    campaign: str
    pool: str
    node: str
    visit: int
    attempt: int

    def key(self, name: str = "") -> str:
        """The key of the visit, or of something in it."""
        parts = (self.campaign, VISITS, self.pool, self.node, str(self.visit), name)
        return key(*(part for part in parts if part))


def take(objects: Objects, claim: Claim, holder: Mapping[str, Any]) -> bool:
    """Claim an attempt; whether this process, and no other, has it."""
    return objects.create(claim.key(f"{claim.attempt}.claim"), _line(holder))


def holder_of(objects: Objects, claim: Claim) -> dict[str, Any]:
    """What the holder of an attempt said of itself; empty where that can't be read."""
    try:
        found = json.loads(objects.read(claim.key(f"{claim.attempt}.claim")) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def beat(objects: Objects, claim: Claim) -> None:
    """Say that the holder lives."""
    objects.write(claim.key(f"{claim.attempt}.beat"), b"")


def is_held(objects: Objects, claim: Claim) -> bool:
    """Whether no later attempt has made this one void."""
    found = read(objects.found(claim.key()))
    visit = found.get((claim.pool, claim.node, claim.visit))
    return visit is not None and visit.last is not None and visit.last.number == claim.attempt


def end(objects: Objects, claim: Claim, how: str, reason: str) -> None:
    """Note that an attempt has ended without a run, so that the next one need not wait."""
    objects.write(claim.key(f"{claim.attempt}.{how}"), _line({"reason": reason}))


def finish(objects: Objects, claim: Claim, run_id: str) -> None:
    """Note the run of a visit; of several the first by its id counts."""
    objects.create(claim.key(f"{run_id}.run"), b"")


def note_extra(objects: Objects, claim: Claim, run_id: str) -> None:
    """Note a run that was measured though another attempt had made its claim void, or that is not whole."""
    objects.create(claim.key(f"{run_id}.extra"), b"")


def reason_of(objects: Objects, claim: Claim, how: str) -> str:
    """Why an attempt ended."""
    return _said(objects.read(claim.key(f"{claim.attempt}.{how}")))


def fail(
    objects: Objects, where: tuple[str, str, str], job: str, reason: str, *, most: int
) -> list[str]:
    """Note that a job could not begin on a node; from so many jobs on the node is excluded. Gives the reasons so far."""
    campaign, pool, node = where
    below = key(campaign, FAILURES, pool, node)
    objects.create(f"{below}/{job}", _line({"reason": reason}))
    reasons = [_said(objects.read(one.key)) for one in objects.found(below)]
    if len(reasons) >= most:
        exclude(objects, where, "; ".join(dict.fromkeys(reasons)))
    return reasons


def exclude(objects: Objects, where: tuple[str, str, str], reason: str) -> None:
    """Give a node up for this campaign."""
    campaign, pool, node = where
    objects.create(key(campaign, EXCLUDED, pool, node), _line({"reason": reason}))


def excluded(objects: Objects, campaign: str) -> dict[tuple[str, str], str]:
    """Pool and node → why it was given up."""
    found = _noted(objects, campaign, EXCLUDED)
    return {place: _said(objects.read(one)) for place, one in found}


def failures(objects: Objects, campaign: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Pool and node → why jobs could not begin there."""
    reasons: dict[tuple[str, str], tuple[str, ...]] = {}
    for place, one in _noted(objects, campaign, FAILURES, deeper=1):
        reasons[place] = (*reasons.get(place, ()), _said(objects.read(one)))
    return reasons


def forgive(objects: Objects, campaign: str) -> None:
    """Forget which nodes were excluded and why jobs could not begin: they are tried again."""
    kinds = (key(campaign, kind) for kind in (EXCLUDED, FAILURES))
    objects.remove([one.key for kind in kinds for one in objects.found(kind)])


def ask_to_confirm(objects: Objects, campaign: str, nodes: Iterable[tuple[str, str]]) -> None:
    """Ask for one more visit of these nodes, suspects and controls alike: nothing there tells which is which."""
    for pool, node in nodes:
        objects.create(key(campaign, CONFIRM, pool, node), b"{}")


def to_confirm(objects: Objects, campaign: str) -> set[tuple[str, str]]:
    """The nodes, as pool and name, that get one more visit."""
    return {place for place, _ in _noted(objects, campaign, CONFIRM)}


def visits(objects: Objects, campaign: str) -> dict[tuple[str, str, int], Visit]:
    """Pool, node and number → what the store has of that visit."""
    return read(objects.found(key(campaign, VISITS)))


def read(found: Sequence[Found]) -> dict[tuple[str, str, int], Visit]:
    """The visits that these objects tell of; what is none of theirs is passed over."""
    told: dict[tuple[str, str, int], list[tuple[str, datetime]]] = {}
    for one in found:
        parts = one.key.split("/")
        if len(parts) == _VISIT_PARTS and _NUMBER.fullmatch(parts[-2]):
            _, _, _, pool, node, number, name = parts
            told.setdefault((pool, node, int(number)), []).append((name, one.at))
    return {
        place: _visit(place, names)
        for place, names in told.items()
        if is_name(place[0]) and is_name(place[1])
    }


def _visit(place: tuple[str, str, int], names: Sequence[tuple[str, datetime]]) -> Visit:
    pool, node, number = place
    tries: dict[int, dict[str, Any]] = {}
    for name, at in names:
        if match := _ATTEMPT.fullmatch(name):
            told = tries.setdefault(int(match[1]), {})
            told |= _told(match[2], at)
    done = sorted((run, at) for name, at in names if (run := _run_in(name, ".run")))
    return Visit(
        pool=pool,
        node=node,
        number=number,
        attempts={n: Attempt(number=n, **told) for n, told in tries.items()},
        runs=tuple(run for run, _ in done),
        extra=tuple(run for name, _ in names if (run := _run_in(name, ".extra"))),
        done_at=done[0][1] if done else None,
    )


def _told(what: str, at: datetime) -> dict[str, Any]:
    if what == "claim":
        return {"claimed_at": at}
    return {"seen_at": at} if what == "beat" else {"ended": what}


def _run_in(name: str, ending: str) -> str:
    """The run that a name tells of, empty where it tells of none."""
    run = name.removesuffix(ending)
    return run if run != name and is_run_id(run) else ""


def _noted(
    objects: Objects, campaign: str, kind: str, deeper: int = 0
) -> Iterator[tuple[tuple[str, str], str]]:
    """Pool and node of each note of a kind, and its key; what a person or a file system has left is passed over."""
    for one in objects.found(key(campaign, kind)):
        parts = one.key.split("/")
        if len(parts) == _NOTE_PARTS + deeper and is_name(parts[3]) and is_name(parts[4]):
            yield (parts[3], parts[4]), one.key


def _line(facts: Mapping[str, Any]) -> bytes:
    return (json.dumps(facts, ensure_ascii=False) + "\n").encode()


def _said(data: bytes | None) -> str:
    """The reason in an object, which may be anybody's, as a line that can be shown."""
    try:
        found = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return "its reason can't be read"
    return one_line(str(found.get("reason", "")) if isinstance(found, dict) else "", LONGEST_REASON)
