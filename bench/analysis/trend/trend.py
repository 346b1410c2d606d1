"""Trend: the time of a case in each run of a machine, and the steps (change points) between them. Pure.

Times at the machine's reference are followed where most runs have them, at the reference that most of these
have; else the headline. The two are never mixed, and neither are thread counts, states of caches or memory policies.
Where the op's code changed the series is cut: it begins anew there.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist, median
from typing import TYPE_CHECKING, Literal

from bench.analysis.same_code import same_code
from bench.analysis.usable import FOR_OPS, unusable
from bench.stats.changepoint import FALSE_STEPS, FEWEST, steps
from bench.stats.ratio import Change, Ratio, Timed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bench.records.record import Record
    from bench.stats.changepoint import Level
    from bench.store.runs import RunInfo

LEAST_STEP = 0.02
"""A smaller step is not named: on a shared host the whole machine drifts by as much between runs."""
STEP_CONFIDENCE = 1 - FALSE_STEPS
_SHARE_AT_REFERENCE = 0.5
_MIN_TAIL = 5e-9
"""Smallest tail probability of which a normal quantile is taken: at a confidence of 1 it would be infinite."""
_LEVEL_FREEDOM = math.inf
"""Degrees of freedom of a level's interval: all levels have Student's t of one common scatter, which is in
their half-widths, so that these add as they are."""

At = Literal["headline", "reference"]
Reference = tuple[float | None, float | None]
"""The times of the compute and of the barrier sentinel that a time is converted to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """The case in one run; a point without a time does not count, and says why."""

    run_id: str
    started_at: datetime | None
    label: str | None
    torch_version: str | None
    git_commit: str | None
    git_dirty: bool | None
    time_s: float | None
    low_s: float | None
    high_s: float | None
    sentinel_compute_s: float | None
    why_not: str = ""
    op_changed: bool = False
    """Whether the op's code is another than in the runs before it: the series is cut here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change between two runs that follow each other: how many times as long it takes after it."""

    before: TrendPoint
    after: TrendPoint
    runs_before: int
    runs_after: int
    ratio: Ratio
    sentinel_ratio: float | None
    """How many times as long the compute sentinel took after it, in the middle: what the machine did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A case over runs, oldest first."""

    case: str
    device: str
    machine: str
    threads: int | None
    cache: str | None
    memory: str
    at: At
    points: tuple[TrendPoint, ...]
    steps: tuple[Step, ...]
    newest: Ratio | None
    """The newest run against those before it, where it lies apart: one run only, so no step yet."""
    floor_share: float
    """Smaller steps are not named."""
    visible_share: float | None
    """The smallest step that would be named in the middle of the series; None with too few runs."""
    left_out: int
    """Rows with another number of threads, another state of the caches or another memory policy."""

    @property
    def counting(self) -> tuple[TrendPoint, ...]:
        """The points that have a time."""
        return tuple(one for one in self.points if one.time_s)

    @property
    def since_cut(self) -> tuple[TrendPoint, ...]:
        """Those of the code of the newest run."""
        return _parts(self.points)[-1]


def trend(rows: Sequence[Record], runs: Mapping[str, RunInfo]) -> Trend:
    """The trend of a case, told as its newest row was measured.

    Args:
        rows: of one case on one device of one machine, oldest first; at least one.
        runs: run id → what the run says of itself; a run may be unknown.
    """
    newest = rows[-1]
    alike = [r for r in rows if _method(r) == _method(newest)]
    at = _usual_reference(alike)
    cuts = _cuts(alike)
    points = tuple(
        _point(r, runs.get(r.run_id), at, cut=cut) for r, cut in zip(alike, cuts, strict=True)
    )
    confidences = {r.run_id: r.confidence for r in alike}
    known = [r.noise_floor_share for r in alike if r.noise_floor_share is not None]
    floor = max(LEAST_STEP, median(known) if known else 0.0)
    parts = _parts(points)
    of_parts = [
        steps(
            [math.log(one.time_s or math.inf) for one in part],
            [_sigma(one, confidences[one.run_id]) for one in part],
            math.log1p(floor),
        )
        for part in parts
    ]
    found = of_parts[-1]
    return Trend(
        case=newest.case,
        device=newest.device,
        machine=newest.machine,
        threads=newest.threads,
        cache=newest.cache,
        memory=newest.memory_policy,
        at="reference" if at else "headline",
        points=points,
        steps=tuple(
            _step(a, b, part)
            for part, of in zip(parts, of_parts, strict=True)
            for a, b in pairwise(of.levels)
        ),
        newest=_ratio(*found.alone) if found.alone else None,
        floor_share=floor,
        visible_share=None if found.visible is None else math.expm1(found.visible),
        left_out=len(rows) - len(alike),
    )


