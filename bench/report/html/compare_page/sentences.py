"""A comparison in sentences for the first screen: by rules, and never stronger than an interval allows.

Where something must not be mixed there is no sentence about times at all.
"""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from bench.analysis.compare import left_out
from bench.analysis.compare.comparison import BARRED
from bench.report.text import ratio_text
from bench.report.text.compare_terminal import ITSELF, NOTHING
from bench.report.text.verdict_words import same_in_words
from bench.stats.ratio import CHANGED
from bench.units import counted, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.analysis.compare.comparison import Comparison
    from bench.analysis.compare.runs import Followed, Lineup
    from bench.analysis.compare.verdict import CaseVerdict

_MOST_NAMED = 3
"""A sentence names so many of what differs or is missing; the rest stands beneath it."""
_MOST_RUNS_EACH = 3
"""Up to so many runs beside the base have a sentence each; of more, the table tells."""
_NOT_SHOWN = "no difference is shown"
_WIDE = "the interval is too wide"
_WHY: Mapping[str, str] = {
    "machine in another state": "the machine was in another state",
    "no time at reference": "there is no time at reference conditions",
    "the two times are at": "the runs have different references",
    "not comparable": "something differs that must not be mixed",
    "no interval": "there is no interval",
    "two states": "it has two times of its own",
    "state by state": "it has two times of its own",
    "one of": "chance alone could do that in one of so many cases",
}
"""How the reasons of `verdicts` begin → what they have in common; all others are about an interval."""


def sentences(found: Lineup, names: Sequence[str]) -> list[str]:
    """What to take home: each run against the first, then what could be seen, and what steps.

    Args:
        found: the runs.
        names: what they are called, in the same order.
    """
    titles = {(one.case, one.device): f"{one.suite}/{one.title}" for one in found.cases}
    if len(found.comparisons) == 1:
        (one,) = found.comparisons
        named = one.new.label or len({str(r.machine.get("machine_id")) for r in found.runs}) > 1
        said = list(_alone(one, names[1] if named else "the new run", titles))
    else:
        pairs = list(zip(found.comparisons, names[1:], strict=True))
        few = len(pairs) <= _MOST_RUNS_EACH
        said = _lost_among(pairs)
        said += [f"{name}: {_among(one)}" for one, name in pairs if few or _silent(one)]
        said += [] if few else _together(pairs)
    return [*said, *_visible(found), *_stepped(found.followed)]


def counts(found: Comparison) -> str:
    """`Of 196 cases 3 are slower, 0 faster, 181 the same; 12 unsure.`."""
    s = found.summary
    verb = "is" if s.slower == 1 else "are"
    first = f"Of {counted(len(found.cases), 'case')} {s.slower} {verb} slower"
    same = same_in_words(found.cases).replace("same", "the same")
    return f"{first}, {s.faster} faster, {s.same} {same}; {s.unsure} unsure."


def mean(found: Comparison, subject: str) -> str | None:
    """What all cases come to; None where that has no interval, or would mix what must not be."""
    ends = _ends(found)
    if ends is None:
        return None
    if took := ratio_text.took(*ends):
        return f"Over all, {subject} {took}."
    within = 1 / (1 + found.threshold) < ends[1] and ends[2] < 1 + found.threshold
    below = f"any difference is below {share(found.threshold)}"
    return f"Over all, {below if within else _NOT_SHOWN}: {ratio_text.change(*ends)}."


def _ends(found: Comparison) -> tuple[float, float, float] | None:
    """The mean of all cases with its interval, if it may be said."""
    of = found.summary.over_all
    mixed = found.comparable.barriers or any(c.reason.startswith(BARRED) for c in found.cases)
    if mixed or of.ratio is None or of.low is None or of.high is None:
        return None
    return of.ratio, of.low, of.high


def _alone(found: Comparison, subject: str, titles: dict[tuple[str, str], str]) -> Iterator[str]:
    """The sentences about the only other run."""
    if found.lost:
        yield f"{_lost(found)}."
    if silent := _silent(found):
        yield silent
    else:
        yield counts(found)
        yield from filter(None, (_open(found.cases), mean(found, subject), _most(found, titles)))
        yield from _changed_ops(found)
    if others := len(found.missing) - len(found.lost):
        yield f"{counted(others, 'case')} can't be compared: not measured in both runs."


def _lost(found: Comparison) -> str:
    """`1 wrong result, 1 case gone from the new run: matmul/square[n=64] on cpu, …`: what no time makes good."""
    lost = found.lost
    more = f" and {len(lost) - _MOST_NAMED} more" if len(lost) > _MOST_NAMED else ""
    return f"{left_out.counts(lost)}: {', '.join(one.name for one in lost[:_MOST_NAMED])}{more}"


