"""A pool of fakes: who is asked, who is replaced, and what the others notice of it (nothing)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench import cli
from bench.errors import WorkerError
from bench.machine.hardware import read_state
from bench.pool import protocol
from bench.pool.pool import WorkerPool, start
from tests.fakes.workers import HELLO, FakeProcess, Stage, case, lost, settle


def test_places_are_filled_when_the_pool_is_made() -> None:
    """All processes are started together, so that they import torch at the same time."""
    stage = Stage()
    assert len(stage.pool(3)) == 3
    assert len(stage.processes) == 3


def test_a_worker_says_hello() -> None:
    """What its measuring costs is its own."""
    assert Stage().pool(1).hello(0) == HELLO


def test_requests_go_to_the_worker_that_is_meant() -> None:
    """Check, prepare and visit, each with its case."""
    stage = Stage()
    pool = stage.pool(2)
    assert isinstance(pool.check(1, case(), 5), protocol.Checked)
    assert isinstance(pool.prepare(1, case(), 0.01, 5), protocol.Prepared)
    assert isinstance(pool.visit(1, case(), 0.1, 5), protocol.Visited)
    assert stage.log == [
        (1, protocol.Check(case=case())),
        (1, protocol.Prepare(case=case(), sample_s=0.01)),
        (1, protocol.VisitRequest(case=case(), seconds=0.1)),
    ]


def test_a_case_is_prepared_once_in_each_worker() -> None:
    """Asking again costs nothing and says so."""
    stage = Stage()
    pool = stage.pool(2)
    assert pool.prepare(0, case(), 0.01, 5) is not None
    assert pool.prepare(0, case(), 0.01, 5) is None
    assert pool.prepare(1, case(), 0.01, 5) is not None
    assert stage.asked(protocol.Prepare) == [(0, case().id), (1, case().id)]


def test_a_case_is_built_once_in_each_worker() -> None:
    """And what another worker found is handed on when it is prepared."""
    stage = Stage()
    pool = stage.pool(2)
    assert pool.side_by_side(lambda worker: pool.build(worker, case(), 5)) == [protocol.Built()] * 2
    assert pool.build(1, case(), 5) is None
    pool.forget()
    assert pool.build(1, case(), 5) == protocol.Built()
    first = pool.prepare(0, case(), 0.01, 5)
    assert isinstance(first, protocol.Prepared)
    pool.prepare(1, case(), 0.01, 5, known=first)
    handed = protocol.Prepare(case=case(), sample_s=0.01, loops=first.loops, call_s=first.call_s)
    assert stage.log[-1] == (1, handed)


def test_a_worker_is_seen_by_others_when_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that wait for its first words would take each other's replies."""
    stage = Stage()
    pool = stage.pool(2)
    first = stage.processes[0]
    seen: list[bool] = []

    def is_seen(process: Any) -> bool:
        return pool._slots[0].process is process

    waits = FakeProcess.wait_ready

    def wait_ready(process: FakeProcess) -> protocol.Hello:
        if process is not first:
            seen.append(is_seen(process))
        return waits(process)

    monkeypatch.setattr(FakeProcess, "wait_ready", wait_ready)
    pool._replace(0)
    assert seen == [False]
    assert pool.hello(0) == HELLO
    assert seen == [False, True]


