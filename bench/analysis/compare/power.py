"""What `bench compare` says of unchanged runs, and of the same made slower: false alarms and power. Pure.

Every two runs are compared as they are, and with all times of the later one multiplied. All cases are
slowed at once, so that they vouch for each other where false discoveries are held down; one alone among
unchanged ones is seen less often.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.compare.comparison import compare
from bench.stats.ratio import CONFIDENCE, THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.analysis.compare.verdict import CaseVerdict
    from bench.records.record import Record
    from bench.store.runs import RunInfo

    Run = tuple[RunInfo, Sequence[Record]]

CHANGES = (0.0, 0.05, 0.10)
"""By how much runs are slowed: not at all, by the usual threshold, by twice that."""
_AT_REFERENCE = ("time_at_reference_s", "time_at_reference_lo_s", "time_at_reference_hi_s")
_TIMES = ("time_s", "time_lo_s", "time_hi_s", *_AT_REFERENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """How many pairs (a case in two runs) got which verdict when the later run was slower by this share."""

    by: float
    slower: int
    faster: int
    same: int
    unsure: int

    @property
    def pairs(self) -> int:
        """All that were judged."""
        return self.slower + self.faster + self.same + self.unsure

    @property
    def slower_share(self) -> float | None:
        """The share that was called slower: power, or false alarms where nothing changed; None of none."""
        return self.slower / self.pairs if self.pairs else None


def powers(runs: Sequence[Run], changes: Sequence[float] = CHANGES) -> tuple[Power, ...]:
    """What comparing says at its usual threshold and confidence, one value for each of these changes.

    Args:
        runs: unchanged runs of one machine, oldest first.
        changes: by how much the later run of each pair is slowed, as shares.
    """
    return tuple(_power(runs, by) for by in changes)


def verdicts(
    runs: Sequence[Run],
    by: float,
    *,
    threshold: float = THRESHOLD,
    confidence: float = CONFIDENCE,
) -> Iterator[CaseVerdict]:
    """The verdict on each case in every two runs, the later of which is slowed by this share."""
    for (base, before), (new, after) in itertools.combinations(runs, 2):
        changed = [slowed(row, 1 + by) for row in after]
        found = compare(before, changed, base, new, threshold=threshold, confidence=confidence)
        yield from found.cases


def slowed(row: Record, factor: float) -> Record:
    """The row with all of its times multiplied."""
    times = {name: v and v * factor for name in _TIMES for v in [getattr(row, name)]}
    return dataclasses.replace(
        row, state_times_s=tuple(t * factor for t in row.state_times_s), **times
    )


def _power(runs: Sequence[Run], by: float) -> Power:
    counts = Counter(one.verdict for one in verdicts(runs, by))
    return Power(
        by=by,
        slower=counts["slower"],
        faster=counts["faster"],
        same=counts["same"],
        unsure=counts["unsure"],
    )
