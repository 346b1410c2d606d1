"""What on a machine may make its numbers noisy, found in what a run noted of it. Looks at nothing itself.

Each rule reads stored facts and says what it saw, what follows from that and what helps, or nothing.
A fact that is not known is no hazard.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.units import clock, counted, number, share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.record import Record
    from bench.store.runs import RunInfo

    Rule = Callable[[RunInfo], "Hazard | None"]

BUSY_SHARE = 0.1
"""Of all cores: a fifth of one of two. What an idle desktop takes lies below."""
_STEADY = frozenset({"performance"})
_HOT_C = 90.0
"""Processors lower their clocks from 95 °C on, most of them."""
_WAIT_S = 5.0
"""A second or two is one state that passed; more of it is how this machine is."""
_RARE = 0.5
"""Turns at reference in less than half of the time say that the usual state was another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """Something to know before numbers of this machine are believed."""

    code: str
    seen: str
    effect: str
    remedy: str


def hazards(info: RunInfo, records: Sequence[Record] = ()) -> list[Hazard]:
    """What is to be said of a run's machine, the most telling first."""
    found = [away_from_reference(info, records), *(rule(info) for rule in RULES)]
    return [one for one in found if one]


def away_from_reference(info: RunInfo, records: Sequence[Record]) -> Hazard | None:
    """Turns that were not at reference conditions, and waiting for these."""
    shares = [r.reference_share for r in records if r.reference_share is not None]
    middle = statistics.median(shares) if shares else 1.0
    seen = []
    if info.waited_s >= _WAIT_S:
        seen.append(
            f"the run waited {clock(info.waited_s)} for the machine to come back to its reference"
        )
    if middle < _RARE:
        seen.append(f"in the middle, {share(middle)} of a case's turns were at reference")
    if not seen:
        return None
    return Hazard(
        code="states",
        seen=" and ".join(seen),
        effect="the machine has more than one state, and a time belongs to one of them",
        remedy="compare time_at_reference_s; run when nothing else does",
    )


def busy(info: RunInfo) -> Hazard | None:
    """Other programs at work when the run began."""
    part = _number(info.state, "cpu_busy_share")
    if part is None or part < BUSY_SHARE:
        return None
    return Hazard(
        code="busy",
        seen=f"{share(part)} of the CPU was busy just before the run",
        effect="other programs take turns, caches and bandwidth",
        remedy="close them and run again",
    )


def loaded(info: RunInfo) -> Hazard | None:
    """As many processes as cores in the minute before, if only by what ran there last."""
    load, cores = _number(info.state, "load_1min"), len(info.environment.get("usable_cores") or ())
    if load is None or not cores or load < cores:
        return None
    return Hazard(
        code="load",
        seen=f"{number(load, 2)} processes ran or waited in the minute before, on {counted(cores, 'core')}",
        effect="if they were not this program's own, the machine was shared, and may be warm",
        remedy="let the machine rest before a run that matters",
    )


def virtual(info: RunInfo) -> Hazard | None:
    """A host between us and the cores."""
    if info.environment.get("hypervisor") is not True:
        return None
    return Hazard(
        code="virtual-machine",
        seen="this is a virtual machine",
        effect="the host may move its cores, share them with others, and hide caches",
        remedy="bench selftest says how far unchanged runs lie apart here",
    )


def governor(info: RunInfo) -> Hazard | None:
    """A clock that follows the load."""
    name = info.state.get("governor")
    if not isinstance(name, str) or name in _STEADY:
        return None
    return Hazard(
        code="governor",
        seen=f"the frequency governor is {name}",
        effect="the clock may follow the load, and short calls may run at a low one",
        remedy="cpupower frequency-set -g performance",
    )


def turbo(info: RunInfo) -> Hazard | None:
    """A clock that depends on heat and neighbours."""
    if info.state.get("turbo") is not True:
        return None
    return Hazard(
        code="turbo",
        seen="the CPU may raise its clock by itself (turbo)",
        effect="the clock depends on heat and on how many cores are at work",
        remedy="turn it off where small differences matter; the compute sentinel follows the clock",
    )


def hot(info: RunInfo) -> Hazard | None:
    """Near where processors slow themselves down."""
    degrees = _number(info.state, "temperature_c")
    if degrees is None or degrees < _HOT_C:
        return None
    return Hazard(
        code="hot",
        seen=f"a sensor read {number(degrees)} °C when the run began",
        effect="processors lower their clocks when they are hot",
        remedy="let it cool; clean its fans",
    )


def quota(info: RunInfo) -> Hazard | None:
    """A limit on the time of cores, met by stopping everything for a while."""
    cores = _number(info.environment, "cpu_quota_cores")
    if cores is None:
        return None
    return Hazard(
        code="cpu-quota",
        seen=f"a control group allows {number(cores)} cores' worth of time",
        effect="whoever uses more is stopped for the rest of each period, a tenth of a second at most",
        remedy="raise the limit, or use fewer threads (--threads)",
    )


def siblings(info: RunInfo) -> Hazard | None:
    """More threads than physical cores."""
    threads, cores = _number(info.options, "threads"), _number(info.machine, "physical_cores")
    if not info.environment.get("smt_siblings") or threads is None or not cores or threads <= cores:
        return None
    return Hazard(
        code="shared-cores",
        seen=f"{number(threads)} threads on {number(cores)} physical cores",
        effect="two threads of one core take turns, as the scheduler has it",
        remedy=f"--threads {cores:.0f}",
    )


def nodes(info: RunInfo) -> Hazard | None:
    """Memory that is nearer to some cores than to others."""
    count = len(info.environment.get("numa_nodes") or ())
    if count < 2:  # noqa: PLR2004 - one node has no other
        return None
    return Hazard(
        code="numa",
        seen=f"memory lies in {count} nodes",
        effect="bandwidth depends on which node a tensor came to lie in",
        remedy="numactl --cpunodebind=0 --membind=0 bench run",
    )


def blocking(info: RunInfo) -> Hazard | None:
    """A variable that makes every launch wait."""
    variables: Mapping[str, Any] = info.environment.get("variables") or {}
    if str(variables.get("CUDA_LAUNCH_BLOCKING", "0")) in {"", "0"}:
        return None
    return Hazard(
        code="launch-blocking",
        seen="CUDA_LAUNCH_BLOCKING is set",
        effect="every launch waits for its kernel, so that nothing is queued",
        remedy="unset it",
    )


RULES: tuple[Rule, ...] = (
    busy,
    loaded,
    virtual,
    quota,
    siblings,
    nodes,
    governor,
    turbo,
    hot,
    blocking,
)


def _number(facts: Mapping[str, Any], name: str) -> float | None:
    """A fact that is a number; what another version wrote in its place is not known."""
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
