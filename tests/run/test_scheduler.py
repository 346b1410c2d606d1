"""Cases are measured crossed: every worker sees every open case in every round, one at a time."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import WorkerError
from bench.plan.schedule import Schedule
from bench.pool import protocol
from bench.pool.side_effects import SideEffects
from bench.records.memory_policy import REUSE
from bench.run import scheduler
from bench.run.outcome import Outcome
from bench.run.scheduler import Scheduler
from bench.run.state_monitor import Clock, StateMonitor
from bench.run.stopping import LEAST_ROUNDS
from bench.run.visit import Visit
from tests.fakes.workers import HELLO, PREPARED, Stage, case, lost, settle, visited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WORKERS, ROUNDS = 2, LEAST_ROUNDS


def schedule(**changes: Any) -> Schedule:
    """Two workers, three rounds, 0.2 s a visit, plenty of memory."""
    known = {
        "workers": WORKERS,
        "rounds": ROUNDS,
        "case_budget_s": 1.2,
        "timeout_s": 60.0,
        "memory_bytes": 1e9,
    }
    return Schedule(**{**known, **changes})


class TimedStage:
    """A stage with a clock on which each request takes the seconds it is told."""

    def __init__(
        self,
        answer: Callable[[protocol.WorkerRequest], protocol.WorkerReply] = settle,
        seconds: Mapping[type[Any], float] | None = None,
    ) -> None:
        self.now_s = 0.0
        self.steps: Counter[str] = Counter()
        self.stage = Stage(self._answer)
        self._script = answer
        self._seconds = seconds or {}

    def _answer(self, request: protocol.WorkerRequest) -> protocol.WorkerReply:
        self.now_s += self._seconds.get(type(request), 0.0)
        return self._script(request)

    def _advance(self, identity: str, steps: int) -> None:
        self.steps[identity] += steps

    def scheduler(self, seed: int = 1, **changes: Any) -> Scheduler:
        """A scheduler with a pool of its own."""
        plan = schedule(**changes)
        pool = self.stage.pool(plan.workers)
        return Scheduler(
            pool,
            plan,
            shuffle=random.Random(seed),  # noqa: S311 - an order, not a secret
            advance=self._advance,
            monitor_of=lambda device: StateMonitor(
                pool.sense, device=device, clock=Clock(now_s=lambda: self.now_s)
            ),
            clock=lambda: self.now_s,
        )

    def measure(self, cases: int, seed: int = 1, **changes: Any) -> list[Outcome]:
        """The outcomes of this many cases."""
        measuring = self.scheduler(seed, **changes)
        planned = [case(number) for number in range(cases)]
        return list(itertools.chain.from_iterable(measuring.measure(planned)))

    def batches(self) -> list[list[str]]:
        """The cases prepared by worker 0 between one forgetting and the next."""
        found: list[list[str]] = [[]]
        for number, request in self.stage.log:
            if number == 0 and isinstance(request, protocol.Forget):
                found.append([])
            elif number == 0 and isinstance(request, protocol.Prepare):
                found[-1].append(request.case.id)
        return found


def but(
    kind: type[Any], number: int, reply: protocol.WorkerReply | Exception
) -> Callable[[protocol.WorkerRequest], protocol.WorkerReply]:
    """All is well but for one kind of request of one case."""

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, kind) and request.case == case(number):
            if isinstance(reply, Exception):
                raise reply
            return reply
        return settle(request)

    return answer


def places(outcome: Outcome) -> list[tuple[int, int]]:
    """(worker, round) of each visit."""
    return [(visit.worker, visit.round) for visit in outcome.visits]


def test_nothing_is_timed_before_every_worker_is_ready() -> None:
    """Those that still import torch would share the machine with what is timed."""
    stage = Stage()
    pool = stage.pool(WORKERS)
    stage.processes[-1].broken = lost("failed", "not ready")
    order = random.Random(1)  # noqa: S311 - an order, not a secret
    measuring = Scheduler(
        pool,
        schedule(),
        shuffle=order,
        advance=lambda _case, _steps: None,
        monitor_of=lambda device: StateMonitor(pool.sense, device=device),
    )
    with pytest.raises(WorkerError, match="not ready"):
        next(measuring.measure([case()]))
    assert stage.log == []


def test_every_worker_visits_every_case_in_every_round() -> None:
    """Workers and rounds are crossed, so that processes and drift can be told apart."""
    for outcome in TimedStage().measure(5):
        assert sorted(places(outcome)) == [(w, r) for w in range(WORKERS) for r in range(ROUNDS)]
        assert set(outcome.prepared) == {0, 1}


def test_a_round_is_over_before_the_next_begins() -> None:
    """No worker runs ahead of the others."""
    for outcome in TimedStage().measure(5):
        assert [round_ for _, round_ in places(outcome)] == [
            r for r in range(ROUNDS) for _ in range(WORKERS)
        ]


def test_the_order_differs_from_round_to_round() -> None:
    """Otherwise a case would always follow the same neighbour, and be blamed for what that did."""
    timed = TimedStage()
    timed.measure(8, workers=1)
    visits = [identity for _, identity in timed.stage.asked(protocol.VisitRequest)]
    orders = [tuple(visits[8 * r : 8 * (r + 1)]) for r in range(ROUNDS)]
    assert len(set(orders)) == ROUNDS
    assert {frozenset(order) for order in orders} == {frozenset(orders[0])}


@pytest.mark.parametrize(("seeds", "orders"), [((1, 1), 1), ((1, 2), 2)])
def test_the_order_follows_from_the_seed(seeds: tuple[int, int], orders: int) -> None:
    """The same seed gives the same order, another seed another."""
    found = set()
    for seed in seeds:
        timed = TimedStage()
        timed.measure(8, seed=seed)
        found.add(tuple(timed.stage.asked(protocol.VisitRequest)))
    assert len(found) == orders


def test_a_case_closes_when_its_budget_is_spent() -> None:
    """Six visits of 0.4 s would be twice the budget; three are enough, once both workers saw it."""
    long = visited(400_000_000, loops=1)
    (outcome,) = TimedStage(but(protocol.VisitRequest, 0, long)).measure(1)
    assert [round_ for _, round_ in places(outcome)] == [0, 0, 1]


def test_a_case_does_not_close_before_every_worker_saw_it() -> None:
    """Even where the first visit spends the whole budget."""
    long = visited(5_000_000_000, loops=1)
    (outcome,) = TimedStage(but(protocol.VisitRequest, 0, long)).measure(1)
    assert sorted(places(outcome)) == [(0, 0), (1, 0)]


def test_a_slow_case_stops_with_what_it_has() -> None:
    """Visits of 10 s of which 25 s are allowed: the third is the last, and the case is still good."""
    (outcome,) = TimedStage(seconds={protocol.VisitRequest: 10}).measure(1, timeout_s=25)
    assert (outcome.status, len(outcome.visits)) == ("ok", 3)


@pytest.mark.parametrize("kind", [protocol.Check, protocol.Prepare])
def test_a_case_that_is_not_ready_in_time_is_a_timeout(kind: type[Any]) -> None:
    """There is nothing to show for it, so the row says why."""
    timed = TimedStage(seconds={kind: 30})
    (outcome,) = timed.measure(1, timeout_s=25)
    assert outcome.status == "timeout"
    assert outcome.reason == "not ready within 25 s; raise --timeout or choose smaller sizes"
    assert timed.stage.asked(protocol.VisitRequest) == []


@pytest.mark.parametrize("kind", [protocol.Check, protocol.Prepare, protocol.VisitRequest])
def test_the_failure_of_a_case_ends_that_case_alone(kind: type[Any]) -> None:
    """It is asked nothing more; the others are measured as if nothing had happened."""
    refused = protocol.Refused(status="failed", reason="ValueError: no")
    timed = TimedStage(but(kind, 1, refused))
    outcomes = timed.measure(3)
    assert [(o.status, o.reason) for o in outcomes] == [
        ("ok", None),
        ("failed", "ValueError: no"),
        ("ok", None),
    ]
    assert [len(o.visits) for o in outcomes] == [WORKERS * ROUNDS, 0, WORKERS * ROUNDS]
    assert len([one for one in timed.stage.asked(kind) if one[1] == case(1).id]) == 1


def test_samples_taken_before_a_failure_are_kept() -> None:
    """A case whose fourth visit loses the worker has the three before it."""
    visits = 0

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        nonlocal visits
        visits += isinstance(request, protocol.VisitRequest)
        if visits == 4:
            raise lost(status="oom", reason="the worker was killed")
        return settle(request)

    (outcome,) = TimedStage(answer).measure(1)
    assert (outcome.status, outcome.reason) == ("oom", "the worker was killed")
    assert len(outcome.visits) == 3


def test_a_worker_that_takes_anothers_place_prepares_what_it_lacks() -> None:
    """Case 0 loses a worker; case 1 is prepared and measured in its successor."""
    timed = TimedStage(but(protocol.VisitRequest, 0, lost()))
    failed, good = timed.measure(2)
    assert failed.status == "failed"
    assert sorted(places(good)) == [(w, r) for w in range(WORKERS) for r in range(ROUNDS)]
    prepared = timed.stage.asked(protocol.Prepare)
    assert all(visit in prepared for visit in timed.stage.asked(protocol.VisitRequest))
    successors = {number for number, _ in prepared} - set(range(WORKERS))
    assert successors == {2}


NO_CONTEXT = protocol.Refused(
    status="failed", reason="CUDA error: busy", ends_worker=True, no_context=True
)


@pytest.mark.parametrize(
    ("step", "replaced"), [(protocol.Check, 3), (protocol.Prepare, 3)], ids=["first", "second"]
)
def test_a_device_without_contexts_is_given_up(step: type[Any], replaced: int) -> None:
    """Three workers are lost over it, however many cases there are; the rest is not tried, nor the CPU's cases lost.

    In exclusive mode the first worker has the context, and the second is the one that gets none.
    """
    holder = 0

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        nonlocal holder
        if isinstance(request, step) and request.case.device == "cuda":
            holder += 1
            if step is protocol.Check or holder % WORKERS == 0:
                return NO_CONTEXT
        return settle(request)

    timed = TimedStage(answer)
    planned = [*(case(n, device="cuda") for n in range(10)), *(case(n) for n in range(4))]
    found = list(itertools.chain.from_iterable(timed.scheduler().measure(planned)))
    cuda, cpu = found[:10], found[10:]

    failed = [one for one in cuda if one.status == "failed"]
    skipped = [one for one in cuda if one.status == "skipped"]
    assert (len(failed), len(skipped)) == (3, 7)
    assert {one.reason for one in failed} == {NO_CONTEXT.reason}
    (why,) = {one.reason for one in skipped}
    assert why is not None
    assert why.startswith("cuda was given up after 3 cases in a row: CUDA error: busy; ")
    assert [one.status for one in cpu] == ["ok"] * 4
    assert len(timed.stage.processes) == WORKERS + replaced


def test_a_device_that_is_had_between_is_not_given_up() -> None:
    """Two cases met a process that was leaving, twice."""

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.Check) and request.case.labels["n"] in {"0", "1", "3", "4"}:
            return NO_CONTEXT
        return settle(request)

    found = TimedStage(answer).measure(7)
    failed = [one.status == "failed" for one in found]
    assert failed == [True, True, False, True, True, False, False]


def test_a_device_that_is_taken_while_a_worker_is_replaced_is_given_up() -> None:
    """Cases that were being measured keep their samples and fail; no worker is lost over each of them."""
    taken = False

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        nonlocal taken
        if taken and isinstance(request, protocol.Prepare):
            return NO_CONTEXT
        if isinstance(request, protocol.VisitRequest) and len(timed.stage.log) > 90:
            taken = True
            raise lost()
        return settle(request)

    timed = TimedStage(answer)
    planned = [case(n, device="cuda") for n in range(20)]
    found = list(itertools.chain.from_iterable(timed.scheduler(workers=1).measure(planned)))

    assert {one.status for one in found} == {"failed"}
    assert any(one.visits for one in found)
    assert len(timed.stage.processes) == 1 + 1 + 3


def weighing(*sizes: int) -> Callable[[protocol.WorkerRequest], protocol.WorkerReply]:
    """Case k has inputs of the k-th size."""

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.Check):
            size = sizes[int(request.case.labels["n"])]
            return protocol.Checked(correct=True, max_error=0.0, note="", input_bytes=size)
        return settle(request)

    return answer


def test_inputs_of_a_batch_fit_in_the_memory_allowed() -> None:
    """Each worker has a half of 200 bytes, and holds inputs and copies: 30 and 30 do not fit together, 30 and 20 do."""
    timed = TimedStage(weighing(30, 30, 20))
    timed.measure(3, memory_bytes=200)
    assert timed.batches() == [[case(0).id], [case(1).id, case(2).id]]


@given(sizes=st.lists(st.integers(0, 200), min_size=1, max_size=12))
def test_a_batch_fits(sizes: list[int]) -> None:
    """Whatever the sizes, no case is lost, repeated, checked twice or moved; none too large is built."""
    timed = TimedStage(weighing(*sizes))
    outcomes = timed.measure(len(sizes), memory_bytes=200, rounds=1)
    everyone = [case(number).id for number in range(len(sizes))]
    assert [outcome.case.id for outcome in outcomes] == everyone
    assert sorted(i for _, i in timed.stage.asked(protocol.Check)) == sorted(everyone)
    size_of = dict(zip(everyone, sizes, strict=True))
    fitting = [identity for identity in everyone if size_of[identity] <= 100]
    assert [identity for batch in timed.batches() for identity in batch] == fitting
    several = [batch for batch in timed.batches() if len(batch) > 1]
    assert all(sum(2 * size_of[identity] for identity in batch) <= 100 for batch in several)
    assert [o.status for o in outcomes] == ["ok" if size <= 100 else "skipped" for size in sizes]


@pytest.mark.parametrize(
    ("workers", "gib", "reason"),
    [
        (
            4,
            3.0,
            "3.00 GiB in each of 4 workers; 9.20 GiB may be used: use --workers 3 or smaller sizes",
        ),
        (
            4,
            12.0,
            "12.0 GiB in each of 4 workers; 9.20 GiB may be used: use smaller sizes",
        ),
        (1, 12.0, "12.0 GiB; 9.20 GiB may be used: use smaller sizes"),
    ],
    ids=["fewer workers would do", "nothing would do", "one worker"],
)
def test_a_case_that_can_not_fit_is_skipped_and_says_what_would_help(
    workers: int, gib: float, reason: str
) -> None:
    """It is neither prepared nor measured; the one after it is."""
    timed = TimedStage(weighing(int(gib * 2**30), 8))
    large, small = timed.measure(2, workers=workers, memory_bytes=9.2 * 2**30)
    assert (large.status, large.reason) == ("skipped", f"inputs take {reason}")
    assert large.visits == []
    assert (small.status, {name for _, name in timed.stage.asked(protocol.Prepare)}) == (
        "ok",
        {case(1).id},
    )


@pytest.mark.parametrize(
    ("asked", "status", "reason"),
    [
        (
            2**34,
            "skipped",
            "inputs take at least 16.0 GiB in each of 2 workers; 4.00 GiB may be used: use smaller sizes",
        ),
        (2**30, "oom", "RuntimeError: no memory"),
        (None, "oom", "RuntimeError: no memory"),
    ],
    ids=["too large", "small enough", "not known"],
)
def test_an_input_that_can_not_be_made_is_too_large_or_out_of_memory(
    asked: int | None, status: str, reason: str
) -> None:
    """It is memory that ran out, unless there never was enough."""
    refused = protocol.Refused(status="oom", reason="RuntimeError: no memory", input_bytes=asked)
    (outcome,) = TimedStage(but(protocol.Check, 0, refused)).measure(1, memory_bytes=2**32)
    assert (outcome.status, outcome.reason) == (status, reason)


@pytest.mark.parametrize(("needed", "status"), [(500, "ok"), (501, "skipped")])
def test_inputs_must_fit_in_half_of_a_gpus_memory(needed: int, status: str) -> None:
    """In every worker at once: there are two of them, and 1,000 bytes that may be used."""
    stage = Stage(weighing(needed))
    pool = stage.pool(WORKERS)
    for process in stage.processes:
        process.hello = dataclasses.replace(HELLO, device_memory_bytes={"cuda": 2_000})
    measuring = Scheduler(
        pool,
        schedule(memory_bytes=1.0),
        shuffle=random.Random(1),  # noqa: S311 - an order, not a secret
        advance=lambda _case, _steps: None,
        monitor_of=lambda device: StateMonitor(pool.sense, device=device),
    )
    ((outcome,),) = measuring.measure([case(0, device="cuda")])
    assert outcome.status == status


def test_memory_of_a_gpu_is_not_weighed_against_that_of_the_cpu() -> None:
    """Its inputs lie elsewhere."""
    pool = Stage(weighing(500)).pool(WORKERS)
    order = random.Random(1)  # noqa: S311 - an order, not a secret
    plan = schedule(memory_bytes=200)
    measuring = Scheduler(
        pool,
        plan,
        shuffle=order,
        advance=lambda _case, _steps: None,
        monitor_of=lambda device: StateMonitor(pool.sense, device=device),
    )
    ((outcome,),) = measuring.measure([case(0, device="cuda")])
    assert outcome.status == "ok"


def test_a_batch_is_of_one_device() -> None:
    """Its sentinels are timed beside it; the plan has the devices of each case side by side."""
    timed = TimedStage()
    planned = [case(n, device=device) for n in range(2) for device in ("cpu", "cuda")]
    pool = timed.stage.pool(WORKERS)
    measuring = Scheduler(
        pool,
        schedule(),
        shuffle=random.Random(1),  # noqa: S311 - an order, not a secret
        advance=lambda _case, _steps: None,
        monitor_of=lambda device: StateMonitor(pool.sense, device=device),
    )
    batches = [[o.case.device for o in batch] for batch in measuring.measure(planned)]

    assert batches == [["cpu", "cpu"], ["cuda", "cuda"]]
    asked = [one.device for _, one in timed.stage.log if isinstance(one, protocol.Sense)]
    assert list(dict.fromkeys(asked)) == ["cpu", "cuda"]


def replaying(
    answer: Callable[[protocol.WorkerRequest], protocol.WorkerReply], cache: str = "hot"
) -> list[Outcome]:
    """Two cases on a GPU and one on the CPU."""
    timed = TimedStage(answer)
    pool = timed.stage.pool(WORKERS)
    measuring = Scheduler(
        pool,
        schedule(cache=cache),
        shuffle=random.Random(1),  # noqa: S311 - an order, not a secret
        advance=lambda _case, _steps: None,
        monitor_of=lambda device: StateMonitor(pool.sense, device=device),
    )
    planned = [case(0, device="cuda"), case(1, device="cuda"), case(2)]
    return list(itertools.chain.from_iterable(measuring.measure(planned)))


def test_cases_on_a_gpu_are_replayed_as_graphs_when_all_else_is_done() -> None:
    """The CPU has none."""
    assert [one.graph_s for one in replaying(settle)] == [1e-4, 1e-4, None]


def test_cold_calls_are_not_replayed() -> None:
    """A graph's calls follow each other, so its time would be that of hot caches."""
    assert [one.graph_s for one in replaying(settle, cache="cold")] == [None] * 3


