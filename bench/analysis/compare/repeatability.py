"""Repeatability of unchanged code, and the power of `bench compare`: every pair of runs in which nothing changed.

Rows of one machine go in. A pair is one case in two runs. The share of pairs that look like a change is the
rate of false alarms, and what nearly no pair exceeds is the smallest effect that can be shown. Power is how
often a change is found: all times of the later run are multiplied, so that the cases vouch for each other
where false discoveries are held down; one slow case alone among unchanged ones is seen less often.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.analysis.compare.comparison import compare
from bench.stats.ratio import CONFIDENCE, THRESHOLD, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.analysis.compare.verdict import CaseVerdict
    from bench.records.record import Record
    from bench.store.runs import RunInfo

    Run = tuple[RunInfo, Sequence[Record]]

THRESHOLDS = (0.02, 0.05, 0.10)
"""Changes that people set alarms at."""
VISIBLE_QUANTILE = 0.95
"""An effect is visible if no more than one unchanged pair in twenty differs as much."""
HEADLINE, AT_REFERENCE = "time_s", "time_at_reference_s"
_CASE = ["case", "device"]
_REFERENCE = ["reference_compute_s", "reference_barrier_s"]
_ENDS = {
    HEADLINE: ("time_lo_s", "time_hi_s"),
    AT_REFERENCE: ("time_at_reference_lo_s", "time_at_reference_hi_s"),
}
CHANGES = (0.0, 0.05, 0.10)
"""By how much runs are slowed: not at all, by the usual threshold, by twice that."""
_TIMES = tuple(name for time, ends in _ENDS.items() for name in (time, *ends))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far one column of times agrees between runs; spread is (max - min) / median over runs."""

    cases: int
    pairs: int
    changed: Mapping[float, float]
    smallest_visible: float
    spread_middle: float
    spread_worst: float
    worst_case: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """How often intervals of unchanged code are disjoint, and how wide they are; `confidence` is None where rows differ in it."""

    pairs: int
    disjoint: float
    half_width: float
    confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """All that these runs say about repeating; None where no pair has what it takes."""

    runs: int
    headline: Agreement | None
    at_reference: Agreement | None
    intervals: Intervals | None


def repeats(rows: pd.DataFrame) -> Repeats:
    """What the rows of unchanged runs on one machine say."""
    return Repeats(
        runs=int(rows["run_id"].nunique()),
        headline=agreement(rows, HEADLINE),
        at_reference=agreement(at_one_reference(rows), AT_REFERENCE),
        intervals=intervals(rows),
    )


