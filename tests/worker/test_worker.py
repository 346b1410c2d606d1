"""A worker, asked directly and on a clock of our own: what it builds, keeps, times and refuses."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch

from bench.plan import discover
from bench.plan.case import Call
from bench.plan.fingerprint import identified
from bench.plan.plan import Plan
from bench.pool import protocol
from bench.records.kernel_trace import activity, events_of
from bench.worker.peak_memory import resolution_bytes
from bench.worker.worker import Worker
from tests.fakes.gpu import Gpu
from tests.fakes.workers import Clock, Evictor, case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.plan.plan import PlannedCase

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux says how much a call takes")

SUITE = '''
import weakref

import torch

from bench import Axis, Call, Skip, Suite

suite = Suite("guest", axes=[Axis("way", ["well", "skip", "raise", "huge", "nothing", "cold", "large", "full", "broken", "low"])])
held, alive = [], []
made, calls, clock, costs_ns, told = [], [], [], [], []


def tick(tensor):
    """Costs one time when it is cold and another from then on."""
    calls.append(tensor)
    clock[0].advance(costs_ns[0 if len(calls) == 1 else 1])


def fill(tensor):
    """Works until something is held, and fails with a large tensor in its frame from then on."""
    clock and clock[0].advance(costs_ns[0])
    large = torch.ones(2**16)
    alive.append(weakref.ref(large))
    if held:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has …")


def low(tensor):
    """As exact as TF32, and notes what torch was told."""
    told.append(torch.get_float32_matmul_precision())
    clock and clock[0].advance(costs_ns[0])
    return -tensor * (1 + 2**-10)


@suite.op
def op(case):
    told.append(torch.get_float32_matmul_precision())
    made.append(case.id)
    if case["way"] == "skip":
        raise Skip("too small")
    if case["way"] == "raise":
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 TiB")
    if case["way"] == "full":
        return Call(fill, case.randn(4))
    if case["way"] == "broken":
        raise RuntimeError("CUDA error: an illegal memory access was encountered\\nmore")
    if case["way"] == "low":
        return Call(low, case.randn(4))
    if case["way"] == "nothing":
        return None
    if case["way"] == "cold":
        return Call(tick, case.randn(4))
    if case["way"] == "huge":
        return Call(torch.neg, case.empty(2**50))
    if case["way"] == "large":
        return Call(torch.neg, case.zeros(2**22))
    return Call(torch.neg, case.randn(4))


@op.reference
def op_reference(a):
    return -a.numpy()


@suite.op(axes=[Axis("float32_matmul_precision", ["highest", "high", "medium", "odd"])])
def precise(case):
    return op.build(case)


precise.reference(op_reference)
'''


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "guest.py"
    path.write_text(SUITE)
    return path


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="worker")
def _worker(clock: Clock) -> Worker:
    return Worker(clock)


def planned(way: str, path: Path) -> PlannedCase:
    """The case of this way."""
    labels = {"way": way}
    identity = f"guest/op[way={way}]"
    return case(id=identity, suite="guest", op="op", suite_path=str(path), labels=labels)


def guest(worker: Worker, path: Path) -> dict[str, Any]:
    """The guest's own variables, as the worker has loaded it."""
    build = worker._suites[str(path)].suite.ops["op"].build
    return build.__globals__


def test_a_check_compares_and_weighs(worker: Worker, path: Path) -> None:
    """The result is right, and its input takes sixteen bytes."""
    reply = worker.answer(protocol.Check(case=planned("well", path)))
    assert reply == protocol.Checked(correct=True, max_error=0.0, note="", input_bytes=16)


def test_a_suite_that_was_edited_since_the_plan_is_not_measured_under_its_old_name(
    worker: Worker, path: Path
) -> None:
    """A worker that is started late loads the file as it is then; a comment is no matter."""
    plan = Plan(cases=(planned("well", path),), skips=())
    (known,) = identified(plan, [discover.load(path)]).cases
    path.write_text(f"{SUITE}# a word\n")
    assert isinstance(worker.answer(protocol.Check(case=known)), protocol.Checked)
    path.write_text(SUITE.replace("def op(case", "def op(case, more=1"))
    reply = Worker(Clock()).answer(protocol.Check(case=known))
    assert isinstance(reply, protocol.Refused)
    assert (reply.status, reply.reason) == (
        "failed",
        f"{path} was changed after the run began, and with it this op",
    )