def test_a_case_that_can_not_be_recorded_keeps_its_samples() -> None:
    """It is refused, or the worker is lost over it: no number, and nothing else is lost."""

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.Replay) and request.case.id == case(0).id:
            raise lost()
        if isinstance(request, protocol.Replay):
            return protocol.Refused(status="failed", reason="can't be recorded")
        return settle(request)

    outcomes = replaying(answer)
    assert [(one.status, one.graph_s) for one in outcomes] == [("ok", None)] * 3
    assert all(len(one.visits) == WORKERS * ROUNDS for one in outcomes)


def test_a_batch_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds stay seconds apart, and a killed run loses no more than a batch."""
    monkeypatch.setattr(scheduler, "BATCH_CASES", 2)
    timed = TimedStage()
    timed.measure(5)
    assert [len(batch) for batch in timed.batches()] == [2, 2, 1]


def test_a_case_is_handed_over_as_soon_as_its_batch_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of the next batch has been asked when the first one's rows can be written."""
    monkeypatch.setattr(scheduler, "BATCH_CASES", 1)
    stage = Stage()
    pool = stage.pool(WORKERS)
    order = random.Random(1)  # noqa: S311 - an order, not a secret
    measuring = Scheduler(
        pool,
        schedule(),
        shuffle=order,
        advance=lambda _case, _steps: None,
        monitor_of=lambda device: StateMonitor(pool.sense, device=device),
    )
    batches = measuring.measure([case(0), case(1)])
    assert [outcome.case for outcome in next(batches)] == [case(0)]
    assert {identity for _, identity in stage.asked(protocol.Prepare)} == {case(0).id}


