"""Extra passes over a batch when its samples are taken: graph replay, cold caches, fresh memory, energy, profiler.

None of them is part of a headline. Each pass may fail, or cost a worker; that costs a case what the pass would
have said, and nothing else. `bench profile` makes the profiler's pass alone, and keeps the trace.
"""

from __future__ import annotations

import gzip
import json
import re
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.errors import StoreError
from bench.machine import hardware
from bench.plan.mode import EAGER
from bench.pool import protocol
from bench.pool.protocol import Refused
from bench.records.cache_state import HOT
from bench.records.kernel_trace import TraceProfile, activity, events_of
from bench.records.memory_policy import REUSE
from bench.store import atomic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.plan.plan import PlannedCase
    from bench.plan.schedule import Schedule
    from bench.pool.pool import WorkerPool
    from bench.run.outcome import Outcome

_PROFILED_S = 0.02
"""A case is profiled for about so many seconds, so that a batch takes a second or two."""
_PROFILE_LIMIT_S = 60.0
"""Time limit of a batch's profile, whatever that of a case is: an H200 took 3 s, most of them the profiler's start."""
_MOST_PROFILED_CALLS, _FEWEST_PROFILED_CALLS = 20, 2
"""A case is called at least twice under the profiler: one call alone can't show that calls differ."""
_LONGEST_FRESH_CALL_S, _LONGEST_PER_PAGE_S = 0.1, 1e-5
"""Longest calls that are timed in fresh memory, and longest per page (4 KiB) that they take: a page fault was found to
take 0.5 to 1 µs, a tenth of that at most."""
_PAGE_BYTES = 4096
_MOST_FRESH_CASES = 4
"""Of a batch: each takes about 0.1 s, and what fresh pages cost is much the same for all that take as much memory."""
_LONGEST_NAME = 200
"""Characters of a file's name; file systems hold 255 bytes."""
_KEYS_OF_MACHINE = ("host_name", "traceName")
"""Keys of a trace that name the machine which made it. They are removed, since traces are sent on."""


def make_passes(batch: Sequence[Outcome], pool: WorkerPool, schedule: Schedule) -> None:
    """Make the passes that the schedule asks for over those of a batch that have samples.

    All go through the first worker, the profiler last: a worker that has profiled times nothing any more.
    """
    measured = [
        one for one in batch if one.open and one.visits and one.case.device.startswith("cuda")
    ]
    for outcome in measured:
        if schedule.cache == HOT:  # as calls within a graph find them
            _replay(outcome, pool, schedule)
            _time_cold(outcome, pool, schedule)
            _load(outcome, pool, schedule)
        if schedule.energy:
            _meter(outcome, pool, schedule)
    watched = [one for one in measured if _host_s(one) <= _PROFILED_S]
    if schedule.kernels and watched:
        _profile(watched, pool, schedule)


def _replay(outcome: Outcome, pool: WorkerPool, schedule: Schedule) -> None:
    """Time it as a graph, where it can be recorded: there is work, it is no loop of waits, and as its suite has it."""
    if outcome.case.mode != EAGER:
        return
    if outcome.work == protocol.IDLE or (
        outcome.work == protocol.WAITS and _call_s(outcome) > _PROFILED_S
    ):
        return
    _prepare(outcome, pool, schedule)
    reply = pool.ask(0, protocol.Replay(case=outcome.case), schedule.timeout_s, protocol.Replayed)
    if isinstance(reply, protocol.Replayed):
        outcome.graph_s = reply.device_s


def _time_cold(outcome: Outcome, pool: WorkerPool, schedule: Schedule) -> None:
    """Time it with cold caches, where its work queues up."""
    if outcome.work != protocol.QUEUED:
        return
    _prepare(outcome, pool, schedule)
    reply = pool.ask(
        0, protocol.TimeCold(case=outcome.case), schedule.timeout_s, protocol.ColdTimed
    )
    if isinstance(reply, protocol.ColdTimed):
        outcome.cold_s = reply.device_s


