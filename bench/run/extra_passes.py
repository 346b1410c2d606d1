"""What is learnt of a batch when its samples are taken: graphs, cold caches, energy, kernels.

None of it is part of a headline.
Each pass may fail, or cost a worker; that costs a case what the pass would have said, and nothing else.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from bench.pool import protocol
from bench.records.cache_state import HOT
from bench.records.kernel_trace import activity, events_of
from bench.run.profile_pass import traced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.plan.schedule import Schedule
    from bench.pool.pool import WorkerPool
    from bench.run.outcome import Outcome

_PROFILED_S = 0.02
"""A case is profiled for about so long, so that a batch takes a second or two."""
_MOST_CALLS, _FEWEST_CALLS = 20, 2
"""With one call alone nothing would show that calls differ."""


def look(batch: Sequence[Outcome], pool: WorkerPool, schedule: Schedule) -> None:
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
    """Time it as a graph, where it can be recorded: there is work, and it is no loop of waits."""
    if outcome.work == protocol.IDLE or (
        outcome.work == protocol.WAITS and _call_s(outcome) > _PROFILED_S
    ):
        return
    _prepare(outcome, pool, schedule)
    reply = pool.replay(0, outcome.case, schedule.timeout_s)
    if isinstance(reply, protocol.Replayed):
        outcome.graph_s = reply.device_s


def _time_cold(outcome: Outcome, pool: WorkerPool, schedule: Schedule) -> None:
    """Time it with cold caches, where its work queues up."""
    if outcome.work != protocol.QUEUED:
        return
    _prepare(outcome, pool, schedule)
    reply = pool.time_cold(0, outcome.case, schedule.timeout_s)
    if isinstance(reply, protocol.ColdTimed):
        outcome.cold_s = reply.device_s


def _load(outcome: Outcome, pool: WorkerPool, schedule: Schedule) -> None:
    """Look at the device while it works on this case, if it has work."""
    if outcome.work == protocol.IDLE:
        return
    _prepare(outcome, pool, schedule)
    reply = pool.load(0, outcome.case, schedule.timeout_s)
    if isinstance(reply, protocol.Loaded):
        outcome.loaded = reply.gauges


def _meter(outcome: Outcome, pool: WorkerPool, schedule: Schedule) -> None:
    """Tell its energy; a refusal is a reason too."""
    _prepare(outcome, pool, schedule)
    reply = pool.meter(0, outcome.case, schedule.timeout_s)
    if isinstance(reply, protocol.Refused):
        reply = protocol.Metered(energy_j=None, reason=reply.reason)
    outcome.metered = reply


def _profile(measured: Sequence[Outcome], pool: WorkerPool, schedule: Schedule) -> None:
    """See what they consist of, in one session."""
    for outcome in measured:
        _prepare(outcome, pool, schedule)
    cases = [one.case for one in measured]
    calls = [_calls(one) for one in measured]
    trace = traced(pool, cases, calls, schedule.timeout_s)
    if isinstance(trace, protocol.Refused):
        return
    events = events_of(trace)
    for place, outcome in enumerate(measured):
        outcome.activity = activity(events, calls[place], outcome.case.device, place)


def _prepare(outcome: Outcome, pool: WorkerPool, schedule: Schedule) -> None:
    """A no-op, but for a worker that was replaced over the case before."""
    pool.prepare(0, outcome.case, schedule.sample_s, schedule.timeout_s, cache=schedule.cache)


def _calls(outcome: Outcome) -> int:
    return max(_FEWEST_CALLS, min(_MOST_CALLS, int(_PROFILED_S / max(_call_s(outcome), 1e-9))))


def _call_s(outcome: Outcome) -> float:
    return max(one.call_s for one in outcome.prepared.values())


def _host_s(outcome: Outcome) -> float:
    """What submitting a call takes, which is what a trace of it grows with.

    A loop of 100,000 waits writes a gigabyte, a product that takes a second a few lines.
    """
    known = [s for visit in outcome.visits for s in visit.visited.host_s]
    return median(known) if known else _call_s(outcome)
