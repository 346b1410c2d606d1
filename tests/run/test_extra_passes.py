"""What is learnt beside the samples: each pass fills its columns, and one that fails costs nothing else."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.plan.schedule import Schedule
from bench.pool import protocol
from bench.run.extra_passes import look
from bench.run.outcome import Outcome
from bench.run.visit import Visit
from tests.fakes.kernel_trace import kernel, launch, mark, trace
from tests.fakes.workers import PREPARED, Stage, case, settle, visited

if TYPE_CHECKING:
    from collections.abc import Callable

HOT = Schedule(workers=2, rounds=1, case_budget_s=1, timeout_s=5, memory_bytes=1e9)


def measured(
    number: int = 0,
    device: str = "cuda",
    call_s: float = 1e-2,
    *,
    host_s: float = 1e-5,
    work: str = protocol.QUEUED,
) -> Outcome:
    """A case whose samples have been taken in one worker."""
    prepared = dataclasses.replace(PREPARED, call_s=call_s, work=work)
    outcome = Outcome(case=case(number, device=device), prepared={0: prepared})
    seen = visited(1_000_000)
    if work == protocol.QUEUED:
        seen = dataclasses.replace(seen, device_s=(call_s,), host_s=(host_s,), gapless=(True,))
    outcome.add_visit(Visit(worker=0, round=0, prepared=prepared, visited=seen))
    return outcome


def two_cases(calls: tuple[int, ...]) -> dict[str, object]:
    """A session in which each call of the first case runs one kernel, and of the second two."""
    events = [launch(1, -50), kernel(1, -40, 3, "thrown away")]
    number = 10
    for place, often in enumerate(calls):
        begin_us = 1000.0 * place
        events.append(mark(begin_us, 900, place))
        for call in range(often * (place + 1)):
            events += [
                launch(number, begin_us + 20 * call),
                kernel(number, begin_us + 20 * call + 5, 8, f"k{place}"),
            ]
            number += 1
    return trace(*events)


def answering(request: protocol.Request) -> protocol.Reply:
    """A worker for which all is well, with a trace for whoever asks."""
    if isinstance(request, protocol.Profile):
        Path(request.path).write_text(json.dumps(two_cases(request.calls)))
        return protocol.Profiled()
    return settle(request)


def looked(
    *batch: Outcome,
    answer: Callable[[protocol.Request], protocol.Reply] = answering,
    schedule: Schedule = HOT,
) -> Stage:
    """The passes over these, and what workers were asked."""
    stage = Stage(answer)
    look(batch, stage.pool(2), schedule)
    return stage


def changed(**changes: Any) -> Schedule:
    """The schedule, but for these."""
    return dataclasses.replace(HOT, **changes)


def test_every_case_of_a_batch_is_looked_at_in_one_session() -> None:
    """Each finds its own kernels under its own mark."""
    one, other = measured(0), measured(1)
    stage = looked(one, other)
    assert one.activity is not None
    assert other.activity is not None
    assert [(line.name, line.count) for line in one.activity.lines] == [("k0", 2)]
    assert [(line.name, line.count) for line in other.activity.lines] == [("k1", 4)]
    assert one.activity.codes == other.activity.codes == ()
    asked = [request for _, request in stage.log if isinstance(request, protocol.Profile)]
    assert [request.calls for request in asked] == [(2, 2)]


@pytest.mark.parametrize(("call_s", "calls"), [(1e-6, 20), (2e-3, 10), (5.0, 2)])
def test_short_calls_are_looked_at_more_often(call_s: float, calls: int) -> None:
    """A batch of long ones would take minutes otherwise."""
    stage = looked(measured(call_s=call_s))
    (asked,) = [request for _, request in stage.log if isinstance(request, protocol.Profile)]
    assert asked.calls == (calls,)


def test_a_call_of_many_launches_is_not_traced() -> None:
    """A trace of 100,000 launches takes a gigabyte, and its time limit would cost the batch its kernels."""
    slow = measured(0, call_s=1.2, work=protocol.WAITS)
    launches = measured(1, call_s=0.03, host_s=0.025)
    stage = looked(slow, launches, measured(2))
    (asked,) = [request for _, request in stage.log if isinstance(request, protocol.Profile)]
    assert [one.id for one in asked.cases] == [case(2).id]


def test_what_has_no_work_is_neither_recorded_nor_timed_cold() -> None:
    """A view has no kernels; and what waits for the device has no cold time of its own."""
    kinds = {
        work: {type(request) for _, request in looked(measured(work=work, call_s=1e-5)).log}
        for work in (protocol.QUEUED, protocol.WAITS, protocol.IDLE)
    }
    assert {protocol.Replay, protocol.TimeCold} <= kinds[protocol.QUEUED]
    assert protocol.Replay in kinds[protocol.WAITS]
    assert protocol.TimeCold not in kinds[protocol.WAITS]
    assert not {protocol.Replay, protocol.TimeCold} & kinds[protocol.IDLE]


def test_the_profiler_comes_last() -> None:
    """A worker that has been profiled times nothing any more."""
    stage = looked(measured(0), measured(1), schedule=changed(energy=True))
    kinds = [type(request) for _, request in stage.log]
    assert kinds[-1] is protocol.Profile
    assert {number for number, _ in stage.log} == {0}


def test_the_cpu_has_no_such_pass() -> None:
    """Nor has a case without samples, or one that has ended."""
    ended, bare = measured(1), Outcome(case=case(2, device="cuda"))
    ended.end("failed", "no")
    assert looked(measured(0, device="cpu"), ended, bare, schedule=changed(energy=True)).log == []


def test_energy_is_told_where_it_was_asked_for() -> None:
    """It takes seconds a case."""
    without, with_it = measured(), measured()
    looked(without)
    looked(with_it, schedule=changed(energy=True))
    assert without.metered is None
    assert with_it.metered == protocol.Metered(energy_j=0.25)


def test_a_pass_that_is_not_wanted_is_not_made() -> None:
    """No kernels; and no graph with cold caches."""
    stage = looked(measured(), schedule=changed(kernels=False, cache="cold"))
    assert stage.log == []


def test_a_pass_that_fails_leaves_the_case_as_it_was() -> None:
    """Its reason is kept where it has a place: beside the energy."""

    def answer(request: protocol.Request) -> protocol.Reply:
        if isinstance(request, protocol.Prepare):
            return PREPARED
        return protocol.Refused(status="failed", reason="broken")

    outcome = measured()
    looked(outcome, answer=answer, schedule=changed(energy=True))
    assert outcome.open
    assert (outcome.graph_s, outcome.activity) == (None, None)
    assert outcome.metered == protocol.Metered(energy_j=None, reason="broken")
