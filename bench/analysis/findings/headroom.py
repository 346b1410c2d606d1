"""How near the rows of a run came to their roofs: counted, and never beyond what their intervals allow.

What the roof of a row is, `bench.records.roofs` decided when it was measured; here its columns are read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.findings.kernels import crosses_bus, launch_bound
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.records.record import Record

NEAR, HALF, FAR = 0.9, 0.5, 0.1
"""Within a tenth of the roof; half of it; a tenth of it. Readers ask for these, nothing depends on them."""
_UNFIT = frozenset({"below-overhead", "implausible", "wrong-result"})
"""A time that says nothing about the op, or a roof that can't be right."""


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


def held(records: Iterable[Record]) -> list[Record]:
    """The rows that have a share of a roof which means something."""
    return [r for r in _with_roof(records) if not crosses_bus(r)]


def _with_roof(records: Iterable[Record]) -> list[Record]:
    return [
        r
        for r in records
        if r.status == "ok" and r.roof and r.roof_share and not _UNFIT & set(r.warnings)
    ]


def headroom(rows: Sequence[Record]) -> Headroom:
    """Counts of such rows."""
    return Headroom(
        of=len(rows),
        near=sum(_least(r) >= NEAR for r in rows),
        half=sum(_least(r) >= HALF for r in rows),
        far=sum(_most(r) < FAR for r in rows),
    )


def by_roof(rows: Sequence[Record]) -> list[UnderRoof]:
    """The same for each roof, the one that binds most rows first."""
    found = []
    for roof, _ in Counter(r.roof for r in rows if r.roof).most_common():
        under = [r for r in rows if r.roof == roof]
        nearest = max(under, key=lambda r: r.roof_share or 0.0)
        found.append(UnderRoof(roof=str(roof), headroom=headroom(under), nearest=nearest))
    return found


def sentences(records: Sequence[Record]) -> list[str]:
    """How the rows of one device stand to their roofs, and which of them are left out."""
    rows = held(records)
    if not rows:
        return []
    found, of = headroom(rows), counted(len(rows), "case")
    said = [
        (
            f"Of {of} with a roof, {found.near} came within 10 % of it, {found.half} reached half of it or "
            f"more, and {found.far} stayed below a tenth, whichever end of their intervals one takes."
        ),
        f"That roof was {_listed(by_roof(rows))}.",
        *_waiting(rows),
        *_copying(records),
    ]
    odd = sum("implausible" in r.warnings for r in records)
    return (
        [*said, f"Left out: {counted(odd, 'case')} above what can be (implausible)."]
        if odd
        else said
    )


def _waiting(rows: Sequence[Record]) -> list[str]:
    """How many are held back by launches, and how near the device itself came in those."""
    bound = launch_bound(rows)
    if not bound:
        return []
    own = [
        r.roof_share * r.time_s / r.device_time_s
        for r in bound
        if r.roof_share and r.time_s and r.device_time_s
    ]
    verb = "waits" if len(bound) == 1 else "wait"
    reach = "reaches" if (half := sum(share >= HALF for share in own)) == 1 else "reach"
    return [
        (
            f"{len(bound)} of these {verb} for the host (launch-bound), so that their shares say what launching "
            f"costs; by the device's own time {half} of them {reach} half of their roof."
        )
    ]


def _copying(records: Iterable[Record]) -> list[str]:
    """How many copy over the bus, which these roofs leave out."""
    crossing = sum(map(crosses_bus, _with_roof(records)))
    if not crossing:
        return []
    verb = "copies" if crossing == 1 else "copy"
    return [
        f"Left out: {counted(crossing, 'case')} that {verb} between host and device, whose roof is the bus."
    ]


def _listed(roofs: Sequence[UnderRoof]) -> str:
    """`DRAM bandwidth for 57, float32 matmul for 20`."""
    return ", ".join(f"{one.roof} for {one.headroom.of}" for one in roofs)


def _least(record: Record) -> float:
    """The share at the slow end of the interval; nothing is sure without one."""
    if not record.time_s or not record.time_hi_s:
        return 0.0
    return (record.roof_share or 0.0) * record.time_s / record.time_hi_s


def _most(record: Record) -> float:
    """The share at the fast end of the interval."""
    if not record.time_s or not record.time_lo_s:
        return float("inf")
    return (record.roof_share or 0.0) * record.time_s / record.time_lo_s
