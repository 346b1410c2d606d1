"""Whether a change may pass, as an exit code and the sentence that says why. Pure.

Three outcomes, none of them by default: a regression was shown; none as large as the threshold is left
possible; or the data say neither. Only the last keeps a noisy machine from passing everything.
A case that the new run lost (`left_out`) outweighs them all: a wrong result has no time worth a verdict.

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

from bench.analysis.compare.comparison import BARRED
from bench.analysis.compare.left_out import GONE_REMEDY, counts
from bench.units import counted, number, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.analysis.compare.comparison import Comparison
    from bench.analysis.compare.verdict import CaseVerdict

FINE, REGRESSION, UNDECIDED, NOT_COMPARABLE, SOME_FAILED = 0, 3, 4, 5, 6
"""Exit codes of the command line."""
_WORST_FIRST = (SOME_FAILED, REGRESSION, UNDECIDED, NOT_COMPARABLE, FINE)
"""What is broken outweighs what is slow, and that what can't be told; what could not be compared at all says
nothing of the cases that could."""
_NAMED = 3
"""Cases that a sentence names; the tables have them all."""
Found = Literal["regression", "fine", "open", "barred"]


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


def gate(comparison: Comparison) -> Gate:
    """Judge a comparison, whose verdicts are those after the control of false discoveries, at each case's threshold."""
    findings = tuple(Finding(case=case, found=_found(case)) for case in comparison.cases)
    code = _exit_code(comparison, findings)
    rate = false_alarm_rate(comparison.confidence, len(findings))
    said = _SAID[code](comparison, findings)
    if findings and code != NOT_COMPARABLE:
        said += f" {_promise(rate, comparison.confidence, len(findings))}"
    return Gate(exit_code=code, sentence=said, false_alarm_rate=rate, findings=findings)


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
        return "barred" if case.reason.startswith(BARRED) else "open"
    excluded = case.ratio_hi is not None and case.ratio_hi <= 1 + case.threshold
    seen = case.smallest_visible is not None and case.smallest_visible <= case.threshold
    return "fine" if excluded or seen else "open"


def _exit_code(comparison: Comparison, findings: Sequence[Finding]) -> int:
    if comparison.lost:
        return SOME_FAILED
    found = {one.found for one in findings} | {"open" for one in comparison.missing if one.open}
    if found <= {"barred"}:
        return NOT_COMPARABLE
    if "regression" in found:
        return REGRESSION
    if "open" in found:
        return UNDECIDED
    return NOT_COMPARABLE if "barred" in found else FINE


def _promise(rate: float, confidence: float, cases: int) -> str:
    return (
        f"If nothing had changed, this gate would fail at most {share(rate)} of the time "
        f"({counted(cases, 'case')} at {100 * confidence:g} % confidence, "
        "false discoveries controlled)."
    )


def _passed(_: Comparison, findings: Sequence[Finding]) -> str:
    return f"Gate passed: no regression beyond its threshold in {counted(len(findings), 'case')}."


def _regressed(_: Comparison, findings: Sequence[Finding]) -> str:
    return f"Gate failed: {_slower(findings)}."


def _slower(findings: Sequence[Finding]) -> str:
    slower = [one for one in findings if one.found == "regression"]
    slower.sort(key=lambda one: -(one.case.ratio or 0.0))
    named = _named([_how_much(one) for one in slower])
    return f"{len(slower)} of {counted(len(findings), 'case')} slower than allowed: {named}"


def _lost(comparison: Comparison, findings: Sequence[Finding]) -> str:
    """What was lost, what to do where that was wanted, and what came of the other cases."""
    lost = comparison.lost
    said = [f"Gate failed: {counts(lost)}: {_named([str(one) for one in lost])}."]
    if any(one.loss == "gone" for one in lost):
        said.append(GONE_REMEDY)
    left_open = sum(one.found != "fine" for one in findings)
    if any(one.found == "regression" for one in findings):
        said.append(f"Besides, {_slower(findings)}.")
    elif findings:
        undecided = f", {left_open} undecided" if left_open else ""
        said.append(f"In {counted(len(findings), 'other case')}: no regression{undecided}.")
    return " ".join(said)


def _open(comparison: Comparison, findings: Sequence[Finding]) -> str:
    unclear = [_why_open(one) for one in findings if one.found == "open"]
    unclear += [str(one) for one in comparison.missing if one.open]
    cases = len(findings) + sum(one.open for one in comparison.missing)
    barred = sum(one.found == "barred" for one in findings)
    others = f"{counted(barred, 'case')} can't be compared, and " if barred else ""
    return (
        f"Gate undecided: the data neither show nor exclude a regression in {len(unclear)} of "
        f"{counted(cases, 'case')}: {_named(unclear)}. Measure longer (--budget) or allow these "
        f"cases more; {others}no other case got slower than allowed."
    )


def _apart(comparison: Comparison, _: Sequence[Finding]) -> str:
    return said_apart(comparison)


def said_apart(comparison: Comparison) -> str:
    """Why two runs, or some of their cases, can't be compared, and the command that would help."""
    if comparison.comparable.verdict != "no" and not comparison.cases:
        return "Not comparable: the two runs have no measured case in common."
    known = comparison.comparable.differences
    matter = [one for one in known if one.matters == "yes" or one.of_memory]
    fields = [
        f"{one.field} {one.base} → {one.new}{one.meaning and f' ({one.meaning})'}" for one in matter
    ]
    what = _named(fields) or "the runs differ"
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