def time_fresh(batch: Sequence[Outcome], pool: WorkerPool, schedule: Schedule) -> None:
    """Time a few cases in fresh memory, in a worker that reuses its own: those that move most, one of each op.

    It takes the memory that the worker has kept from all of its cases, so nothing may be timed there after it.
    """
    largest: dict[str, Outcome] = {}
    for outcome in sorted(filter(_takes_memory, batch), key=_moved_bytes, reverse=True):
        if len(largest) < _MOST_FRESH_CASES:
            largest.setdefault(outcome.case.op_id, outcome)
    if not largest or schedule.cache != HOT or pool.hello(0).memory != REUSE:
        return
    for outcome in largest.values():
        _prepare(outcome, pool, schedule)
        request = protocol.TimeFresh(case=outcome.case, taken_bytes=_taken_bytes(outcome))
        reply = pool.ask(0, request, schedule.timeout_s, protocol.FreshTimed)
        if isinstance(reply, protocol.FreshTimed) and reply.ratio and reply.low and reply.high:
            outcome.fresh = {
                "fresh_time_s": reply.ratio,
                "fresh_time_lo_s": reply.low,
                "fresh_time_hi_s": reply.high,
            }


def _takes_memory(outcome: Outcome) -> bool:
    """Whether it has samples on the CPU, and takes so much memory for its time that page faults would be seen."""
    if not (outcome.open and outcome.visits and outcome.case.device == "cpu"):
        return False
    pages = _taken_bytes(outcome) / _PAGE_BYTES
    call_s = min(one.call_s for one in outcome.prepared.values())
    return call_s <= min(_LONGEST_FRESH_CALL_S, pages * _LONGEST_PER_PAGE_S)


def _taken_bytes(outcome: Outcome) -> int:
    """What a call takes beyond its inputs; 0 where that is too little to be told."""
    return (outcome.checked and outcome.checked.peak_memory_bytes) or 0


def _moved_bytes(outcome: Outcome) -> float:
    """By its work model, else its inputs: the memory that a call takes is measured, and differs from run to run."""
    inputs = outcome.checked.input_bytes if outcome.checked else 0
    return inputs if outcome.case.bytes is None else outcome.case.bytes


def _load(outcome: Outcome, pool: WorkerPool, schedule: Schedule) -> None:
    """Look at the device while it works on this case, if it has work."""
    if outcome.work == protocol.IDLE:
        return
    _prepare(outcome, pool, schedule)
    reply = pool.ask(0, protocol.Load(case=outcome.case), schedule.timeout_s, protocol.Loaded)
    if isinstance(reply, protocol.Loaded):
        outcome.loaded = reply.gauges


def _meter(outcome: Outcome, pool: WorkerPool, schedule: Schedule) -> None:
    """Tell its energy; a refusal is a reason too."""
    _prepare(outcome, pool, schedule)
    reply = pool.ask(0, protocol.Meter(case=outcome.case), schedule.timeout_s, protocol.Metered)
    if isinstance(reply, Refused):
        reply = protocol.Metered(energy_j=None, reason=reply.reason)
    outcome.metered = reply


def _profile(
    measured: Sequence[Outcome], pool: WorkerPool, schedule: Schedule, *, once_more: bool = True
) -> None:
    """See what they consist of, in one session; where that fails, in two, so that one case costs half of them at most."""
    for outcome in measured:
        _prepare(outcome, pool, schedule)
    cases = [one.case for one in measured]
    calls = [_calls(one) for one in measured]
    trace = traced(pool, cases, calls, _PROFILE_LIMIT_S)
    if not isinstance(trace, Refused):
        events = events_of(trace)
        for place, outcome in enumerate(measured):
            outcome.activity = activity(events, calls[place], outcome.case.device, place)
    elif once_more and len(measured) > 1:
        half = len(measured) // 2
        for part in (measured[:half], measured[half:]):
            pool.refresh(0)
            _profile(part, pool, schedule, once_more=False)


