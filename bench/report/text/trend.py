"""A trend for people and programs: one sentence about steps, then the case's time in each run.

The picture in the last column is a dot where the time lies between the fastest and the slowest, on a line
as wide as its interval; nothing in it is not also a number beside it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.table import Column

from bench.analysis.trend.trend import LEAST_STEP, STEP_CONFIDENCE
from bench.records.memory_policy import REUSE
from bench.report.text import ratio_text
from bench.report.text.machine_readable import csv_text, fields_of
from bench.report.text.plain_table import PlainTable, below_each_other, right, whole
from bench.stats.changepoint import FEWEST
from bench.units import MISSING, counted, number, seconds_with_interval, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from bench.analysis.trend.trend import At, Step, Trend, TrendPoint
    from bench.stats.ratio import Ratio

_COMMIT = 7
"""A commit's hash has so many characters, as git shortens it."""
_WIDE = 120
"""A terminal shows labels as well if it has so many columns."""
_PICTURE_WIDTHS = {80: 12, 100: 28, _WIDE: 32}
"""Columns of a terminal → characters of the picture in it."""


def answer(found: Trend) -> str:
    """The sentences to take home."""
    cuts = [one for one in found.points if one.op_changed]
    said = [f"The op's code changed at {one.run_id}{_with(one)}: cut there." for one in cuts]
    for step in found.steps:
        said += filter(None, (_sentence(step), _machine(step, found.at)))
    if not found.steps:
        said.append(_no_step(found, " since" if cuts else ""))
    if found.newest:
        took = _times(found.newest)
        said.append(f"The newest run took {took} as those before it: one run only, so no step yet.")
    return " ".join(said)


def _no_step(found: Trend, since: str) -> str:
    """That there is none, and how large one would have been named."""
    count = len(found.since_cut)
    at = " at reference" if found.at == "reference" else ""
    runs = f"{counted(count, 'run')}{at}{since}"
    if count < 2 * FEWEST:
        return f"Unsure about steps: {runs}; it takes two on either side, less is one run only."
    least = f"; one of {share(found.visible_share)} in the middle would be named"
    return f"No step in {runs}{least if found.visible_share else ''}."


def _sentence(step: Step) -> str:
    before, after = (f"{one.run_id}{_with(one)}" for one in (step.before, step.after))
    return f"Step between {before} and {after}: {_times(step.ratio)} as before."


def _machine(step: Step, at: At) -> str:
    """What a headline can't rule out; at reference the machine's state is accounted for."""
    moved = step.sentinel_ratio
    if at == "reference":
        return ""
    if moved is None:
        return "Nothing was known of the machine's state, which may be what changed."
    if 1 / (1 + LEAST_STEP) <= moved <= 1 + LEAST_STEP:
        return ""
    return f"The compute sentinel took {number(moved)} times as long: the machine changed, too."


def _times(ratio: Ratio) -> str:
    """`1.120 (1.100 to 1.140) times as long`."""
    return f"{ratio_text.of(ratio)} times as long"


def _with(one: TrendPoint) -> str:
    """` (torch 2.13.0, commit 1a2b3c4)`, as far as it is known."""
    known = [f"torch {one.torch_version}"] if one.torch_version else []
    known += [f"commit {_commit(one)}"] if one.git_commit else []
    return f" ({', '.join(known)})" if known else ""


def _commit(one: TrendPoint) -> str:
    """Shortened; a `+` says that files had been changed since."""
    if not one.git_commit:
        return MISSING
    return one.git_commit[:_COMMIT] + ("+" if one.git_dirty else "")


def trend_table(found: Trend, *, width: int) -> RenderableType:
    """A line per run, oldest first; the first run after a step says how large it is."""
    labelled = width >= _WIDE and any(one.label for one in found.points)
    short = [_cut(name) for name in (["label"] if labelled else []) + ["torch", "commit"]]
    table = PlainTable(whole("run"), *short, right("time"), right("step"), whole())
    sizes = {step.after.run_id: step.ratio for step in found.steps}
    fitting = max(columns for columns in _PICTURE_WIDTHS if columns <= max(width, 80))
    pictures = _pictures(found.counting, _PICTURE_WIDTHS[fitting])
    for one in found.points:
        labels = [one.label or MISSING] if labelled else []
        said = f"×{number(sizes[one.run_id].value)}" if one.run_id in sizes else ""
        said = "op changed" if one.op_changed else said
        facts = [one.run_id, *labels, one.torch_version or MISSING, _commit(one), time_text(one)]
        table.add(*facts, said, pictures.get(one.run_id, ""))
    return below_each_other(_title(found), "", table, "", answer(found), width=width)


