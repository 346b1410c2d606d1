"""How far a number may be off for reasons that its own samples can't show: told by others, case by case.

By the cases measured together, and by earlier runs of the same code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.run import turns
from bench.stats import interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.analysis.history import Key
    from bench.run.turns import Turn
    from bench.stats.interval import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseNoise:
    """What is said of one case."""

    others: Spread | None = None
    floor: Spread | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What is said of the cases of a batch."""

    others: Spread | None = None
    """The spread that the cases measured together have in common."""
    floors: Mapping[Key, Spread] = field(default_factory=dict)
    """Per case and device, how far earlier runs of the same code lay apart."""

    def of(self, key: Key) -> CaseNoise:
        """What is said of this case."""
        return CaseNoise(others=self.others, floor=self.floors.get(key))


def pooled(cases: Iterable[Sequence[Turn]]) -> Spread | None:
    """What the turns of cases measured together say of how far one more may be off."""
    spreads = [interval.spread(turns.cells(of_case)) for of_case in cases if of_case]
    return interval.pooled([spread for spread in spreads if spread])
