"""A GPU against the CPU: from which size on it wins, with its data there already or brought and fetched."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from bench.analysis.claims.claim import ClaimVerdict
from bench.analysis.claims.judges import common_sizes
from bench.records.record import LAUNCH
from bench.stats.crossing import Point, crossover
from bench.stats.ratio import Timed
from bench.units import count, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.analysis.claims.claim import ClaimSeries
    from bench.stats.crossing import Crossover


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """How many copies one call needs, and how many elements each has at a size."""

    number: int
    elements: Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Judges whether the second line is faster than the first, from some size on, with these copies."""

    copies: tuple[Copies, ...]

    def __call__(self, lines: Sequence[ClaimSeries]) -> ClaimVerdict | None:
        """Each further line times a copy by its number of elements; it is added to the second line's time."""
        cpu, gpu, *extra = lines
        loads = list(zip(self.copies, extra, strict=True))
        pairs = [
            (here, there)
            for place in common_sizes([cpu, gpu])
            if (here := _point(cpu, place)) and (there := _loaded(gpu, place, loads))
        ]
        if len(pairs) < 2:  # noqa: PLR2004 - a size from which on needs two
            return None
        found = crossover([here for here, _ in pairs], [there for _, there in pairs])
        told = _verdict(found, pairs, cpu.axis)
        return dataclasses.replace(told, numbers=told.numbers + _waiting(gpu, pairs))


def overtakes(*copies: Copies) -> Overtaken:
    """The second line is faster than the first, from some size on.

    Each further line times a copy by its number of elements; what `copies` names is added to the
    second line's time, copy by copy.
    """
    return Overtaken(copies)


def copy_time(copy: ClaimSeries, elements: float) -> Timed | None:
    """What a copy of so many elements takes, on straight lines between the sizes measured.

    A copy costs a start and then so much a byte, which is a straight line; None beyond its ends.
    """
    for (size, one), (larger, other) in pairwise(copy.points):
        if size <= elements <= larger:
            share = (elements - size) / (larger - size)
            return _sum([(1 - share, Timed.headline(one)), (share, Timed.headline(other))])
    return None


def _loaded(
    gpu: ClaimSeries, place: float, loads: Sequence[tuple[Copies, ClaimSeries]]
) -> Point | None:
    """The GPU's time with its copies."""
    bare = _point(gpu, place)
    return bare and loaded(
        bare, [(load.number, load.elements(place), line) for load, line in loads]
    )


def loaded(bare: Point, copies: Iterable[tuple[int, float, ClaimSeries]]) -> Point | None:
    """A time with copies added: how many, of how many elements, timed by which line; None beyond its ends."""
    parts = [(number, copy_time(line, elements)) for number, elements, line in copies]
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


def _point(line: ClaimSeries, place: float) -> Point | None:
    record = line.at(place)
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