def _cut(name: str) -> Column:
    """A column of texts of which the first few characters tell enough."""
    return Column(name, overflow="ellipsis", no_wrap=True, max_width=12)


def _title(found: Trend) -> str:
    """What is followed, where, and what is not shown."""
    threads = f", {counted(found.threads, 'thread')}" if found.threads else ""
    cold = ", cold" if found.cache == "cold" else ""
    memory = f", memory {found.memory}" if found.memory != REUSE else ""
    at = ", times at reference" if found.at == "reference" else ""
    out = f"; left out: {counted(found.left_out, 'row')} with other threads, caches or memory"
    where = f"{found.case} on {found.device} of {found.machine}"
    return f"{where}{threads}{cold}{memory}{at}{out if found.left_out else ''}"


def time_text(one: TrendPoint) -> str:
    """A run's time with its interval, or why it doesn't count."""
    if not one.time_s:
        return one.why_not
    return seconds_with_interval(one.time_s, one.low_s, one.high_s)


def _pictures(counting: Sequence[TrendPoint], characters: int) -> Mapping[str, str]:
    """Run id → a dot where its time lies between the extremes, on a line as wide as its interval."""
    times = [one.time_s for one in counting if one.time_s]
    if not times or min(times) == max(times):
        return {}
    least, per_place = math.log(min(times)), math.log(max(times) / min(times)) / (characters - 1)

    def place(time_s: float | None) -> int:
        at = (math.log(time_s) - least) / per_place if time_s else 0.0
        return round(min(max(at, 0.0), characters - 1.0))

    drawn = {}
    for one in counting:
        cells = [" "] * characters
        low, high = one.low_s or one.time_s, one.high_s or one.time_s
        cells[place(low) : place(high) + 1] = "─" * (place(high) - place(low) + 1)
        cells[place(one.time_s)] = "●"
        drawn[one.run_id] = "".join(cells)
    return drawn


def trend_facts(found: Trend) -> dict[str, Any]:
    """The same for `--format json`, the sentences first; what is not known is null."""
    return {
        "answer": answer(found),
        **fields_of(found, "case", "device", "machine", "threads", "cache", "memory", "at"),
        "confidence_of_steps": STEP_CONFIDENCE,
        **fields_of(found, "floor_share", "visible_share", "left_out"),
        "steps": [_step_facts(step) for step in found.steps],
        "newest_alone": _ratio_facts(found.newest) if found.newest else None,
        "runs": [_run_facts(one) for one in found.points],
    }


def _step_facts(step: Step) -> dict[str, Any]:
    return {
        "before": step.before.run_id,
        "after": step.after.run_id,
        **fields_of(step, "runs_before", "runs_after"),
        **_ratio_facts(step.ratio),
        "sentinel_ratio": step.sentinel_ratio,
    }


def _ratio_facts(ratio: Ratio) -> dict[str, float]:
    return {"ratio": ratio.value, "ratio_lo": ratio.low, "ratio_hi": ratio.high}


def _run_facts(one: TrendPoint) -> dict[str, Any]:
    return {
        "run": one.run_id,
        "started_at": one.started_at.isoformat() if one.started_at else None,
        **fields_of(
            one, "label", "torch_version", "git_commit", "git_dirty", "op_changed", "time_s"
        ),
        "time_lo_s": one.low_s,
        "time_hi_s": one.high_s,
        "why_not": one.why_not or None,
    }


def trend_csv(found: Trend) -> str:
    """A line per run; `step` and its interval stand in the first run after it."""
    steps = {step.after.run_id: step.ratio for step in found.steps}
    same = fields_of(found, "case", "device", "machine", "at")
    lines = []
    for one in found.points:
        ratio = steps.get(one.run_id)
        step = _ratio_facts(ratio) if ratio else dict.fromkeys(("ratio", "ratio_lo", "ratio_hi"))
        named = {f"step_{name}": value for name, value in step.items()}
        lines.append({**same, **_run_facts(one), **named})
    return csv_text(lines[0], lines)
