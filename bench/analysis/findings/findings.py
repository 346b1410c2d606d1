"""Plain sentences about a run, each found by one rule, none stronger than the intervals allow.

A rule takes the records of a run and returns a sentence, or None where it has nothing to say.
What a reader wants to know in ten seconds comes first.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from typing import TYPE_CHECKING

from bench.analysis import memory_mix
from bench.analysis.findings.choices import choices
from bench.analysis.findings.compiling import compiling
from bench.analysis.findings.fresh_memory import page_faults
from bench.analysis.findings.gpu_families import gpu_families
from bench.analysis.findings.gpu_speedup import gpu_elsewhere, gpu_wins
from bench.analysis.findings.half_types import half_types
from bench.analysis.findings.kernels import gpu_waits
from bench.analysis.findings.roofline import farthest, highest, nearest
from bench.analysis.grid import full_name
from bench.units import counted, half_width, half_width_text, seconds, share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.records.record import Record

    Rule = Callable[[Sequence[Record]], str | None]

_VERBS = {
    "failed": "failed",
    "timeout": "timed out",
    "oom": "ran out of memory",
    "skipped": "skipped",
}
_ELSEWHERE = frozenset(
    {
        *("wrong-result", "vacuous-check", "unchecked", "no-energy", "not-queued", "queue-full"),
        *("profile-incomplete", "cpu-fallback"),
    }
)
"""Warnings that don't bear on the time, or have a sentence of their own."""
_NOTICED_S = 0.1
"""People take what comes sooner to come at once; so a first call that loses less is not slow to start."""


def findings(records: Sequence[Record]) -> list[str]:
    """What can be said of a run, in reading order."""
    found = (rule(records) for rule in RULES)
    return [sentence for sentence in found if sentence]


def outcome(records: Sequence[Record]) -> str | None:
    """How many cases were measured and what became of the others, and how many results were right."""
    if not records:
        return "This run holds no cases."
    ok = sum(r.status == "ok" for r in records)
    others = ((words, sum(r.status == s for r in records)) for s, words in _VERBS.items())
    rest = ", ".join(f"{number} {words}" for words, number in others if number)
    if not ok:
        return f"Nothing was measured: of {counted(len(records), 'case')}, {rest}."
    if ok < len(records):
        return (
            f"{ok} of {counted(len(records), 'case')} were measured; {rest}; {_checked(records)}."
        )
    measured = "The one case was measured" if ok == 1 else f"All {ok} cases were measured"
    return f"{measured}; {_checked(records)}."


def precision(records: Sequence[Record]) -> str | None:
    """How wide the intervals are, in the middle, and whether they allow for how runs differ."""
    ok = [r for r in records if r.status == "ok"]
    widths = [w for r in ok if math.isfinite(w := width(r))]
    if not ok:
        return None
    if not widths:
        return "No case has an interval, so none of these times can be relied on."
    confidence = {r.confidence for r in ok if r.confidence}
    level = f" at {share(confidence.pop())} confidence" if len(confidence) == 1 else ""
    middle = statistics.median(widths)
    known = (
        f"are known to ±{half_width_text(middle)} or better"
        if middle <= 1
        else f"have intervals of ±{half_width_text(middle)}"
    )
    return f"Half of the times {known}{level}; {_repeating(ok)}."


def wrong(records: Sequence[Record]) -> str | None:
    """Whose results differ from their references."""
    found = [r for r in records if r.status == "ok" and r.correct is False]
    if not found:
        return None
    if len(found) == 1:
        return f"1 result differs from its reference ({full_name(found[0], records)}): don't use its time."
    where = f"{full_name(found[0], records)} and {len(found) - 1} more"
    return f"{len(found)} results differ from their references ({where}): don't use their times."


def vacuous(records: Sequence[Record]) -> str | None:
    """Whose results equal their references without showing anything, and what was seen of the first."""
    found = [r for r in records if r.status == "ok" and r.vacuous]
    if not found:
        return None
    first = f"{full_name(found[0], records)}: {found[0].reason}"
    if len(found) == 1:
        return f"1 result equals its reference and shows nothing ({first})."
    return f"{len(found)} results equal their references and show nothing ({first}; and {len(found) - 1} more)."


