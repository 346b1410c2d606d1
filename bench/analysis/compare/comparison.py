"""Comparison of two runs: a verdict on each case that both have, what is missing, and the summary.

Sums and counts are over the joint set alone. With many cases a few are called changed by chance;
counts hold that down.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.compare.comparability import MEMORY, comparability, same_conditions
from bench.analysis.compare.left_out import LOSSES, left_out, lost
from bench.analysis.compare.verdict import judge_case
from bench.analysis.same_code import same_code
from bench.analysis.usable import FOR_INTERVALS, unusable
from bench.stats.false_discovery import discoveries
from bench.stats.ratio import CHANGED, CONFIDENCE, THRESHOLD, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.analysis.compare.comparability import Comparability, Difference
    from bench.analysis.compare.left_out import LeftOut
    from bench.analysis.compare.verdict import CaseVerdict
    from bench.records.record import Record
    from bench.store.runs import RunInfo

Key = tuple[str, str]
"""Case and device."""
BARRED = "not comparable"
"""How the reason of a case begins that has no verdict since its two sides must not be mixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """The geometric mean of ratios over some cases; the ends are None where a case has none."""

    cases: int
    ratio: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts of verdicts and mean ratios, over all cases and suite by suite."""

    faster: int
    slower: int
    same: int
    unsure: int
    missing: int
    geomean_ratio: float | None
    geomean_lo: float | None
    geomean_hi: float | None
    by_suite: Mapping[str, Mean]
    wrong: int = 0
    """How many of the missing count against the new run (`left_out`), since its result is wrong there, …"""
    failed: int = 0
    gone: int = 0

    @property
    def over_all(self) -> Mean:
        """The mean over all cases."""
        return Mean(
            cases=self.faster + self.slower + self.same + self.unsure,
            ratio=self.geomean_ratio,
            low=self.geomean_lo,
            high=self.geomean_hi,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One run against another."""

    base: RunInfo
    new: RunInfo
    comparable: Comparability
    cases: tuple[CaseVerdict, ...]
    missing: tuple[LeftOut, ...]
    """Cases that were left out, each with the run that lacks it and why."""
    summary: Summary
    threshold: float
    """The threshold of cases that have none of their own."""
    confidence: float

    @property
    def with_itself(self) -> bool:
        """Whether both are one run."""
        return self.base.run_id == self.new.run_id

    @property
    def lost(self) -> list[LeftOut]:
        """The left out that count against the new run, the gravest first."""
        return lost(self.missing)


def compare(
    base_rows: Sequence[Record],
    new_rows: Sequence[Record],
    base: RunInfo,
    new: RunInfo,
    *,
    threshold: float = THRESHOLD,
    confidence: float = CONFIDENCE,
    limit: Callable[[str], float] | None = None,
) -> Comparison:
    """Compare the rows of a run with those of another.

    Args:
        base_rows: those to compare with.
        new_rows: those that are compared.
        base: what the first run says of itself.
        new: what the second does.
        threshold: a smaller change does not count, as a share.
        confidence: of each case's interval, in (0.5, 1); false discoveries are held below the rest.
        limit: the threshold of a case by its id; None if all have the one above.
    """
    before, after = ({(r.case, r.device): r for r in rows} for rows in (base_rows, new_rows))
    both = [(before[key], after[key]) for key in before if key in after]
    pairs = [pair for pair in both if not any(unusable(r, barred=FOR_INTERVALS) for r in pair)]
    missing = left_out(before, after)
    comparable, alike = comparability(base, new, both), same_conditions(base, new)
    limits = [limit(one.case) if limit else threshold for one, _ in pairs]
    judged = _judged(pairs, limits, confidence, comparable, alike=alike)
    cases = [_told(one) for one in discovered(judged, 1 - confidence)]
    return Comparison(
        base=base,
        new=new,
        comparable=comparable,
        cases=tuple(cases),
        missing=tuple(missing),
        summary=summarized(cases, [one.suite for one, _ in pairs], missing),
        threshold=threshold,
        confidence=confidence,
    )