@LINUX
def test_a_check_weighs_what_a_call_takes(worker: Worker, path: Path) -> None:
    """The result of 16 MiB is beyond the inputs."""
    reply = worker.answer(protocol.Check(case=planned("large", path)))
    assert isinstance(reply, protocol.Checked)
    assert reply.peak_memory_bytes is not None
    assert 2**24 - resolution_bytes() <= reply.peak_memory_bytes < 2**25


def test_a_case_whose_check_takes_long_is_not_called_once_more(
    worker: Worker, path: Path, clock: Clock
) -> None:
    """Its time is worth more than the number."""
    worker.answer(protocol.Check(case=planned("well", path)))  # loads the file
    own = guest(worker, path)
    own["clock"][:], own["costs_ns"][:] = [clock], (11_000_000_000, 11_000_000_000)
    reply = worker.answer(protocol.Check(case=planned("cold", path)))
    assert isinstance(reply, protocol.Checked)
    assert (reply.peak_memory_bytes, len(own["calls"])) == (None, 1)


@LINUX
def test_an_input_that_can_not_be_made_says_how_large_it_is(worker: Worker, path: Path) -> None:
    """So that the run can tell whether it would ever fit."""
    reply = worker.answer(protocol.Check(case=planned("huge", path)))
    assert isinstance(reply, protocol.Refused)
    assert (reply.status, reply.input_bytes) == ("oom", 2**52)


def test_inputs_that_are_too_large_are_not_made(worker: Worker, path: Path) -> None:
    """They would push out everything else before they failed; sixteen bytes are one too many."""
    well = planned("well", path)
    refused = worker.answer(protocol.Check(case=well, input_limit_bytes=15))
    assert refused == protocol.Refused(
        status="oom", reason="InputsTooLarge: inputs of 16 bytes do not fit", input_bytes=16
    )
    assert isinstance(
        worker.answer(protocol.Check(case=well, input_limit_bytes=16)), protocol.Checked
    )


@pytest.mark.parametrize(
    ("way", "status", "reason"),
    [
        ("skip", "skipped", "too small"),
        ("raise", "oom", "OutOfMemoryError: CUDA out of memory. Tried to allocate 1 TiB"),
        (
            "nothing",
            "failed",
            "op 'op' returned NoneType, not a Call; write: return Call(function, argument, …)",
        ),
    ],
)
def test_what_goes_wrong_in_an_op_is_a_refusal(
    worker: Worker, path: Path, way: str, status: str, reason: str
) -> None:
    """Of whatever request, and the worker can be asked again."""
    refused = protocol.Refused(status=status, reason=reason)
    assert worker.answer(protocol.Check(case=planned(way, path))) == refused
    assert worker.answer(protocol.Prepare(case=planned(way, path), sample_s=1e-3)) == refused
    assert isinstance(worker.answer(protocol.Forget()), protocol.Forgotten)


def test_after_a_lack_of_memory_the_case_is_dropped_and_the_cache_emptied(
    monkeypatch: pytest.MonkeyPatch, worker: Worker, path: Path, clock: Clock
) -> None:
    """When nothing of it is alive any more, or it would not help."""
    full, left = planned("full", path), []
    worker.answer(protocol.Check(case=full))  # loads the file
    own = guest(worker, path)
    own["clock"][:], own["costs_ns"][:] = [clock], (3_000_000_000,)
    assert isinstance(worker.answer(protocol.Prepare(case=full, sample_s=1e-3)), protocol.Prepared)
    own["held"].append(1)
    alive = own["alive"]
    monkeypatch.setattr("torch.cuda.empty_cache", lambda: left.append(alive[-1]()))
    reply = worker.answer(protocol.VisitRequest(case=full, seconds=1e-6))
    assert reply == protocol.Refused(
        status="oom", reason="OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
    )
    assert left == [None]
    assert worker._calls == {}
    own["held"].clear()
    assert isinstance(worker.answer(protocol.Check(case=full)), protocol.Checked)
    assert left == [None]


