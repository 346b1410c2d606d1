"""Finding: whether half types make sense on this CPU. How they compare with float32 in the same cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.grid import PREFERRED_DTYPE, name_without
from bench.analysis.usable import FOR_OPS, unusable
from bench.stats.ratio import Change
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.record import Record

HALF_TYPES = ("float16", "bfloat16")


def half_types(records: Sequence[Record]) -> str | None:
    """In how many cases each half type certainly takes less than float32 on the CPU, and where it takes longest."""
    rows = [r for r in records if r.device == "cpu" and not unusable(r, barred=FOR_OPS)]
    plain = {(r.suite, name_without(r, [])): r for r in rows if r.dtype == PREFERRED_DTYPE}
    said = []
    for dtype in HALF_TYPES:
        pairs = [
            (plain[key], r)
            for r in rows
            if r.dtype == dtype and (key := (r.suite, name_without(r, []))) in plain
        ]
        if pairs:
            said.append(_said(dtype, pairs))
    return f"On this CPU {'; '.join(said)}." if said else None


def _said(dtype: str, pairs: Sequence[tuple[Record, Record]]) -> str:
    ratios = [(one, other, Change.of(one, other).ratio()) for one, other in pairs]
    less, more = (sum(r.high < 1 for *_, r in ratios), sum(r.low > 1 for *_, r in ratios))
    _, worst, times = max(ratios, key=lambda found: found[2].low)
    counts = f"{dtype} takes certainly less time than float32 in {less} of {counted(len(pairs), 'case')}, certainly more in {more}"
    if not more:
        return counts
    return f"{counts}; longest in {worst.suite}/{name_without(worst, [])}: {times} times as long"