def doubts(records: Sequence[Record]) -> str | None:
    """Which times are to be taken with care and why, all counted, the widest interval named."""
    ok = [r for r in records if r.status == "ok"]
    marked = [r for r in ok if set(r.warnings) - _ELSEWHERE]
    if not marked:
        return None
    codes = Counter(c for r in marked for c in dict.fromkeys(r.warnings) if c not in _ELSEWHERE)
    why = ", ".join(f"{number} {code}" for code, number in codes.most_common())
    head = f"{len(marked)} of {counted(len(ok), 'time')} {'is' if len(marked) == 1 else 'are'} to be taken with care: {why}"
    wide = [r for r in marked if math.isfinite(width(r))]
    if not wide:
        return f"{head}."
    worst = max(wide, key=width)
    return f"{head}. The widest interval of these is that of {full_name(worst, records)}, ±{half_width_text(width(worst))}."


def slow_start(records: Sequence[Record]) -> str | None:
    """Whose first call in a fresh worker takes noticeably longer than later ones, the slowest named; compiling aside."""
    plain = [r for r in records if r.compile_s is None]
    lost = {id(r): (r.first_call_s or 0.0) - r.time_s for r in plain if r.time_s}
    slow = [r for r in records if lost.get(id(r), 0.0) >= _NOTICED_S]
    if not slow:
        return None
    worst = max(slow, key=lambda r: lost[id(r)])
    others = f"{len(slow) - 1} more {'loses' if len(slow) == 2 else 'lose'}"  # noqa: PLR2004 - one more
    more = f", and {others} {seconds(_NOTICED_S, 1)} or more" if slow[1:] else ""
    times = f"{seconds(worst.first_call_s, 2)}, later ones {seconds(worst.time_s, 2)}"
    return f"Slow to start: in a fresh worker the first call of {full_name(worst, records)} takes {times}{more}."


def width(record: Record) -> float:
    """The interval's larger side as a share of the time; infinite where it can't be told."""
    if record.time_s is None or record.time_lo_s is None or record.time_hi_s is None:
        return math.inf
    return half_width(record.time_s, record.time_lo_s, record.time_hi_s)


RULES: tuple[Rule, ...] = (
    wrong,
    vacuous,
    gpu_wins,
    gpu_families,
    gpu_waits,
    gpu_elsewhere,
    compiling,
    choices,
    half_types,
    memory_mix.sentence,
    nearest,
    farthest,
    highest,
    page_faults,
    doubts,
    slow_start,
    precision,
    outcome,
)


def _repeating(ok: Sequence[Record]) -> str:
    """Whether the intervals allow for how runs differ, which one run can't know."""
    floors = [r.noise_floor_share for r in ok if r.noise_floor_share is not None]
    if not floors:
        return "that leaves out how runs differ, for want of three earlier ones like this"
    middle = share(statistics.median(floors))
    whole = "" if len(floors) == len(ok) else f" in {len(floors)} of {counted(len(ok), 'case')}"
    return f"earlier runs like this one lie {middle} apart, which the intervals allow for{whole}"


def _checked(records: Sequence[Record]) -> str:
    ok = [r for r in records if r.status == "ok"]
    right = sum(r.correct is True for r in ok)
    empty = sum(r.vacuous for r in ok)
    unchecked = sum(r.correct is None for r in ok) - empty
    if unchecked == len(ok):
        return "no result was compared with a reference"
    if right == len(ok):
        whose = "every" if right > 1 else "its"
        return f"{whose} result matches its reference"
    rest = f", {empty} {'shows' if empty == 1 else 'show'} nothing" if empty else ""
    rest += f", {unchecked} {'was' if unchecked == 1 else 'were'} not compared" if unchecked else ""
    return f"{right} of {counted(len(ok), 'result')} match their references{rest}"
