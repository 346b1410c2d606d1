"""The turns of a case: what a worker saw of it in a round, and in what state the machine was then.

Samples of one turn are not independent, so everything is told from turns. They are chosen by the
sentinels alone, never by the op's own time; nothing is discarded, only told apart.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.records import machine_state
from bench.records.record import LAUNCH_BOUND_IDLE_SHARE
from bench.stats import interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from bench.records.machine_state import Conditions

FEWEST_TURNS = 6
"""Fewer turns at reference conditions are the ends of a state, and their centre a matter of luck."""
TWO_STATES_GAP, TWO_STATES_SHARE = 0.05, 0.2
"""Two centres 5 % apart, each with a fifth of the turns, are two numbers and not a noisy one."""
_DRIFT, _SURE_OF_TREND = 0.02, 3.29
"""Two per cent is what a shared machine does between runs anyway; 3.29 is the normal quantile that
chance exceeds, up or down, once in a thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A worker's visit in a round: the median of its samples, and what the sentinels took then."""

    worker: int
    round: int
    started_ns: int
    time_s: float
    conditions: Conditions | None
    device_s: float | None = None
    """The median of the device's own time, of the samples without a gap."""
    host_s: float | None = None
    gapless: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One of the times that a case has, and the share of the turns in which it had it."""

    time_s: float
    share: float


def cells(turns: Sequence[Turn]) -> NDArray[np.float64]:
    """The times as workers × rounds."""
    return interval.cells(
        [t.time_s for t in turns], [t.worker for t in turns], [t.round for t in turns]
    )


def at(turns: Sequence[Turn], wanted: Conditions | None) -> list[Turn]:
    """The turns in which the machine was at these conditions."""
    if wanted is None:
        return []
    return [t for t in turns if t.conditions and machine_state.is_at(t.conditions, wanted)]


def brought(turns: Sequence[Turn], wanted: Conditions | None) -> list[Turn]:
    """The turns at these conditions, each with its time brought to them; none where these are too few.

    Where times are in proportion to the conditions in every state, all turns count.
    """
    anywhere = wanted is not None and wanted.anywhere
    there = [t for t in turns if t.conditions] if anywhere else at(turns, wanted)
    if wanted is None or not enough(there):
        return []
    return [
        dataclasses.replace(t, time_s=machine_state.brought_to(t.time_s, t.conditions, wanted))
        for t in there
        if t.conditions
    ]


def chosen(turns: Sequence[Turn], wanted: Conditions | None) -> list[Turn]:
    """The turns that the headline is made from: those at reference, or all where these are too few."""
    there = at(turns, wanted)
    return there if enough(there) else list(turns)


def under_host(turns: Sequence[Turn]) -> list[Turn]:
    """The turns under the conditions of the host that launches, where a case waits for that.

    A device's clock moves none of its times.
    """
    return [
        dataclasses.replace(
            t, conditions=t.conditions.of_host(anywhere=False) if t.conditions else None
        )
        for t in turns
    ]


def waits_for_host(turns: Sequence[Turn]) -> bool:
    """Whether the device was idle for a fifth of the time or more; False where its own time is not known."""
    shares = [t.device_s / t.time_s for t in turns if t.device_s is not None and t.time_s > 0]
    return bool(shares) and median(shares) < 1 - LAUNCH_BOUND_IDLE_SHARE


def enough(turns: Sequence[Turn]) -> bool:
    """Whether there are turns enough, from more than one worker, for a number of their own."""
    return len(turns) >= FEWEST_TURNS and len({t.worker for t in turns}) > 1


def two_states(turns: Sequence[Turn], wanted: Conditions | None) -> tuple[State, State] | None:
    """Both times of a case that has two, the lower first; None where one number will do.

    Either the op took clearly longer or shorter in the turns that were not at reference, or its own
    times fall into two groups: each with a fifth of the turns, their centres 5 % apart, and between
    them a gap of at least half that distance, which a single peak does not leave.
    """
    times = [t.time_s for t in turns]
    there = at(turns, wanted)
    inside = [t.time_s for t in there]
    outside = [t.time_s for t in turns if t not in there]
    fewest = max(2, math.ceil(TWO_STATES_SHARE * len(times)))
    if min(len(inside), len(outside)) >= fewest and _apart(inside, outside):
        return _states(inside, outside)
    return _by_their_gap(sorted(times), fewest)


def drifts(turns: Sequence[Turn]) -> bool:
    """Whether the times rose or fell steadily: a rank test for a trend, and 2 % from end to end.

    Mann, "Nonparametric tests against trend" (1945); the variance is that of n(n-1)(2n+5)/18.
    """
    times = [t.time_s for t in sorted(turns, key=lambda t: t.started_ns)]
    third, n = len(times) // 3, len(times)
    if n < FEWEST_TURNS:
        return False
    score = sum(
        (late > early) - (late < early) for i, early in enumerate(times) for late in times[i + 1 :]
    )
    sure = abs(score) > _SURE_OF_TREND * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    begin, end = median(times[:third]), median(times[-third:])
    return sure and abs(end - begin) > _DRIFT * begin


def _by_their_gap(times: Sequence[float], fewest: int) -> tuple[State, State] | None:
    places = range(fewest, len(times) - fewest + 1)
    if not places:
        return None
    widest = max(places, key=lambda place: times[place] - times[place - 1])
    lower, upper = times[:widest], times[widest:]
    gap, distance = upper[0] - lower[-1], median(upper) - median(lower)
    return _states(lower, upper) if _apart(lower, upper) and gap >= distance / 2 else None


def _apart(one: Sequence[float], other: Sequence[float]) -> bool:
    here, there = median(one), median(other)
    return abs(there - here) > TWO_STATES_GAP * here > 0


def _states(one: Sequence[float], other: Sequence[float]) -> tuple[State, State]:
    whole = len(one) + len(other)
    found = [State(time_s=median(times), share=len(times) / whole) for times in (one, other)]
    lower, upper = sorted(found, key=lambda state: state.time_s)
    return lower, upper