@pytest.mark.parametrize(
    "answer",
    [
        settle,
        but(protocol.Check, 1, protocol.Refused(status="failed", reason="no")),
        but(protocol.VisitRequest, 1, protocol.Refused(status="failed", reason="no")),
        but(protocol.VisitRequest, 1, lost()),
    ],
    ids=["well", "refused", "refused late", "lost"],
)
def test_the_steps_taken_add_up_to_those_announced(
    answer: Callable[[protocol.WorkerRequest], protocol.WorkerReply],
) -> None:
    """However a case ends, a progress bar reaches its end."""
    timed = TimedStage(answer)
    timed.measure(3)
    assert timed.steps.total() == 3 * schedule().steps_per_case


@pytest.mark.parametrize(
    ("budget_s", "visit_s", "sample_s"), [(0.006, 0.001, 2e-4), (0.3, 0.05, 5e-3), (6, 1, 1e-2)]
)
def test_a_schedule_splits_the_budget_evenly(
    budget_s: float, visit_s: float, sample_s: float
) -> None:
    """Ten samples to a visit, none so short that the clock is coarse, none so long that it averages."""
    made = schedule(case_budget_s=budget_s, rounds=3)
    assert made.visit_s == pytest.approx(visit_s)
    assert made.sample_s == pytest.approx(sample_s)


