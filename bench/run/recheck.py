"""Recheck of measured cases: their results are looked at again when the timing is over.

What was right before is not always right after: a call may have used up its inputs, or changed them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.pool import protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.plan.schedule import Schedule
    from bench.pool.pool import WorkerPool
    from bench.run.outcome import Outcome


def recheck(batch: Iterable[Outcome], pool: WorkerPool, schedule: Schedule) -> None:
    """Recheck the cases that have samples, in the worker that checked them; a call that fails now has failed.

    A lack of time or memory is none of the case's own: then what was found before the timing stands.
    """
    for outcome in batch:
        if not (outcome.open and outcome.visits):
            continue
        case, timeout_s = outcome.case, schedule.timeout_s
        worker = outcome.checker
        pool.prepare(worker, case, schedule.sample_s, timeout_s, cache=schedule.cache)
        reply = pool.ask(worker, protocol.Recheck(case=case), timeout_s, protocol.Rechecked)
        if isinstance(reply, protocol.Rechecked):
            outcome.rechecked = reply
        elif reply.status == "failed":
            outcome.end("failed", f"after its timing: {reply.reason}", reply.codes)
