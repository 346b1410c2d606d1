"""Fleet summary: what the visits of a campaign say of its devices. Facts only.

A unit is one device of one node: a GPU, or the CPU. Units are compared with the others of their model, case by case,
on the scale of logarithms, and then by groups of ops, since what a device is slow at says why it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bench.records.cache_state import HOT
from bench.records.memory_policy import REUSE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.analysis.crossover.crossovers import Crossing
    from bench.records.record import Record
    from bench.store.runs import RunInfo

Group = Literal["compute", "memory", "launch", "transfer"]
GROUPS: tuple[Group, ...] = ("compute", "memory", "launch", "transfer")
"""By what binds a case: arithmetic, memory, the host's launches, copies between host and device."""
FEWEST_UNITS = 6
"""Of fewer units of a model none is judged: five others are the least whose spread can be told at all, and with two or
three it is as likely that those are the outliers."""
FEWEST_FOR_PERCENTILES = 20
"""Among fewer units a percentile is a rank in disguise: one unit is more than a twentieth of them."""
FEWEST_FOR_P99 = 100
"""As many for the 1st and the 99th."""
Standing = Literal["slow", "fast", "ordinary", "unsure"]
"""What is said of a unit in a group; `slow` and `fast` only after a visit that was made to confirm it, where the
campaign had one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRows:
    """One visit of a campaign that counts: its rows, and the facts of its run."""

    pool: str
    node: str
    visit: int
    records: tuple[Record, ...]
    info: RunInfo
    confirms: bool = False
    """Whether it was made to confirm or clear a suspect, or is one of the controls beside it."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Unit:
    """One device of one node."""

    model: str
    node: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """How far a unit lies from the other units of its model in a group of ops.

    `ratio` is its time over theirs (leave-one-out median), so that 1.06 is 6 % slower.
    """

    unit: Unit
    group: Group
    ratio: float
    ratio_lo: float
    ratio_hi: float
    p_value: float
    """That a unit like the others lies so far off; not yet corrected for how many were looked at."""
    standing: Standing
    cases: int
    visits: int
    suspect: bool = False
    """Whether the visits so far ask for one that confirms."""
    confirmed: bool | None = None
    """What that visit said; None where there was none."""
    reasons: tuple[str, ...] = ()
    """What else differs, in words: a lower power limit, clock or PCIe width, heat, throttling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How far times of unchanged code lie apart, by where the difference lies: standard deviations of log time.

    None where the visits can't tell.
    """

    model: str
    group: Group
    within_run: float | None
    between_visits: float | None
    between_devices: float | None
    """Of one node."""
    between_nodes: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """The times of a case over all units of a model, one per unit (its median visit): a row of `reference.parquet`."""

    model: str
    case: str
    dtype: str
    threads: int | None
    torch: str
    fingerprint: str | None
    units: int
    p1_s: float
    p5_s: float
    p50_s: float
    p95_s: float
    p99_s: float
    between_visits: float | None
    """Standard deviation of log time of one unit from visit to visit; None with one visit each."""
    cache: str = HOT
    memory: str = REUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSummary:
    """What the visits of a campaign say."""

    deviations: tuple[Deviation, ...]
    spreads: tuple[Spread, ...]
    percentiles: tuple[Percentiles, ...]
    band: float
    """Share below which a difference does not matter."""
    tests: int = 0
    """Units × groups that were looked at, for which the level is corrected."""
    crossovers: tuple[Crossing, ...] = ()
    """Of each op, between a CPU model and another model in the same nodes."""
    mixtures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Fact that should be one (`driver`, `torch`, `firmware`, …) → its several values."""

    @property
    def slow(self) -> tuple[Deviation, ...]:
        """The units called slow, the worst first."""
        found = (one for one in self.deviations if one.standing == "slow")
        return tuple(sorted(found, key=lambda one: -one.ratio))
