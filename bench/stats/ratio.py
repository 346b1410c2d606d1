"""Ratio of two times with its confidence interval, and the verdict on it: slower, faster, the same, or unsure.

An interval is never more sure than those of the two times allow, and everything that says "slower" or "same"
of a ratio asks `judge`, so that the words mean the same wherever they stand.
A row keeps its interval but not the degrees of freedom of its Student's t. Their ends are known: no
fewer than the smaller of (workers, rounds) less one, and no more than infinitely many. Both are tried,
and the wider interval, or the larger p, counts. Errors of the two times are taken as independent; what
rows of one run have in common, the machine's drift, cancels in a ratio, so this errs on the wide side.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, Protocol, Self

from scipy.special import stdtr, stdtrit

from bench.units import number

if TYPE_CHECKING:
    from bench.records.record import Record

Verdict = Literal["slower", "faster", "unsure", "same"]
VERDICTS: tuple[Verdict, ...] = ("slower", "faster", "unsure", "same")
"""In the order in which they concern a reader."""
CHANGED = VERDICTS[:2]
CONFIDENCE = 0.99
"""Confidence of a verdict: one false alarm in a hundred unchanged cases."""
THRESHOLD, PAIRED_THRESHOLD = 0.05, 0.02
"""Smaller changes don't count, as shares: between two runs, and between interleaved sides, where the
machine's drift cancels. 2 % is what people still act on."""
EQUIVALENCE = 0.05
"""Level of the test that calls a ratio the same, as is usual for tests of equivalence: at most one change in
twenty that is just as large as the threshold is called none, and fewer of larger ones."""
_FINENESS = 256
"""Welch's freedom is rounded down to one part in 128 or less, so that few quantiles have to be found: from
five degrees on an interval gets wider by a quarter of a per cent at most, and none gets narrower."""
_ROUNDING = 1e-12
"""A freedom that is less than a step by this share is that step but for its last digits."""
_QUANTILES = 1 << 14
"""How many are kept: more than all steps up to a million degrees of freedom, at three confidences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times as long (or as much) one takes as the other, with its interval."""

    value: float
    low: float
    """0 where there is no lower end."""
    high: float
    """Infinite where there is no upper end."""

    @classmethod
    def of_log(cls, log: float, down: float, up: float) -> Self:
        """From the logarithm, and how far its interval reaches down and up; infinitely where it has no end."""
        return cls(value=_exp(log), low=_exp(log - down), high=_exp(log + up))

    @property
    def known(self) -> bool:
        """Whether the interval has two ends."""
        return self.low > 0 and math.isfinite(self.high)

    @property
    def half_width(self) -> float:
        """Half of the interval, as a logarithm: about a share. Infinite where it lacks an end."""
        return math.log(self.high / self.low) / 2 if self.known else math.inf

    def __str__(self) -> str:
        """`2.01 (1.95 to 2.07)`; `at least 1.95` where there is no upper end."""
        if math.isinf(self.high):
            return f"at least {number(self.low)}"
        return f"{number(self.value)} ({number(self.low)} to {number(self.high)})"


class Estimated(Protocol):
    """A ratio that has an interval at any confidence, however it was measured."""

    def ratio(self, confidence: float) -> Ratio:
        """The ratio with its interval."""