def test_what_is_forgotten_leaves_the_cache_to_the_other_workers(
    monkeypatch: pytest.MonkeyPatch, worker: Worker
) -> None:
    """Torch would keep a GPU's memory to itself."""
    emptied: list[int] = []
    monkeypatch.setattr("torch.cuda.empty_cache", lambda: emptied.append(1))
    worker.answer(protocol.Forget())
    assert emptied == [1]


@pytest.mark.parametrize(("weighed", "note"), [((7, ""), ""), ((7, "nearly full"), "nearly full")])
def test_what_weighing_notes_is_in_the_reply(
    monkeypatch: pytest.MonkeyPatch,
    worker: Worker,
    path: Path,
    weighed: tuple[int, str],
    note: str,
) -> None:
    """Beside the peak."""
    monkeypatch.setattr("bench.worker.worker.call_peak_bytes", lambda *_: weighed)
    reply = worker.answer(protocol.Check(case=planned("well", path)))
    assert isinstance(reply, protocol.Checked)
    assert (reply.peak_memory_bytes, reply.note) == (7, note)


def test_a_suite_that_is_gone_is_a_refusal(worker: Worker, tmp_path: Path) -> None:
    """It was there when the plan was made."""
    reply = worker.answer(protocol.Check(case=planned("well", tmp_path / "gone.py")))
    assert isinstance(reply, protocol.Refused)
    assert "gone.py can't be loaded" in reply.reason


def test_a_case_is_built_anew_for_each_request_that_builds(worker: Worker, path: Path) -> None:
    """Checking does not warm what is measured; visiting uses what was prepared."""
    well = planned("well", path)
    worker.answer(protocol.Check(case=well))
    guest(worker, path)["made"].clear()
    worker.answer(protocol.Check(case=well))
    assert guest(worker, path)["made"] == [well.id]


def prepared_cold(
    worker: Worker, path: Path, clock: Clock, costs_ns: tuple[int, int], sample_s: float
) -> tuple[protocol.Prepared, int]:
    """What preparing a call gives whose first and later times are these, and how many were made."""
    worker.answer(protocol.Check(case=planned("well", path)))  # loads the file
    own = guest(worker, path)
    own["clock"][:], own["costs_ns"][:] = [clock], costs_ns
    reply = worker.answer(protocol.Prepare(case=planned("cold", path), sample_s=sample_s))
    assert isinstance(reply, protocol.Prepared)
    return reply, len(own["calls"])


def test_a_cold_first_call_says_nothing_of_those_after_it(
    worker: Worker, path: Path, clock: Clock
) -> None:
    """A second in which a library was loaded; then calls of 10 µs, a hundred to a sample."""
    costs_ns = 1_000_000_000, 10_000
    reply, _ = prepared_cold(worker, path, clock, costs_ns, sample_s=1e-3)
    assert reply.first_call_s == 1.0
    assert reply.call_s == pytest.approx(1e-5)
    assert 80 <= reply.loops <= 120


def test_a_call_of_many_seconds_is_not_made_twice_to_learn_that(
    worker: Worker, path: Path, clock: Clock
) -> None:
    """It fills a sample alone."""
    reply, calls = prepared_cold(worker, path, clock, (3_000_000_000, 3_000_000_000), 1e-3)
    assert (reply.first_call_s, reply.loops, calls) == (3.0, 1, 1)


