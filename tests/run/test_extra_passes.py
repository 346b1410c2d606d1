"""What is learnt beside the samples: each pass fills its columns, and one that fails costs nothing else."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import StoreError
from bench.plan.schedule import Schedule
from bench.pool import protocol
from bench.pool.process import WorkerLost
from bench.records.memory_policy import FRESH, REUSE, SYSTEM
from bench.run.extra_passes import keep_trace, make_passes, profile, time_fresh, trace_path
from bench.run.outcome import Outcome
from bench.run.visit import Visit
from tests.fakes.kernel_trace import cuda_trace, kernel, launch, mark, op, trace
from tests.fakes.workers import HELLO, PREPARED, Stage, case, settle, visited

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.pool.pool import WorkerPool

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


def answering(request: protocol.WorkerRequest) -> protocol.WorkerReply:
    """A worker for which all is well, with a trace for whoever asks."""
    if isinstance(request, protocol.Profile):
        Path(request.path).write_text(json.dumps(two_cases(request.calls)))
        return protocol.Profiled()
    return settle(request)


def looked(
    *batch: Outcome,
    answer: Callable[[protocol.WorkerRequest], protocol.WorkerReply] = answering,
    schedule: Schedule = HOT,
) -> Stage:
    """The passes over these, and what workers were asked."""
    stage = Stage(answer)
    make_passes(batch, stage.pool(2), schedule)
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


@pytest.mark.parametrize("lost", [True, False], ids=["the worker is lost", "torch refuses"])
def test_a_case_that_breaks_the_profile_costs_half_of_the_batch_theirs(*, lost: bool) -> None:
    """Once more in two halves, each in a worker that has not profiled; and in no more."""

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.Profile) and case(3).id in {
            one.id for one in request.cases
        }:
            if lost:
                raise WorkerLost(status="timeout", reason="no answer within 60 s")
            return protocol.Refused(status="failed", reason="RuntimeError: no")
        return answering(request)

    batch = [measured(number) for number in range(4)]
    stage = looked(*batch, answer=answer)
    asked = [request for _, request in stage.log if isinstance(request, protocol.Profile)]
    assert [len(request.cases) for request in asked] == [4, 2, 2]
    assert [one.activity is not None for one in batch] == [True, True, False, False]
    assert len(stage.processes) == 2 + (3 if lost else 2)


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

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.Prepare):
            return PREPARED
        return protocol.Refused(status="failed", reason="broken")

    outcome = measured()
    looked(outcome, answer=answer, schedule=changed(energy=True))
    assert outcome.open
    assert (outcome.graph_s, outcome.activity) == (None, None)
    assert outcome.metered == protocol.Metered(energy_j=None, reason="broken")


def on_cpu(
    number: int = 0, *, call_s: float = 1e-3, mib: float | None = 16, **facts: Any
) -> Outcome:
    """A case on the CPU that takes so much memory beyond its inputs."""
    outcome = measured(number, device="cpu", call_s=call_s, work="")
    peak_bytes = None if mib is None else round(mib * 2**20)
    outcome.checked = protocol.Checked(
        correct=True, max_error=0.0, note="", input_bytes=8, peak_memory_bytes=peak_bytes
    )
    outcome.case = dataclasses.replace(outcome.case, **facts)
    return outcome


def freshly(
    *batch: Outcome, memory: str = REUSE, schedule: Schedule = HOT, answer: Any = settle
) -> list[protocol.TimeFresh]:
    """What the first of two workers with this memory policy is asked to time in fresh memory."""
    stage = Stage(answer)
    pool = stage.pool(2)
    for process in stage.processes:
        process.hello = dataclasses.replace(HELLO, memory=memory)
    time_fresh(batch, pool, schedule)
    assert {number for number, _ in stage.log} <= {0}
    return [request for _, request in stage.log if isinstance(request, protocol.TimeFresh)]


def test_of_each_op_the_case_that_moves_most_is_timed_in_fresh_memory() -> None:
    """By its work model, or its inputs, which are the same in each run."""
    small, large = on_cpu(1, mib=17, bytes=100.0), on_cpu(2, mib=16, bytes=200.0)
    other = on_cpu(3, op="other")
    asked = freshly(small, large, other)
    assert {one.case.id for one in asked} == {o.case.id for o in (large, other)}
    assert {one.taken_bytes for one in asked} == {2**24}
    assert large.fresh == {"fresh_time_s": 8.0, "fresh_time_lo_s": 7.0, "fresh_time_hi_s": 9.0}
    assert small.fresh == {}


def test_a_few_ops_are_enough() -> None:
    """Those that move most: what a page costs is much the same for all."""
    many = [on_cpu(n, op=f"op{n}", bytes=100.0 * n) for n in range(1, 8)]
    assert [one.case.op for one in freshly(*many)] == ["op7", "op6", "op5", "op4"]


@pytest.mark.parametrize(
    "outcome",
    [
        on_cpu(mib=None),
        on_cpu(call_s=0.2, mib=2**12),
        on_cpu(call_s=0.012, mib=4),
        measured(),
        measured(device="cpu", work=""),
    ],
    ids=["takes little", "slow", "works long on each page", "on a GPU", "not checked"],
)
def test_what_would_show_no_page_faults_is_not_timed_in_fresh_memory(outcome: Outcome) -> None:
    """Or takes too long."""
    assert freshly(outcome) == []


def test_fresh_memory_is_compared_with_memory_that_is_reused_and_hot() -> None:
    """Under other policies, where those hold, and with cold caches, the headline is something else."""
    assert len(freshly(on_cpu())) == 1
    assert freshly(on_cpu(), memory=SYSTEM) == freshly(on_cpu(), memory=FRESH) == []
    assert freshly(on_cpu(), schedule=changed(cache="cold")) == []


@pytest.mark.parametrize(
    "reply", [protocol.FreshTimed(), protocol.Refused(status="failed", reason="no")]
)
def test_what_fresh_memory_costs_may_stay_unknown(reply: protocol.WorkerReply) -> None:
    """The case is as it was."""
    outcome = on_cpu()

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        return reply if isinstance(request, protocol.TimeFresh) else settle(request)

    assert len(freshly(outcome, answer=answer)) == 1
    assert (outcome.open, outcome.fresh) == (True, {})


def writing(made: dict[str, Any], names: dict[str, str] | None = None) -> WorkerPool:
    """A pool whose worker writes this trace."""

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        assert isinstance(request, protocol.Profile)
        Path(request.path).write_text(json.dumps(made))
        return protocol.Profiled()

    stage = Stage(answer)
    pool = stage.pool(1)
    torch = {**HELLO.torch, "threads": 2}
    stage.processes[0].hello = protocol.Hello(torch=torch, device_names=names or {})
    return pool


def read(path: str | Path) -> Any:
    """A compressed trace."""
    return json.loads(gzip.decompress(Path(path).read_bytes()))


def test_what_ran_is_read_from_the_trace_that_is_kept(tmp_path: Path) -> None:
    """On the device that was asked for, by its own name; nothing else is left in the folder."""
    out = tmp_path / "new" / "folder"
    wanted = case(device="cuda")
    found = profile(writing(cuda_trace(), {"cuda": "a GPU"}), wanted, 2, out, 5)
    assert not isinstance(found, protocol.Refused)
    assert (found.case, found.device, found.device_name) == (wanted.id, "cuda", "a GPU")
    assert (found.torch_version, found.threads) == ("2.9.0+fake", 2)
    assert found.activity.lines[0].name == "gemm"
    assert read(found.trace)["traceEvents"] == cuda_trace()["traceEvents"]
    assert [str(path) for path in out.iterdir()] == [found.trace]


def test_the_cpu_has_its_name_from_the_machine(tmp_path: Path) -> None:
    """Workers don't name it."""
    found = profile(writing(trace(mark(0, 9), op("neg", 1, 2))), case(), 1, tmp_path, 5)
    assert not isinstance(found, protocol.Refused)
    assert found.device_name
    assert found.activity.lines[0].name == "neg"