def judge(
    found: Estimated, *, threshold: float, confidence: float, equivalence: float = EQUIVALENCE
) -> Verdict:
    """The verdict on a ratio: a test of a difference, then one of equivalence.

    A change is one that chance does not explain (the interval leaves out 1) and that matters (the ratio is
    beyond the threshold). It is the same if two one-sided tests put it within the threshold (Schuirmann
    1987): these are the interval at 1 less twice their level; that is no stricter than the one of a change.

    Args:
        found: what was measured.
        threshold: a change that is smaller does not count, as a share.
        confidence: of the interval that must leave out 1.
        equivalence: the level of the test that calls it the same.
    """
    least, most = 1 / (1 + threshold), 1 + threshold
    sure = found.ratio(confidence)
    if sure.low > 1 and sure.value > most:
        return "slower"
    if sure.high < 1 and sure.value < least:
        return "faster"
    inner = found.ratio(1 - 2 * max(equivalence, 1 - confidence))
    return "same" if least < inner.low and inner.high < most else "unsure"


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
        return cls._of(record, record.time_s or math.nan, record.time_lo_s, record.time_hi_s)

    @classmethod
    def between(
        cls,
        time_s: float,
        low_s: float | None,
        high_s: float | None,
        *,
        confidence: float,
        least_freedom: float,
    ) -> Self:
        """A time between two ends; without both it could be anything, and 0 or less is no lower end."""
        known = low_s is not None and high_s is not None and confidence > 0
        return cls(
            time_s=time_s,
            up=math.log(high_s / time_s) if known and high_s else math.inf,
            down=math.log(time_s / low_s) if known and low_s and low_s > 0 else math.inf,
            confidence=confidence,
            least_freedom=least_freedom,
        )

    @property
    def low_s(self) -> float:
        """Where the interval begins; 0 without a lower end."""
        return self.time_s * math.exp(-self.down)

    @property
    def high_s(self) -> float:
        """Where it ends."""
        return self.time_s * _exp(self.up)

    @classmethod
    def at_reference(cls, record: Record) -> Self | None:
        """The time at reference conditions; None without it.

        Early versions kept no interval of it; that of the headline, which also holds the clock's drift,
        then stands for it.
        """
        found = record.time_at_reference_s
        low, high = record.time_at_reference_lo_s, record.time_at_reference_hi_s
        if not found:
            return None
        if low is None or high is None:
            return dataclasses.replace(cls.headline(record), time_s=found)
        return cls._of(record, found, low, high)

    @classmethod
    def _of(cls, record: Record, time_s: float, low: float | None, high: float | None) -> Self:
        counts = [n - 1 for n in (record.workers, record.rounds) if n and n > 1]
        return cls.between(
            time_s,
            low,
            high,
            confidence=record.confidence or 0.0,
            least_freedom=min(counts, default=1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """From one time to another; the ratio is new over base, so that more than 1 is slower."""

    base: Timed
    new: Timed

    @classmethod
    def of(cls, base: Record, new: Record) -> Self:
        """Between the headlines of two rows, which both must have."""
        return cls(base=Timed.headline(base), new=Timed.headline(new))

    @property
    def log(self) -> float:
        """The logarithm of the ratio."""
        return math.log(self.new.time_s / self.base.time_s)

    @property
    def known(self) -> bool:
        """Whether both times have an interval with two ends."""
        reaches = (self.base.up, self.base.down, self.new.up, self.new.down)
        return all(map(math.isfinite, reaches))

    def ratio(self, confidence: float | None = None) -> Ratio:
        """The ratio and its interval, as a rule at the higher of the two times' own confidences."""
        if confidence is None:
            confidence = max(self.base.confidence, self.new.confidence)
        return Ratio.of_log(self.log, *self.reach(confidence))

    def reach(self, confidence: float) -> tuple[float, float]:
        """How far the interval of the logarithm reaches down and up at this confidence."""
        down = self._spreads(self.base.up, self.new.down)
        up = self._spreads(self.base.down, self.new.up)
        low, high = (
            max(
                s * _quantile(freedom, confidence) if math.isfinite(s) else s for s, freedom in ends
            )
            for ends in (down, up)
        )
        return low, high

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
        one = base / _quantile(of_base, self.base.confidence)
        other = new / _quantile(of_new, self.new.confidence)
        parts = one**4 / of_base + other**4 / of_new
        freedom = (one**2 + other**2) ** 2 / parts if parts else math.inf
        return math.hypot(one, other), _rounded(freedom)


@lru_cache(maxsize=_QUANTILES)
def _quantile(freedom: float, confidence: float) -> float:
    """Student's t; scipy takes longer to find one than all else here takes for a pair of rows."""
    return float(stdtrit(freedom, 0.5 + confidence / 2))


def _rounded(freedom: float) -> float:
    """Down to the next step; fewer degrees make wider intervals."""
    if math.isinf(freedom):
        return freedom
    share, exponent = math.frexp(freedom)
    return math.ldexp(math.floor(share * _FINENESS * (1 + _ROUNDING)) / _FINENESS, exponent)


def _exp(log: float) -> float:
    try:
        return math.exp(log)
    except OverflowError:
        return math.inf