def _judged(
    pairs: Sequence[tuple[Record, Record]],
    limits: Sequence[float],
    confidence: float,
    comparable: Comparability,
    *,
    alike: bool,
) -> list[CaseVerdict]:
    """A verdict on each pair of rows; none on what must not be mixed."""
    return [
        dataclasses.replace(
            _barred(
                judge_case(
                    one,
                    other,
                    threshold=threshold,
                    confidence=confidence,
                    same_machine=alike and one.threads == other.threads,
                ),
                _apart(one, other, comparable.barriers),
            ),
            op_changed=same_code((one, None), (other, None)) is False,
        )
        for (one, other), threshold in zip(pairs, limits, strict=True)
    ]


def discovered(cases: Sequence[CaseVerdict], level: float) -> list[CaseVerdict]:
    """The cases, with changes that may well be chance among so many taken back to `unsure`.

    Of those still called changed, at most this share is wrong on average. Cases that are not called changed
    count as tried, in vain.
    """
    shown = [case.p_value if case.verdict in CHANGED else 1.0 for case in cases]
    reason = f"one of {len(cases)} cases can be that far off by chance"
    return [
        dataclasses.replace(case, verdict="unsure", reason=reason)
        if case.verdict in CHANGED and not stands
        else case
        for case, stands in zip(cases, discoveries(shown, level), strict=True)
    ]


def mean(cases: Sequence[CaseVerdict]) -> Mean:
    """The geometric mean of the ratios, and how far it may be off.

    Cases of one run share the machine's state, so their errors don't average out as independent ones do.
    The ends are those of errors that move together: the means of the cases' own ends. Whatever the
    cases have in common, the mean is no less sure than that.
    """
    return Mean(
        cases=len(cases),
        ratio=_geomean([c.ratio for c in cases]),
        low=_geomean([c.ratio_lo for c in cases]),
        high=_geomean([c.ratio_hi for c in cases]),
    )


def _geomean(values: Sequence[float | None]) -> float | None:
    logs = [math.log(v) for v in values if v]
    return math.exp(math.fsum(logs) / len(logs)) if logs and len(logs) == len(values) else None


def summarized(
    cases: Sequence[CaseVerdict], suites: Sequence[str], missing: Sequence[LeftOut]
) -> Summary:
    """The counts and means of cases, of which each is of the suite in the same place.

    Args:
        cases: those that were judged.
        suites: the suite of each.
        missing: those that were left out.
    """
    losses = Counter(one.loss for one in missing)
    counts = Counter(case.verdict for case in cases)
    all_ = mean(cases)
    members: dict[str, list[CaseVerdict]] = {}
    for suite, case in zip(suites, cases, strict=True):
        members.setdefault(suite, []).append(case)
    return Summary(
        **{verdict: counts[verdict] for verdict in VERDICTS},
        missing=len(missing),
        **{loss: losses[loss] for loss in LOSSES},
        geomean_ratio=all_.ratio,
        geomean_lo=all_.low,
        geomean_hi=all_.high,
        by_suite={suite: mean(of) for suite, of in members.items()},
    )


def _apart(one: Record, other: Record, barriers: Sequence[Difference]) -> str:
    """In what two rows differ that must not be mixed; empty if in nothing."""
    runs = [d.field for d in barriers if not d.of_memory]
    before, after = one.memory_policy, other.memory_policy
    return ", ".join([*runs, *([f"{MEMORY} ({before} → {after})"] if before != after else [])])


def _barred(found: CaseVerdict, apart: str) -> CaseVerdict:
    """No verdict on what must not be mixed; the ratio stays for whoever knows what it means."""
    if not apart:
        return found
    return dataclasses.replace(
        found, verdict="unsure", reason=f"{BARRED}: {apart} differs", p_value=1.0
    )


def _told(case: CaseVerdict) -> CaseVerdict:
    """That the code changed is part of why: the difference may be meant."""
    reason = f"{case.reason}; the op's code changed"
    return dataclasses.replace(case, reason=reason) if case.op_changed else case
