"""Crossovers found in rows: of each op along its size, between devices, thread counts and machines.

Sides are compared where nothing else differs: devices on a machine, thread counts on its
CPU, machines at a device. A machine is taken with the most threads it was measured with, unless threads
are what differs, and the latest row of a case counts.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bench.analysis.grid import lines, ranked_devices
from bench.analysis.usable import FOR_OPS, unusable
from bench.stats.crossing import Crossover, Point, crossover
from bench.stats.ratio import Timed
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.records.record import Record

    Sized = tuple[float, Record]
    Curve = tuple[Sized, ...]
    """Rows of one side, smallest size first."""
    Key = Callable[[Record], Any]

Between = Literal["devices", "threads", "machines"]
EVERY: tuple[Between, ...] = ("devices", "threads", "machines")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """An op's crossover between two sides, `one` and `other`, and where both were measured."""

    suite: str
    name: str
    dtype: str
    axis: str
    between: Between
    one: str
    other: str
    where: str
    confidence: float | None
    found: Crossover
    curves: tuple[Curve, Curve]
    """The rows that were compared, by size: of `one`, of `other`."""

    @property
    def rows(self) -> list[Record]:
        """The rows of both sides."""
        return [record for curve in self.curves for _, record in curve]


def crossovers(records: Sequence[Record], kinds: Sequence[Between] = EVERY) -> list[Crossing]:
    """Every op and dtype that two sides of these kinds have at a common size, in the order of the records."""
    groups: dict[tuple[str, ...], list[Sized]] = {}
    for line in lines(records):
        key = line.suite, line.name, line.dtype, line.axis
        groups.setdefault(key, []).extend(line.points)
    return [found for key, points in groups.items() for found in _of_group(key, points, kinds)]


def point(size: float, record: Record) -> Point | None:
    """What a row says of its size; None if its time says nothing about the op."""
    return None if unusable(record, barred=FOR_OPS) else Point(size, Timed.headline(record))


def side_of_threads(threads: int | None) -> str:
    """`1 thread`, `2 threads`."""
    return counted(threads or 0, "thread")


def _of_group(
    key: tuple[str, ...], points: Sequence[Sized], kinds: Sequence[Between]
) -> Iterable[Crossing]:
    if "devices" in kinds:
        devices = ranked_devices(record for _, record in points)
        for rows in _by_memory(points):
            yield from _pairs(key, rows, "devices", lambda r: r.device, _machine, devices)
    if "threads" in kinds:
        here = [(size, r) for size, r in points if r.device == "cpu"]
        yield from _pairs(key, here, "threads", lambda r: r.threads, _here)
    if "machines" in kinds:
        yield from _pairs(key, points, "machines", lambda r: r.machine_id, _device)


def _by_memory(points: Sequence[Sized]) -> Iterable[list[Sized]]:
    """The rows with each memory policy of the CPU, beside those with each of the other devices: none mixes two."""
    on_cpu = dict.fromkeys(r.memory_policy for _, r in points if r.device == "cpu") or {"": None}
    elsewhere = dict.fromkeys(r.memory_policy for _, r in points if r.device != "cpu")
    for here, there in itertools.product(on_cpu, elsewhere):
        yield [p for p in points if p[1].memory_policy == (here if p[1].device == "cpu" else there)]


def _machine(record: Record) -> tuple[Any, ...]:
    """What must be equal where devices are compared."""
    return record.machine_id, record.cache, record.torch_version


def _here(record: Record) -> tuple[Any, ...]:
    """What must be equal where thread counts are."""
    return (*_machine(record), record.memory_policy)


def _device(record: Record) -> tuple[Any, ...]:
    """What must be equal where machines are."""
    return record.device, record.cache, record.memory_policy


def _pairs(
    key: tuple[str, ...],
    points: Sequence[Sized],
    between: Between,
    side: Key,
    rest: Key,
    order: Sequence[Any] | None = None,
) -> Iterable[Crossing]:
    """The first side against each other one, wherever the rest is equal."""
    places: dict[Any, dict[Any, list[Sized]]] = {}
    for size, record in points:
        if side(record) is not None:
            places.setdefault(rest(record), {}).setdefault(side(record), []).append((size, record))
    for sides in places.values():
        ranked = sorted(sides, key=order.index) if order else sorted(sides)
        for other in ranked[1:]:
            found = _crossing(key, between, sides[ranked[0]], sides[other])
            if found:
                yield found


def _crossing(
    key: tuple[str, ...], between: Between, one: Sequence[Sized], other: Sequence[Sized]
) -> Crossing | None:
    left, right = _latest(one), _latest(other)
    found = crossover(points_of(left), points_of(right))
    if not found.ratios:
        return None
    suite, name, dtype, axis = key
    a, b = left[-1][1], right[-1][1]
    levels = {r.confidence for _, r in (*left, *right)}
    return Crossing(
        suite=suite,
        name=name,
        dtype=dtype,
        axis=axis,
        between=between,
        one=_name(a, between),
        other=_name(b, between),
        where=a.device if between == "machines" else a.machine,
        confidence=levels.pop() if len(levels) == 1 else None,
        found=found,
        curves=(tuple(left), tuple(right)),
    )


def _latest(points: Sequence[Sized]) -> list[Sized]:
    """One row a size, with the most threads there are: the latest that says something."""
    most = max(record.threads or 0 for _, record in points)
    chosen: dict[float, Record] = {}
    for size, record in sorted(points, key=lambda p: (p[0], p[1].started_at)):
        counts = not unusable(record, barred=FOR_OPS) or size not in chosen
        if (record.threads or 0) == most and counts:
            chosen[size] = record
    return list(chosen.items())


def points_of(sized: Iterable[Sized]) -> list[Point]:
    """The points of those rows that say something."""
    return [p for size, record in sized if (p := point(size, record))]


def _name(record: Record, between: Between) -> str:
    if between == "devices":
        return record.device
    return side_of_threads(record.threads) if between == "threads" else record.machine
