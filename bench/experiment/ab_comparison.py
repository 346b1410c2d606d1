"""A/B result as a comparison of two runs, a the base and b the new one, so that one gate judges both kinds. Pure.

The sides were measured in turn and differ in what was asked for: nothing bars them from each other. Both were
measured now, so that a case which failed on either side, or is wrong there, counts.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from bench.analysis.compare.comparability import Comparability
from bench.analysis.compare.comparison import Comparison, summarized
from bench.analysis.compare.left_out import LOSSES, LeftOut, loss_of
from bench.analysis.compare.verdict import CaseVerdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.experiment.ab import Answer, Result
    from bench.store.runs import RunInfo


def comparison(
    found: Result, base: RunInfo, new: RunInfo, *, why: Callable[[Answer], str]
) -> Comparison:
    """The result as `bench compare` would have it.

    Args:
        found: the answers.
        base: the run of side a.
        new: that of side b.
        why: what an answer's verdict rests on, in words.
    """
    judged = [(one, _verdict(one, found.aim.threshold, why(one))) for one in found.answers]
    cases = [(one.one.suite, case) for one, case in judged if case]
    missing = [_left_out(one, why(one)) for one, case in judged if not case]
    verdicts = [case for _, case in cases]
    return Comparison(
        base=base,
        new=new,
        comparable=Comparability(verdict="yes", differences=()),
        cases=tuple(verdicts),
        missing=tuple(missing),
        summary=summarized(verdicts, [suite for suite, _ in cases], missing),
        threshold=found.aim.threshold,
        confidence=found.aim.confidence,
    )


def called(info: RunInfo, side: str, said: str) -> RunInfo:
    """A side's run under a name that tells the two apart: its label, `a` or `b`, and what is different about it."""
    name = " ".join(filter(None, (info.label, side)))
    return dataclasses.replace(info, label=f"{name}: {said}" if said else name)


def _verdict(one: Answer, threshold: float, why: str) -> CaseVerdict | None:
    """The answer as a verdict; None where a side has no time, or the two were never measured together.

    What was found to be the same is so within the threshold, which is what could be seen, however wide the interval.
    """
    before_s, after_s, found = one.one.time_s, one.other.time_s, one.ratio
    if one.ended == "failed" or found is None or not before_s or not after_s:
        return None
    known = found.known
    widest = max(threshold, found.value / found.low - 1) if known else None
    return CaseVerdict(
        case=_case(one),
        device=one.one.device,
        base_s=before_s,
        new_s=after_s,
        ratio=found.value,
        ratio_lo=found.low if known else None,
        ratio_hi=found.high if known else None,
        verdict=one.verdict,
        reason=why,
        smallest_visible=threshold if one.verdict == "same" else widest,
        at="headline",
        threshold=threshold,
    )


def _left_out(one: Answer, why: str) -> LeftOut:
    losses = {loss_of(row) for row in (one.one, one.other)}
    loss = next((known for known in LOSSES if known in losses), None)
    return LeftOut(
        case=_case(one), device=one.one.device, base=None, new=why, loss=loss, open=not loss
    )


def _case(one: Answer) -> str:
    """The case's id; two ops are both named."""
    before, after = one.one.case, one.other.case
    return before if before == after else f"{before} → {after}"
