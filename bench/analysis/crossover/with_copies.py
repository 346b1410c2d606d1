"""GPU time including copies between host and device, where copies were measured too.

How much is copied there and back is what a claim of the course says of the op, copy by copy; else the inputs'
bytes in one copy and, of the bytes that the op declares, what is not input, in another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.claims.claim import select
from bench.analysis.claims.gpu_judge import COPIES, Overtaken, with_copies
from bench.analysis.claims.known import COURSE
from bench.analysis.crossover.crossovers import point, points_of
from bench.stats.crossing import crossover

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.analysis.claims.claim import ClaimSeries
    from bench.analysis.claims.gpu_judge import Copy
    from bench.analysis.crossover.crossovers import Crossing
    from bench.records.record import Record
    from bench.stats.crossing import Crossover, Point

    Ways = tuple[ClaimSeries, ClaimSeries]
    """The copies of a GPU: there and back."""

_TO, _BACK = COPIES
_ELEMENT_BYTES = 4
"""Copies are timed of float32; only the bytes matter."""
_MIN_SIZES = 2
"""Fewest sizes for a crossover: at one the winner can't change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A crossover with the copies in it, and the other side's times with them."""

    found: Crossover
    points: tuple[Point, ...]


def ways(records: Iterable[Record]) -> dict[tuple[str, str], Ways]:
    """(machine id, device) → its copies, where both were measured."""
    places: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if _TO.include(record) or _BACK.include(record):
            places.setdefault((record.machine_id, record.device), []).append(record)
    found = {}
    for place, rows in places.items():
        there, back = select(_TO, rows), select(_BACK, rows)
        if there and back and there.points and back.points:
            found[place] = there, back
    return found


def moved(crossing: Crossing, known: Mapping[tuple[str, str], Ways]) -> Moved | None:
    """The crossing with its data copied to the GPU and its result back; None where that isn't known at two sizes."""
    one, other = crossing.curves
    found = known.get((other[0][1].machine_id, other[0][1].device))
    if crossing.between != "devices" or crossing.one != "cpu" or found is None:
        return None
    points = [p for size, record in other if (p := _moved(size, record, found))]
    both = crossover(points_of(one), points)
    return Moved(found=both, points=tuple(points)) if len(both.ratios) >= _MIN_SIZES else None


def _moved(size: float, record: Record, known: Ways) -> Point | None:
    bare, loads = point(size, record), _loads(size, record, known)
    return with_copies(bare, loads) if bare and loads else None


def _loads(size: float, record: Record, known: Ways) -> Sequence[Copy] | None:
    for claim in COURSE:
        judge = claim.judge
        if not isinstance(judge, Overtaken) or not judge.matrices_copied:
            continue
        if claim.needs[1].include(record):
            return judge.copies_at(size, known)
    inputs = record.input_bytes
    fetched = (record.bytes or 0.0) - (inputs or 0)
    if inputs is None or fetched <= 0:
        return None
    there, back = known
    copies = [(inputs, there), (fetched, back)]
    return [_load(moved_bytes, way) for moved_bytes, way in copies if moved_bytes]


def _load(moved_bytes: float, way: ClaimSeries) -> Copy:
    """One copy; a smaller one than was measured takes as long as the smallest, which is all start."""
    return 1, max(moved_bytes / _ELEMENT_BYTES, way.points[0][0]), way