def test_every_cell_begins_and_ends_with_the_sentinels() -> None:
    """Two looks at the machine per worker and round; each visit between them has their mean."""
    looks = itertools.count()

    def slowing(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.Sense):
            look = next(looks) % 2
            return protocol.Sensed(compute_s=1.0 + look, barrier_s=3.0, load_1m=2.0 * look)
        return settle(request)

    timed = TimedStage(slowing)

    outcomes = timed.measure(3)

    assert len(timed.stage.senses()) == 2 * WORKERS * ROUNDS
    mean = protocol.Sensed(compute_s=1.5, barrier_s=3.0, load_1m=1.0)
    assert {visit.sensed for one in outcomes for visit in one.visits} == {mean}


def test_a_cell_without_a_visit_needs_no_look_at_the_machine() -> None:
    """When every case is closed, nothing is timed any more."""
    timed = TimedStage(lambda _: protocol.Refused(status="failed", reason="no"))

    timed.measure(2)

    assert timed.stage.senses() == []


def test_a_worker_lost_over_the_sentinels_costs_no_case() -> None:
    """Its place is taken, and the visits of that cell have no conditions."""

    def lost_once(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.Sense) and len(timed.stage.senses()) == 1:
            raise lost()
        return settle(request)

    timed = TimedStage(lost_once)

    (outcome,) = timed.measure(1)

    assert outcome.status == "ok"
    assert [visit.sensed for visit in outcome.visits].count(None) == 1


