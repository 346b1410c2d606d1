"""Finding: whether compiling pays. In how many cases compiled calls certainly take less or more, and the case that gains most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.break_even import break_even, twins
from bench.analysis.grid import full_name
from bench.stats.ratio import Change
from bench.units import counted, number, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.break_even import BreakEven
    from bench.records.record import Record


def compiling(records: Sequence[Record]) -> str | None:
    """How compiled cases compare with the same cases as they are written; None where a run has no such pair."""
    pairs = [
        (one, other, found) for one, other in twins(records) if (found := break_even(one, other))
    ]
    if not pairs:
        return None
    less = [pair for pair in pairs if pair[2].outcome == "pays"]
    never = sum(found.outcome == "never" for *_, found in pairs)
    said = [
        f"takes certainly less time in {len(less)} of {counted(len(pairs), 'case')}",
        f"certainly no less in {never}",
    ]
    if open_ := len(pairs) - len(less) - never:
        said.append(f"which can't be told in {open_}")
    head = f"Compiled, a call {', '.join(said)}"
    return f"{head}.{_best(less, records)}" if less else f"{head}."


def _best(less: Sequence[tuple[Record, Record, BreakEven]], records: Sequence[Record]) -> str:
    """The case that gains most, and after how many calls."""
    eager, best, found = min(less, key=lambda pair: Change.of(pair[0], pair[1]).ratio().high)
    times = Change.of(eager, best).ratio()
    cached = (
        ""
        if found.cached_calls is None
        else f", or {number(found.cached_calls, 2)} where its code is cached"
    )
    return (
        f" Most is gained by {full_name(best, records)}: {times} times as long as eager. "
        f"Compiling it took {seconds(best.compile_s, 2)}, earned after {number(found.calls or 0, 2)} calls{cached}."
    )
