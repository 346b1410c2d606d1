"""A comparison for a terminal, and as JSON: may these be compared, what changed, what is unsure, and the summary.

What changed comes first, regressions before gains; no colour carries meaning.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from bench.analysis.compare.left_out import GONE_REMEDY, counts
from bench.report.text import compared_times, verdict_words, wording
from bench.report.text.machine_readable import fields_of
from bench.report.text.plain_table import PlainTable, below_each_other, folded, right, whole
from bench.stats.ratio import CHANGED, THRESHOLD, VERDICTS
from bench.units import MISSING, counted, share, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bench.analysis.compare.comparison import Comparison, Mean
    from bench.analysis.compare.verdict import CaseVerdict
    from bench.store.runs import RunInfo

ITSELF = "A run was compared with itself, so there is nothing to tell apart. Name another run."
NOTHING = "The two runs have no case in common that was measured in both."
_MOST_DIFFERENCES, _MOST_SAME, _MOST_MISSING = 8, 40, 10
"""So many differences, unchanged cases and cases left out are listed; the rest is counted."""
_WORDS = {"yes": "comparable", "with-care": "comparable with care", "no": "not comparable"}
_COUNTS = ("faster", "slower", "same", "unsure", "missing")
_MEANS = ("geomean_ratio", "geomean_lo", "geomean_hi")


def comparison_table(found: Comparison, *, width: int) -> RenderableType:
    """The runs, what differs between them, the cases, what was left out, the sums."""
    parts: list[RenderableType] = [*lost_lines(found), _title(found), *_comparable(found)]
    if found.with_itself:
        parts.append(ITSELF)
    parts += ["", _cases(found) if found.cases else NOTHING]
    if more := _unlisted(found):
        parts.append(f"same    and {more} more (--format json has all)")
    if others := [str(one) for one in found.missing if not one.loss]:
        parts += ["", *missing_lines(others)]
    if found.cases:
        parts += ["", *summary_lines(found)]
    return below_each_other(*parts, width=width)


def comparisons_table(found: Sequence[Comparison], *, width: int) -> RenderableType:
    """One after the other, each against the first run."""
    parts: list[RenderableType] = []
    for one in found:
        parts += [*(["", ""] if parts else []), comparison_table(one, width=width)]
    return Group(*parts)


def in_order(cases: Sequence[CaseVerdict]) -> list[CaseVerdict]:
    """Slower, faster, unsure, same; what changed most first, the others as they were measured."""

    def key(one: CaseVerdict) -> tuple[int, float]:
        changed = one.verdict in CHANGED
        size = max(one.ratio, 1 / one.ratio) if changed else 0.0
        return VERDICTS.index(one.verdict), -size

    return sorted(cases, key=key)


def lost_lines(found: Comparison) -> list[str]:
    """What the new run lost, before all else, and what to do where that was wanted; none where nothing is."""
    lost = found.lost
    if not lost:
        return []
    lines = [f"{counts(lost)}:", *(f"  {one}" for one in lost[:_MOST_MISSING])]
    more = len(lost) - _MOST_MISSING
    lines += [f"  and {more} more (--format json has all)"] if more > 0 else []
    return [*lines, *([GONE_REMEDY] if any(one.loss == "gone" for one in lost) else []), ""]


def missing_lines(missing: Sequence[str]) -> list[str]:
    """How many cases were left out, and which."""
    lines = [f"left out, {counted(len(missing), 'case')}:"]
    lines += [f"  {one}" for one in missing[:_MOST_MISSING]]
    more = len(missing) - _MOST_MISSING
    return [*lines, f"  and {more} more"] if more > 0 else lines


def summary_lines(found: Comparison) -> list[str]:
    """The counts and the means in words."""
    summary = found.summary
    left_out = f", {summary.missing} left out" if summary.missing else ""
    counts = verdict_words.counted([verdict_words.word(one) for one in found.cases])
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    lines = [f"{counted(len(found.cases), 'case')}: {said}{left_out}"]
    rows = [("all", found.summary.over_all)]
    if len(summary.by_suite) > 1:
        rows += list(summary.by_suite.items())
    lines += [f"geometric mean, {name}: {mean_text(of)}" for name, of in rows]
    lines += _own_thresholds(found)
    lines.append(
        f"New over base. A change counts from {share(found.threshold)} on; intervals at "
        f"{share(found.confidence)}, of the means as if all cases erred together. "
        f"{compared_times.note(found.cases)}"
    )
    return lines


def _own_thresholds(found: Comparison) -> list[str]:
    """That some cases were judged at others than the one for all."""
    own = [one.threshold for one in found.cases if one.threshold != found.threshold]
    if not own:
        return []
    ends = dict.fromkeys(share(end) for end in (min(own), max(own)))
    return [f"with a threshold of their own, {counted(len(own), 'case')}: {' to '.join(ends)}"]


def mean_text(of: Mean) -> str:
    """`+1.2 % (−0.5 % to +3.0 %), 13 cases`."""
    if of.ratio is None:
        return MISSING
    return f"{signed(of.ratio - 1)}{_interval(of.low, of.high)}, {counted(of.cases, 'case')}"


def _interval(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    ends = [MISSING if end is None else signed(end - 1) for end in (low, high)]
    return f" ({' to '.join(ends)})"


def _title(found: Comparison) -> str:
    return f"base {_run(found.base)}\nnew  {_run(found.new)}"


def _run(info: RunInfo) -> str:
    label = f" {info.label}" if info.label else ""
    return (
        f"{info.run_id}{label}, {wording.machine_name(info)}, torch {wording.torch_version(info)}"
    )


def _comparable(found: Comparison) -> list[str]:
    """The verdict, what matters, and what would mend it; what doesn't matter is not worth a line."""
    known = [d for d in found.comparable.differences if d.matters != "no"]
    shown = [
        f"  {d.field}: {d.base} → {d.new}{d.meaning and f' ({d.meaning})'}"
        for d in known[:_MOST_DIFFERENCES]
    ]
    more = len(known) - _MOST_DIFFERENCES
    lines = [_WORDS[found.comparable.verdict] + (":" if shown else ""), *shown]
    if more > 0:
        lines.append(f"  and {more} more (--format json has all)")
    return [*lines, f"  to do: {found.comparable.remedy}"] if found.comparable.remedy else lines


