"""A profile for people and programs: what ran per call and how long, and that it is not the headline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.records.warning_codes import CODES
from bench.report.text.machine_readable import fields_of
from bench.report.text.plain_table import PlainTable, below_each_other, folded, right
from bench.units import counted, number, seconds, share

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bench.records.kernel_trace import Activity, TraceLine, TraceProfile

NOT_THE_HEADLINE = (
    "Profiled times are not the headline: profiling itself costs time, up to microseconds per op. "
    "What a call takes is what bench run says."
)
BOUND_BY_THE_ROW = (
    "Profiling slows launches down, so that a device idles more than usual: whether a case is "
    "launch-bound is told by bench run (bound_by)."
)
NOTHING = "Nothing was recorded in these calls."


def profile_table(found: TraceProfile, *, width: int) -> RenderableType:
    """Where it was profiled, what ran, and how to read that."""
    seen = found.activity
    ran = _lines(seen) if seen.lines else NOTHING
    warnings = ["", *map(_warning, seen.codes)] if seen.codes else []
    below = (*_sums(found), NOT_THE_HEADLINE, *warnings)
    return below_each_other(_heading(found), "", ran, "", *below, width=width)


def profile_facts(found: TraceProfile) -> dict[str, Any]:
    """The same for `--json`; what is not known is null."""
    seen = found.activity
    return {
        **fields_of(found, "case", "device", "device_name", "torch_version", "threads"),
        "calls": seen.calls,
        "lines": [_facts(line, seen) for line in seen.lines],
        "time_per_call_s": seen.per_call_s,
        **fields_of(seen, "span_s", "busy_s", "idle_s", "idle_share"),
        "launch_bound": None,  # the key stays for programs that read it; the row's `bound_by` tells
        "headline": False,
        "codes": list(seen.codes),
        "trace": found.trace,
    }


def _facts(line: TraceLine, seen: Activity) -> dict[str, Any]:
    return {
        **fields_of(line, "kind", "name", "count"),
        "count_per_call": line.count / seen.calls,
        "time_per_call_s": line.total_s / seen.calls,
        "share": _share(line, seen),
    }


def _share(line: TraceLine, seen: Activity) -> float | None:
    total_s = seen.per_call_s * seen.calls
    return line.total_s / total_s if total_s else None


def _heading(found: TraceProfile) -> str:
    where = f"{found.device} ({found.device_name})"
    how = f"torch {found.torch_version}, {counted(found.threads, 'thread')}"
    return f"{found.case} on {where}, {how}, {counted(found.activity.calls, 'call')}"


def _lines(seen: Activity) -> RenderableType:
    names = map(right, ("per call", "time per call", "share"))
    table = PlainTable(folded("op" if _of_ops(seen) else "kernel"), *names)
    for line in seen.lines:
        often = line.count / seen.calls
        table.add(
            line.name,
            f"{often:.0f}" if often.is_integer() else number(often),
            seconds(line.total_s / seen.calls),
            share(_share(line, seen)),
        )
    return table


def _sums(found: TraceProfile) -> list[str]:
    """What it adds up to; how much of the time a device had anything to do."""
    seen = found.activity
    if not seen.lines or seen.idle_share is None:
        return []
    total = f"Sum per call: {seconds(seen.per_call_s)}"
    gaps = f"{seconds(seen.idle_s / seen.calls)} per call"
    busy = share(1 - seen.idle_share)
    if _of_ops(seen):
        between = f"{gaps} lie between ops (Python, and the profiler)"
        return [f"{total}, each op without the ops inside it; {between}."]
    return [f"{total}. From first to last, busy {busy} and idle {gaps}.", BOUND_BY_THE_ROW]


def _of_ops(seen: Activity) -> bool:
    return any(line.kind == "op" for line in seen.lines)


def _warning(code: str) -> str:
    words = CODES[code]
    return f"{code}: {words.seen}. Likely: {words.cause}. To do: {words.remedy}."