def test_a_case_that_can_not_be_profiled_is_a_refusal(tmp_path: Path) -> None:
    """And leaves no trace."""
    refused = protocol.Refused(status="failed", reason="no")
    assert profile(Stage(lambda _: refused).pool(1), case(), 1, tmp_path, 5) == refused
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", [None, "{", '{"a": "\\e"}'])
def test_a_trace_that_can_not_be_read_is_a_refusal(tmp_path: Path, text: str | None) -> None:
    """There is none, or it is torn, or torch has written what is no JSON."""

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        assert isinstance(request, protocol.Profile)
        if text is not None:
            Path(request.path).write_text(text)
        return protocol.Profiled()

    found = profile(Stage(answer).pool(1), case(), 1, tmp_path, 5)
    assert isinstance(found, protocol.Refused)
    assert "no trace that can be read" in found.reason


def test_a_folder_that_can_not_be_is_found_out_before_anything_runs(tmp_path: Path) -> None:
    """With the way out."""
    (tmp_path / "file").write_text("")
    stage = Stage()
    with pytest.raises(StoreError, match=r"can't be written: .*; choose another with --out"):
        profile(stage.pool(1), case(), 1, tmp_path / "file" / "out", 5)
    assert stage.log == []


def test_a_trace_replaces_the_one_before_it_whole(tmp_path: Path) -> None:
    """It does not say which machine or file it came from; a place that is taken is an error."""
    path = tmp_path / "trace.json.gz"
    for number in (1, 2):
        keep_trace({"traceEvents": [number], "host_name": "h", "traceName": "t"}, path)
        assert read(path) == {"traceEvents": [number]}
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "taken").mkdir()
    with pytest.raises(StoreError, match="can't be written"):
        keep_trace({}, tmp_path / "taken")


def test_a_trace_is_named_after_its_case() -> None:
    """And its device."""
    one = case(id="matmul/square[n=64,dtype=float32]", device="cuda:1")
    name = "profile-matmul-square-n=64-dtype=float32-cuda-1.json.gz"
    assert trace_path(Path("reports"), one) == Path("reports") / name


@given(st.text(max_size=40))
def test_a_trace_has_a_name_that_any_system_takes(inside: str) -> None:
    """Whatever is in the id."""
    path = trace_path(Path("reports"), case(id=f"s/op[x={inside}]"))
    assert path.parent == Path("reports")
    assert re.fullmatch(r"profile-s-op-[\w.=-]+\.json\.gz", path.name)