def _cases(found: Comparison) -> RenderableType:
    several = len({case.device for case in found.cases}) > 1
    device = [whole("device")] if several else []
    times = map(right, ("base", "new", "change"))
    table = PlainTable(whole(), folded("case"), *device, *times, whole("interval"))
    shown, marked = in_order(found.cases), compared_times.mixed(found.cases)
    for one in shown[: len(shown) - _unlisted(found)]:
        case: list[RenderableType] = [Text(one.case)]
        if _worth_saying(one):
            case.append(Padding(Text(one.reason, style="dim"), (0, 0, 0, 2)))
        cells = [*compared_times.pair(one, marked=marked), signed(one.ratio - 1), _ends(one)]
        where = [one.device] if several else []
        style = "bold" if one.verdict in CHANGED else ""
        table.add(Text(verdict_words.word(one), style=style), Group(*case), *where, *cells)
    return table


def _unlisted(found: Comparison) -> int:
    """How many of those that are the same are not shown."""
    return max(0, found.summary.same - _MOST_SAME)


def _ends(one: CaseVerdict) -> str:
    return _interval(one.ratio_lo, one.ratio_hi).strip(" ()") or MISSING


def _worth_saying(one: CaseVerdict) -> bool:
    """What the numbers beside it don't say: why not, that it was the machine, or that the code changed.

    Or that what is far apart is the same.
    """
    far = one.verdict == "same" and not 1 / (1 + THRESHOLD) <= one.ratio <= 1 + THRESHOLD
    return one.verdict == "unsure" or one.op_changed or "machine" in one.reason or far


def comparison_facts(found: Comparison) -> dict[str, Any]:
    """One run against another."""
    return {
        "comparable": {
            "verdict": found.comparable.verdict,
            "differences": [dataclasses.asdict(one) for one in found.comparable.differences],
        },
        "cases": [_case_facts(one) for one in found.cases],
        "summary": fields_of(found.summary, *_COUNTS, *_MEANS),
        "left_out": [dataclasses.asdict(one) for one in found.missing],
    }


def comparisons_facts(found: Sequence[Comparison]) -> dict[str, Any]:
    """The one comparison as it is; several in a list, each with its two runs."""
    if len(found) == 1:
        return comparison_facts(found[0])
    listed = [
        {"base": one.base.run_id, "new": one.new.run_id, **comparison_facts(one)} for one in found
    ]
    return {"comparisons": listed}


def _case_facts(one: CaseVerdict) -> dict[str, Any]:
    """All of it but what false discoveries are controlled by; `at` says which times these are."""
    facts = dataclasses.asdict(one)
    return {name: value for name, value in facts.items() if name != "p_value"}
