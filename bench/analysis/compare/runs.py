"""Two or more runs side by side: the first is the base, and each other one is compared with it.

Rows are taken run by run and let go again; kept is what a table shows, and whole rows only of machines
with enough runs for a trend.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bench.analysis import grid
from bench.analysis.compare.comparison import compare
from bench.analysis.trend.trend import trend
from bench.analysis.usable import failure
from bench.stats.ratio import CONFIDENCE, THRESHOLD, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bench.analysis.compare.comparison import Comparison, Key
    from bench.analysis.compare.left_out import Loss
    from bench.analysis.compare.verdict import CaseVerdict
    from bench.analysis.trend.trend import Trend
    from bench.records.record import Record
    from bench.store.runs import RunInfo

FEWEST_RUNS = 3
"""Fewest runs of one machine for a trend: two are a comparison."""

Interval = tuple[float | None, float | None, float | None]
"""A time and the ends of its interval, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a run says of a case: its time, that at reference, or why it has none."""

    status: str
    reason: str
    time: Interval
    at_reference: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Lined:
    """A case on a device over all runs; where a run lacks it, or it can't be compared, stands None."""

    case: str
    device: str
    suite: str
    op: str
    dtype: str
    title: str
    seen: tuple[Seen | None, ...]
    """One per run."""
    said: tuple[CaseVerdict | None, ...]
    """One per run but the base."""
    losses: tuple[Loss | None, ...]
    """One per run but the base: how that run lost the case, where it did."""

    @property
    def foremost(self) -> CaseVerdict | None:
        """What concerns most of all that is said: what is slower, then what changed most."""
        found = [one for one in self.said if one]
        return min(found, key=concern, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The cases of a machine over its runs."""

    machine: str
    runs: int
    cases: int
    """How many were followed."""
    trends: tuple[Trend, ...]
    """Those that stepped, or whose newest run lies apart; what changed most first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineup:
    """Runs side by side, the base first."""

    runs: tuple[RunInfo, ...]
    comparisons: tuple[Comparison, ...]
    """One per run but the base."""
    cases: tuple[Lined, ...]
    """In reading order."""
    followed: Followed | None
    """The trends of the machine that has most runs, where these are enough."""


def concern(one: CaseVerdict) -> tuple[int, float]:
    """Where a verdict stands among others: slower, faster, unsure, same; the larger change first."""
    return VERDICTS.index(one.verdict), -abs(math.log(one.ratio))


@dataclass(slots=True)
class _Gathered:
    """What the runs read so far said of a case."""

    first: Record
    seen: dict[int, Seen] = field(default_factory=dict)
    rows: list[Record] = field(default_factory=list)


def lineup(
    runs: Sequence[RunInfo],
    rows: Iterable[Sequence[Record]],
    *,
    threshold: float = THRESHOLD,
    confidence: float = CONFIDENCE,
    limit: Callable[[str], float] | None = None,
) -> Lineup:
    """Compare runs with the first of them.

    Args:
        runs: at least two.
        rows: those of each run, in the same order; a run's rows are asked for when the last ones are done.
        threshold: a smaller change does not count, as a share.
        confidence: of each ratio's interval, in (0.5, 1).
        limit: the threshold of a case by its id; None if all have the one above.
    """
    against = partial(compare, threshold=threshold, confidence=confidence, limit=limit)
    machine = _most_measured(runs)
    base: Sequence[Record] = ()
    cases: dict[Key, _Gathered] = {}
    comparisons: list[Comparison] = []
    for place, (info, found) in enumerate(zip(runs, rows, strict=True)):
        keep = machine is not None and info.machine.get("machine_id") == machine
        _gather(cases, place, found, keep=keep)
        if place:
            comparisons.append(against(base, found, runs[0], info))
        else:
            base = found
    said = [{(one.case, one.device): one for one in c.cases} for c in comparisons]
    losses = [{(one.case, one.device): one.loss for one in c.missing} for c in comparisons]
    return Lineup(
        runs=tuple(runs),
        comparisons=tuple(comparisons),
        cases=tuple(_lined(one, len(runs), said, losses) for one in _in_reading_order(cases)),
        followed=_followed(cases, runs) if machine is not None else None,
    )


def _most_measured(runs: Sequence[RunInfo]) -> str | None:
    """The machine with most runs, if these are enough; a run named twice is one."""
    ids = {run.run_id: run.machine.get("machine_id") for run in runs}
    most = Counter(i for i in ids.values() if i is not None).most_common(1)
    return str(most[0][0]) if most and most[0][1] >= FEWEST_RUNS else None


def _gather(cases: dict[Key, _Gathered], place: int, rows: Sequence[Record], *, keep: bool) -> None:
    for row in rows:
        one = cases.setdefault((row.case, row.device), _Gathered(row))
        one.seen[place] = _seen(row)
        if keep:
            one.rows.append(row)


def _seen(row: Record) -> Seen:
    """A failed row has no times to show, and neither has one with a wrong result."""
    why = failure(row)
    headline = row.time_s, row.time_lo_s, row.time_hi_s
    referred = row.time_at_reference_s, row.time_at_reference_lo_s, row.time_at_reference_hi_s
    nothing = (None, None, None)
    return Seen(
        status=(why or row.status).replace("-", " "),
        reason=row.reason or "",
        time=nothing if why else headline,
        at_reference=nothing if why else referred,
    )


def _in_reading_order(cases: Mapping[Key, _Gathered]) -> list[_Gathered]:
    """Those that no run measured, and none tried to, are left out."""
    kept = [one for one in cases.values() if any(s.status != "skipped" for s in one.seen.values())]
    by_key = {(one.first.case, one.first.device): one for one in kept}
    ordered = grid.in_reading_order([one.first for one in kept])
    return [by_key[row.case, row.device] for row in ordered]


def _lined(
    one: _Gathered,
    count: int,
    said: Sequence[Mapping[Key, CaseVerdict]],
    losses: Sequence[Mapping[Key, Loss | None]],
) -> Lined:
    row = one.first
    return Lined(
        case=row.case,
        device=row.device,
        suite=row.suite,
        op=row.op,
        dtype=row.dtype,
        title=grid.title(row),
        seen=tuple(one.seen.get(place) for place in range(count)),
        said=tuple(of.get((row.case, row.device)) for of in said),
        losses=tuple(of.get((row.case, row.device)) for of in losses),
    )


def _followed(cases: Mapping[Key, _Gathered], runs: Sequence[RunInfo]) -> Followed:
    """The trends of the cases whose rows were kept, which are of one machine."""
    infos = {run.run_id: run for run in runs}
    found = [trend(rows, infos) for one in cases.values() if (rows := _by_date(one.rows))]
    moved = [one for one in found if one.steps or one.newest]
    return Followed(
        machine=next(row.machine for one in cases.values() for row in one.rows),
        runs=len({row.run_id for one in cases.values() for row in one.rows}),
        cases=len(found),
        trends=tuple(sorted(moved, key=_size, reverse=True)),
    )


def _by_date(rows: Sequence[Record]) -> list[Record]:
    """Each run's row once, oldest first; none where these are too few."""
    once = {row.run_id: row for row in rows}
    ordered = sorted(once.values(), key=lambda row: (row.started_at, row.run_id))
    return ordered if len(ordered) >= FEWEST_RUNS else []


def _size(found: Trend) -> tuple[bool, float]:
    """Steps before single runs; by the largest factor."""
    found_in = [*(step.ratio for step in found.steps), *filter(None, [found.newest])]
    return bool(found.steps), max(max(r.value, 1 / r.value) for r in found_in)
