"""How close rows came to their roofs: sentences about the nearest and the farthest, where that can be told.

A share of a roof says something of an op only where the roof, not the call, is what takes the time. Calls cost
about 1 µs on a CPU, so what its roof would let pass in less than ten of them is left out; and so is what waits
for launches on a GPU, or for copies between it and the host, whose roof is the bus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.findings.kernels import LAUNCH, crosses_bus
from bench.analysis.grid import full_name
from bench.records.roofs import IMPLAUSIBLE
from bench.units import counted, number, rate, seconds, share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.records.record import Record

LEAST_S = 1e-5
"""What a roof must allow no less than. In a quick run of 199 cases on a CPU half of the calls at small sizes
take 0.7 to 1.4 µs, whatever they do: ten times that, and their cost is a tenth of the time at most."""
_HALF = 0.5
_UNFIT = frozenset({"below-overhead", "wrong-result", IMPLAUSIBLE})
"""A time that says nothing about the op, or a share that can't be."""


def telling(records: Sequence[Record]) -> list[Record]:
    """The rows whose share of their roof says something of the op."""
    return [r for r in records if _fit(r) and not _waits(r) and _least_s(r) >= LEAST_S]


def nearest(records: Sequence[Record]) -> str | None:
    """How many come half-way to their roof or nearer, for certain, and which comes nearest."""
    found = telling(records)
    if not found:
        return None
    best = max(found, key=lambda r: r.roof_share or 0.0)
    half = sum(_ends(r)[0] >= _HALF for r in found)
    rivals = sum(_ends(r)[1] >= _ends(best)[0] for r in found if r is not best)
    which = f"nearest is {full_name(best, records)}, {_height(best)}{_untold(rivals)}"
    if len(found) == 1:
        return f"{full_name(best, records)} is {_height(best)}, its roof."
    return (
        f"Of {counted(len(found), 'case')} that would take {seconds(LEAST_S, 2)} or more even at their "
        f"roof, {half} {'reaches' if half == 1 else 'reach'} half of it; {which}."
    )


def farthest(records: Sequence[Record]) -> str | None:
    """Which is farthest from its roof though it is no matter of launching; None if all come half-way."""
    found = telling(records)
    if len(found) <= 1:
        return None
    worst = min(found, key=lambda r: _ends(r)[1])
    high = _ends(worst)[1]
    if high >= _HALF:
        return None
    rivals = sum(_ends(r)[0] <= high for r in found if r is not worst)
    return (
        f"Farthest from its roof is {full_name(worst, records)}: it takes at least {number(1 / high, 2)} "
        f"times as long as {worst.roof} allows{_untold(rivals)}."
    )


def highest(records: Sequence[Record]) -> str | None:
    """The highest rate of arithmetic, else of bytes, where no roof is known to hold it against."""
    if any(r.roof_share is not None for r in records):
        return None
    return _highest(records, "FLOP", lambda r: r.flop) or _highest(records, "B", lambda r: r.bytes)


def _highest(
    records: Sequence[Record], unit: str, work: Callable[[Record], float | None]
) -> str | None:
    ranked = sorted(
        ((w / t, r) for r in records if _fit(r, roof=False) and (w := work(r)) and (t := r.time_s)),
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
    return f"{sentence}{_untold(rivals)}."


def _fit(record: Record, *, roof: bool = True) -> bool:
    """Whether the row's time, and its share if that is wanted, may be held against others."""
    known = record.roof_share is not None or not roof
    return bool(known and record.status == "ok" and record.time_s) and not (
        _UNFIT & set(record.warnings)
    )


def _waits(record: Record) -> bool:
    """Whether something else than the op takes the time: launches, or the bus."""
    return record.bound_by == LAUNCH or crosses_bus(record)


def _least_s(record: Record) -> float:
    """The least time that its roof allows."""
    return (record.roof_share or 0.0) * (record.time_s or 0.0)


def _ends(record: Record) -> tuple[float, float]:
    """Both ends of the share, by those of the time; without an interval it could be anything."""
    least = _least_s(record)
    high = least / record.time_lo_s if record.time_lo_s else float("inf")
    return (least / record.time_hi_s if record.time_hi_s else 0.0), high


def _height(record: Record) -> str:
    """`at 94 % of float32 matmul`."""
    return f"at {share(record.roof_share)} of {record.roof}"


def _untold(rivals: int) -> str:
    if not rivals:
        return ""
    others = "one other" if rivals == 1 else f"{rivals} others"
    return f" ({others} can't be told from it)"