def _lost_among(pairs: Sequence[tuple[Comparison, str]]) -> list[str]:
    """What each of several runs lost; of many such runs, how many."""
    lost = [f"{name}: {_lost(one)}." for one, name in pairs if one.lost]
    if len(lost) <= _MOST_RUNS_EACH:
        return lost
    runs = f"{len(lost)} of {counted(len(pairs), 'run')}"
    return [f"{runs} have wrong results, or cases that failed or are gone."]


def _among(found: Comparison) -> str:
    """The sentence about one of several; its name stands before it."""
    if silent := _silent(found):
        return _lowered(silent)
    s = found.summary
    changed = f"{s.slower} of {counted(len(found.cases), 'case')} slower, {s.faster} faster"
    rest = f"{s.same} the same, {s.unsure} unsure"
    over_all = _lowered(mean(found, "it") or "")
    return f"{changed}, {rest}{f'; {over_all}' if over_all else '.'}"


def _together(pairs: Sequence[tuple[Comparison, str]]) -> list[str]:
    """What many runs come to; the table beneath has each of them."""
    told = [(one, name) for one, name in pairs if not _silent(one)]
    if not told:
        return []
    having = ((word, [o for o, _ in told if getattr(o.summary, word)]) for word in CHANGED)
    parts = [f"{len(runs)} have cases that are {word}" for word, runs in having]
    said = [f"Of {counted(len(told), 'run')} {parts[0]}, {parts[1]}."]
    known = [(ends, name) for one, name in told if (ends := _ends(one))]
    shown = [
        (ends, f"Over all, {name} {took}.")
        for ends, name in known
        if (took := ratio_text.took(*ends))
    ]
    if shown:
        return [*said, *dict.fromkeys((max(shown)[1], min(shown)[1]))]
    return [*said, f"Over all, {_NOT_SHOWN} for any of them."] if known else said


def _silent(found: Comparison) -> str | None:
    """Why nothing can be said of a run's times."""
    if found.with_itself:
        return ITSELF
    apart = found.comparable.barriers
    if apart:
        what = _listed([f"{d.field} ({d.base} → {d.new})" for d in apart])
        means = "".join(f" {d.meaning.capitalize()}." for d in apart if d.meaning)
        return f"Not comparable: {what} must not differ.{means} Ratios stand without a verdict."
    return None if found.cases else NOTHING


def _open(cases: Sequence[CaseVerdict]) -> str | None:
    """Why most of the unsure cases are."""
    whys = Counter(why(one) for one in cases if one.verdict == "unsure")
    if not whys:
        return None
    (first, count), *_ = whys.most_common(1)
    if count == whys.total():
        return f"Unsure because {first}."
    return f"Unsure, {count} of {whys.total()}: because {first}."


def why(one: CaseVerdict) -> str:
    """The kind of reason for which a case is unsure, in words."""
    return next((text for start, text in _WHY.items() if one.reason.startswith(start)), _WIDE)


def _most(found: Comparison, titles: dict[tuple[str, str], str]) -> str | None:
    """The largest change among those that are called one; its interval leaves out 1."""
    changed = [one for one in found.cases if one.verdict in CHANGED]
    if not changed:
        return None
    most = max(changed, key=lambda one: max(one.ratio, 1 / one.ratio))
    if most.ratio_lo is None or most.ratio_hi is None:
        return None
    took = ratio_text.took(most.ratio, most.ratio_lo, most.ratio_hi)
    return f"Most changed: {titles[most.case, most.device]} {took}." if took else None


def _changed_ops(found: Comparison) -> Iterator[str]:
    """Ops whose code differs are to be compared with care."""
    if names := found.comparable.changed_ops:
        yield f"With care, since the code changed between the runs: {_listed(names)}."


def _visible(found: Lineup) -> Iterator[str]:
    """What the intervals allow to be seen at all, which tells `the same` from `not looked closely`."""
    least = [
        one.smallest_visible
        for of in found.comparisons
        if not of.with_itself
        for one in of.cases
        if one.smallest_visible is not None and (one.verdict != "unsure" or why(one) == _WIDE)
    ]
    if least:
        least_seen = share(median(least))
        yield f"Of the cases that could be judged, half would have shown a change of {least_seen}."


def _stepped(followed: Followed | None) -> Iterator[str]:
    """How many cases stepped over the runs of a machine, beside how many do so by chance."""
    if followed is None or not followed.cases:
        return
    stepped = sum(bool(one.steps) for one in followed.trends)
    where = f"Over the {followed.runs} runs of {followed.machine}"
    if not stepped:
        yield f"{where} no case stepped from one level to another."
        return
    yield f"{where} {stepped} of {counted(followed.cases, 'case')} stepped from one level to another."


def _lowered(text: str) -> str:
    """A sentence behind a colon."""
    return text[:1].lower() + text[1:]


def _listed(texts: Sequence[str]) -> str:
    """`a, b, c and 4 more`."""
    shown, more = texts[:_MOST_NAMED], len(texts) - _MOST_NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