def _method(row: Record) -> tuple[int | None, str | None, str]:
    """What rows must have in common."""
    return row.threads, row.cache, row.memory_policy


def _cuts(rows: Sequence[Record]) -> list[bool]:
    """Whether each row is of another code than the last one before it of which that is known."""
    found = []
    known: Record | None = None
    for row in rows:
        found.append(known is not None and same_code((known, None), (row, None)) is False)
        known = row if row.fingerprint else known
    return found


def _parts(points: Sequence[TrendPoint]) -> list[tuple[TrendPoint, ...]]:
    """The points that have a time, from cut to cut."""
    places = [0, *(place for place, one in enumerate(points) if one.op_changed), len(points)]
    return [tuple(one for one in points[a:b] if one.time_s) for a, b in pairwise(places)]


def _usual_reference(rows: Sequence[Record]) -> Reference | None:
    """The reference that most rows have a time at, of equals the newest; None if too few have one.

    Times at different references can't be compared.
    """
    usable = [r for r in rows if not unusable(r, barred=FOR_OPS)]
    counts = Counter(_reference(r) for r in reversed(usable) if _at_reference_s(r))
    most = counts.most_common(1)
    if not most or most[0][1] < max(2 * FEWEST, _SHARE_AT_REFERENCE * len(usable)):
        return None
    return most[0][0]


def _reference(record: Record) -> Reference:
    return record.reference_compute_s, record.reference_barrier_s


def _at_reference_s(record: Record) -> float | None:
    time_s = record.time_at_reference_s
    return time_s if time_s and time_s > 0 else None


def _point(record: Record, run: RunInfo | None, at: Reference | None, *, cut: bool) -> TrendPoint:
    environment = run.environment if run else {}
    time_s, low_s, high_s, why_not = _time(record, at)
    return TrendPoint(
        run_id=record.run_id,
        started_at=record.started_at,
        label=run.label if run else None,
        torch_version=record.torch_version,
        git_commit=environment.get("git_commit"),
        git_dirty=environment.get("git_dirty"),
        time_s=time_s,
        low_s=low_s,
        high_s=high_s,
        sentinel_compute_s=record.sentinel_compute_s,
        why_not=why_not,
        op_changed=cut,
    )


def _time(
    record: Record, at: Reference | None
) -> tuple[float | None, float | None, float | None, str]:
    """Time and interval of the kind that is followed, or why there is none."""
    if why := unusable(record, barred=FOR_OPS):
        return None, None, None, why
    if at is None:
        return record.time_s, record.time_lo_s, record.time_hi_s, ""
    if not _at_reference_s(record) or _reference(record) != at:
        return None, None, None, "not at this reference"
    ends = record.time_at_reference_lo_s, record.time_at_reference_hi_s
    return record.time_at_reference_s, *ends, ""


def _sigma(one: TrendPoint, confidence: float | None) -> float | None:
    """The standard deviation of the log of its time, out of its interval."""
    if not (one.time_s and one.low_s and one.high_s and confidence) or one.low_s <= 0:
        return None
    tail = max((1 - confidence) / 2, _MIN_TAIL)
    half = math.log(one.high_s / one.low_s) / 2
    return half / NormalDist().inv_cdf(1 - tail)


def _step(before: Level, after: Level, counting: Sequence[TrendPoint]) -> Step:
    return Step(
        before=counting[before.end - 1],
        after=counting[after.first],
        runs_before=before.end - before.first,
        runs_after=after.end - after.first,
        ratio=_ratio(after, before),
        sentinel_ratio=_sentinel_ratio(
            counting[after.first : after.end], counting[before.first : before.end]
        ),
    )


def _sentinel_ratio(after: Sequence[TrendPoint], before: Sequence[TrendPoint]) -> float | None:
    over, under = ([s for one in side if (s := one.sentinel_compute_s)] for side in (after, before))
    return median(over) / median(under) if over and under else None


def _ratio(after: Level, before: Level) -> Ratio:
    """How many times as long it takes after as before."""
    base, new = (
        Timed.between(*level.ends(), confidence=STEP_CONFIDENCE, least_freedom=_LEVEL_FREEDOM)
        for level in (before, after)
    )
    return Change(base=base, new=new).ratio()
