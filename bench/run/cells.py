"""Cells of the worker × round design: a worker's visit to a case in a round, as one time in one machine state.

Samples of one cell are not independent, so every estimate is made from cells. Which cells the headline uses
follows from the sentinels, from page faults and from what the scheduler of the system did, never from the op's
own time; all samples are kept.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.records import machine_state
from bench.records.memory_policy import FRESH, SYSTEM
from bench.records.record import LAUNCH_BOUND_IDLE_SHARE
from bench.stats import interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from bench.pool.protocol import Visited
    from bench.records.machine_state import Conditions

FEWEST_CELLS = 6
"""Fewer cells at reference conditions are the ends of a state, and their centre a matter of luck."""
TWO_STATES_GAP, TWO_STATES_SHARE = 0.05, 0.2
"""Two centres 5 % apart, each with a fifth of the cells, are two numbers and not a noisy one."""
FRESH_FAULTS_PER_CALL = 1.0
"""From one page fault a call on, each call writes to a page that the system gave it. Of 44,000 stored cells of the
CPU 1.3 % had one or more, 0.02 % fewer than ten."""
_SWITCHED_SHARE, _CPU_SHORTAGE = 0.5, 0.05
"""A cell's time is the median of its samples: it is that of samples which were pushed aside where half of them were.
In nine stored runs of a calm machine 0.05 to 1.1 % of the cells were switched out in half of their samples and had 5 %
less CPU time than the others of their case, in one beside other programs 7 %; the middle ones of each run took 1.1 to
6 times as long as those others. CPU time alone tells nothing: 7 to 25 % of the cells have less of it without having
been switched out, since threads that wait for work spin for a while, and these take no longer; nor does a single
switch, with which 2 to 8 % had less."""
_LEAST_DRIFT_SHARE, _TREND_QUANTILE = 0.02, 3.29
"""A shared machine moves by two per cent between runs anyway; chance exceeds the normal quantile 3.29, up or
down, once in a thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A worker's visit to a case in a round: the median of its samples, and what the sentinels took then."""

    worker: int
    round: int
    started_ns: int
    time_s: float
    conditions: Conditions | None
    device_s: float | None = None
    """The median of the device's own time, of the samples without a gap."""
    host_s: float | None = None
    gapless: tuple[bool, ...] = ()
    faults: float = 0.0
    """Page faults per call: the median of the samples."""
    switched_share: float = 0.0
    """Share of the samples in which the system made a thread of the process give up its core."""
    cpu_share: float = 1.0
    """CPU time of all threads, over the time of the samples."""

    @property
    def fresh(self) -> bool:
        """Whether each call wrote to fresh pages."""
        return self.faults >= FRESH_FAULTS_PER_CALL


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One of the times that a case has, and the share of the cells in which it had it."""

    time_s: float
    share: float
    faults: float | None = None
    """Page faults per call in these cells, where it is told by them."""


def process_use(seen: Visited) -> dict[str, float]:
    """What the process used during the samples of a visit, as the fields of a cell."""
    return {
        "faults": median(faults / seen.loops for faults in seen.minor_faults),
        "switched_share": sum(n > 0 for n in seen.involuntary_switches) / len(seen.elapsed_ns),
        "cpu_share": sum(seen.cpu_ns) / max(sum(seen.elapsed_ns), 1),
    }


def matrix(cells: Sequence[Cell]) -> NDArray[np.float64]:
    """The times as workers × rounds; NaN where a cell is missing."""
    return interval.cells(
        [c.time_s for c in cells], [c.worker for c in cells], [c.round for c in cells]
    )


def at_conditions(cells: Sequence[Cell], wanted: Conditions | None) -> list[Cell]:
    """The cells in which the machine was at these conditions."""
    if wanted is None:
        return []
    return [c for c in cells if c.conditions and machine_state.is_at(c.conditions, wanted)]


def preempted(cells: Sequence[Cell]) -> list[Cell]:
    """The cells of a case that were pushed aside: switched out in half of their samples, and short of CPU time.

    Short of what the others have, since how much that is depends on the op: threads that spin have as much as there
    are of them, a call that sleeps has little.
    """
    switched = [c for c in cells if c.switched_share >= _SWITCHED_SHARE]
    others = [c for c in cells if c.switched_share < _SWITCHED_SHARE]
    if not switched:
        return []
    usual = median(c.cpu_share for c in (others if len(others) > 1 else cells))
    return [c for c in switched if c.cpu_share < (1 - _CPU_SHORTAGE) * usual]


def undisturbed(cells: Sequence[Cell]) -> list[Cell]:
    """The cells that were not preempted; all where these are too few."""
    aside = preempted(cells)
    return _where_enough([c for c in cells if c not in aside], cells)


def counted(cells: Sequence[Cell], memory: str = SYSTEM) -> list[Cell]:
    """The cells that estimates are made from: undisturbed, and of the kind of memory that the policy asks for.

    Where either leaves too few, it leaves none out.
    """
    left = undisturbed(cells)
    if memory == SYSTEM:
        return left
    return _where_enough([c for c in left if c.fresh == (memory == FRESH)], left)


def _where_enough(chosen: list[Cell], others: Sequence[Cell]) -> list[Cell]:
    return chosen if enough(chosen) else list(others)


def scaled_to_reference(
    cells: Sequence[Cell], wanted: Conditions | None, memory: str = SYSTEM
) -> list[Cell]:
    """The counted cells at these conditions, each with its time scaled to them; none where these are too few.

    Where times are in proportion to the conditions in every state, all that count do.
    """
    cells = counted(cells, memory)
    anywhere = wanted is not None and wanted.anywhere
    usable = [c for c in cells if c.conditions] if anywhere else at_conditions(cells, wanted)
    if wanted is None or not enough(usable):
        return []
    return [
        dataclasses.replace(c, time_s=machine_state.at_conditions(c.time_s, c.conditions, wanted))
        for c in usable
        if c.conditions
    ]


def headline_cells(
    cells: Sequence[Cell], wanted: Conditions | None, memory: str = SYSTEM
) -> list[Cell]:
    """The cells that the headline is made from: of the counted ones those at reference, or all where these are too few."""
    left = counted(cells, memory)
    return _where_enough(at_conditions(left, wanted), left)


def under_host(cells: Sequence[Cell]) -> list[Cell]:
    """The cells under the conditions of the host that launches, where a case waits for that.

    A device's clock moves none of its times.
    """
    return [
        dataclasses.replace(
            c, conditions=c.conditions.of_host(anywhere=False) if c.conditions else None
        )
        for c in cells
    ]


def waits_for_host(cells: Sequence[Cell]) -> bool:
    """Whether the device was idle for a fifth of the time or more; False where its own time is not known."""
    shares = [c.device_s / c.time_s for c in cells if c.device_s is not None and c.time_s > 0]
    return bool(shares) and median(shares) < 1 - LAUNCH_BOUND_IDLE_SHARE


def enough(cells: Sequence[Cell]) -> bool:
    """Whether these are cells enough, from more than one worker, for a time of their own."""
    return len(cells) >= FEWEST_CELLS and len({c.worker for c in cells}) > 1


def two_states(cells: Sequence[Cell], wanted: Conditions | None) -> tuple[State, State] | None:
    """Both times of a case that has two, the lower first; None where one number will do.

    Either it had fresh pages in some cells and memory that it had used before in others; or the op took clearly
    longer or shorter in the cells that were not at reference; or its own times fall into two groups: each with a
    fifth of the cells, their centres 5 % apart, and between them a gap of at least half that distance, which a
    single peak does not leave.
    """
    if by_faults := states_by_faults(cells):
        return by_faults
    times = [c.time_s for c in cells]
    at_reference = at_conditions(cells, wanted)
    inside = [c.time_s for c in at_reference]
    outside = [c.time_s for c in cells if c not in at_reference]
    if _are_two(inside, outside):
        return _states(inside, outside)
    return _by_their_gap(sorted(times), fewest_of(len(times)))


def states_by_faults(cells: Sequence[Cell]) -> tuple[State, State] | None:
    """Both times of a case that differ by whether its calls had fresh pages; None where one number will do.

    Told apart by page faults alone: a time in between belongs where its faults say.
    """
    fresh, reused = [c for c in cells if c.fresh], [c for c in cells if not c.fresh]
    one, other = ([c.time_s for c in kind] for kind in (fresh, reused))
    if not _are_two(one, other):
        return None
    return _states(one, other, [median(c.faults for c in kind) for kind in (fresh, reused)])


def fewest_of(cells: int) -> int:
    """Fewer of so many cells are odd ones, and no state."""
    return max(2, math.ceil(TWO_STATES_SHARE * cells))


def drifts(cells: Sequence[Cell]) -> bool:
    """Whether the times rose or fell steadily: a rank test for a trend, and 2 % from end to end.

    Mann, "Nonparametric tests against trend" (1945), with the variance n(n-1)(2n+5)/18. By hand, since importing
    `scipy.stats`, which has it, takes 0.75 to 1.0 s.
    """
    times = [c.time_s for c in sorted(cells, key=lambda c: c.started_ns)]
    third, n = len(times) // 3, len(times)
    if n < FEWEST_CELLS:
        return False
    score = sum(
        (late > early) - (late < early) for i, early in enumerate(times) for late in times[i + 1 :]
    )
    sure = abs(score) > _TREND_QUANTILE * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    begin, end = median(times[:third]), median(times[-third:])
    return sure and abs(end - begin) > _LEAST_DRIFT_SHARE * begin


def _by_their_gap(times: Sequence[float], fewest: int) -> tuple[State, State] | None:
    places = range(fewest, len(times) - fewest + 1)
    if not places:
        return None
    widest = max(places, key=lambda place: times[place] - times[place - 1])
    lower, upper = times[:widest], times[widest:]
    gap, distance = upper[0] - lower[-1], median(upper) - median(lower)
    return _states(lower, upper) if _apart(lower, upper) and gap >= distance / 2 else None


def _are_two(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether each of two groups has cells enough for a state, and their centres are apart."""
    return min(len(one), len(other)) >= fewest_of(len(one) + len(other)) and _apart(one, other)


def _apart(one: Sequence[float], other: Sequence[float]) -> bool:
    first, second = median(one), median(other)
    return abs(second - first) > TWO_STATES_GAP * first > 0


def _states(
    one: Sequence[float], other: Sequence[float], faults: Sequence[float | None] = (None, None)
) -> tuple[State, State]:
    whole = len(one) + len(other)
    found = [
        State(time_s=median(times), share=len(times) / whole, faults=per_call)
        for times, per_call in zip((one, other), faults, strict=True)
    ]
    lower, upper = sorted(found, key=lambda state: state.time_s)
    return lower, upper
