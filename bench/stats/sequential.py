"""Sequential test of a paired ratio: two interleaved sides, looked at a few planned times.

Whatever happens to both sides at the same time cancels within its round; what a process does to a number does
not, so the interval has the workers of both sides in it. Every look spends a part of the level (alpha
spending), so that looking again makes no false alarm more likely. Pure numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtr, stdtrit

from bench.stats import interval
from bench.stats.ratio import EQUIVALENCE, Ratio, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.stats.ratio import Verdict

    Cells = NDArray[np.float64]

LOOKS = (5, 10, 20, 40)
"""Rounds after which a case is looked at. Fewer than five say little of their own spread; each look has
twice the rounds of the one before, since less would hardly narrow the interval."""
_MIN_VALUES = 2
"""Fewest workers of a side, and fewest rounds: one alone says nothing of how far they differ."""
_VARIANCE_FACTOR = math.pi / 3
"""The variance of Hodges and Lehmann's centre over that of the mean, for normal values (their paper, 1963)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedChange:
    """From the first side's time to the second's: the logarithm of their ratio, and how sure that is."""

    log: float
    error: float
    """Its standard error; infinite where too little is known."""
    freedom: float
    """Degrees of freedom of the standard error."""
    rounds: int
    """Rounds in which both sides were measured."""

    def ratio(self, confidence: float) -> Ratio:
        """The ratio with its interval at a single look."""
        reach = float(stdtrit(self.freedom, 0.5 + confidence / 2)) * self.error
        return Ratio.of_log(self.log, reach, reach)

    def p_value(self) -> float:
        """How often chance alone would show as large a change, in either direction, at a single look."""
        if not self.log or math.isinf(self.error):
            return 1.0
        return 2 * float(stdtr(self.freedom, -abs(self.log) / self.error)) if self.error else 0.0


def spent(look: int, *, last: bool, confidence: float) -> float:
    """The level that may be spent at a look: its share of the planned rounds, at the last all that is left.

    Lan & DeMets, "Discrete sequential boundaries for clinical trials" (1983), with a level that is spent
    in proportion to the rounds (Kim & DeMets 1987). Each look then gets what is new since the one before,
    as in Bonferroni's rule: looks that have the same workers in them agree more than that rule assumes,
    so it errs on the safe side.

    Args:
        look: its place in `LOOKS`.
        last: whether there will be no other look at this case, whatever this one says.
        confidence: over all looks.
    """
    before = LOOKS[look - 1] if look else 0
    until = LOOKS[-1] if last else LOOKS[look]
    return (1 - confidence) * (until - before) / LOOKS[-1]


def over_looks(p_value: float, level: float, confidence: float) -> float:
    """The p-value of a case that is looked at several times: the least total level at which it is changed.

    At a total level x, a look of which the share is w calls a case changed if its own p-value is at most
    w · x. The shares of all looks are one together, so an unchanged case gets x or less with probability x
    at most, whichever look is its last, and whether what other cases show had to do with that: such a
    value is always valid (Johari, Pekelis & Walsh, "Always valid inference", 2015).

    Args:
        p_value: of the latest look alone.
        level: what this look spent.
        confidence: over all looks.
    """
    return min(1.0, p_value * (1 - confidence) / level)


def verdict(
    found: PairedChange | None, *, threshold: float, level: float, confidence: float
) -> Verdict:
    """What a look says of the second side; the test of equivalence spends its level as the looks do.

    Args:
        found: what both sides' cells show; None if they share no round.
        threshold: a smaller change does not count, as a share.
        level: what this look spends (`spent`).
        confidence: over all looks.
    """
    if found is None:
        return "unsure"
    share = level / (1 - confidence)
    return judge(found, threshold=threshold, confidence=1 - level, equivalence=share * EQUIVALENCE)


def paired(one: Cells, other: Cells) -> PairedChange | None:
    """How long the second side takes, as a multiple of the first; None if they share no round.

    The ratio is the centre, after Hodges and Lehmann, of the rounds' log ratios, in each of which the
    centres of both sides' workers meet. Its variance is the sum of three: that of the rounds' log ratios
    over their number, and for each side that of its workers' levels over theirs. A worker's level is the
    median of its cells less their rounds' medians. What is neither worker nor round is in all of them, so
    that the interval is a little too wide. Degrees of freedom after Satterthwaite (1946).

    Args:
        one: seconds per call of the first side, workers × rounds, NaN where nothing was measured.
        other: those of the second, as many rounds.
    """
    shared = np.isfinite(one).any(axis=0) & np.isfinite(other).any(axis=0)
    pair = [cells[np.isfinite(cells).any(axis=1)][:, shared] for cells in (one, other)]
    if not shared.any() or not all((cells[np.isfinite(cells)] > 0).all() for cells in pair):
        return None
    before, after = (np.log(cells) for cells in pair)
    rounds = interval.centres(after) - interval.centres(before)
    error, freedom = _error([rounds, _levels(before), _levels(after)])
    return PairedChange(
        log=interval.centre(rounds), error=error, freedom=freedom, rounds=len(rounds)
    )


def _levels(logs: Cells) -> Cells:
    """How far each worker lies from what the others see in the same rounds."""
    rest = logs - interval.medians(logs, axis=0)
    return interval.medians(rest, axis=1)


def _error(parts: Sequence[Cells]) -> tuple[float, float]:
    """The root of the summed variances of these values' centres, and its degrees of freedom."""
    if any(len(values) < _MIN_VALUES for values in parts):
        return math.inf, 1.0
    known = [
        (_VARIANCE_FACTOR * float(np.var(values, ddof=1)) / len(values), len(values) - 1)
        for values in parts
    ]
    total = sum(variance for variance, _ in known)
    if not total:
        return 0.0, 1.0
    return math.sqrt(total), total**2 / sum(variance**2 / free for variance, free in known)
