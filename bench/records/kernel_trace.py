"""Kernel trace: the events that a profiler recorded in, what ran per call out. Pure; knows neither torch nor files.

Work is what ops did themselves (CPU) or what ran on the device (CUDA), between the beginning and the
end of the marked calls. What may be missing is said by a code, never left unsaid. By hand, since
sums of `torch.profiler` exist only in the process that recorded, and a file can be read without torch.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MARK = "tensorbench: the calls"
"""The name under which the profiled calls stand in the trace, with the place of their case behind it."""
INCOMPLETE = "profile-incomplete"
_KINDS = {
    "cpu_op": "op",
    "kernel": "kernel",
    "gpu_memcpy": "memcpy",
    "gpu_memset": "memset",
    "cuda_runtime": "runtime",
    "cuda_driver": "runtime",
    "user_annotation": "mark",
}
"""Category of an event in torch's traces → kind. Other categories (flows, annotations drawn on the device's own
track, Python's functions) are no work and are left out."""
_ON_DEVICE = frozenset({"kernel", "memcpy", "memset"})
_SUBMITS = re.compile(r"Launch\w*Kernel|GraphLaunch|Memcpy|Memset")
_SKEW_NS = 1_000_000
"""The most by which device work may lie outside of the mark. The profiler aligns the clocks of host and device to
within microseconds; work a millisecond outside has a wrong time (pytorch#192021) and must not make a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that began and ended: an op, work of the device, a call of its driver, or a mark."""

    kind: str
    name: str
    start_ns: int
    end_ns: int
    thread: str = ""
    correlation: int | None = None
    """The number that a call of the driver shares with the work that it submitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceLine:
    """All work of one name: how often in all calls, and how long in all. An op without those inside it."""

    kind: str
    name: str
    count: int
    total_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """The work of `calls` calls, longest first; `span_s` is the time from its first beginning to its last end."""

    calls: int
    lines: tuple[TraceLine, ...]
    span_s: float
    busy_s: float
    """How much of the span had any work going on."""
    codes: tuple[str, ...] = ()

    @property
    def per_call_s(self) -> float:
        """The sum of all work, per call."""
        return sum(line.total_s for line in self.lines) / self.calls

    @property
    def launches_per_call(self) -> float:
        """How many kernels, copies and fills a call consists of."""
        return sum(line.count for line in self.lines) / self.calls

    @property
    def idle_s(self) -> float:
        """The gaps, all together."""
        return self.span_s - self.busy_s

    @property
    def idle_share(self) -> float | None:
        """The gaps as a share of the span; None where nothing ran."""
        return self.idle_s / self.span_s if self.span_s else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceProfile:
    """The activity of a case, where it was profiled, and the file that has its trace."""

    case: str
    device: str
    device_name: str
    torch_version: str
    threads: int
    activity: Activity
    trace: str


def events_of(trace: Mapping[str, Any]) -> tuple[Event, ...]:
    """The events of a Chrome trace as torch writes it, in the order in which they began."""
    found = (
        _event(one, _KINDS[one["cat"]])
        for one in trace.get("traceEvents", ())
        if one.get("ph") == "X" and one.get("cat") in _KINDS
    )
    return tuple(sorted(found, key=_nesting))


def mark_of(place: int) -> str:
    """The mark of the calls of a case, by its place among those of the session."""
    return f"{MARK} {place}"


def activity(events: Sequence[Event], calls: int, device: str, place: int = 0) -> Activity:
    """The work of the marked calls on a device.

    Args:
        events: all there are, those before the mark too: they tell whether the device is seen at all.
        calls: how many were made within the mark.
        device: `cpu` for ops, anything else for what ran on the device.
        place: of the case among those that were profiled together.
    """
    name = mark_of(place)
    mark = next((one for one in events if one.kind == "mark" and one.name == name), None)
    if mark is None:
        return Activity(calls=calls, lines=(), span_s=0.0, busy_s=0.0, codes=(INCOMPLETE,))
    if device == "cpu":
        work = [one for one in events if one.kind == "op" and _within(one, mark)]
        all_seen = True
    else:
        work, all_seen = _on_device(events, mark)
    lines = _lines(work, _self_times_ns(work))
    complete = all_seen and all(line.count % calls == 0 for line in lines)
    return Activity(
        calls=calls,
        lines=lines,
        span_s=_span_ns(work) * 1e-9,
        busy_s=_covered_ns(work) * 1e-9,
        codes=() if complete else (INCOMPLETE,),
    )


def _event(one: Mapping[str, Any], kind: str) -> Event:
    start_ns = round(one["ts"] * 1e3)  # traces are in microseconds, with three decimals
    correlation = one.get("args", {}).get("correlation")
    return Event(
        kind=kind,
        name=str(one["name"]),
        start_ns=start_ns,
        end_ns=start_ns + round(one.get("dur", 0) * 1e3),
        thread=f"{one.get('pid')}/{one.get('tid')}",
        correlation=None if correlation is None else int(correlation),
    )


def _nesting(event: Event) -> tuple[int, int]:
    """Whoever holds others comes before them."""
    return event.start_ns, -event.end_ns


def _within(event: Event, mark: Event, slack_ns: int = 0) -> bool:
    return mark.start_ns - slack_ns <= event.start_ns and event.end_ns <= mark.end_ns + slack_ns


def _on_device(events: Sequence[Event], mark: Event) -> tuple[list[Event], bool]:
    """What was submitted within the mark and ran, and whether nothing of it can be missing.

    Work belongs to the call of the driver that submitted it, whatever the clocks of the two say. A
    device of which nothing was seen, not even what ran before the mark, was not watched at all.
    """
    submitted = {
        one.correlation: bool(_SUBMITS.search(one.name))
        for one in events
        if one.kind == "runtime" and one.correlation is not None and _within(one, mark)
    }
    seen = [one for one in events if one.kind in _ON_DEVICE]
    work = [one for one in seen if one.correlation in submitted and _within(one, mark, _SKEW_NS)]
    ran = {one.correlation for one in work}
    lost = [key for key, submits in submitted.items() if submits and key not in ran]
    return work, bool(seen) and not lost


def _self_times_ns(work: Sequence[Event]) -> list[int]:
    """How long each took without the ops inside it, thread by thread; work of a device holds none."""
    own = [one.end_ns - one.start_ns for one in work]
    open_in: defaultdict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(work):
        if one.kind != "op":
            continue
        holders = open_in[one.thread]
        while holders and work[holders[-1]].end_ns <= one.start_ns:
            holders.pop()
        if holders:
            own[holders[-1]] -= one.end_ns - one.start_ns
        holders.append(place)
    return [max(0, ns) for ns in own]  # the trace rounds to nanoseconds


def _lines(work: Sequence[Event], own_ns: Sequence[int]) -> tuple[TraceLine, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    totals_ns: Counter[tuple[str, str]] = Counter()
    for one, ns in zip(work, own_ns, strict=True):
        counts[one.kind, one.name] += 1
        totals_ns[one.kind, one.name] += ns
    ordered = sorted(counts, key=lambda key: (-totals_ns[key], key))
    return tuple(
        TraceLine(
            kind=kind, name=name, count=counts[kind, name], total_s=totals_ns[kind, name] * 1e-9
        )
        for kind, name in ordered
    )


def _span_ns(work: Sequence[Event]) -> int:
    begin = min((one.start_ns for one in work), default=0)
    return max((one.end_ns for one in work), default=0) - begin


def _covered_ns(work: Sequence[Event]) -> int:
    """How long any of it was going on; what overlaps (streams, threads) counts once."""
    covered = 0
    until = min((one.start_ns for one in work), default=0)
    for one in sorted(work, key=_nesting):
        covered += max(0, one.end_ns - max(until, one.start_ns))
        until = max(until, one.end_ns)
    return covered
