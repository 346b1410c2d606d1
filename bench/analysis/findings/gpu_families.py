"""GPU speed-up by family of ops: where a GPU starts to win, from which sizes on, everywhere, or nowhere.

A family is a suite. It is told by all its cases that both devices have, each won by the device whose interval
excludes the other, and by the sizes at which the winner changes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.findings.gpu_speedup import between_devices, usual_sides, winners_of_cases
from bench.units import counted, size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.crossover.crossovers import Crossing
    from bench.records.record import Record
    from bench.stats.crossing import Winner


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A suite on two devices: how many cases the second wins, loses, and those ops it wins from a size on."""

    suite: str
    won: int
    lost: int
    starting: tuple[Crossing, ...]

    @property
    def part(self) -> str:
        """In which part of the sentences it is told."""
        if self.starting:
            return "starts"
        if not self.won and not self.lost:
            return "untold"
        if not self.lost:
            return "always"
        return "mixed" if self.won else "never"


def gpu_families(records: Sequence[Record]) -> str | None:
    """In which families the GPU starts to win, never loses, or never wins; None with fewer than two."""
    found = between_devices(records)
    if not found:
        return None
    one, other = usual_sides(found)
    known = families(records, one, other)
    if len(known) < 2:  # noqa: PLR2004 - a single one has a sentence of its own
        return None
    starting = [_starting(f) for f in known if f.part == "starts"]
    named = {
        part: ", ".join(f.suite for f in known if f.part == part) for part in ("always", "never")
    }
    said = [f"starts to win in {', '.join(starting)}"] if starting else []
    said += [f"wins wherever the winner is sure in {named['always']}"] if named["always"] else []
    said += [f"loses wherever the winner is sure in {named['never']}"] if named["never"] else []
    rest = sum(f.part in {"mixed", "untold"} for f in known)
    families_ = "1 family" if rest == 1 else f"{rest} families"
    tail = f" In {families_} it depends on the op, or is unsure." if rest else ""
    if not said:
        return None
    name = f"the GPU ({other})" if one == "cpu" else other
    return f"By family of ops, at the sizes measured, data already on the GPU, {name} {'; '.join(said)}.{tail}"


def families(records: Sequence[Record], one: str, other: str) -> list[Family]:
    """Every suite that has a case on both devices, in the order of the records."""
    winners: dict[str, Counter[Winner | None]] = {}
    for suite, winner in winners_of_cases(records, one, other):
        winners.setdefault(suite, Counter())[winner] += 1
    changes = [c for c in between_devices(records) if (c.one, c.other) == (one, other)]
    starting = [c for c in changes if c.found.kind == "at" and c.found.beyond == "other"]
    return [
        Family(
            suite=suite,
            won=count["other"],
            lost=count["one"],
            starting=tuple(c for c in starting if c.suite == suite),
        )
        for suite, count in winners.items()
    ]


def _starting(family: Family) -> str:
    """`cat (from n ≈ 109 to 225, 4 ops)`; where no size is known well, the sizes between which it lies."""
    axis = Counter(c.axis for c in family.starting).most_common(1)[0][0]
    alike = [c.found for c in family.starting if c.axis == axis]
    located = [found.size for found in alike if found.located and found.size]
    ops = counted(len(family.starting), "op")
    if located:
        ends = dict.fromkeys(size_text(size) for size in (min(located), max(located)))
        return f"{family.suite} (from {axis} ≈ {' to '.join(ends)}, {ops})"
    between = [found.between for found in alike if found.between]
    low, high = min(low for low, _ in between), max(high for _, high in between)
    return (
        f"{family.suite} (somewhere between {axis} = {size_text(low)} and {size_text(high)}, {ops})"
    )