def scattered(evicting_ns: int = 0) -> Callable[[protocol.WorkerRequest], protocol.WorkerReply]:
    """Visits of 0.1 s; those of the second case scatter, the others are all alike."""
    times = itertools.cycle([90_000_000, 110_000_000, 104_000_000, 97_000_000, 101_000_000])

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.VisitRequest) and request.case == case(1):
            return dataclasses.replace(visited(next(times)), aside_ns=evicting_ns)
        return (
            visited(100_000_000) if isinstance(request, protocol.VisitRequest) else settle(request)
        )

    return answer


def test_what_calm_cases_leave_goes_to_those_that_scatter() -> None:
    """They stop when they are precise; the other gets more rounds than were planned for it."""
    outcomes = TimedStage(scattered()).measure(4, rounds=5, case_budget_s=1.0)

    rounds = [len({visit.round for visit in one.visits}) for one in outcomes]
    assert [rounds[0], rounds[2], rounds[3]] == [LEAST_ROUNDS] * 3
    assert rounds[1] > 5
    assert [one.stopped_by for one in outcomes][0::2] == ["precise", "precise"]


def test_no_more_is_spent_than_all_cases_had_together() -> None:
    """And a case gets three times its rounds at most."""
    outcomes = TimedStage(scattered()).measure(4, rounds=5, case_budget_s=1.0)
    assert sum(one.sampled_s for one in outcomes) <= 4 * 1.0 + 0.11

    alone = TimedStage(scattered()).measure(30, rounds=5, case_budget_s=1.0)
    assert max(visit.round for visit in alone[1].visits) < 3 * 5


