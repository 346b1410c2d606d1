"""Whether a change may pass, as an exit code and the sentence that says why. Pure.

Three outcomes, none of them by default: a regression was shown; none as large as the threshold is left
possible; or the data say neither. Only the last keeps a noisy machine from passing everything.

How often a change that alters nothing fails. Say `doubt` for 1 − confidence. Verdicts are two-sided at
this doubt, and false discoveries are held to it over all cases of a comparison (Benjamini & Hochberg,
1995). Where nothing changed, every discovery is a false one, so the chance of any is at most the doubt; of
one case alone, only one of the two sides is an alarm, which leaves half of it. That is proven for
independent cases, and one-sided for cases that rise and fall together, as those of one machine do
(Benjamini & Yekutieli, 2001). A change must also be larger than its threshold, which makes alarms rarer:
it is a bound, not a forecast, and as good as the intervals, which `bench selftest` puts to the test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.analysis.usable import FOR_INTERVALS, WRONG_RESULT, failure, unusable
from bench.units import counted, number, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.analysis.compare.comparison import Comparison
    from bench.analysis.compare.verdict import CaseVerdict
    from bench.records.record import Record

FINE, REGRESSION, UNDECIDED, NOT_COMPARABLE, SOME_FAILED = 0, 3, 4, 5, 6
"""Exit codes of the command line."""
_WORST_FIRST = (NOT_COMPARABLE, REGRESSION, SOME_FAILED, UNDECIDED, FINE)
"""A regression that was shown outweighs cases that failed; those outweigh what can't be told."""
_NAMED = 3
"""Cases that a sentence names; the tables have them all."""
Found = Literal["regression", "fine", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the gate makes of one case."""

    case: CaseVerdict
    found: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The exit code, why, and what came of each case; `false_alarm_rate` is a share of comparisons."""

    exit_code: int
    sentence: str
    false_alarm_rate: float
    findings: tuple[Finding, ...]
    failed: tuple[str, ...]


def gate(comparison: Comparison, *, failed: Sequence[str] = ()) -> Gate:
    """Judge a comparison.

    Args:
        comparison: its verdicts are those after the control of false discoveries, at each case's threshold.
        failed: the cases that were measured in the base run and failed in the new one (`lost`).
    """
    findings = tuple(Finding(case=case, found=_found(case)) for case in comparison.cases)
    code = _exit_code(comparison, findings, failed)
    rate = false_alarm_rate(comparison.confidence, len(findings))
    said = _SAID[code](comparison, findings, failed)
    if findings and code != NOT_COMPARABLE:
        said += f" {_promise(rate, comparison.confidence, len(findings))}"
    return Gate(
        exit_code=code,
        sentence=said,
        false_alarm_rate=rate,
        findings=findings,
        failed=tuple(failed),
    )


def lost(base: Sequence[Record], new: Sequence[Record]) -> list[str]:
    """The cases that the base measured and that failed in the new run, or whose result is wrong there."""
    measured = {(r.case, r.device) for r in base if not unusable(r, barred=FOR_INTERVALS)}
    found = [(r, failure(r)) for r in new if (r.case, r.device) in measured]
    return [
        f"{r.case} on {r.device}{' (wrong result)' if why == WRONG_RESULT else ''}"
        for r, why in found
        if why
    ]


def false_alarm_rate(confidence: float, cases: int) -> float:
    """At most this share of comparisons in which nothing changed fails; see above for why."""
    return (1 - confidence) * min(cases / 2, 1.0)


def worst(gates: Iterable[Gate]) -> int:
    """The exit code of several comparisons."""
    codes = {one.exit_code for one in gates}
    return next((code for code in _WORST_FIRST if code in codes), FINE)


def _found(case: CaseVerdict) -> Found:
    """What a verdict means for a gate: unsure is open, and so is a case too noisy for its threshold."""
    if case.verdict == "slower":
        return "regression"
    if case.verdict == "unsure":
        return "open"
    excluded = case.ratio_hi is not None and case.ratio_hi <= 1 + case.threshold
    seen = case.smallest_visible is not None and case.smallest_visible <= case.threshold
    return "fine" if excluded or seen else "open"


def _exit_code(comparison: Comparison, findings: Sequence[Finding], failed: Sequence[str]) -> int:
    if comparison.comparable.verdict == "no" or not (findings or failed):
        return NOT_COMPARABLE
    found = {one.found for one in findings}
    if "regression" in found:
        return REGRESSION
    if failed:
        return SOME_FAILED
    return UNDECIDED if "open" in found else FINE


def _promise(rate: float, confidence: float, cases: int) -> str:
    return (
        f"If nothing had changed, this gate would fail at most {share(rate)} of the time "
        f"({counted(cases, 'case')} at {100 * confidence:g} % confidence, "
        "false discoveries controlled)."
    )


def _passed(_: Comparison, findings: Sequence[Finding], __: Sequence[str]) -> str:
    return f"Gate passed: no regression beyond its threshold in {counted(len(findings), 'case')}."


def _regressed(_: Comparison, findings: Sequence[Finding], failed: Sequence[str]) -> str:
    slower = [one for one in findings if one.found == "regression"]
    slower.sort(key=lambda one: -(one.case.ratio or 0.0))
    also = f" Besides, {counted(len(failed), 'case')} failed." if failed else ""
    return (
        f"Gate failed: {len(slower)} of {counted(len(findings), 'case')} slower than allowed: "
        f"{_named([_how_much(one) for one in slower])}.{also}"
    )


def _lost(_: Comparison, findings: Sequence[Finding], failed: Sequence[str]) -> str:
    left_open = sum(one.found == "open" for one in findings)
    said = "no regression" + (f", {left_open} undecided" if left_open else "")
    others = f"; of the other {len(findings)}: {said}" if findings else ""
    return f"Gate failed: {counted(len(failed), 'case')} failed: {_named(failed)}{others}."


def _open(_: Comparison, findings: Sequence[Finding], __: Sequence[str]) -> str:
    unclear = [one for one in findings if one.found == "open"]
    return (
        f"Gate undecided: the data neither show nor exclude a regression in {len(unclear)} of "
        f"{counted(len(findings), 'case')}: {_named([_why_open(one) for one in unclear])}. "
        "Measure longer (--budget) or allow these cases more; no other case got slower than allowed."
    )


def _apart(comparison: Comparison, findings: Sequence[Finding], __: Sequence[str]) -> str:
    if comparison.comparable.verdict != "no" and not findings:
        return "Not comparable: the two runs have no measured case in common."
    matter = [one for one in comparison.comparable.differences if one.matters == "yes"]
    what = _named([f"{one.field} {one.base} → {one.new}" for one in matter]) or "the runs differ"
    remedy = comparison.comparable.remedy
    return f"Not comparable: {what}." + (f" To compare: {remedy}" if remedy else "")


_SAID = {
    FINE: _passed,
    REGRESSION: _regressed,
    UNDECIDED: _open,
    NOT_COMPARABLE: _apart,
    SOME_FAILED: _lost,
}


def _how_much(one: Finding) -> str:
    ratio = number(one.case.ratio, 4)
    allowed = number(1 + one.case.threshold, 4)
    return f"{one.case.case} on {one.case.device} {ratio} times (allowed {allowed})"


def _why_open(one: Finding) -> str:
    """The case with the change that it could have shown, where that is too much, else the reason."""
    visible = one.case.smallest_visible
    too_much = visible is not None and visible > one.case.threshold
    why = f"visible from {share(visible)}" if too_much else one.case.reason
    return f"{one.case.case} on {one.case.device} (allowed {share(one.case.threshold)}; {why})"


def _named(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
