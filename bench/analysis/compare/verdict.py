"""Verdict on one case in two runs: slower, faster, unsure or the same, and why. Never surer than the rows allow.

What the words mean is `bench.stats.ratio.judge`. On one machine a change counts only at equal conditions: a
changed machine is not a changed op.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scipy.special import ndtri

from bench.records import machine_state
from bench.records.machine_state import Conditions
from bench.stats.ratio import CHANGED, Change, Timed, judge
from bench.units import share, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.record import Record
    from bench.stats.ratio import Ratio, Verdict

_STATES_FACTOR = 4.0
"""By what factor states of a machine can change a time: there are two kinds, each was seen to do 1.9
(`bench.records.machine_state`), and a machine can be in both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseVerdict:
    """A case on a device: both times, new over base with its interval, what that says, and why."""

    case: str
    device: str
    base_s: float
    new_s: float
    ratio: float
    ratio_lo: float | None
    ratio_hi: float | None
    verdict: Verdict
    reason: str
    smallest_visible: float | None
    """The smallest ratio less 1 that would have been called slower with intervals like these."""
    at: Literal["headline", "reference"]
    p_value: float = 1.0
    """How often chance alone shows as large a change; the control of false discoveries uses it."""
    threshold: float
    """A change of this case that is smaller does not count, as a share."""
    op_changed: bool = False
    """Whether the code of its op differs between the runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    """What a change must clear: the threshold or a wider band, as shares, and a confidence."""

    threshold: float
    band: float
    confidence: float


def judge_case(
    base: Record, new: Record, *, threshold: float, confidence: float, same_machine: bool
) -> CaseVerdict:
    """What these two rows of a case say, each of which must have a time.

    Args:
        base: the row to compare with.
        new: the other.
        threshold: a change that is smaller does not count, as a share.
        confidence: of the ratio's interval, in (0.5, 1).
        same_machine: whether their sentinels can be compared.
    """
    bar = _Bar(threshold=threshold, band=threshold, confidence=confidence)
    wide = dataclasses.replace(bar, band=_band(base, new, bar))
    headline = _seen(base, new, Change.of(base, new), wide)
    if not same_machine:
        return _state_by_state(base, new, headline, wide)
    there = _at_reference(base, new)
    if there is None:
        return _without_reference(base, new, headline)
    found = dataclasses.replace(_seen(base, new, there, bar), at="reference")
    if headline.verdict in CHANGED and found.verdict not in CHANGED:
        found = dataclasses.replace(found, reason=_machine(base, new, headline, found))
    return _state_by_state(base, new, found, bar)


def _seen(base: Record, new: Record, change: Change, bar: _Bar) -> CaseVerdict:
    """What an interval says by itself."""
    verdict: Verdict = "unsure"
    ratio = change.ratio(bar.confidence)
    if change.known:
        verdict = judge(change, threshold=bar.band, confidence=bar.confidence)
    return CaseVerdict(
        case=base.case,
        device=new.device,
        base_s=change.base.time_s,
        new_s=change.new.time_s,
        ratio=ratio.value,
        ratio_lo=ratio.low or None,
        ratio_hi=ratio.high if math.isfinite(ratio.high) else None,
        verdict=verdict,
        reason=_reason(verdict, ratio, bar) if change.known else _no_interval(base, new),
        smallest_visible=_visible(ratio, bar.band),
        at="headline",
        p_value=change.p_value(),
        threshold=bar.threshold,
    )


def _reason(verdict: Verdict, ratio: Ratio, bar: _Bar) -> str:
    """What the verdict rests on."""
    within = f"±{share(bar.band)}"
    if verdict in CHANGED:
        return f"the interval leaves out 1, and the ratio is beyond {within}"
    if verdict == "same":
        return f"an equivalence test puts it within {within}"
    if not 1 / (1 + bar.band) <= ratio.value <= 1 + bar.band:
        return f"beyond {within}, but the interval holds 1"
    ends = f"{signed(ratio.low - 1)} to {signed(ratio.high - 1)}"
    return f"the interval, {ends}, reaches beyond {within}"


def _band(base: Record, new: Record, bar: _Bar) -> float:
    """The threshold, or what headlines of unchanged runs differ by, if that is more.

    Two headlines that scatter by a floor each differ by √2 times it; the normal quantile says what
    share of such differences stays below.
    """
    floor = max(base.noise_floor_share or 0.0, new.noise_floor_share or 0.0)
    factor = math.sqrt(2) * float(ndtri(0.5 + bar.confidence / 2))
    return max(bar.threshold, math.expm1(min(factor * floor, 700.0)))


def _at_reference(base: Record, new: Record) -> Change | None:
    """The change at equal conditions; None where one time, or the common reference, is missing.

    Two references of one state are a few per cent apart, as where a machine's own was lost between the
    runs: times at reference are in proportion to it, so the new time is converted to the base's reference.
    """
    before, after = Timed.at_reference(base), Timed.at_reference(new)
    if before is None or after is None:
        return None
    wanted, had = _reference(base), _reference(new)
    if wanted is None or had is None:  # early versions kept none beside the time
        return Change(base=before, new=after) if wanted is had else None
    if not machine_state.is_at(had, wanted):
        return None
    time_s = machine_state.at_conditions(after.time_s, had, wanted)
    return Change(base=before, new=dataclasses.replace(after, time_s=time_s))


def _reference(record: Record) -> Conditions | None:
    """What the sentinels took at the reference of a row's time at reference."""
    if not record.reference_compute_s:
        return None
    return Conditions(compute_s=record.reference_compute_s, barrier_s=record.reference_barrier_s)


