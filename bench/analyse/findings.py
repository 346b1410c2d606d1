"""Plain sentences about a run, each found by one rule, none stronger than the intervals allow.

A rule takes the records of a run and returns a sentence, or None where it has nothing to say.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from bench.analyse.grid import title
from bench.units import half_width, rate, share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.record import Record

    Rule = Callable[[Sequence[Record]], str | None]

_VERBS = {
    "failed": "failed",
    "timeout": "timed out",
    "oom": "ran out of memory",
    "skipped": "skipped",
}
_UNFIT = frozenset({"below-overhead", "wrong-result"})  # a time that says nothing about the op


def findings(records: Sequence[Record]) -> list[str]:
    """What can be said of a run, in reading order."""
    found = (rule(records) for rule in RULES)
    return [sentence for sentence in found if sentence]


def outcome(records: Sequence[Record]) -> str | None:
    """How many cases were measured, and what became of the others."""
    if not records:
        return "This run holds no cases."
    ok = sum(r.status == "ok" for r in records)
    if ok == len(records):
        return "The one case was measured." if ok == 1 else f"All {ok} cases were measured."
    others = ((words, sum(r.status == s for r in records)) for s, words in _VERBS.items())
    rest = ", ".join(f"{count} {words}" for words, count in others if count)
    if not ok:
        return f"Nothing was measured: of {_cases(len(records))}, {rest}."
    return f"{ok} of {_cases(len(records))} were measured; {rest}."


def precision(records: Sequence[Record]) -> str | None:
    """How wide the intervals are, in the middle, and how many are too wide."""
    ok = [r for r in records if r.status == "ok"]
    widths = [w for r in ok if math.isfinite(w := width(r))]
    if not ok:
        return None
    if not widths:
        return "No case has an interval, so none of these times can be relied on."
    confidence = {r.confidence for r in ok if r.confidence}
    level = f" at {share(confidence.pop())} confidence" if len(confidence) == 1 else ""
    noisy = sum("noisy" in r.warnings for r in ok)
    tail = f"{noisy} of {_cases(len(ok))} {_are(noisy)} noisy" if noisy else "no case is noisy"
    unknown = len(ok) - len(widths)
    none = f"; {unknown} {_have(unknown)} no interval" if unknown else ""
    middle = share(statistics.median(widths))
    return f"Half of the times are known to ±{middle} or better{level}; {tail}{none}."


def repeating(records: Sequence[Record]) -> str | None:
    """Whether the intervals allow for how runs differ, which one run can't know."""
    ok = [r for r in records if r.status == "ok" and r.time_lo_s is not None]
    floors = [r.noise_floor_share for r in ok if r.noise_floor_share is not None]
    if not ok:
        return None
    if not floors:
        return (
            "The intervals do not allow for how runs differ: "
            "this store has fewer than three earlier runs like this one to tell."
        )
    middle = share(statistics.median(floors))
    whole = "" if len(floors) == len(ok) else f" for {len(floors)} of {_cases(len(ok))}"
    return f"Earlier runs like this one lie {middle} apart; the intervals allow for that{whole}."


def correctness(records: Sequence[Record]) -> str | None:
    """Whether results met their references."""
    ok = [r for r in records if r.status == "ok"]
    wrong = [r for r in ok if r.correct is False]
    right = sum(r.correct is True for r in ok)
    if not ok:
        return None
    if len(wrong) == 1:
        where = f"{wrong[0].suite}/{title(wrong[0])}"
        return f"1 result differs from its reference ({where}): don't use its time."
    if wrong:
        where = f"{wrong[0].suite}/{title(wrong[0])} and {len(wrong) - 1} more"
        return (
            f"{len(wrong)} results differ from their references ({where}): don't use their times."
        )
    if right == len(ok):
        all_ = f"All {right} results match their references."
        return all_ if right > 1 else "The result matches its reference."
    if not right:
        return "No result was compared with a reference."
    return f"{right} of {len(ok)} results match their references; the others were not compared."


def highest_flop_rate(records: Sequence[Record]) -> str | None:
    """The highest rate of arithmetic, and what can't be told from it."""
    return _highest(records, "FLOP", lambda r: r.flop)


def highest_byte_rate(records: Sequence[Record]) -> str | None:
    """The highest rate of moving declared bytes, and what can't be told from it."""
    return _highest(records, "B", lambda r: r.bytes)


def devices(records: Sequence[Record]) -> str | None:
    """On how many cases one of two devices is faster; intervals that touch decide nothing."""
    names = list(dict.fromkeys(r.device for r in records))
    if len(names) != 2:  # noqa: PLR2004 - a comparison of two
        return None
    times = {(r.case, r.device): r for r in records if _fit(r) and math.isfinite(width(r))}
    base, other = sorted(names)
    pairs = [
        (a, b) for (case, d), a in times.items() if d == base if (b := times.get((case, other)))
    ]
    if not pairs:
        return None
    faster = sum(_high(b) < _low(a) for a, b in pairs)
    slower = sum(_low(b) > _high(a) for a, b in pairs)
    unsure = len(pairs) - faster - slower
    tail = f"; {unsure} can't be told" if unsure else ""
    both = f"Of {_cases(len(pairs))} measured on both"
    return f"{both}, {other} is faster than {base} in {faster} and slower in {slower}{tail}."


def width(record: Record) -> float:
    """The interval's larger side as a share of the time; infinite where it can't be told."""
    if record.time_s is None or record.time_lo_s is None or record.time_hi_s is None:
        return math.inf
    return half_width(record.time_s, record.time_lo_s, record.time_hi_s)


RULES: tuple[Rule, ...] = (
    outcome,
    precision,
    repeating,
    correctness,
    highest_flop_rate,
    highest_byte_rate,
    devices,
)


def _highest(
    records: Sequence[Record], unit: str, work: Callable[[Record], float | None]
) -> str | None:
    ranked = sorted(
        ((w / t, r) for r in records if _fit(r) and (w := work(r)) and (t := r.time_s)),
        key=lambda pair: -pair[0],
    )
    if not ranked:
        return None
    best, record = ranked[0]
    where = f"{record.suite}/{title(record)} on {record.device}"
    sentence = f"Highest {unit}/s: {rate(best, f'{unit}/s')}, by {where}"
    if not math.isfinite(width(record)):
        return f"{sentence}; it has no interval, so others may be as high."
    floor = (work(record) or 0.0) / _high(record)
    rivals = sum((work(r) or 0.0) / _low(r) >= floor for _, r in ranked[1:])
    if rivals:
        others = "one other case" if rivals == 1 else f"{rivals} other cases"
        return f"{sentence}; {others} can't be told from it."
    return f"{sentence}."


def _fit(record: Record) -> bool:
    """Whether the row's time may be compared with others."""
    return bool(record.status == "ok" and record.time_s and not _UNFIT & set(record.warnings))


def _low(record: Record) -> float:
    """The lower end; a time without an interval could be anything."""
    return record.time_lo_s or 5e-324


def _high(record: Record) -> float:
    return record.time_hi_s if record.time_hi_s is not None else math.inf


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
