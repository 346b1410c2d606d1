"""Roofline: how close rows came to their roofs, in sentences and counts, never beyond what intervals allow.

A share of a roof says something of an op only where the roof, not the call, is what takes the time. Calls cost
about 1 µs on a CPU, so the sentences leave out what its roof would let pass in less than ten of them; and so
they do with what waits for launches on a GPU. Copies between host and device are left out everywhere: their
roof is the bus. Which roof binds a row was decided when it was measured (`bench.records.roofs`).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.findings.kernels import crosses_bus, launch_bound
from bench.analysis.grid import full_name
from bench.analysis.usable import FOR_ROOFS, unusable
from bench.records.record import LAUNCH
from bench.records.roofs import IMPLAUSIBLE
from bench.units import counted, number, rate, seconds, share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.records.record import Record

NEAR, HALF, FAR = 0.9, 0.5, 0.1
"""Shares of a roof that readers ask for: within a tenth of it, half of it, a tenth. Nothing depends on them."""
MIN_ROOF_TIME_S = 1e-5
"""The least time that a roof must allow, for a row's share of it to be told in a sentence. In a quick run of
199 cases on a CPU half of the calls at small sizes take 0.7 to 1.4 µs, whatever they do: ten times that, and
their cost is a tenth of the time at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """How many rows are surely near a roof, surely reach half of it, surely stay below a tenth."""

    of: int
    near: int
    half: int
    far: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderRoof:
    """The rows that a roof binds, and the one of them that came nearest."""

    roof: str
    headroom: Headroom
    nearest: Record


def with_share(records: Iterable[Record]) -> list[Record]:
    """The rows that have a share of a roof which means something."""
    return [r for r in _with_roof(records) if not crosses_bus(r)]


def telling(records: Iterable[Record]) -> list[Record]:
    """The rows whose share of their roof says something of the op."""
    return [
        r for r in with_share(records) if r.bound_by != LAUNCH and _least_s(r) >= MIN_ROOF_TIME_S
    ]


def headroom(rows: Sequence[Record]) -> Headroom:
    """Counts of rows with a share of a roof; what has no interval is counted in none."""
    ends = [_ends(r) for r in rows]
    return Headroom(
        of=len(rows),
        near=sum(low >= NEAR for low, _ in ends),
        half=sum(low >= HALF for low, _ in ends),
        far=sum(high < FAR for _, high in ends),
    )


def by_roof(rows: Sequence[Record]) -> list[UnderRoof]:
    """The same for each roof, the one that binds most rows first."""
    found = []
    for roof, _ in Counter(r.roof for r in rows if r.roof).most_common():
        under = [r for r in rows if r.roof == roof]
        nearest_ = max(under, key=lambda r: r.roof_share or 0.0)
        found.append(UnderRoof(roof=str(roof), headroom=headroom(under), nearest=nearest_))
    return found


def nearest(records: Sequence[Record]) -> str | None:
    """How many come half-way to their roof or nearer, by their times and for certain, and which comes nearest."""
    found = telling(records)
    if not found:
        return None
    best = max(found, key=lambda r: r.roof_share or 0.0)
    half = sum((r.roof_share or 0.0) >= HALF for r in found)
    sure = headroom(found).half
    certain = f", {sure or 'none'} of them for certain" if sure < half else ""
    rivals = sum(_ends(r)[1] >= _ends(best)[0] for r in found if r is not best)
    which = f"nearest is {full_name(best, records)}, {_height(best)}{_unsure(rivals)}"
    if len(found) == 1:
        return f"{full_name(best, records)} is {_height(best)}, its roof."
    return (
        f"Of {counted(len(found), 'case')} that would take {seconds(MIN_ROOF_TIME_S, 2)} or more even at their "
        f"roof, {half} {'reaches' if half == 1 else 'reach'} half of it{certain}; {which}."
    )


def farthest(records: Sequence[Record]) -> str | None:
    """Which is farthest from its roof though it is no matter of launching; None if all come half-way."""
    found = telling(records)
    if len(found) <= 1:
        return None
    worst = min(found, key=lambda r: _ends(r)[1])
    high = _ends(worst)[1]
    if high >= HALF:
        return None
    rivals = sum(_ends(r)[0] <= high for r in found if r is not worst)
    return (
        f"Farthest from its roof is {full_name(worst, records)}: it takes at least {number(1 / high, 2)} "
        f"times as long as {worst.roof} allows{_unsure(rivals)}."
    )


