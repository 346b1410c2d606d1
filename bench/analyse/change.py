"""How far apart two times are, at any confidence: never more sure than the two rows' intervals allow.

A row keeps its interval but not the degrees of freedom of its Student's t. Their ends are known: no
fewer than the smaller of (workers, rounds) less one, and no more than infinitely many. Both are tried,
and the wider interval, or the larger p, counts.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from scipy.special import stdtr, stdtrit

if TYPE_CHECKING:
    from bench.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A time with how far its interval reaches up and down, as logarithms; infinite if it has none."""

    time_s: float
    up: float
    down: float
    confidence: float
    least_freedom: float

    @classmethod
    def headline(cls, record: Record) -> Self:
        """The headline, which the record must have."""
        ends = record.time_lo_s, record.time_hi_s
        return cls._of(record, record.time_s or math.nan, *ends)

    @classmethod
    def at_reference(cls, record: Record) -> Self | None:
        """The time brought to reference conditions; None without it.

        Early versions kept no interval of it; that of the headline, which also holds the clock's drift,
        then stands for it.
        """
        found, low, high = (
            record.time_at_reference_s,
            record.time_at_reference_lo_s,
            record.time_at_reference_hi_s,
        )
        if not found:
            return None
        if low is None or high is None:
            return dataclasses.replace(cls.headline(record), time_s=found)
        return cls._of(record, found, low, high)

    @classmethod
    def _of(cls, record: Record, time_s: float, low: float | None, high: float | None) -> Self:
        known = low is not None and high is not None and record.confidence is not None
        counts = [n - 1 for n in (record.workers, record.rounds) if n and n > 1]
        return cls(
            time_s=time_s,
            up=math.log(high / time_s) if known and high else math.inf,
            down=math.log(time_s / low) if known and low else math.inf,
            confidence=record.confidence or 0.0,
            least_freedom=min(counts, default=1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """From one time to another; the ratio is new over base, so that more than 1 is slower."""

    base: Timed
    new: Timed

    @property
    def log(self) -> float:
        """The logarithm of the ratio."""
        return math.log(self.new.time_s / self.base.time_s)

    @property
    def known(self) -> bool:
        """Whether both times have an interval with two ends."""
        reaches = (self.base.up, self.base.down, self.new.up, self.new.down)
        return all(map(math.isfinite, reaches))

    def reach(self, confidence: float) -> tuple[float, float]:
        """How far the interval of the logarithm reaches down and up at this confidence."""
        down = self._spreads(self.base.up, self.new.down)
        up = self._spreads(self.base.down, self.new.up)
        at = 0.5 + confidence / 2
        low, high = (max(s * stdtrit(freedom, at) for s, freedom in ends) for ends in (down, up))
        return float(low), float(high)

    def p_value(self) -> float:
        """How often chance alone would show as large a change, in either direction."""
        if not self.log or not self.known:
            return 1.0
        slower = self.log > 0
        reaches = (self.base.up, self.new.down) if slower else (self.base.down, self.new.up)
        ends = [(s, f) for s, f in self._spreads(*reaches) if s]
        return max((2 * float(stdtr(f, -abs(self.log) / s)) for s, f in ends), default=0.0)

    def _spreads(self, base: float, new: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """The standard error of the logarithm and its freedom, with fewest and with most freedom.

        Half-widths over their own quantile are standard errors, which add in quadrature; the freedom of
        the sum is Welch's (1947).
        """
        fewest = self._spread(base, new, self.base.least_freedom, self.new.least_freedom)
        return fewest, self._spread(base, new, math.inf, math.inf)

    def _spread(
        self, base: float, new: float, of_base: float, of_new: float
    ) -> tuple[float, float]:
        if not (math.isfinite(base) and math.isfinite(new)):
            return math.inf, 1.0
        one = base / float(stdtrit(of_base, 0.5 + self.base.confidence / 2))
        other = new / float(stdtrit(of_new, 0.5 + self.new.confidence / 2))
        parts = one**4 / of_base + other**4 / of_new
        return math.hypot(one, other), (one**2 + other**2) ** 2 / parts if parts else math.inf