def _without_reference(base: Record, new: Record, headline: CaseVerdict) -> CaseVerdict:
    """On one machine, but not at equal conditions: only what no state explains is a change."""
    why = headline.reason if headline.ratio_hi is None else _why_no_reference(base, new)
    if headline.verdict not in CHANGED or not _beyond_states(base, new, headline):
        return dataclasses.replace(headline, verdict="unsure", reason=why)
    return dataclasses.replace(headline, reason=f"{why}, but states don't explain that much")


def _beyond_states(base: Record, new: Record, headline: CaseVerdict) -> bool:
    """Whether all of the interval is beyond what states do: as a rule, or twice as far as sentinels moved."""
    moved = max((abs(math.log(ratio)) for _, ratio in _sentinels(base, new)), default=0.0)
    explained = max(math.log(_STATES_FACTOR), 2 * moved)
    low, high = headline.ratio_lo or 0.0, headline.ratio_hi or math.inf
    return low > math.exp(explained) or high < math.exp(-explained)


def _sentinels(base: Record, new: Record) -> list[tuple[str, float]]:
    """By what factor each of them moved, where both rows have it."""
    return [
        (name, after / before)
        for name, before, after in (
            ("compute", base.sentinel_compute_s, new.sentinel_compute_s),
            ("barrier", base.sentinel_barrier_s, new.sentinel_barrier_s),
            ("launch", base.sentinel_launch_s, new.sentinel_launch_s),
        )
        if before and after
    ]


def _why_no_reference(base: Record, new: Record) -> str:
    lacking = [n for n, r in (("base", base), ("new", new)) if not r.time_at_reference_s]
    if not lacking:
        return "the two times are at different references of the machine"
    away = any("other-state" in r.warnings for r in (base, new))
    why = "machine in another state" if away else "no time at reference conditions"
    return f"{why} ({' and '.join(lacking)})"


def _machine(base: Record, new: Record, headline: CaseVerdict, found: CaseVerdict) -> str:
    """That it was the machine, and how it moved; what the op itself did, where that stays open."""
    moved = [f"{name} {signed(factor - 1)}" for name, factor in _sentinels(base, new)]
    how = f"headline {signed(headline.ratio - 1)}; sentinels: {', '.join(moved) or 'not timed'}"
    if found.verdict == "same":
        return f"the machine changed, not the op ({how})"
    return f"at reference conditions {found.reason} ({how})"


def _state_by_state(base: Record, new: Record, found: CaseVerdict, bar: _Bar) -> CaseVerdict:
    """A case with two times of its own: both must say the same as its one number does."""
    own = [_own_states(r, found) for r in (base, new)]
    if not any(own):
        return found
    if not all(own):
        side, record = ("base", base) if own[0] else ("new", new)
        told = ", by page faults" if record.state_faults else ""
        reason = f"two states in {side} only{told}"
        return dataclasses.replace(found, verdict="unsure", reason=reason)
    logs = [math.log(after / before) for before, after in zip(*own, strict=True)]
    band = math.log1p(bar.band)
    if _agrees(found.verdict, logs, band):
        return found
    each = " and ".join(signed(math.expm1(log)) for log in logs)
    return dataclasses.replace(found, verdict="unsure", reason=f"state by state it is {each}")


def _agrees(verdict: Verdict, logs: list[float], band: float) -> bool:
    if verdict == "slower":
        return all(log > band for log in logs)
    if verdict == "faster":
        return all(log < -band for log in logs)
    return verdict == "unsure" or all(abs(log) <= band for log in logs)


def _own_states(record: Record, found: CaseVerdict) -> tuple[float, ...]:
    """The two times of a case; none where what is compared is of one of them.

    That is so where the machine made them and the comparison is in one of its states: those told by the sentinels
    split the cells as `reference_share` does, a case's own do so by chance. And where page faults tell them apart
    and the headline is made from cells of one kind, since its interval else holds both.
    """
    if record.state_faults and not _holds(record, record.state_times_s):
        return ()
    split = record.reference_share
    machines = split is not None and any(math.isclose(s, split) for s in record.state_shares)
    return () if found.at == "reference" and machines else tuple(record.state_times_s)


def _holds(record: Record, times: Sequence[float]) -> bool:
    low, high = record.time_lo_s or 0.0, record.time_hi_s or math.inf
    return all(low <= time <= high for time in times)


def _no_interval(base: Record, new: Record) -> str:
    sides = (("base", base), ("new", new))
    open_ended = [n for n, r in sides if not (r.time_lo_s and r.time_hi_s and r.confidence)]
    return f"no interval in {' and '.join(open_ended)}"


def _visible(ratio: Ratio, band: float) -> float | None:
    """The band exactly, where it is more: whoever asks whether its threshold was visible must get a yes."""
    return max(band, ratio.value / ratio.low - 1) if ratio.low else None