def test_a_step_that_fails_in_a_worker_fails() -> None:
    """The others are not waited for, and no process is started after the pool was left."""
    stage = Stage()
    with stage.pool(3) as pool, pytest.raises(ZeroDivisionError):
        pool.side_by_side(lambda worker: 1 // worker)
    with pytest.raises(WorkerError, match="ended"):
        pool._replace(0)
    assert len(stage.processes) == 3


def test_a_worker_is_told_what_is_to_be_in_the_caches() -> None:
    """Once, when the case is prepared."""
    stage = Stage()
    stage.pool(1).prepare(0, case(), 0.01, 5, cache="cold")
    assert stage.log == [(0, protocol.Prepare(case=case(), sample_s=0.01, cache="cold"))]


def test_the_same_case_on_another_device_is_another() -> None:
    """A case and its device together are what is prepared."""
    pool = Stage().pool(1)
    assert pool.prepare(0, case(), 0.01, 5) is not None
    assert pool.prepare(0, case(device="cuda"), 0.01, 5) is not None


def test_a_case_that_was_refused_is_not_prepared() -> None:
    """It would be asked for again."""
    stage = Stage(lambda _: protocol.Refused(status="failed", reason="no"))
    pool = stage.pool(1)
    for _ in range(2):
        assert pool.prepare(0, case(), 0.01, 5) == protocol.Refused(status="failed", reason="no")
    assert len(stage.log) == 2


def test_a_profile_is_asked_of_the_worker_that_is_meant() -> None:
    """With the number of calls and the place for the trace."""
    stage = Stage(lambda _: protocol.Profiled())
    assert stage.pool(2).profile(1, [case()], [7], "trace.json", 5) == protocol.Profiled()
    assert stage.log == [(1, protocol.Profile(cases=(case(),), calls=(7,), path="trace.json"))]


def test_energy_is_asked_of_the_worker_that_is_meant() -> None:
    """Of a case that it has prepared."""
    stage = Stage()
    asked = protocol.Meter(case=case())
    found = stage.pool(2).ask(1, asked, 5, protocol.Metered)
    assert found == protocol.Metered(energy_j=0.25)
    assert stage.log == [(1, asked)]


def test_a_worker_that_has_profiled_is_replaced() -> None:
    """It can't do so again, and what times nothing any more need not be asked to forget."""
    stage = Stage()
    pool = stage.pool(2)
    pool.prepare(0, case(), 0.01, 5)
    pool.profile(0, [case()], [7], "trace.json", 5)
    pool.forget()
    assert [process.closed for process in stage.processes] == [True, False, False]
    assert not [one for _, one in stage.log if isinstance(one, protocol.Forget)]
    assert pool.prepare(0, case(), 0.01, 5) is not None
    assert stage.log[-1][0] == 2  # its successor's number
    pool.forget()
    assert len(stage.processes) == 3  # who has not profiled stays


def test_what_was_forgotten_is_prepared_again() -> None:
    """Only workers that hold something are told to forget it."""
    stage = Stage()
    pool = stage.pool(2)
    pool.prepare(1, case(), 0.01, 5)
    pool.forget()
    assert stage.log[-1] == (1, protocol.Forget())
    assert len(stage.log) == 2
    assert pool.prepare(1, case(), 0.01, 5) is not None


def test_a_lost_worker_is_replaced_and_its_case_refused() -> None:
    """With the reason of the loss; the successor has prepared nothing."""
    stage = Stage()
    pool = stage.pool(2)
    pool.prepare(0, case(), 0.01, 5)
    stage.answer = lambda _: (_ for _ in ()).throw(lost("oom", "killed"))
    assert pool.visit(0, case(), 0.1, 5) == protocol.Refused(status="oom", reason="killed")
    assert [process.closed for process in stage.processes] == [True, False, False]
    stage.answer = settle
    assert pool.prepare(0, case(), 0.01, 5) is not None
    assert stage.log[-1] == (2, protocol.Prepare(case=case(), sample_s=0.01))


def test_a_worker_that_ends_after_its_reply_is_replaced_before_it_is_asked_again() -> None:
    """The next case is answered by its successor, which has prepared nothing."""
    broken = protocol.Refused(status="failed", reason="CUDA error: …", ends_worker=True)
    stage = Stage()
    pool = stage.pool(2)
    pool.prepare(0, case(1), 0.01, 5)
    stage.answer = lambda _: broken
    assert pool.visit(0, case(1), 0.1, 5) == broken
    assert [process.closed for process in stage.processes] == [True, False, False]
    stage.answer = settle
    assert isinstance(pool.check(0, case(2), 5), protocol.Checked)
    assert pool.prepare(0, case(1), 0.01, 5) is not None
    assert [number for number, _ in stage.log] == [0, 0, 2, 2]


def test_a_worker_that_refuses_and_can_go_on_stays() -> None:
    """A case too large for the memory says nothing of the next."""
    stage = Stage(lambda _: protocol.Refused(status="oom", reason="no memory"))
    pool = stage.pool(1)
    pool.check(0, case(), 5)
    assert len(stage.processes) == 1


def test_a_worker_that_is_lost_while_it_forgets_is_replaced() -> None:
    """It holds nothing any more, and the run goes on."""
    stage = Stage()
    pool = stage.pool(1)
    pool.prepare(0, case(), 0.01, 5)
    stage.answer = lambda _: (_ for _ in ()).throw(lost())
    pool.forget()
    assert len(stage.processes) == 2


def test_a_worker_that_can_not_start_ends_the_run() -> None:
    """It is no fault of the case, and the next case would fare no better."""
    stage = Stage()
    pool = stage.pool(1)
    stage.processes[0].broken = lost("failed", "no module named torch")
    with pytest.raises(WorkerError, match="a worker can't start: no module named torch"):
        pool.check(0, case(), 5)


def test_all_workers_can_be_waited_for() -> None:
    """One that never gets ready is not found out in the middle of the run."""
    stage = Stage()
    pool = stage.pool(3)
    pool.wait_ready()
    stage.processes[2].broken = lost("failed", "no module named torch")
    with pytest.raises(WorkerError, match="no module named torch"):
        pool.wait_ready()


def test_nothing_is_asked_while_a_successor_is_starting() -> None:
    """Another worker that is timed meanwhile would share the machine with its import."""
    stage = Stage(lambda _: (_ for _ in ()).throw(lost()))

    def successor() -> Any:
        process = stage.start()
        process.broken = lost("failed", "not ready") if len(stage.processes) > 1 else None
        return process

    pool = WorkerPool(1, successor)
    with pytest.raises(WorkerError, match="not ready"):
        pool.check(0, case(), 5)


def test_all_workers_are_ended_with_the_pool() -> None:
    """Also when what they were needed for failed."""
    stage = Stage()
    with pytest.raises(KeyboardInterrupt), stage.pool(3):
        raise KeyboardInterrupt
    assert [process.closed for process in stage.processes] == [True] * 3


def test_roofs_are_asked_of_the_worker_that_is_meant() -> None:
    """Which is replaced before cases are timed, whatever it answered."""
    stage = Stage()
    pool = stage.pool(2)
    assert pool.survey(1, "cpu", 3.0, 5) == settle(protocol.Survey(device="cpu", seconds=3.0))
    assert stage.log == [(1, protocol.Survey(device="cpu", seconds=3.0))]
    pool.forget()
    assert [one.closed for one in stage.processes] == [False, True, False]


def test_a_worker_that_was_lost_over_roofs_is_replaced_once() -> None:
    """Its successor has measured nothing."""
    stage = Stage(lambda _: protocol.Refused(status="failed", reason="no GPU", ends_worker=True))
    pool = stage.pool(1)
    pool.survey(0, "cuda", 3.0, 5)
    pool.forget()
    assert [one.closed for one in stage.processes] == [True, False]


@pytest.fixture(name="stage")
def _stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Fakes where processes would be started."""
    stage = Stage()
    monkeypatch.setattr(WorkerPool, "of_processes", lambda count, *_: stage.pool(count))
    return stage


def test_the_machine_is_looked_at_before_workers_keep_it_busy(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their start is not what a run should say of the machine."""
    there: list[int] = []

    def look() -> Any:
        there.append(len(stage.processes))
        return read_state()

    monkeypatch.setattr("bench.machine.hardware.read_state", look)
    with start(2, 1):
        assert (there, len(stage.processes)) == ([0], 2)


@pytest.mark.parametrize(
    "words",
    ["run matmull", "run matmul --device gpu", "run matmul -k zebra", "run matmul -k ("],
    ids=["suite", "device", "keyword", "expression"],
)
def test_a_mistake_in_the_plan_leaves_no_worker(
    stage: Stage, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """They were started before the mistake was found."""
    assert cli.main(words.split()) == 2
    assert capsys.readouterr().err
    assert [process.closed for process in stage.processes] == [True] * len(stage.processes)
    assert stage.processes


def test_a_mistake_that_is_seen_at_once_starts_none(stage: Stage) -> None:
    """The preset says how many workers there are."""
    assert cli.main(["run", "matmul", "--preset", "quik"]) == 2
    assert stage.processes == []


def test_a_compiler_is_started_once_in_each_worker() -> None:
    """A replaced one starts it anew; where it can't compile, each asks again and is refused."""
    stage = Stage()
    pool = stage.pool(2)
    assert [pool.start_compiler(worker, "cpu") for worker in (0, 0, 1)] == [None] * 3
    asked = [one for one in stage.log if isinstance(one[1], protocol.StartCompiler)]
    assert [one for _, one in asked] == [protocol.StartCompiler(device="cpu")] * 2
    refusal = protocol.Refused(status="skipped", reason="no compiler")
    refused = Stage(lambda _: refusal).pool(1)
    assert [refused.start_compiler(0, "cpu") for _ in range(2)] == [refusal] * 2


@pytest.mark.parametrize("place", ["there/and/deeper", "file/below"])
def test_compiled_code_is_kept_in_a_folder_of_the_run(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Empty at first, where the user has it if that can be written, and gone with the workers."""
    (tmp_path / "file").write_text("")
    stage = Stage()
    monkeypatch.setattr(WorkerPool, "of_processes", lambda count, *_, **__: stage.pool(count))
    named = tmp_path / place
    with start(1, 1, {"TORCHINDUCTOR_CACHE_DIR": str(named)}) as started:
        assert started.compiled_code is not None
        kept = Path(started.compiled_code.name)
        assert list(kept.iterdir()) == []
        assert (named in kept.parents) == place.startswith("there")
    assert not kept.exists()
