"""A comparison for a terminal: may these be compared, what changed, what can't be told, what it comes to.

What changed comes first, regressions before gains; no colour carries meaning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.report.text import wording
from bench.stats.ratio import CHANGED, VERDICTS
from bench.units import MISSING, counted, seconds, share, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bench.analysis.compare.comparison import Comparison, Mean
    from bench.analysis.compare.verdict import CaseVerdict
    from bench.store.runs import RunInfo

ITSELF = "A run was compared with itself, so every case is the same. Name another run."
NOTHING = "The two runs have no case in common that was measured in both."
_DIFFERENCES = 8
_SAME = 40
"""Of a long list that nothing happened to, this much shows what it is like."""
_LISTED = 10
_WORDS = {"yes": "comparable", "with-care": "comparable with care", "no": "not comparable"}


def comparison_table(found: Comparison, *, width: int) -> RenderableType:
    """The runs, what differs between them, the cases, what was left out, the sums."""
    parts: list[RenderableType] = [Text(_title(found)), *map(Text, _comparable(found))]
    if found.with_itself:
        parts.append(Text(ITSELF))
    parts += ["", _cases(found) if found.cases else Text(NOTHING)]
    if more := _unlisted(found):
        parts.append(Text(f"same    and {more} more (--format json has all)"))
    if found.missing:
        parts += ["", *map(Text, missing_lines(found.missing))]
    if found.cases:
        parts += ["", *map(Text, summary_lines(found))]
    return Constrain(Group(*parts), width)


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


def missing_lines(missing: Sequence[str]) -> list[str]:
    """How many cases were left out, and which."""
    lines = [f"left out, {counted(len(missing), 'case')}:"]
    lines += [f"  {one}" for one in missing[:_LISTED]]
    more = len(missing) - _LISTED
    return [*lines, f"  and {more} more"] if more > 0 else lines


def summary_lines(found: Comparison) -> list[str]:
    """The counts and the means in words."""
    summary = found.summary
    left_out = f", {summary.missing} left out" if summary.missing else ""
    said = ", ".join(f"{getattr(summary, name)} {name}" for name in VERDICTS)
    lines = [f"{counted(len(found.cases), 'case')}: {said}{left_out}"]
    rows = [("all", found.summary.over_all)]
    if len(summary.by_suite) > 1:
        rows += list(summary.by_suite.items())
    lines += [f"geometric mean, {name}: {mean_text(of)}" for name, of in rows]
    lines += _own_thresholds(found)
    lines.append(
        f"New over base. A change counts from {share(found.threshold)} on; intervals at "
        f"{share(found.confidence)}, of the means as if all cases erred together."
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
    shown = [f"  {d.field}: {d.base} → {d.new}" for d in known[:_DIFFERENCES]]
    more = len(known) - _DIFFERENCES
    lines = [_WORDS[found.comparable.verdict] + (":" if shown else ""), *shown]
    if more > 0:
        lines.append(f"  and {more} more (--format json has all)")
    return [*lines, f"  to do: {found.comparable.remedy}"] if found.comparable.remedy else lines


def _cases(found: Comparison) -> RenderableType:
    several = len({case.device for case in found.cases}) > 1
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    table.add_column("", no_wrap=True)
    table.add_column("case", overflow="fold")
    if several:
        table.add_column("device", no_wrap=True)
    for name in ("base", "new", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("interval", no_wrap=True)
    shown = in_order(found.cases)
    for one in shown[: len(shown) - _unlisted(found)]:
        case: list[RenderableType] = [Text(one.case)]
        if _worth_saying(one):
            case.append(Padding(Text(one.reason, style="dim"), (0, 0, 0, 2)))
        cells = [seconds(one.base_s), seconds(one.new_s), signed(one.ratio - 1), _ends(one)]
        where = [Text(one.device)] if several else []
        style = "bold" if one.verdict in CHANGED else ""
        table.add_row(Text(one.verdict, style=style), Group(*case), *where, *map(Text, cells))
    return table


def _unlisted(found: Comparison) -> int:
    """How many of those that are the same are not shown."""
    return max(0, found.summary.same - _SAME)


def _ends(one: CaseVerdict) -> str:
    return _interval(one.ratio_lo, one.ratio_hi).strip(" ()") or MISSING


def _worth_saying(one: CaseVerdict) -> bool:
    """What the numbers beside it don't say: why not, or that it was the machine."""
    return one.verdict == "unsure" or "machine" in one.reason
