"""A batch is checked and built in several workers at a time, and warmed up in one after the other."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import pytest

from bench.plan.schedule import COPIED_INPUT_BYTES, MemoryBudget, Schedule
from bench.pool import protocol
from bench.pool.pool import WorkerPool
from bench.run.outcome import Outcome
from bench.run.preparation import Preparation
from bench.run.recheck import recheck
from bench.run.visit import Visit
from tests.fakes.workers import PREPARED, Stage, case, settle, visited

if TYPE_CHECKING:
    from tests.fakes.workers import Answer

WORKERS = 3
FAILED = protocol.Refused(status="failed", reason="odd")


def schedule(**changes: Any) -> Schedule:
    """Three workers with a second for each case."""
    made = Schedule(
        workers=WORKERS, rounds=2, case_budget_s=1.0, timeout_s=60.0, memory_bytes=math.inf
    )
    return dataclasses.replace(made, **changes)


def preparing(
    answer: Answer = settle, *, abreast: int = 1, **changes: Any
) -> tuple[Stage, WorkerPool, Preparation]:
    """Workers that follow a script, and what has cases ready in them."""
    stage = Stage(answer)
    pool = WorkerPool(WORKERS, stage.start, abreast=abreast)
    return stage, pool, Preparation(pool, schedule(**changes), clock=lambda: 0.0)


def outcomes(count: int, **changes: Any) -> list[Outcome]:
    """Cases that nothing is known of."""
    return [Outcome(case=case(number, **changes)) for number in range(count)]


def ready(preparation: Preparation, batch: list[Outcome]) -> None:
    """Build a batch, and warm it up everywhere."""
    preparation.build(batch)
    for outcome in batch:
        for worker in range(WORKERS):
            preparation.prepare(outcome, worker)


def test_all_is_built_before_anything_is_timed() -> None:
    """Each case once in each worker."""
    stage, _, preparation = preparing()
    ready(preparation, outcomes(2))
    kinds = [type(request) for _, request in stage.log]
    assert kinds == [protocol.Build] * 6 + [protocol.Prepare] * 6
    assert sorted(stage.asked(protocol.Build)) == sorted(stage.asked(protocol.Prepare))


@pytest.mark.parametrize(("cache", "handed"), [("hot", PREPARED.loops), ("cold", 0)])
def test_what_the_first_worker_found_is_handed_on(cache: str, handed: int) -> None:
    """With cold caches it is not: a sample is one call then, and loops are those of the untimed calls."""
    stage, _, preparation = preparing(cache=cache)
    ready(preparation, outcomes(1))
    asked = [one for _, one in stage.log if isinstance(one, protocol.Prepare)]
    assert [one.loops for one in asked] == [0, handed, handed]


def on(kind: type[Any], number: int, reply: protocol.WorkerReply) -> Answer:
    """This reply where the case of that number is asked for so."""

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        hit = isinstance(request, kind) and request.case.id == case(number).id
        return reply if hit else settle(request)

    return answer


def test_a_case_that_can_not_be_built_is_a_row_of_its_own() -> None:
    """The others are built and warmed up."""
    stage, _, preparation = preparing(on(protocol.Build, 0, FAILED))
    bad, good = batch = outcomes(2)
    ready(preparation, batch)
    assert (bad.status, bad.reason) == ("failed", "odd")
    assert (good.status, len(good.built), len(good.prepared)) == ("ok", WORKERS, WORKERS)
    assert {identity for _, identity in stage.asked(protocol.Prepare)} == {case(1).id}


def test_a_worker_without_a_context_builds_nothing_more() -> None:
    """It was replaced over the first case, which takes seconds and helps no other."""
    none = protocol.Refused(status="failed", reason="busy", ends_worker=True, no_context=True)
    stage, _, preparation = preparing(on(protocol.Build, 0, none))
    preparation.build(outcomes(5, device="cuda"))
    assert len(stage.asked(protocol.Build)) == WORKERS
    assert len(stage.processes) == 2 * WORKERS


@pytest.mark.parametrize(("abreast", "workers"), [(1, {0}), (2, {0, 1}), (3, {0, 1, 2})])
def test_checks_are_shared_by_the_workers_that_are_at_work_at_a_time(
    abreast: int, workers: set[int]
) -> None:
    """Each case is checked once, and looked at again by the worker that knows its result."""
    stage, pool, preparation = preparing(abreast=abreast)
    batch = outcomes(6)
    preparation.check(batch, most=6)
    asked = stage.asked(protocol.Check)
    assert sorted(identity for _, identity in asked) == [one.case.id for one in batch]
    assert {worker for worker, _ in asked} == workers
    for outcome in batch:
        outcome.add_visit(Visit(worker=0, round=0, prepared=PREPARED, visited=visited(1)))
    recheck(batch, pool, schedule())
    assert sorted(stage.asked(protocol.Recheck)) == sorted(asked)


def test_only_cases_of_one_device_are_checked_ahead() -> None:
    """Those of the next may be on one that is given up by then; what is checked is not checked again."""
    stage, _, preparation = preparing()
    batch = [*outcomes(2), *outcomes(2, device="cuda")]
    preparation.check(batch, most=4)
    preparation.check(batch, most=4)
    devices = [one.case.device for _, one in stage.log if isinstance(one, protocol.Check)]
    assert devices == ["cpu", "cpu", "cuda", "cuda"]


@pytest.mark.parametrize(
    ("size", "held"),
    [(100, 200), (COPIED_INPUT_BYTES, 2 * COPIED_INPUT_BYTES), (10**9, 10**9)],
)
def test_copies_of_inputs_take_memory_too(size: int, held: int) -> None:
    """Of those that are small enough for their place to matter."""
    assert MemoryBudget.held_bytes(size) == held