def _prepare(outcome: Outcome, pool: WorkerPool, schedule: Schedule) -> None:
    """A no-op, but for a worker that was replaced over the case before."""
    pool.prepare(0, outcome.case, schedule.sample_s, schedule.timeout_s, cache=schedule.cache)


def _calls(outcome: Outcome) -> int:
    return max(
        _FEWEST_PROFILED_CALLS,
        min(_MOST_PROFILED_CALLS, int(_PROFILED_S / max(_call_s(outcome), 1e-9))),
    )


def _call_s(outcome: Outcome) -> float:
    return max(one.call_s for one in outcome.prepared.values())


def _host_s(outcome: Outcome) -> float:
    """What submitting a call takes, which is what a trace of it grows with.

    A loop of 100,000 waits writes a gigabyte, a product that takes a second a few lines.
    """
    known = [s for visit in outcome.visits for s in visit.visited.host_s]
    return median(known) if known else _call_s(outcome)


def profile(
    pool: WorkerPool, case: PlannedCase, calls: int, out: Path, timeout_s: float
) -> TraceProfile | Refused:
    """Profile a case and keep its trace.

    Args:
        pool: its first worker must not have profiled anything before.
        case: what to call.
        calls: how often, after warming up.
        out: the folder for the trace, made if there is none; one of the same case is replaced.
        timeout_s: how long all of it may take.

    Returns:
        What ran, or why the case can't be profiled.

    Raises:
        StoreError: `out` can't be written.
        WorkerError: the worker can't start.
    """
    kept = trace_path(out, case)
    _make(out)  # before anything is measured
    hello = pool.hello(0)
    trace = traced(pool, [case], [calls], timeout_s)
    if isinstance(trace, Refused):
        return trace
    keep_trace(trace, kept)
    names = {"cpu": hardware.read_machine().cpu_model, **hello.device_names}
    return TraceProfile(
        case=case.id,
        device=case.device,
        device_name=names.get(case.device, case.device),
        torch_version=str(hello.torch["version"]),
        threads=int(hello.torch["threads"]),
        activity=activity(events_of(trace), calls, case.device),
        trace=str(kept),
    )


def traced(
    pool: WorkerPool, cases: Sequence[PlannedCase], calls: Sequence[int], timeout_s: float
) -> dict[str, Any] | Refused:
    """The trace of some cases of one device, each called so often, or why there is none."""
    with tempfile.TemporaryDirectory(prefix="bench-profile-") as folder:
        raw = Path(folder) / "trace.json"
        reply = pool.profile(0, cases, calls, str(raw), timeout_s)
        if isinstance(reply, Refused):
            return reply
        try:
            trace: dict[str, Any] = json.loads(raw.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = f"the profiler left no trace that can be read: {type(error).__name__}: {error}"
            return Refused(status="failed", reason=reason)
        return trace


def trace_path(out: Path, case: PlannedCase) -> Path:
    """`profile-matmul-square-n=64-dtype=float32-cpu.json.gz` in a folder: what any system takes as a name."""
    name = re.sub(r"[^\w.=]+", "-", f"profile-{case.id.removesuffix(']')}-{case.device}")
    return out / f"{name[:_LONGEST_NAME]}.json.gz"


def keep_trace(trace: dict[str, Any], path: Path) -> None:
    """Write a trace, compressed; whoever looks for it finds all of it or none.

    Raises:
        StoreError: it can't be written.
    """
    facts = {key: value for key, value in trace.items() if key not in _KEYS_OF_MACHINE}
    try:
        atomic.write(path, gzip.compress(json.dumps(facts).encode()))
    except OSError as error:
        raise StoreError(_unwritable(path.parent, error)) from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(_unwritable(folder, error)) from error


def _unwritable(folder: Path, error: OSError) -> str:
    return f"{folder} can't be written: {error.strerror}; choose another with --out"
