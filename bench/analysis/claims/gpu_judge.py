"""GPU speedup claims: from which size on a GPU beats the CPU, with or without copying the data to it and back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from bench.analysis import memory_mix
from bench.analysis.claims.claim import CaseSelector, ClaimVerdict
from bench.analysis.claims.judges import common_sizes
from bench.records.record import LAUNCH
from bench.stats.crossing import Point, crossover
from bench.stats.ratio import Timed
from bench.units import count, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.analysis.claims.claim import ClaimSeries
    from bench.stats.crossing import Crossover

    Copy = tuple[int, float, ClaimSeries]
    """How many copies, of how many elements each, timed by which series."""


COPIES = tuple(
    CaseSelector(
        op=f"transfer/{way}", where={"memory": "pageable", "into": "existing"}, device="cuda"
    )
    for way in ("to_device", "to_host")
)
"""The copies to the GPU and back that are counted: from ordinary memory into existing memory."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Judges whether the second series is faster than the first, from some size on, copies included.

    `matrices_copied` counts the n×n matrices that go to the GPU and back, one number for each further series.
    """

    matrices_copied: tuple[int, ...]

    def __call__(self, series: Sequence[ClaimSeries]) -> ClaimVerdict | None:
        """Each further series times a copy by its number of elements; it is added to the second one's time."""
        cpu, gpu, *copies = series
        pairs = [
            (here, there)
            for place in common_sizes([cpu, gpu])
            if (here := _point(cpu, place))
            and (bare := _point(gpu, place))
            and (there := with_copies(bare, self.copies_at(place, copies)))
        ]
        if len(pairs) < 2:  # noqa: PLR2004 - a size from which on needs two
            return None
        found = crossover([here for here, _ in pairs], [there for _, there in pairs])
        told = _verdict(found, pairs, cpu.axis)
        mix = memory_mix.said(row for one in (cpu, gpu) for _, row in one.points)
        beside = f"{_waiting(gpu, pairs)}{mix and f'; {mix}'}"
        return dataclasses.replace(told, numbers=told.numbers + beside)

    def copies_at(self, size: float, copies: Sequence[ClaimSeries]) -> list[Copy]:
        """The copies at this size: how many, of how many elements each, timed by which series."""
        numbers = zip(self.matrices_copied, copies, strict=True)
        return [(number, size * size, timed) for number, timed in numbers]


def overtakes(*, matrices_copied: Iterable[int] = ()) -> Overtaken:
    """The second series is faster than the first, from some size on."""
    return Overtaken(tuple(matrices_copied))


def copy_time(copy: ClaimSeries, elements: float) -> Timed | None:
    """The time of one copy of so many elements, linear between the measured sizes.

    A copy costs a fixed start and then so much per byte. None beyond the largest and smallest measured size.
    """
    for (size, one), (larger, other) in pairwise(copy.points):
        if size <= elements <= larger:
            share = (elements - size) / (larger - size)
            return _sum([(1 - share, Timed.headline(one)), (share, Timed.headline(other))])
    return None


def with_copies(bare: Point, copies: Iterable[Copy]) -> Point | None:
    """A time with these copies added; None where a copy is larger or smaller than all that were timed."""
    parts = [(number, copy_time(timed, elements)) for number, elements, timed in copies]
    known = [(number, one) for number, one in parts if one]
    if len(known) < len(parts):
        return None
    return Point(bare.size, _sum([(1, bare.timed), *known]))


def _sum(parts: Sequence[tuple[float, Timed]]) -> Timed:
    """So many times each of these. Ends are added as they are: the copies' errors are one error."""
    counting = [(number, one) for number, one in parts if number]
    return Timed.between(
        sum(number * one.time_s for number, one in counting),
        sum(number * one.low_s for number, one in counting),
        sum(number * one.high_s for number, one in counting),
        confidence=min(one.confidence for _, one in counting),
        least_freedom=min(one.least_freedom for _, one in counting),
    )


def _point(series: ClaimSeries, place: float) -> Point | None:
    record = series.at(place)
    return Point(place, Timed.headline(record)) if record else None


def _waiting(gpu: ClaimSeries, pairs: Sequence[tuple[Point, Point]]) -> str:
    """At which of the sizes the GPU waits for the host, so that its time there is that of launching."""
    bound = [p.size for p, _ in pairs if (r := gpu.at(p.size)) and r.bound_by == LAUNCH]
    if not bound:
        return ""
    if len(bound) == len(pairs):
        return "; at every size the GPU waits for the host to launch"
    sizes = ", ".join(map(count, bound))
    return f"; at {gpu.axis}={sizes} the GPU waits for the host to launch"


def _verdict(
    found: Crossover, pairs: Sequence[tuple[Point, Point]], axis: str | None
) -> ClaimVerdict:
    first, last = (
        f"{axis}={count(here.size)}: {seconds(here.timed.time_s)} against {seconds(there.timed.time_s)}"
        for here, there in (pairs[0], pairs[-1])
    )
    numbers = f"CPU against GPU, {first}; {last}"
    if found.kind == "always":
        return ClaimVerdict(kind="holds", numbers=numbers)
    if found.kind == "never":
        return ClaimVerdict(kind="does-not-hold", numbers=numbers)
    if found.kind == "cant-tell" or found.size is None:
        return ClaimVerdict(kind="cant-tell", numbers=numbers)
    ends = [end for end in (found.low, found.high) if end is not None]
    between = f" (between {count(ends[0])} and {count(ends[1])})" if len(ends) > 1 else ""
    where = f"even at {axis}={count(found.size)}{between}"
    return ClaimVerdict(
        kind="holds-from", numbers=f"{where}; {numbers}", axis=axis, size=found.size
    )