def highest(records: Sequence[Record]) -> str | None:
    """The highest rate of arithmetic, else of bytes, where no roof is known to compare it with."""
    if any(r.roof_share is not None for r in records):
        return None
    return _highest(records, "FLOP", lambda r: r.flop) or _highest(records, "B", lambda r: r.bytes)


def _highest(
    records: Sequence[Record], unit: str, work: Callable[[Record], float | None]
) -> str | None:
    usable = [r for r in records if not unusable(r, barred=FOR_ROOFS)]
    ranked = sorted(
        ((w / t, r) for r in usable if (w := work(r)) and (t := r.time_s)),
        key=lambda pair: -pair[0],
    )
    if not ranked:
        return None
    best, record = ranked[0]
    sentence = f"Highest {unit}/s: {rate(best, f'{unit}/s')}, by {full_name(record, records)}"
    if record.time_hi_s is None:
        return f"{sentence}; it has no interval, so others may be as high."
    floor = (work(record) or 0.0) / record.time_hi_s
    rivals = sum((work(r) or 0.0) / (r.time_lo_s or 5e-324) >= floor for _, r in ranked[1:])
    return f"{sentence}{_unsure(rivals)}."


def sentences(records: Sequence[Record]) -> list[str]:
    """How the rows of one device stand to their roofs, and which of them are left out."""
    rows = with_share(records)
    if not rows:
        return []
    found, of = headroom(rows), counted(len(rows), "case")
    roofs = ", ".join(f"{one.roof} for {one.headroom.of}" for one in by_roof(rows))
    return [
        (
            f"Of {of} with a roof, {found.near} came within 10 % of it, {found.half} reached half of it or "
            f"more, and {found.far} stayed below a tenth, whichever end of their intervals one takes."
        ),
        f"That roof was {roofs}.",
        *_waiting(rows),
        *_left_out(records),
    ]


def _waiting(rows: Sequence[Record]) -> list[str]:
    """How many are held back by launches, and how near the device itself came in those."""
    bound = launch_bound(rows)
    if not bound:
        return []
    own = [_least_s(r) / r.device_time_s for r in bound if r.device_time_s]
    verb = "waits" if len(bound) == 1 else "wait"
    reach = "reaches" if (half := sum(share >= HALF for share in own)) == 1 else "reach"
    return [
        (
            f"{len(bound)} of these {verb} for the host (launch-bound), so that their shares say what launching "
            f"costs; by the device's own time {half} of them {reach} half of their roof."
        )
    ]


def _left_out(records: Iterable[Record]) -> list[str]:
    """How many copy over the bus, which these roofs leave out, and how many are beyond what can be."""
    rows = list(records)
    crossing = sum(map(crosses_bus, _with_roof(rows)))
    verb = "copies" if crossing == 1 else "copy"
    odd = sum(IMPLAUSIBLE in r.warnings for r in rows)
    said = {
        f"{counted(crossing, 'case')} that {verb} between host and device, whose roof is the bus": crossing,
        f"{counted(odd, 'case')} above what can be (implausible)": odd,
    }
    return [f"Left out: {what}." for what, count in said.items() if count]


def _with_roof(records: Iterable[Record]) -> list[Record]:
    return [r for r in records if r.roof and r.roof_share and not unusable(r, barred=FOR_ROOFS)]


def _least_s(record: Record) -> float:
    """The least time that its roof allows."""
    return (record.roof_share or 0.0) * (record.time_s or 0.0)


def _ends(record: Record) -> tuple[float, float]:
    """Both ends of the share, by those of the time; without an interval it could be anything."""
    least = _least_s(record)
    high = least / record.time_lo_s if record.time_lo_s else math.inf
    return (least / record.time_hi_s if record.time_hi_s else 0.0), high


def _height(record: Record) -> str:
    """`at 94 % of float32 matmul`."""
    return f"at {share(record.roof_share)} of {record.roof}"


def _unsure(rivals: int) -> str:
    """How many others may be the nearest, or the farthest, as well."""
    if not rivals:
        return ""
    others = "one other" if rivals == 1 else f"{rivals} others"
    return f" (unsure between it and {others})"