def test_a_row_says_why_measuring_ended() -> None:
    """A case that scatters and finds nothing left has spent its budget."""
    outcomes = TimedStage(scattered()).measure(2, rounds=4, case_budget_s=0.8)

    assert [one.stopped_by for one in outcomes] == ["precise", "budget"]


def test_every_worker_is_told_what_is_to_be_in_the_caches() -> None:
    """With each case that it prepares."""
    timed = TimedStage()
    timed.measure(2, cache="cold")
    told = [one.cache for _, one in timed.stage.log if isinstance(one, protocol.Prepare)]
    assert told == ["cold"] * 2 * WORKERS


def test_evictions_cost_a_case_none_of_its_rounds_and_get_it_no_more() -> None:
    """Ten times the budget goes to them: the planned rounds are made, and then it is over."""
    outcomes = TimedStage(scattered(1_000_000_000)).measure(4, rounds=5, case_budget_s=1.1)

    assert sorted(places(outcomes[1])) == [(w, r) for w in range(WORKERS) for r in range(5)]
    assert outcomes[1].stopped_by == "budget"


@pytest.mark.parametrize(("evicting_ms", "made"), [(0, 7), (20, 6), (40, 5)])
def test_a_round_is_lent_only_where_its_evictions_fit_as_well(evicting_ms: int, made: int) -> None:
    """After five rounds 0.6 s are left for rounds of 0.2 s; or 0.4 s for 0.24 s; or 0.2 s for 0.28 s."""
    outcome = TimedStage(scattered(evicting_ms * 10**6)).measure(4, rounds=5, case_budget_s=1.0)[1]
    assert len({visit.round for visit in outcome.visits}) == made


