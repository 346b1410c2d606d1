"""Judges: small functions from lines to a verdict, none stronger than the rows' intervals allow.

Times are compared as ratios, with the interval that `change.py` gives them.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.analysis.claims.claim import ClaimSeries, ClaimVerdict
from bench.stats.ratio import Change
from bench.units import count, seconds_with_interval, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.claims.claim import ClaimKind, Judge
    from bench.records.record import Record

SAME_BAND = 0.05
"""Below this a difference is none: intervals wider than that are called noisy."""
CONSTANT_BAND = 0.25
"""What a cost may grow by and still be constant: more than alignment and caches do to half a
microsecond, and far less than reading the data once, at a multiple of the size, would add."""
LEAST_GROWTH = 8.0
"""By how much the size must grow before a constant cost means anything."""
TOLD_BYTES = 2 * 2**20
"""Peaks below 1 MiB are not told on the CPU; a peak of twice that stands out against none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one size says of a claim."""

    size: float
    said: Literal["yes", "no", "open"]
    numbers: str


def cheaper(*, at_least: float = 1.0, near: float | None = None) -> Judge:
    """The first line takes less time than the second: by this factor, and at every size.

    `near` looks at one size alone, the one nearest to it. A few per cent less are not less.
    """
    floor = max(at_least, 1 + SAME_BAND)

    def judge(lines: Sequence[ClaimSeries]) -> ClaimVerdict | None:
        cheap, dear = lines
        steps = []
        for place in _nearest(common_sizes(lines), near):
            one, other = _row(cheap, place), _row(dear, place)
            times = Change.of(one, other).ratio()
            said = _said(yes=times.low > at_least, no=times.high < floor)
            numbers = f"{time_of(one)} against {time_of(other)}, which is {times} times as long"
            steps.append(Step(size=place, said=said, numbers=numbers))
        return verdict(steps, _axis(lines))

    return judge


def same(*, band: float = SAME_BAND) -> Judge:
    """All lines take the same time at every size: each pair's ratio lies within the band for certain."""

    def judge(lines: Sequence[ClaimSeries]) -> ClaimVerdict | None:
        steps = []
        for place in common_sizes(lines):
            pairs = list(itertools.combinations([(one, _row(one, place)) for one in lines], 2))
            ratios = [Change.of(a, b).ratio() for (_, a), (_, b) in pairs]
            within = all(r.low > 1 / (1 + band) and r.high < 1 + band for r in ratios)
            beyond = any(r.low > 1 + band or r.high < 1 / (1 + band) for r in ratios)
            widest = max(range(len(ratios)), key=lambda k: abs(math.log(ratios[k].value)))
            (one, _), (other, _) = pairs[widest]
            names = _called(one), _called(other)
            numbers = f"{names[1]} takes {ratios[widest]} times as long as {names[0]}"
            steps.append(Step(size=place, said=_said(yes=within, no=beyond), numbers=numbers))
        return verdict(steps, _axis(lines))

    return judge


def constant(*, up_to: float = math.inf, least_growth: float = LEAST_GROWTH) -> Judge:
    """The line takes as long at every size, up to one, as at its smallest."""
    band = CONSTANT_BAND

    def judge(lines: Sequence[ClaimSeries]) -> ClaimVerdict | None:
        (only,) = lines
        points = [point for point in only.points if point[0] <= up_to]
        if len(points) < 2 or points[-1][0] < least_growth * points[0][0]:  # noqa: PLR2004 - two ends
            return None
        (least, first), *rest = points
        ratios = [(place, record, Change.of(first, record).ratio()) for place, record in rest]
        held = all(times.high < 1 + band for *_, times in ratios)
        broken = [one for one in ratios if one[2].low > 1 + band]
        place, record, times = (broken or ratios)[-1]
        ends = (
            f"{_at(only.axis, least)}: {time_of(first)}; {_at(only.axis, place)}: {time_of(record)}"
        )
        kind: ClaimKind = "holds" if held else "does-not-hold" if broken else "cant-tell"
        return ClaimVerdict(kind=kind, numbers=f"{ends}, {times} times as long")

    return judge


