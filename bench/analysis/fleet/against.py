"""Rows held against a reference: where each time lies among those of the other units of its model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.compare.gate import FINE, NOT_COMPARABLE, REGRESSION, SOME_FAILED, UNDECIDED
from bench.analysis.fleet.fleet_summary import (
    FEWEST_FOR_P99,
    FEWEST_FOR_PERCENTILES,
    FEWEST_UNITS,
)
from bench.analysis.fleet.percentiles import place_of
from bench.analysis.usable import FOR_INTERVALS, failure, unusable
from bench.records.cache_state import HOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.fleet.fleet_summary import Percentiles, Standing
    from bench.records.record import Record

_VISITS = 1.96
"""Standard deviations between visits by which an interval is widened: a run knows how sure its time is on that day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A row and its place among the units of its model."""

    record: Record
    known: Percentiles | None = None
    place: str = ""
    """`34th percentile of 8000`."""
    standing: Standing | None = None
    """None where it can't be compared."""
    reason: str = ""
    """Why it can't be, or why nothing is sure."""


def placed(
    records: Sequence[Record], reference: Sequence[Percentiles], band: float
) -> list[Placed]:
    """Each row that was tried, held against the reference.

    Args:
        records: of a run.
        reference: its rows.
        band: share beyond the usual range that does not matter.
    """
    by_case: dict[tuple[str, str], list[Percentiles]] = {}
    for row in reference:
        by_case.setdefault((row.model, row.case), []).append(row)
    tried = (record for record in records if record.status != "skipped")
    return [_placed(record, by_case, band) for record in tried]


def code(found: Sequence[Placed]) -> int:
    """The gate's exit code: a failed or wrong row, then a slow one, then one of which nothing is sure."""
    standings = {one.standing for one in found}
    if any(failure(one.record) for one in found):
        return SOME_FAILED
    if standings <= {None}:
        return NOT_COMPARABLE
    if "slow" in standings:
        return REGRESSION
    return UNDECIDED if "unsure" in standings else FINE


def _placed(
    record: Record, by_case: Mapping[tuple[str, str], Sequence[Percentiles]], band: float
) -> Placed:
    why = unusable(record, barred=FOR_INTERVALS)
    if why or record.time_s is None:
        return Placed(record=record, reason=why or "no time")
    rows = by_case.get((record.device_name, record.case), ())
    alike = [row for row in rows if not _differs(record, row)]
    if not alike:
        reason = _differs(record, rows[0]) if rows else f"the reference has no {record.device_name}"
        return Placed(record=record, reason=reason)
    known = alike[0]
    standing, reason = _standing(record, known, band)
    place = place_of(record.time_s, known)
    return Placed(record=record, known=known, place=place, standing=standing, reason=reason)


def _differs(record: Record, known: Percentiles) -> str:
    """Why two times are not of the same thing; empty where they are."""
    pairs = {
        "torch": (_release(record.torch_version), _release(known.torch)),
        "threads": (record.threads, known.threads),
        "cache": (record.cache or HOT, known.cache),
        "memory": (record.memory_policy, known.memory),
    }
    for name, (own, other) in pairs.items():
        if own != other:
            return f"{name} is {own}, in the reference {other}"
    codes = {record.fingerprint, known.fingerprint} - {None}
    return "the op's code is another than in the reference" if len(codes) > 1 else ""


def _release(version: str | None) -> str:
    return (version or "").partition("+")[0]


def _standing(record: Record, known: Percentiles, band: float) -> tuple[Standing, str]:
    if known.units < FEWEST_UNITS:
        return (
            "unsure",
            f"the reference has {known.units} of this model, and {FEWEST_UNITS} are the fewest",
        )
    low, high = record.time_lo_s, record.time_hi_s
    if low is None or high is None:
        return "unsure", "the time has no interval"
    widened = math.exp(_VISITS * (known.between_visits or 0.0))
    least, most = _range(known)
    if low / widened > most * (1 + band):
        return "slow", ""
    if high * widened < least / (1 + band):
        return "fast", ""
    inside = high * widened <= most * (1 + band) and low / widened >= least / (1 + band)
    return ("ordinary", "") if inside else ("unsure", "its interval reaches beyond the usual range")


def _range(known: Percentiles) -> tuple[float, float]:
    """The usual range of the model, as far out as so many units can tell; of few, all of them."""
    if FEWEST_FOR_PERCENTILES <= known.units < FEWEST_FOR_P99:
        return known.p5_s, known.p95_s
    return known.p1_s, known.p99_s
