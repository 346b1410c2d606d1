"""Machine state: told from sentinels (small fixed workloads), by a stated rule, never from the op under test.

On a shared or two-core machine a thread barrier, or a single core, can take 1.4 to 1.9 times as long
for minutes on end. Times can only be compared at equal conditions; this module says which are equal. Torch-free.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SAME_LEVEL = 1.15
"""Two levels of a sentinel are the same state up to this ratio. It lies between the drift of a shared machine,
which stays within ±5 %, and the ratio of its states, which is 1.4 or more."""
_FASTEST_SHARE = 0.1
"""The share of visits that are taken for fast: enough that one lucky visit is no state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Times of the sentinels: in one visit, or, as a level, in a state of the machine."""

    compute_s: float
    barrier_s: float | None = None
    launch_s: float | None = None
    """The host's time to launch an empty kernel, on a device with a queue. It tells the state of the host, on
    which calls that wait for their launches depend, and is no part of the device's own state."""

    anywhere: bool = False
    """Whether times are in proportion to `compute_s` in every state, and not only near this level."""

    def of_host(self, *, anywhere: bool) -> Conditions | None:
        """The conditions of the host that launches; None where that was not timed."""
        if self.launch_s is None:
            return None
        return Conditions(compute_s=self.launch_s, anywhere=anywhere)


def level(visits: Sequence[Conditions]) -> Conditions:
    """The fast level of these visits: per sentinel, the median of those near the fastest tenth.

    Not the minimum: a single lucky visit is no state.
    """
    barriers = [v.barrier_s for v in visits if v.barrier_s is not None]
    launches = [v.launch_s for v in visits if v.launch_s is not None]
    return Conditions(
        compute_s=_fast([v.compute_s for v in visits]),
        barrier_s=_fast(barriers) if barriers else None,
        launch_s=_fast(launches) if launches else None,
    )


def reference(levels: Iterable[Conditions]) -> Conditions | None:
    """The reference conditions, from the levels of runs in order of time.

    The first run sets them and later runs keep them, so that times stay comparable; but a run that
    reaches a faster state replaces them, since the first may have been slow from end to end.
    """
    found: Conditions | None = None
    for one in levels:
        if found is None:
            found = one
            continue
        found = Conditions(
            compute_s=_kept(found.compute_s, one.compute_s),
            barrier_s=_kept_or_none(found.barrier_s, one.barrier_s),
            launch_s=_kept_or_none(found.launch_s, one.launch_s) or one.launch_s,
        )
    return found


def is_at(seen: Conditions, wanted: Conditions) -> bool:
    """Whether every sentinel was at its wanted level."""
    if not _near(seen.compute_s, wanted.compute_s):
        return False
    if seen.barrier_s is None or wanted.barrier_s is None:
        return seen.barrier_s is wanted.barrier_s
    return _near(seen.barrier_s, wanted.barrier_s)


def is_slower(seen: Conditions, wanted: Conditions) -> bool:
    """Whether a sentinel took longer than at the wanted level, by more than drift."""
    if seen.compute_s > wanted.compute_s * SAME_LEVEL:
        return True
    if seen.barrier_s is None or wanted.barrier_s is None:
        return False
    return seen.barrier_s > wanted.barrier_s * SAME_LEVEL


def at_conditions(time_s: float, seen: Conditions, wanted: Conditions) -> float:
    """A time as it would have been at the wanted conditions: in proportion to the compute sentinel, within a state."""
    return time_s * (wanted.compute_s / seen.compute_s)  # so that equal ones leave it as it is


def distance(seen: Conditions, wanted: Conditions) -> float:
    """How far these conditions are from the wanted ones: the ratio of the sentinel that moved most."""
    ratios = [seen.compute_s / wanted.compute_s]
    if seen.barrier_s is not None and wanted.barrier_s is not None:
        ratios.append(seen.barrier_s / wanted.barrier_s)
    return max(max(ratio, 1 / ratio) for ratio in ratios)


def _fast(values: Sequence[float]) -> float:
    ordered = sorted(values)
    fastest = ordered[math.floor(_FASTEST_SHARE * len(ordered))]
    return median(v for v in ordered if _near(v, fastest))


def _near(value: float, wanted: float) -> bool:
    return wanted / SAME_LEVEL <= value <= wanted * SAME_LEVEL


def _kept(before: float, now: float) -> float:
    return now if now * SAME_LEVEL < before else before


def _kept_or_none(before: float | None, now: float | None) -> float | None:
    return _kept(before, now) if before is not None and now is not None else before