def at_one_reference(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows whose times are at the reference that most rows have; of equals, at the fastest.

    A run that finds a faster state sets another reference. Times at different references can't be compared:
    between states, ops differ in how much slower they are.
    """
    if rows.empty:
        return rows
    number = rows.groupby(_REFERENCE, dropna=False).ngroup()
    sizes = number.map(number.value_counts())
    most = rows.loc[sizes == sizes.max(), _REFERENCE]
    fastest = most.fillna(math.inf).sort_values(_REFERENCE[::-1], kind="stable").index[0]
    usual: pd.DataFrame = rows[number == number[fastest]]
    return usual


def agreement(
    rows: pd.DataFrame, column: str = HEADLINE, thresholds: Sequence[float] = THRESHOLDS
) -> Agreement | None:
    """How far this column agrees between runs; None if no case has it in two of them."""
    logs = log_ratios(rows, column)
    if logs.empty:
        return None
    spread = spreads(rows, column)
    return Agreement(
        cases=len(spread),
        pairs=len(logs),
        changed={t: changed_share(logs, t) for t in thresholds},
        smallest_visible=smallest_visible(logs),
        spread_middle=float(spread.median()),
        spread_worst=float(spread.iloc[0]),
        worst_case=str(spread.index[0][0]),
    )


def log_ratios(rows: pd.DataFrame, column: str = HEADLINE) -> pd.Series[float]:
    """Per pair, how far apart the two runs are: |log(one / other)|."""
    both = _pairs(rows, [column])
    ratios = (both[f"{column}_one"] / both[f"{column}_other"]).to_numpy(dtype=float)
    return pd.Series(np.abs(np.log(ratios)), index=both.index)


def changed_share(logs: pd.Series[float], threshold: float) -> float:
    """The share of pairs whose times differ by more than the threshold, up or down."""
    return float((logs > math.log1p(threshold)).mean())


def smallest_visible(logs: pd.Series[float]) -> float:
    """The difference that only one pair in twenty exceeds, as a share."""
    return math.expm1(float(logs.quantile(VISIBLE_QUANTILE)))


def spreads(rows: pd.DataFrame, column: str = HEADLINE) -> pd.Series[float]:
    """(max - min) / median over the runs of each case that two or more have, widest first."""
    times = _measured(rows, [column]).groupby(_CASE, sort=False)[column]
    several = times.count() > 1
    found = ((times.max() - times.min()) / times.median())[several]
    return found.sort_values(ascending=False, kind="stable")


def intervals(rows: pd.DataFrame) -> Intervals | None:
    """How often intervals of unchanged code are disjoint; None if no case has them in two runs."""
    gaps = interval_gaps(rows)
    if gaps.empty:
        return None
    known = _measured(rows, [HEADLINE, *_ENDS[HEADLINE]])
    levels = known["confidence"].dropna().unique()
    return Intervals(
        pairs=len(gaps),
        disjoint=disjoint_share(gaps),
        half_width=half_width(known),
        confidence=float(levels[0]) if len(levels) == 1 else None,
    )


def interval_gaps(rows: pd.DataFrame, column: str = HEADLINE) -> pd.Series[float]:
    """Per pair, log(lower end of the upper interval / upper end of the lower); above 0: disjoint."""
    low, high = _ENDS[column]
    both = _pairs(rows, (low, high), zero_is_known=True)
    with np.errstate(divide="ignore"):  # an interval may begin at 0, and then it meets any other
        one = np.log(both[f"{low}_one"] / both[f"{high}_other"])
        other = np.log(both[f"{low}_other"] / both[f"{high}_one"])
    return pd.Series(np.maximum(one, other), index=both.index)


def disjoint_share(gaps: pd.Series[float], by_more_than: float = 0.0) -> float:
    """The share of pairs whose intervals are disjoint, with a gap of more than this share."""
    return float((gaps > math.log1p(by_more_than)).mean())


def half_width(rows: pd.DataFrame, column: str = HEADLINE) -> float:
    """The middle of the intervals' larger sides, as a share of the time."""
    low, high = _ENDS[column]
    known = _measured(rows, [column, low, high], zero_is_known=True)
    above, below = known[high] - known[column], known[column] - known[low]
    return float((np.maximum(above, below) / known[column]).median())


def _measured(
    rows: pd.DataFrame, columns: Sequence[str], *, zero_is_known: bool = False
) -> pd.DataFrame:
    """The rows that were measured and have these columns."""
    values = rows[list(columns)].to_numpy(dtype=float)
    known = np.isfinite(values) & ((values >= 0) if zero_is_known else (values > 0))
    measured: pd.DataFrame = rows.loc[(rows["status"] == "ok").to_numpy() & known.all(axis=1)]
    return measured


def _pairs(
    rows: pd.DataFrame, columns: Sequence[str], *, zero_is_known: bool = False
) -> pd.DataFrame:
    """Each case in each two runs, side by side: `column_one`, `column_other`."""
    known = _measured(rows, columns, zero_is_known=zero_is_known)
    kept = known[["run_id", *_CASE, *columns]].astype(dict.fromkeys(columns, float))
    both = kept.merge(kept, on=_CASE, suffixes=("_one", "_other"))
    return both[both["run_id_one"] < both["run_id_other"]].reset_index(drop=True)


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
    return Power(by=by, **{verdict: counts[verdict] for verdict in VERDICTS})
