"""Judges of claims: functions from measured series to a verdict, none stronger than the rows' intervals allow.

Times are compared as ratios, with the interval that `bench.stats.ratio` gives them.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.analysis.claims.claim import ClaimSeries, ClaimVerdict
from bench.analysis.fresh_memory import slowdown
from bench.stats.ratio import Change
from bench.units import count, seconds, seconds_with_interval, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.claims.claim import ClaimKind, Judge
    from bench.records.record import Record

SAME_BAND_SHARE = 0.05
"""Two times within this share of each other count as the same: an interval wider than that is noisy."""
CONSTANT_BAND_SHARE = 0.25
"""A cost that grows by less than this share is constant. Alignment and caches change half a microsecond
by less; reading the data once, at a multiple of the size, would add far more."""
LEAST_SIZE_GROWTH = 8.0
"""A cost is only called constant if the size grew at least by this factor."""
LEAST_VISIBLE_PEAK_BYTES = 2 * 2**20
"""The smallest memory peak that is certainly more than none: on the CPU, peaks below 1 MiB are not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeVerdict:
    """The answer of one size to a claim."""

    size: float
    said: Literal["yes", "no", "open"]
    numbers: str


def cheaper(*, at_least: float = 1.0, near: float | None = None) -> Judge:
    """The first series takes less time than the second: by this factor, and at every size.

    `near` judges one size alone, the measured one nearest to it. A few per cent less are not less.
    """
    floor = max(at_least, 1 + SAME_BAND_SHARE)

    def judge(series: Sequence[ClaimSeries]) -> ClaimVerdict | None:
        cheap, dear = series
        steps = []
        for place in _nearest(common_sizes(series), near):
            one, other = _row(cheap, place), _row(dear, place)
            times = Change.of(one, other).ratio()
            said = _said(yes=times.low > at_least, no=times.high < floor)
            numbers = f"{time_of(one)} against {time_of(other)}, which is {times} times as long"
            steps.append(SizeVerdict(size=place, said=said, numbers=numbers))
        return verdict(steps, _axis(series))

    return judge


def same(*, band: float = SAME_BAND_SHARE) -> Judge:
    """All series take the same time at every size: each pair's ratio lies within the band for certain."""

    def judge(series: Sequence[ClaimSeries]) -> ClaimVerdict | None:
        steps = []
        for place in common_sizes(series):
            pairs = list(itertools.combinations([(one, _row(one, place)) for one in series], 2))
            ratios = [Change.of(a, b).ratio() for (_, a), (_, b) in pairs]
            within = all(r.low > 1 / (1 + band) and r.high < 1 + band for r in ratios)
            beyond = any(r.low > 1 + band or r.high < 1 / (1 + band) for r in ratios)
            widest = max(range(len(ratios)), key=lambda k: abs(math.log(ratios[k].value)))
            (one, _), (other, _) = pairs[widest]
            names = _called(one), _called(other)
            numbers = f"{names[1]} takes {ratios[widest]} times as long as {names[0]}"
            said = _said(yes=within, no=beyond)
            steps.append(SizeVerdict(size=place, said=said, numbers=numbers))
        return verdict(steps, _axis(series))

    return judge


def constant(*, up_to: float = math.inf, least_growth: float = LEAST_SIZE_GROWTH) -> Judge:
    """The series takes as long at every size, up to one, as at its smallest."""

    def judge(series: Sequence[ClaimSeries]) -> ClaimVerdict | None:
        (only,) = series
        points = [point for point in only.points if point[0] <= up_to]
        if len(points) < 2 or points[-1][0] < least_growth * points[0][0]:  # noqa: PLR2004 - two ends
            return None
        (least, first), *rest = points
        ratios = [(place, record, Change.of(first, record).ratio()) for place, record in rest]
        held = all(times.high < 1 + CONSTANT_BAND_SHARE for *_, times in ratios)
        broken = [one for one in ratios if one[2].low > 1 + CONSTANT_BAND_SHARE]
        place, record, times = (broken or ratios)[-1]
        ends = (
            f"{_at(only.axis, least)}: {time_of(first)}; {_at(only.axis, place)}: {time_of(record)}"
        )
        kind: ClaimKind = "holds" if held else "does-not-hold" if broken else "cant-tell"
        return ClaimVerdict(kind=kind, numbers=f"{ends}, {times} times as long")

    return judge


def smaller() -> Judge:
    """The first series needs less memory at its peak than the second, beyond their inputs."""

    def judge(series: Sequence[ClaimSeries]) -> ClaimVerdict | None:
        places = common_sizes(series)
        if not places:
            return None
        steps = []
        for place in places:
            one, other = (_row(row, place).peak_memory_bytes for row in series)
            if other is not None and (one is not None or other >= LEAST_VISIBLE_PEAK_BYTES):
                less = (one or 0) / other
                said = _said(yes=less < 1, no=less >= 1 - SAME_BAND_SHARE)
                numbers = f"{_told(one)} against {size(other)}, beyond the inputs"
                steps.append(SizeVerdict(size=place, said=said, numbers=numbers))
        unknown = ClaimVerdict(
            kind="cant-tell", numbers="the peaks of memory are too low to be told"
        )
        return verdict(steps, _axis(series)) or unknown

    return judge


def dearer_in_fresh_memory(*, at_least: float) -> Judge:
    """The only series takes this many times as long where its results lie in fresh memory, by `fresh_time_s`."""

    def judge(series: Sequence[ClaimSeries]) -> ClaimVerdict | None:
        (only,) = series
        steps = []
        for place, record in only.points:
            if times := slowdown(record):
                said = _said(yes=times.low > at_least, no=times.high < at_least)
                fresh = f"{seconds(record.fresh_time_s)} in fresh memory"
                numbers = f"{fresh} against {time_of(record)}, which is {times} times as long"
                steps.append(SizeVerdict(size=place, said=said, numbers=numbers))
        return verdict(steps, only.axis)

    return judge


def verdict(steps: Sequence[SizeVerdict], axis: str | None) -> ClaimVerdict | None:
    """The verdict of all sizes together, smallest first.

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


def common_sizes(series: Sequence[ClaimSeries]) -> list[float]:
    """The sizes that every series has; an op without a size has its one row at each of them."""
    sized = [{place for place, _ in one.points} for one in series if one.axis is not None]
    return sorted(set.intersection(*sized)) if sized else [0.0]


def time_of(record: Record) -> str:
    """`12.3 µs ± 0.4 %`."""
    return seconds_with_interval(record.time_s, record.time_lo_s, record.time_hi_s)


def _said(*, yes: bool, no: bool) -> Literal["yes", "no", "open"]:
    return "no" if no else "yes" if yes else "open"


def _row(one: ClaimSeries, place: float) -> Record:
    record = one.at(place)
    assert record is not None  # noqa: S101 - every series has this size
    return record


def _nearest(places: Sequence[float], near: float | None) -> Sequence[float]:
    if near is None or not places:
        return places
    return [min(places, key=lambda place: abs(math.log(place / near)) if place else 0.0)]


def _axis(series: Sequence[ClaimSeries]) -> str | None:
    return next((one.axis for one in series if one.axis is not None), None)


def _at(axis: str | None, place: float) -> str:
    return f"{axis}={count(place)}"


def _called(one: ClaimSeries) -> str:
    """The shortest name that tells the series of one claim apart."""
    return ", ".join(one.cases.where.values()) or one.cases.op


def _told(peak: int | None) -> str:
    return "less than can be told" if peak is None else size(peak)
