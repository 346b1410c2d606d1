"""Stopping rule: a case is measured enough when it is precise, gets no more precise, or is out of budget.

An object that is told the cells of a case after each round and answers with a reason or None; it reads
no clock and takes no sample, so it is tested with made-up numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import units
from bench.stats import interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TARGET_HALF_WIDTH = 0.01
"""±1 % settles the differences people act on; half of that costs four times as much."""
LEAST_ROUNDS = 4
"""With fewer, the spread between rounds is a guess, and stopping at a lucky one is a bias: with three,
95 % intervals of simulated cases held the truth in 92 %."""
_LOOK_BACK_ROUNDS = 4
_LEAST_GAIN_SHARE = 0.1
"""Four more rounds of independent noise narrow an interval by a quarter or more; a tenth is no gain."""

PRECISE, NO_GAIN, BUDGET, TIMEOUT = "precise", "no-gain", "budget", "timeout"


@dataclass(slots=True)
class Stopping:
    """Judges one case, round by round."""

    target: float = TARGET_HALF_WIDTH
    confidence: float = interval.CONFIDENCE
    _widths: list[float] = field(default_factory=list)

    @property
    def half_width(self) -> float:
        """The interval's half-width after the last round, as a share; infinite before there is one."""
        return self._widths[-1] if self._widths else math.inf

    def judge(self, cells: NDArray[np.float64]) -> str | None:
        """Why the case needs no further round, after one more of them; None if it needs one.

        Args:
            cells: the case's medians so far, workers × rounds.
        """
        found = interval.estimate(cells, self.confidence)
        width = units.half_width(found.centre, found.low, found.high)
        self._widths.append(width)
        if len(self._widths) < LEAST_ROUNDS or not math.isfinite(width):
            return None
        if width <= self.target:
            return PRECISE
        if len(self._widths) < LEAST_ROUNDS + _LOOK_BACK_ROUNDS:
            return None
        before = self._widths[-1 - _LOOK_BACK_ROUNDS]
        return NO_GAIN if width > (1 - _LEAST_GAIN_SHARE) * before else None
