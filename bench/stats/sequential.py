"""Two sides measured round by round in turn: their ratio, looked at a few planned times. Pure numbers.

What a moment does to both sides cancels within its round; what a process does to a number does not, so
the interval has the workers of both sides in it. Every look spends a part of the level, so that looking
again makes no false alarm more likely.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import stdtr, stdtrit

from bench.stats import interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Cells = NDArray[np.float64]

Verdict = Literal["faster", "slower", "same", "unsure"]
CHANGED: tuple[Verdict, Verdict] = ("slower", "faster")
CONFIDENCE, THRESHOLD = 0.99, 0.02
"""One false alarm in a hundred unchanged cases; and 2 % is what people still act on."""
LOOKS = (5, 10, 20, 40)
"""Rounds after which a case is looked at. Fewer than five say little of their own spread; each look has
twice the rounds of the one before, since less would hardly narrow the interval."""
_FEWEST = 2
"""Workers of a side, and rounds, without which nothing is known of how far they differ."""
_WASTE = math.pi / 3
"""The variance of Hodges and Lehmann's centre over that of the mean, for normal values (their paper, 1963)."""
_MOST_LOG = 700.0
"""Beyond that a ratio is no number any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedRatio:
    """The time of the second side over that of the first; the ends are None where too little is known."""

    value: float
    low: float | None
    high: float | None
    rounds: int
    """Rounds in which both sides were measured."""
    p_value: float = 1.0
    """How often chance alone would show as large a change, in either direction, at this one look."""

    @property
    def half_width(self) -> float:
        """Of the interval, as a logarithm: about a share. Infinite where there is none."""
        if self.low is None or self.high is None:
            return math.inf
        return math.log(self.high / self.low) / 2


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


def ratio(one: Cells, other: Cells, level: float) -> PairedRatio | None:
    """How long the second side takes, as a multiple of the first; None if they share no round.

    The ratio is the centre, after Hodges and Lehmann, of the rounds' log ratios, in each of which the
    centres of both sides' workers meet. Its variance is the sum of three: that of the rounds' log ratios
    over their number, and for each side that of its workers' levels over theirs. A worker's level is the
    median of its cells less their rounds' medians. What is neither worker nor round is in all of them, so
    that the interval is a little too wide. Degrees of freedom after Satterthwaite (1946).

    Args:
        one: seconds per call of the first side, workers × rounds, NaN where nothing was measured.
        other: those of the second, as many rounds.
        level: the share of such intervals that may miss the truth.
    """
    shared = np.isfinite(one).any(axis=0) & np.isfinite(other).any(axis=0)
    pair = [cells[np.isfinite(cells).any(axis=1)][:, shared] for cells in (one, other)]
    if not shared.any() or not all((cells[np.isfinite(cells)] > 0).all() for cells in pair):
        return None
    before, after = (np.log(cells) for cells in pair)
    rounds = _by_round(after) - _by_round(before)
    middle = interval.centre(rounds)
    parts = [_part(rounds), _part(_levels(before)), _part(_levels(after))]
    known = [part for part in parts if part]
    if len(known) < len(parts):
        return PairedRatio(value=math.exp(middle), low=None, high=None, rounds=len(rounds))
    error, freedom = _error(known)
    width = min(float(stdtrit(freedom, 1 - level / 2)) * error, _MOST_LOG - abs(middle))
    return PairedRatio(
        value=math.exp(middle),
        low=math.exp(middle - width),
        high=math.exp(middle + width),
        rounds=len(rounds),
        p_value=_p_value(middle, error, freedom),
    )


def verdict(found: PairedRatio | None, threshold: float) -> Verdict:
    """What a ratio says of the second side.

    A change is one that chance does not explain (the interval leaves out 1) and that matters (the ratio
    is beyond the threshold); they are the same if the whole interval lies within the threshold.
    """
    if found is None or found.low is None or found.high is None:
        return "unsure"
    if found.low > 1 and found.value > 1 + threshold:
        return "slower"
    if found.high < 1 and found.value < 1 / (1 + threshold):
        return "faster"
    inside = 1 / (1 + threshold) < found.low and found.high < 1 + threshold
    return "same" if inside else "unsure"


def _by_round(logs: Cells) -> Cells:
    """The centre of a side's workers in each round."""
    return interval.centres(logs)


def _levels(logs: Cells) -> Cells:
    """How far each worker lies from what the others see in the same rounds."""
    rest = logs - interval.medians(logs, axis=0)
    return interval.medians(rest, axis=1)


def _part(values: Cells) -> tuple[float, int] | None:
    """The variance of the centre of these, and its degrees of freedom."""
    if len(values) < _FEWEST:
        return None
    return _WASTE * float(np.var(values, ddof=1)) / len(values), len(values) - 1


def _error(parts: Sequence[tuple[float, int]]) -> tuple[float, float]:
    """The root of the summed variances, and its degrees of freedom."""
    total = sum(variance for variance, _ in parts)
    if not total:
        return 0.0, 1.0
    return math.sqrt(total), total**2 / sum(variance**2 / free for variance, free in parts)


def _p_value(log: float, error: float, freedom: float) -> float:
    if not error:
        return 0.0 if log else 1.0
    return 2 * float(stdtr(freedom, -abs(log) / error))