def smaller() -> Judge:
    """The first line needs less memory at its peak than the second, beyond their inputs."""

    def judge(lines: Sequence[ClaimSeries]) -> ClaimVerdict | None:
        places = common_sizes(lines)
        if not places:
            return None
        pairs = [(place, [_row(one, place).peak_memory_bytes for one in lines]) for place in places]
        steps = [
            Step(size=place, said=_said(yes=less < 1, no=less >= 1 - SAME_BAND), numbers=numbers)
            for place, (one, other) in pairs
            if other is not None and (one is not None or other >= TOLD_BYTES)
            for less in [(one or 0) / other]
            for numbers in [f"{_told(one)} against {size(other)}, beyond the inputs"]
        ]
        unknown = ClaimVerdict(
            kind="cant-tell", numbers="the peaks of memory are too low to be told"
        )
        return verdict(steps, _axis(lines)) or unknown

    return judge


def verdict(steps: Sequence[Step], axis: str | None) -> ClaimVerdict | None:
    """What the sizes say together, smallest first.

    A claim holds from a size on if it does there and at every larger one; it does not hold here if
    it certainly fails at the largest, whatever smaller ones say. None without any size.
    """
    if not steps:
        return None
    last = steps[-1]
    numbers = f"{_at(axis, last.size)}: {last.numbers}" if axis else last.numbers
    if last.said != "yes":
        held = [step for step in steps if step.said == "yes"]
        only = f"; it does hold at {_at(axis, held[-1].size)}" if held else ""
        kind: ClaimKind = "does-not-hold" if last.said == "no" else "cant-tell"
        return ClaimVerdict(kind=kind, numbers=numbers + only)
    before = [place for place, step in enumerate(steps) if step.said != "yes"]
    if not before:
        all_ = f"at each of {len(steps)} sizes; " if len(steps) > 1 else ""
        return ClaimVerdict(kind="holds", numbers=all_ + numbers)
    under, start = steps[before[-1]], steps[before[-1] + 1]
    ends = (f"{_at(axis, step.size)}: {step.numbers}" for step in (under, start))
    return ClaimVerdict(kind="holds-from", numbers="; ".join(ends), axis=axis, size=start.size)


def common_sizes(lines: Sequence[ClaimSeries]) -> list[float]:
    """The sizes that every line has; an op without a size stands beside any."""
    sized = [{place for place, _ in one.points} for one in lines if one.axis is not None]
    return sorted(set.intersection(*sized)) if sized else [0.0]


def time_of(record: Record) -> str:
    """`12.3 µs ± 0.4 %`."""
    return seconds_with_interval(record.time_s, record.time_lo_s, record.time_hi_s)


def _said(*, yes: bool, no: bool) -> Literal["yes", "no", "open"]:
    return "no" if no else "yes" if yes else "open"


def _row(one: ClaimSeries, place: float) -> Record:
    record = one.at(place)
    assert record is not None  # noqa: S101 - the size is common to all lines
    return record


def _nearest(places: Sequence[float], near: float | None) -> Sequence[float]:
    if near is None or not places:
        return places
    return [min(places, key=lambda place: abs(math.log(place / near)) if place else 0.0)]


def _axis(lines: Sequence[ClaimSeries]) -> str | None:
    return next((one.axis for one in lines if one.axis is not None), None)


def _at(axis: str | None, place: float) -> str:
    return f"{axis}={count(place)}"


def _called(one: ClaimSeries) -> str:
    """The shortest name that tells lines of one claim apart."""
    return ", ".join(one.cases.where.values()) or one.cases.op


def _told(peak: int | None) -> str:
    return "less than can be told" if peak is None else size(peak)