def test_a_visit_takes_samples_of_what_was_prepared(
    worker: Worker, path: Path, clock: Clock
) -> None:
    """Begun warm, with the loops found before, for as long as it was told."""
    prepared, _ = prepared_cold(worker, path, clock, (10_000, 10_000), sample_s=1e-3)
    begun_ns = clock()
    visited = worker.answer(protocol.VisitRequest(case=planned("cold", path), seconds=5e-3))
    assert isinstance(visited, protocol.Visited)
    sample_ns = prepared.loops * 10_000
    warm_ns = 2 * (prepared.loops // 4) * 10_000
    assert visited.loops == prepared.loops
    assert set(visited.elapsed_ns) == {sample_ns}
    assert visited.started_ns == tuple(
        begun_ns + warm_ns + place * sample_ns for place in range(len(visited.elapsed_ns))
    )
    assert visited.aside_ns == warm_ns
    assert len(visited.elapsed_ns) == round((5_000_000 - warm_ns) / sample_ns)


def ticking(worker: Worker, path: Path, clock: Clock) -> PlannedCase:
    """A case of calls of 10 µs, on this clock."""
    worker.answer(protocol.Check(case=planned("well", path)))  # loads the file
    own = guest(worker, path)
    own["clock"][:], own["costs_ns"][:] = [clock], (10_000, 10_000)
    return planned("cold", path)


def test_a_cold_visit_times_one_call_after_each_eviction(path: Path, clock: Clock) -> None:
    """Warmed up as ever; then calls of 10 µs alone, 1 ms apart, and what lay between is said."""
    evict = Evictor(clock, 1_000_000)
    worker = Worker(clock, lambda _: evict)
    ticks = ticking(worker, path, clock)
    prepared = worker.answer(protocol.Prepare(case=ticks, sample_s=1e-3, cache="cold"))
    assert isinstance(prepared, protocol.Prepared)
    assert (prepared.loops, prepared.settled) == (1, True)
    evict.begun_ns.clear()
    begun_ns = clock()
    visited = worker.answer(protocol.VisitRequest(case=ticks, seconds=1e-3))
    assert isinstance(visited, protocol.Visited)
    assert (visited.loops, visited.elapsed_ns) == (1, (10_000,) * 3)
    led_in_ns = evict.begun_ns[0] - begun_ns
    assert visited.aside_ns == led_in_ns + 3_000_000
    assert led_in_ns >= 400_000  # two quarters of a sample's calls
    assert visited.started_ns == tuple(at + 1_000_000 for at in evict.begun_ns)


def test_the_caches_are_emptied_only_where_that_was_asked_for(path: Path, clock: Clock) -> None:
    """The buffer is made once for all cold cases of a worker, and never for hot ones."""
    made: list[Evictor] = []

    def new(device: str) -> Evictor:
        assert device == "cpu"
        made.append(Evictor(clock))
        return made[-1]

    worker = Worker(clock, new)
    ticks = ticking(worker, path, clock)
    counts = []
    for cache in ("hot", "cold", "cold"):
        worker.answer(protocol.Prepare(case=ticks, sample_s=1e-3, cache=cache))
        counts.append((len(made), sum(len(evict.begun_ns) for evict in made)))
    assert counts == [(0, 0), (1, 5), (1, 10)]  # five empty calls each, timed as samples are


def test_a_worker_profiles_once(worker: Worker, path: Path, tmp_path: Path) -> None:
    """A second session of one process loses records, so it is refused and writes nothing."""
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    replies = [
        worker.answer(protocol.Profile(cases=(planned("well", path),), calls=(2,), path=str(trace)))
        for trace in (first, second)
    ]
    assert replies[0] == protocol.Profiled()
    assert isinstance(replies[1], protocol.Refused)
    assert "profiled before" in replies[1].reason
    assert (first.exists(), second.exists()) == (True, False)


def test_several_cases_share_a_session(path: Path, tmp_path: Path) -> None:
    """One that is prepared is called as it is, one that isn't is built; each under its own mark."""
    worker = Worker(time.perf_counter_ns)
    cases = planned("well", path), planned("large", path)
    worker.answer(protocol.Prepare(case=cases[0], sample_s=1e-4))
    trace = tmp_path / "trace.json"
    reply = worker.answer(protocol.Profile(cases=cases, calls=(3, 2), path=str(trace)))
    assert reply == protocol.Profiled()
    events = events_of(json.loads(trace.read_text()))
    found = [activity(events, often, "cpu", place) for place, often in enumerate((3, 2))]
    assert [sum(line.count for line in one.lines) % one.calls for one in found] == [0, 0]
    assert all(one.lines for one in found)
    assert activity(events, 1, "cpu", place=2).codes == ("profile-incomplete",)


def test_the_energy_of_a_device_that_counts_none_has_a_reason(path: Path) -> None:
    """The CPU, say."""
    worker = Worker(time.perf_counter_ns)
    case = planned("well", path)
    worker.answer(protocol.Prepare(case=case, sample_s=1e-4))
    reply = worker.answer(protocol.Meter(case=case))
    assert reply == protocol.Metered(
        energy_j=None, reason="the device keeps no count of its energy"
    )


def test_what_was_forgotten_can_not_be_visited(worker: Worker, path: Path, clock: Clock) -> None:
    """Nor is it kept in memory."""
    prepared_cold(worker, path, clock, (10_000, 10_000), sample_s=1e-3)
    assert len(worker._calls) == 1
    worker.answer(protocol.Forget())
    assert worker._calls == {}
    reply = worker.answer(protocol.VisitRequest(case=planned("cold", path), seconds=1e-3))
    assert isinstance(reply, protocol.Refused)


def test_a_case_on_a_queue_is_timed_on_the_devices_own_clock_as_well(
    path: Path, clock: Clock
) -> None:
    """From preparing to visiting; the sentinels of that device are its own too."""
    gpu = Gpu(clock=clock)
    worker = Worker(clock, queue_of=lambda device: gpu if device == "cuda" else None)
    worker.answer(protocol.Check(case=planned("well", path)))  # loads the file
    own = guest(worker, path)
    own["clock"][:], own["costs_ns"][:] = [clock], (10_000, 10_000)

    made = dataclasses.replace(planned("cold", path), device="cuda")
    op, _ = worker._build(planned("cold", path))
    kernel = Call(gpu.launch, 50_000)
    worker._build = lambda *_, **__: (op, kernel)  # type: ignore[method-assign]
    prepared = worker.answer(protocol.Prepare(case=made, sample_s=1e-3))
    visited = worker.answer(protocol.VisitRequest(case=made, seconds=1e-2))
    sensed = worker.answer(protocol.Sense(device="cuda"))

    assert isinstance(prepared, protocol.Prepared)
    assert prepared.work == protocol.QUEUED
    assert isinstance(visited, protocol.Visited)
    assert visited.device_s[0] == pytest.approx(50e-6, rel=0.01)
    assert isinstance(sensed, protocol.Sensed)
    assert sensed.compute_s == pytest.approx(1e6 / 1.5e9, rel=3e-3)


def test_a_spin_that_tells_no_clock_is_no_sentinel(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is then converted by it: the row has no time at reference, rather than a wrong one."""
    gpu = Gpu(clock=clock)
    worker = Worker(clock, queue_of=lambda _: gpu)
    monkeypatch.setattr("bench.worker.worker.spin_counts_cycles", lambda device: device != "cuda")
    sensed = worker.answer(protocol.Sense(device="cuda"))
    assert isinstance(sensed, protocol.Refused)
    assert "a spin on cuda counts a clock that never changes" in sensed.reason
    assert not sensed.ends_worker
    assert isinstance(worker.answer(protocol.Sense(device="cuda:1")), protocol.Sensed)


@pytest.mark.parametrize(
    ("device", "kind"), [("mps", protocol.Refused), ("xpu", protocol.Refused), ("cpu", None)]
)
def test_a_call_that_torch_runs_on_the_cpu_is_no_call_of_the_gpu(
    worker: Worker, path: Path, *, device: str, kind: type[Any] | None
) -> None:
    """It is refused when it is checked, before anything is timed; on the CPU nothing falls back."""
    op, _ = worker._build(planned("well", path))

    def fall_back() -> torch.Tensor:
        warnings.warn(
            "The operator 'aten::col2im' … will fall back to run on the CPU", stacklevel=1
        )
        return torch.zeros(1)

    worker._build = lambda *_: (op, Call(fall_back))  # type: ignore[method-assign]
    case = dataclasses.replace(planned("well", path), device=device)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reply = worker.answer(protocol.Check(case=case))
    assert isinstance(reply, kind or protocol.Checked)
    if isinstance(reply, protocol.Refused):
        assert (reply.status, reply.codes) == ("skipped", ("cpu-fallback",))
        assert reply.reason.startswith(f"aten::col2im is not implemented on {device}, and torch")


def set_to(precision: str, path: Path, way: str = "low") -> PlannedCase:
    """The case of this way, with this precision of products in force."""
    labels = {"way": way, "float32_matmul_precision": precision}
    identity = f"guest/precise[way={way},float32_matmul_precision={precision}]"
    return dataclasses.replace(planned(way, path), id=identity, op="precise", labels=labels)


@pytest.mark.parametrize(
    "ask",
    [
        lambda case, _: protocol.Check(case=case),
        lambda case, _: protocol.Prepare(case=case, sample_s=1e-3),
        lambda case, _: protocol.VisitRequest(case=case, seconds=1e-3),
        lambda case, _: protocol.Replay(case=case),
        lambda case, trace: protocol.Profile(cases=(case,), calls=(1,), path=trace),
    ],
    ids=["check", "prepare", "visit", "replay", "profile"],
)
def test_a_setting_is_in_force_while_its_case_is_worked_on(
    path: Path,
    clock: Clock,
    tmp_path: Path,
    ask: Callable[[PlannedCase, str], protocol.WorkerRequest],
) -> None:
    """And torch is as it was after that, and for a case without it."""
    gpu = Gpu(clock=clock)
    seen: dict[str, set[str]] = {}
    for one, precision in ((set_to("high", path), "high"), (planned("low", path), "highest")):
        worker = Worker(clock, queue_of=lambda _: gpu)
        worker.answer(protocol.Check(case=planned("well", path)))  # loads the file
        own = guest(worker, path)
        own["clock"][:], own["costs_ns"][:] = [clock], (100_000,)
        worker.answer(protocol.Prepare(case=one, sample_s=1e-3))
        own["told"].clear()
        reply = worker.answer(ask(one, str(tmp_path / "trace.json")))
        assert not isinstance(reply, protocol.Refused), reply
        seen[precision] = set(own["told"])
        assert torch.get_float32_matmul_precision() == "highest"
    assert seen == {"high": {"high"}, "highest": {"highest"}}


def test_a_refusal_leaves_no_setting_behind(worker: Worker, path: Path) -> None:
    """The guest raised while it was in force."""
    case = set_to("high", path, way="raise")
    assert isinstance(worker.answer(protocol.Check(case=case)), protocol.Refused)
    assert guest(worker, path)["told"] == ["high"]
    assert torch.get_float32_matmul_precision() == "highest"


def test_a_setting_that_torch_does_not_know_is_a_refusal(worker: Worker, path: Path) -> None:
    """The case would have been measured under another name than its own."""
    reply = worker.answer(protocol.Check(case=set_to("odd", path)))
    assert reply == protocol.Refused(
        status="failed",
        reason="axis 'float32_matmul_precision' sets torch, which can't be 'odd' there; "
        "choose from: highest, high, medium",
    )


@pytest.mark.parametrize(("precision", "correct"), [("highest", False), ("high", True)])
def test_a_result_is_as_exact_as_the_setting_asks_for(
    worker: Worker, path: Path, precision: str, *, correct: bool
) -> None:
    """One that is off by an epsilon of TF32 is wrong only where float32 was asked for."""
    reply = worker.answer(protocol.Check(case=set_to(precision, path)))
    assert isinstance(reply, protocol.Checked)
    assert reply.max_error == pytest.approx(2**-10, rel=1e-3)
    assert reply.correct is correct
