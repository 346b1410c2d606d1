"""Campaign: one frozen plan that many machines measure, and what has become of each visit. Facts only.

A visit is one run of the whole plan on one node. Nodes are visited several times, apart in time, since a node that
is visited once can't be told from the hour at which it was.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1
"""Of the format of `campaign.json`."""

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
        return all(visit.state == "done" for visit in self.visits)