def compiling(*numbers: int) -> Callable[[protocol.WorkerRequest], protocol.WorkerReply]:
    """These cases compile something when they are checked."""
    ids = {case(number).id for number in numbers}

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        reply = settle(request)
        if isinstance(request, protocol.Check) and request.case.id in ids:
            return dataclasses.replace(reply, effects=SideEffects(graph_breaks=0, recompiles=0))  # type: ignore[call-arg]
        return reply

    return answer


@given(numbers=st.sets(st.integers(0, 6)))
def test_a_case_that_compiles_is_measured_in_a_batch_of_its_own(numbers: set[int]) -> None:
    """The others stay together, whatever their order; what was compiled is forgotten between batches."""
    timed = TimedStage(compiling(*numbers))
    outcomes = timed.measure(7)
    ids = [case(number).id for number in range(7)]
    alone = [[case(number).id] for number in sorted(numbers)]
    others = [one for one in ids if [one] not in alone]
    batches = [batch for batch in timed.batches() if batch]
    assert sorted(batches) == sorted([*alone, *([others] if others else [])])
    assert sorted(outcome.case.id for outcome in outcomes) == ids
    assert all(len(outcome.visits) == WORKERS * ROUNDS for outcome in outcomes)
    checked = [one.case.id for _, one in timed.stage.log if isinstance(one, protocol.Check)]
    assert sorted(checked) == ids


def test_where_cases_must_keep_their_order_one_that_compiles_ends_the_batch() -> None:
    """As with the two sides of an A/B."""
    timed = TimedStage(compiling(1, 2))
    measuring = timed.scheduler()
    waiting = deque(Outcome(case=case(number)) for number in range(4))
    found = []
    while waiting:
        found.append([outcome.case for outcome in measuring.next_batch(waiting)])
    assert found == [[case(number)] for number in range(4)]


