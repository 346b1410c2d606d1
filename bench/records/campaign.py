"""Campaign: one frozen plan that many machines measure, and what has become of each visit. Facts only.

A visit is one run of the whole plan on one node. Nodes are visited several times, apart in time, since a node that
is visited once can't be told from the hour at which it was.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from bench.errors import hint

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1
"""Of the format of `campaign.json`."""
ENGINES = ("local", "slurm", "ssh", "elsewhere")
MOST_VISITS = 100
LEAST_LEASE_S = 5.0
MOST_TIME_S = 366 * 86400.0
"""Longer is a mistake, and more than some schedulers can count."""
WARNING_S = 120.0
"""How long before its time limit a visit is told to end. Slurm looks every 30 s, and a visit takes a minute at most to end
its step."""
CHECKS = ("torch", "code", "cores", "gpus", "disk", "busy")
"""What a preflight looks at."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_HOST = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_OPTION = re.compile(r"-[A-Za-z0-9-]*[A-Za-z0-9].*")


def is_name(text: str) -> bool:
    """Whether a text can name a campaign, a pool or a node: a part of paths and commands that means nothing to either."""
    return bool(_NAME.fullmatch(text))


State = Literal["done", "running", "waiting", "failed", "lost", "excluded", "unreached"]
STATES: tuple[State, ...] = (
    *("done", "running", "waiting", "failed", "lost", "excluded", "unreached"),
)
"""Of a visit: measured and stored; under way; not begun; ended by an error or a preflight; its holder is gone; its
node was given up; its node was busy or down until the deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Nodes that are alike, and how a visit is started on them: a table `[pool.NAME]` of `fleet.toml`."""

    name: str
    engine: str
    """`local`, `slurm` or `ssh`; `elsewhere`: visits are started by something that is not asked."""
    python: str = ""
    """The interpreter on a node that has this program; empty: the one that makes the plan."""
    setup: tuple[str, ...] = ()
    """Shell lines before it, such as `module load cuda`."""
    gpus: int = 0
    """GPUs of a node; each is measured by itself, one after the other."""
    cpu: bool = False
    """Whether the CPU of a node with GPUs is measured too."""
    time_s: float = 2400.0
    """Wall time of a visit that the scheduler is asked for."""
    apart_s: float = 3600.0
    """Between the end of a node's visit and the start of its next one."""
    lease_s: float = 600.0
    """A visit of which nothing was heard for so long may be begun again."""
    at_most: int = 16
    """Visits at the same time."""
    partition: str = ""
    constraint: str = ""
    account: str = ""
    qos: str = ""
    reservation: str = ""
    options: tuple[str, ...] = ()
    """Further options for `sbatch`, each one word."""
    hosts: tuple[str, ...] = ()
    """Of an ssh pool, as `ssh` takes them."""
    machines: int = 0
    """Of a pool elsewhere: how many are wanted; their names are known when they come."""
    store: str = ""
    """Of an ssh pool: the campaign's store as hosts see it, where they share it; empty: results are fetched."""
    spool: str = ""
    """A folder on a disk of the node for runs under way; empty: `/var/tmp/tensorbench-UID`."""
    allow: tuple[str, ...] = ()
    """Codes of preflight checks that may fail."""

    def fault(self) -> str:
        """What is impossible in it, with the rule; empty where nothing is."""
        if self.engine not in ENGINES:
            return f"engine = {self.engine!r:.60} is none of {', '.join(ENGINES)}"
        texts = (self.python, self.partition, self.constraint, self.account, self.qos, self.store)
        lists = (self.setup, self.options, self.hosts, self.allow)
        several = (*texts, self.reservation, self.spool, *(one for of in lists for one in of))
        if any(not text.isprintable() for text in several):
            return "a text in it is not on one line"
        times = {"time": self.time_s, "apart": self.apart_s, "lease": self.lease_s}
        if wrong := next((name for name, s in times.items() if not 0 <= s <= MOST_TIME_S), None):
            return f"{wrong} = {times[wrong]:g} s is no time from 0 to a year"
        if self.lease_s < LEAST_LEASE_S:
            return f"lease = {self.lease_s:g} s is less than {LEAST_LEASE_S:g} s: a visit that lives would be begun again"
        if min(self.gpus, self.at_most, self.machines) < 0:
            return "a number in it is below 0"
        return self._fault_of_words()

    def _fault_of_words(self) -> str:
        for option in self.options:
            if not _OPTION.fullmatch(option):
                return f"options has {option!r:.60}, which is no option of sbatch: it begins with a hyphen"
        for host in self.hosts:
            if not _HOST.fullmatch(host):
                return f"hosts has {host!r:.60}, which is no host; write it as for ssh, without options"
        if unknown := next((one for one in self.allow if one not in CHECKS), None):
            return f"allow has {unknown!r:.60}; {hint(unknown, CHECKS)}"
        if self.engine == "ssh" and not self.hosts:
            return 'an ssh pool has hosts = ["a", "b"], or the name of a file with one a line'
        if self.engine == "elsewhere" and not self.machines:
            return "a pool elsewhere has machines = 8: how many are to be visited"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What is measured, where, how often; written once, as `campaign.json`."""

    name: str
    created_at: str
    pools: tuple[Pool, ...]
    nodes: Mapping[str, tuple[str, ...]]
    """Pool → its nodes when the plan was made."""
    devices: Mapping[str, tuple[str, ...]]
    """Pool → the devices of a node that are measured."""
    options: Mapping[str, Any]
    """The request, as a run's manifest has it."""
    cases: Mapping[str, str | None]
    """Case → fingerprint of its op's code."""
    visits: int
    """Of each node."""
    seed: int
    torch: str
    """The torch that all nodes must have, without its build: `2.13.0`."""
    minutes: float
    """About how long a visit takes."""
    label: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    version: int = VERSION

    def fault(self) -> str:
        """What is impossible in it, empty where nothing is: a plan may be anybody's, and commands are made of it."""
        named = [pool.name for pool in self.pools]
        nodes = [node for of_pool in self.nodes.values() for node in of_pool]
        if not named or not set(self.nodes) == set(self.devices) == set(named):
            return "its pools, nodes and devices are not of the same names"
        if bare := [p for p in self.pools if not (self.nodes[p.name] or p.machines)]:
            place = "/".join(filter(None, (bare[0].partition, bare[0].constraint)))
            return f"pool {bare[0].name} has no node{f' ({place})' if place else ''}"
        if bad := [one for one in (*named, *nodes) if not is_name(one)]:
            return f"{bad[0]!r:.80} can't be a name"
        if not 1 <= self.visits <= MOST_VISITS or self.minutes < 0:
            return f"it has {self.visits} visits of {self.minutes} minutes"
        return next((fault for pool in self.pools if (fault := pool.fault())), "")

    @property
    def identity(self) -> str:
        """Its name with a hash of the plan.

        What nodes and schedulers keep is of this plan, not of another one of its name, in another store or before
        this one was emptied.
        """
        told = repr((self.created_at, self.seed, self.visits, sorted(self.cases.items(), key=str)))
        return f"{self.name}-{hashlib.blake2s(told.encode(), digest_size=4).hexdigest()}"

    def pool(self, name: str) -> Pool | None:
        """The pool of that name."""
        return next((pool for pool in self.pools if pool.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitState:
    """What has become of one visit."""

    pool: str
    node: str
    visit: int
    """From 1."""
    state: State
    reason: str = ""
    """In words, where it is not done."""
    run_id: str = ""
    """Of a visit that is done."""
    attempt: int = 0
    """How often it was begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignState:
    """What has become of all visits of a campaign."""

    campaign: Campaign
    visits: tuple[VisitState, ...]
    excluded: Mapping[str, str] = field(default_factory=dict)
    """Node → why no more visits are tried on it."""
    extra_runs: tuple[str, ...] = ()
    """Runs that were measured though another one of the same visit counts."""

    @property
    def counts(self) -> Mapping[State, int]:
        """State → visits in it; those that none is in are left out."""
        counted = Counter(visit.state for visit in self.visits)
        return {state: counted[state] for state in STATES if counted[state]}

    @property
    def complete(self) -> bool:
        """Whether all visits are done."""
        return bool(self.visits) and all(visit.state == "done" for visit in self.visits)