def in_modes(number: int, *modes: str) -> list[Any]:
    """A case in several modes."""
    plain = case(number)
    return [
        dataclasses.replace(
            plain, mode=mode, id=plain.id if mode == "eager" else f"{plain.id[:-1]},mode={mode}]"
        )
        for mode in modes
    ]


def test_a_compiled_case_is_measured_beside_the_same_case_in_modes_that_compile_nothing() -> None:
    """In the same minutes; each that is compiled in a batch that has no other compiled one, all others together."""
    timed = TimedStage()
    cases = [
        *in_modes(0, "eager"),
        *in_modes(1, "eager", "compile", "autocast", "compile:max-autotune"),
        *in_modes(2, "eager"),
        *in_modes(3, "compile", "eager"),
    ]
    measured = list(timed.scheduler().measure(cases))
    assert [[(o.case.labels["n"], o.case.mode) for o in batch] for batch in measured] == [
        [("0", "eager"), ("2", "eager")],
        [("1", "eager"), ("1", "autocast"), ("1", "compile")],
        [("1", "compile:max-autotune")],
        [("3", "eager"), ("3", "compile")],
    ]


def test_what_is_compiled_is_checked_by_itself() -> None:
    """Its first call is timed, so that no other worker may be at work then; others are checked ahead of it."""
    timed = TimedStage()
    cases = [*in_modes(0, "eager", "compile"), *in_modes(1, "eager", "compile")]
    for _ in timed.scheduler().measure(cases):
        pass
    asked = [one for _, one in timed.stage.log if isinstance(one, protocol.Check | protocol.Build)]
    told = [(type(one).__name__, one.case.labels["n"], one.case.mode) for one in asked]
    place = told.index(("Check", "1", "compile"))
    assert told[place - 1][0] == "Build"  # of the batch before
    assert told.index(("Check", "1", "eager")) < told.index(("Build", "0", "eager"))


def judged(memory: str, odd: Mapping[str, Any]) -> str | None:
    """Why a case ends whose visits take 1 µs, but in every third round 5 µs, and were odd then."""
    stage = TimedStage()
    measuring = stage.scheduler()
    stage.stage.processes[0].hello = dataclasses.replace(HELLO, memory=memory)
    outcome = Outcome(case=case())
    for place in range(30):
        is_odd = place // 2 % 3 == 2
        seen = visited(50_000 if is_odd else 10_000)
        used = dataclasses.replace(seen, **odd) if is_odd else seen
        outcome.add_visit(
            Visit(worker=place % 2, round=place // 2, prepared=PREPARED, visited=used)
        )
    for _ in range(LEAST_ROUNDS):
        measuring.judge(outcome)
    return outcome.stopped_by


@pytest.mark.parametrize("memory", ["reuse", "system"])
def test_a_case_is_judged_by_the_cells_that_its_headline_is_made_from(memory: str) -> None:
    """A worker's hello says which memory holds; visits that were pushed aside count under no policy."""
    assert judged(memory, {}) is None
    aside = {"involuntary_switches": (2,), "cpu_ns": (9_000,)}
    assert judged(memory, aside) == "precise"
    assert judged(memory, {"minor_faults": (999,)}) == ("precise" if memory == "reuse" else None)


def test_fresh_memory_is_timed_when_a_batch_has_its_samples() -> None:
    """In the first worker alone, and after the results were looked at again: it takes the memory that was kept."""
    taking = protocol.Checked(
        correct=True, max_error=0.0, note="", input_bytes=8, peak_memory_bytes=2**24
    )
    machine = TimedStage(
        lambda request: taking if isinstance(request, protocol.Check) else settle(request)
    )
    measuring = machine.scheduler()
    for process in machine.stage.processes:
        process.hello = dataclasses.replace(HELLO, memory=REUSE)
    ((outcome,),) = measuring.measure([case()])
    kinds = [type(request) for _, request in machine.stage.log]
    assert machine.stage.asked(protocol.TimeFresh) == [(0, case().id)]
    assert kinds.index(protocol.TimeFresh) == len(kinds) - 1
    assert outcome.fresh["fresh_time_s"] == 8.0
