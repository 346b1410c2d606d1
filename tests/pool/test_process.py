"""Real workers, and every way in which an op can take one down. Each start costs an import of torch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from bench.pool import protocol
from bench.pool.pool import WorkerPool
from bench.pool.process import WorkerLost, WorkerProcess, worker_environment
from tests.fakes.workers import case, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.plan.plan import PlannedCase

pytestmark = pytest.mark.slow

THREADS = 1
GUEST = '''
"""A guest with bad manners."""

import json
import os
import signal
import sys
import time

import torch

from bench import Axis, Call, Skip, Suite

WAYS = [
    "well", "print", "raise", "two lines", "not a call", "exit", "sys exit", "kill", "crash",
    "sleep", "memory", "allocate", "skip", "skip silently", "late", "break",
    "real-time signal", "half a pair", "long", "no json", "bytes on all files", "close", "fork",
    "nested", "hold",
]
suite = Suite("guest", axes=[Axis("way", WAYS)])


def late(tensor):
    """Fails when it is called, not when it is built."""
    raise RuntimeError("only now")


@suite.op
def behave(case):
    match case["way"]:
        case "print":
            print("hello")
            os.write(1, b"hello from below\\n")
            sys.stdout.flush()
        case "raise":
            raise ValueError("no good")
        case "two lines":
            raise ValueError("no good\\nat all")
        case "not a call":
            return 3
        case "exit":
            os._exit(3)
        case "sys exit":
            sys.exit("had enough")
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "sleep":
            while True:
                time.sleep(60)
        case "memory":
            raise MemoryError
        case "allocate":
            torch.empty(2**50)
        case "break":
            raise torch.AcceleratorError("CUDA error: device-side assert triggered\\nat …")
        case "real-time signal":
            os.kill(os.getpid(), 40)
        case "half a pair":
            raise RuntimeError("odd " + chr(0xD800))
        case "long":
            raise RuntimeError("x" * 10_000_000)
        case "no json":
            json.dumps = lambda *_, **__: "garbage"
        case "bytes on all files":
            for number in range(64):
                try:
                    os.write(number, bytes([0xFF, 0xFE]) + b"!\\n")
                except OSError:
                    pass
        case "nested":
            for number in range(64):
                try:
                    os.write(number, b"[" * 50_000 + b"\\n")
                except OSError:
                    pass
        case "close":
            os.closerange(0, 64)
            while True:
                time.sleep(60)
        case "fork":
            if os.fork() == 0:
                while os.getppid() != 1:
                    time.sleep(0.01)
                time.sleep(20)
                os._exit(0)
            os.kill(os.getpid(), signal.SIGSEGV)
        case "hold":
            sum(range(10**15))
        case "skip":
            raise Skip("not on a Monday")
        case "skip silently":
            raise Skip
        case "late":
            return Call(late, case.randn(2))
    return Call(torch.add, case.ints(3), 1)


@behave.reference
def behave_reference(a, b):
    return a + b
'''


@pytest.fixture(name="guest", scope="module")
def _guest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("suite") / "guest.py"
    path.write_text(GUEST, encoding="utf-8")
    return path


@pytest.fixture(name="pool", scope="module")
def _pool() -> Iterator[WorkerPool]:
    """One worker that all tests share; whoever takes it down gets the next a new one."""
    with WorkerPool.of_processes(1, THREADS, os.environ) as pool:
        yield pool


def behaving(way: str, guest: Path) -> PlannedCase:
    """The case in which the guest behaves in this way."""
    return case(
        id=f"guest/behave[way={way}]",
        suite="guest",
        op="behave",
        suite_path=str(guest),
        labels={"way": way},
    )


def refusal(pool: WorkerPool, way: str, guest: Path, timeout_s: float = 60) -> tuple[str, str]:
    """Status and reason of a refused check."""
    reply = pool.check(0, behaving(way, guest), timeout_s)
    assert isinstance(reply, protocol.Refused)
    return reply.status, reply.reason


def assert_works(pool: WorkerPool, guest: Path) -> None:
    """A case that is all right is checked, prepared and measured."""
    well = behaving("well", guest)
    checked = pool.check(0, well, 60)
    assert checked == protocol.Checked(correct=True, max_error=0.0, note="", input_bytes=24)
    pool.prepare(0, well, 1e-4, 60)
    visited = pool.visit(0, well, 1e-3, 60)
    assert isinstance(visited, protocol.Visited)
    assert len(visited.started_ns) == len(visited.elapsed_ns) >= 1
    pool.forget()


def test_a_case_that_is_all_right_is_measured(pool: WorkerPool, guest: Path) -> None:
    """Built, compared, called, timed."""
    assert_works(pool, guest)


def test_a_worker_has_the_threads_it_was_born_with(pool: WorkerPool) -> None:
    """The number in the environment is the number torch reports."""
    assert pool.hello(0).torch["threads"] == THREADS


def test_what_a_suite_prints_does_not_break_the_conversation(pool: WorkerPool, guest: Path) -> None:
    """Neither through Python nor past it."""
    assert isinstance(pool.check(0, behaving("print", guest), 60), protocol.Checked)
    assert_works(pool, guest)


@pytest.mark.parametrize(
    ("way", "status", "reason"),
    [
        ("raise", "failed", "ValueError: no good"),
        ("two lines", "failed", "ValueError: no good"),
        ("late", "failed", "RuntimeError: only now"),
        (
            "not a call",
            "failed",
            "op 'behave' returned int, not a Call; write: return Call(function, argument, …)",
        ),
        ("memory", "oom", "MemoryError"),
        ("skip", "skipped", "not on a Monday"),
        ("skip silently", "skipped", "the op gave no reason"),
    ],
)
def test_what_an_op_raises_is_the_reason_of_its_row(
    pool: WorkerPool, guest: Path, way: str, status: str, reason: str
) -> None:
    """One line of it; the worker lives on."""
    before = pool._slots[0].process
    assert refusal(pool, way, guest) == (status, reason)
    assert pool._slots[0].process is before


def test_memory_that_torch_can_not_get_is_oom(pool: WorkerPool, guest: Path) -> None:
    """On a CPU torch says so with a RuntimeError like any other, so its words count."""
    status, reason = refusal(pool, "allocate", guest)
    assert status == "oom"
    assert reason.startswith("RuntimeError: ")


@pytest.mark.parametrize(
    ("way", "status", "reason"),
    [
        ("exit", "failed", "the worker ended with exit code 3"),
        ("sys exit", "failed", "the worker ended with exit code 1: had enough"),
        (
            "kill",
            "oom",
            "the worker was killed from outside, most likely because memory ran out",
        ),
        ("crash", "failed", "the worker crashed with SIGSEGV"),
    ],
)
def test_a_worker_that_dies_is_replaced(
    pool: WorkerPool, guest: Path, way: str, status: str, reason: str
) -> None:
    """Its case is refused with the manner of its death; the next case is measured."""
    assert refusal(pool, way, guest) == (status, reason)
    assert_works(pool, guest)


@pytest.mark.parametrize(
    ("way", "status", "begins"),
    [
        ("real-time signal", "failed", "the worker crashed with signal 40"),
        ("half a pair", "failed", "RuntimeError: odd ?"),
        ("bytes on all files", "failed", "what came from the worker is no reply"),
        ("nested", "failed", "what came from the worker is no reply"),
        ("close", "failed", "the worker's pipe was closed, and it went on"),
        ("fork", "failed", "the worker crashed with SIGSEGV"),
    ],
)
def test_an_op_that_breaks_the_conversation_costs_its_own_row(
    pool: WorkerPool, guest: Path, way: str, status: str, begins: str
) -> None:
    """Whatever it does to the pipe: the session goes on, and the reason can be stored."""
    found, reason = refusal(pool, way, guest)
    assert (found, reason[: len(begins)]) == (status, begins)
    assert reason.encode()
    assert_works(pool, guest)


def test_a_worker_that_was_replaced_beside_others_lives_on(pool: WorkerPool, guest: Path) -> None:
    """The system ends a worker when the thread that started it ends."""
    pool.side_by_side(pool._replace)
    for _ in range(3):
        assert_works(pool, guest)


def test_an_op_that_replaces_json_breaks_nothing(pool: WorkerPool, guest: Path) -> None:
    """The worker encodes its replies by an encoder of its own."""
    assert isinstance(pool.check(0, behaving("no json", guest), 60), protocol.Checked)
    assert_works(pool, guest)


def test_a_reason_is_bounded(pool: WorkerPool, guest: Path) -> None:
    """An exception may quote a whole tensor; a row keeps as much of it as somebody reads."""
    _, reason = refusal(pool, "long", guest)
    assert reason.startswith("RuntimeError: xxx")
    assert len(reason) == protocol.LONGEST_TEXT


def test_a_worker_whose_cuda_is_broken_ends_and_is_replaced(pool: WorkerPool, guest: Path) -> None:
    """Its case failed and says why; the next one is measured by another, and nobody was killed."""
    pool.hello(0)
    broken = pool._slots[0].process._process
    status, reason = refusal(pool, "break", guest)
    assert status == "failed"
    assert reason == "AcceleratorError: CUDA error: device-side assert triggered"
    assert broken.returncode == 0
    assert pool._slots[0].process._process is not broken
    assert_works(pool, guest)


def test_a_worker_that_does_not_answer_is_ended_and_replaced(pool: WorkerPool, guest: Path) -> None:
    """An op that never returns costs its own time limit, not the run."""
    pool.hello(0)
    silent = pool._slots[0].process._process
    status, reason = refusal(pool, "sleep", guest, timeout_s=1)
    assert status == "timeout"
    assert reason == "no answer within 1 s; raise --timeout or choose smaller sizes"
    assert silent.returncode is not None
    assert_works(pool, guest)


def test_a_worker_ends_by_itself_when_its_input_does() -> None:
    """Nobody has to kill it; and it may be closed before it is ready."""
    worker = WorkerProcess(worker_environment(1, os.environ))
    worker.wait_ready()
    worker.close()
    assert worker._process.returncode == 0
    early = WorkerProcess(worker_environment(1, os.environ))
    early.close()
    assert early._process.returncode == -signal.SIGKILL


def test_a_worker_does_not_outlive_its_parent() -> None:
    """Whoever is killed with SIGKILL can't clean up; the end of its pipe does."""
    parent = """
        import os, signal
        from bench.pool.process import WorkerProcess, worker_environment
        worker = WorkerProcess(worker_environment(1, os.environ))
        worker.wait_ready()
        print(worker._process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(parent)],
        env=worker_environment(1, os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode < 0
    assert eventually(lambda: is_gone(int(done.stdout)))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing ends what holds the GIL")
@pytest.mark.parametrize("way", ["sleep", "hold"])
def test_a_worker_does_not_outlive_its_parent_in_an_endless_call(guest: Path, way: str) -> None:
    """Within a call nobody reads the pipe; one that holds the GIL lets no other thread run either."""
    parent = f"""
        import os, signal, threading, time
        from bench.pool import protocol
        from bench.pool.process import WorkerProcess, worker_environment
        from tests.fakes.workers import case
        worker = WorkerProcess(worker_environment(1, os.environ))
        worker.wait_ready()
        print(worker._process.pid, flush=True)
        asked = case(
            id="guest/behave", suite="guest", op="behave", suite_path={str(guest)!r},
            labels={{"way": {way!r}}},
        )
        worker._process.stdin.write(protocol.encode(protocol.Check(case=asked)) + "\\n")
        worker._process.stdin.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    environment = worker_environment(1, os.environ)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(parent)],
        env={**environment, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode < 0
    assert eventually(lambda: is_gone(int(done.stdout)))


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has collected yet has ended too."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_worker_that_can_not_start_says_why(tmp_path: Path) -> None:
    """The last line that Python wrote is the reason."""
    (tmp_path / "torch.py").write_text("raise ImportError('no torch today')")
    broken = WorkerProcess(worker_environment(1, {**os.environ, "PYTHONPATH": str(tmp_path)}))
    with pytest.raises(WorkerLost) as caught:
        broken.wait_ready()
    broken.close()
    assert caught.value.status == "failed"
    assert str(caught.value) == "the worker ended with exit code 1: ImportError: no torch today"


def test_no_garbage_is_collected_while_torch_is_imported(tmp_path: Path) -> None:
    """There is none, and looking for it takes a sixth of the time."""
    (tmp_path / "torch.py").write_text(
        "import gc; raise ImportError(f'collects: {gc.isenabled()}')"
    )
    worker = WorkerProcess(worker_environment(1, {**os.environ, "PYTHONPATH": str(tmp_path)}))
    with pytest.raises(WorkerLost, match="collects: False"):
        worker.wait_ready()
    worker.close()


def test_what_a_guest_leaves_for_the_end_is_done(tmp_path: Path) -> None:
    """A worker ends without taking torch apart, but not without what guests registered."""
    suite, left = tmp_path / "leaving.py", tmp_path / "left"
    suite.write_text(f"""
import atexit
from pathlib import Path

from bench import Call, Suite

suite = Suite("leaving")
atexit.register(Path({str(left)!r}).touch)


@suite.op
def op(case):
    return Call(abs, -1)
""")
    worker = WorkerProcess(worker_environment(1, os.environ))
    planned = case(id="leaving/op", suite="leaving", op="op", suite_path=str(suite), labels={})
    assert isinstance(worker.ask(protocol.Check(case=planned), 60), protocol.Checked)
    worker.close()
    assert (worker._process.returncode, left.exists()) == (0, True)


def test_a_worker_is_born_with_bound_threads() -> None:
    """Torch reads the number once, and the scheduler may not move them afterwards."""
    born = worker_environment(4, {"HOME": "/home"})
    assert born["OMP_NUM_THREADS"] == born["MKL_NUM_THREADS"] == "4"
    assert (born["OMP_PROC_BIND"], born["OMP_PLACES"]) == ("true", "cores")
    assert born["HOME"] == "/home"


def test_what_the_user_has_set_stays_but_for_the_number_of_threads() -> None:
    """That is kept in the row, so it must be the one we were told."""
    base = {"OMP_PROC_BIND": "false", "OMP_NUM_THREADS": "9", "PYTHONPATH": "mine"}
    born = worker_environment(2, base)
    assert (born["OMP_PROC_BIND"], born["OMP_NUM_THREADS"]) == ("false", "2")
    assert born["PYTHONPATH"] == "mine"


def test_a_worker_is_not_told_to_fall_back_to_the_cpu() -> None:
    """Torch would run what a GPU lacks on the CPU; on XPU the warning of those it runs there anyway names the op."""
    asked = {
        "PYTORCH_ENABLE_MPS_FALLBACK": "1",
        "PYTORCH_ENABLE_XPU_FALLBACK": "1",
        "PYTORCH_XPU_FALLBACK_OP": "abs.out",
        "PYTORCH_DEBUG_XPU_FALLBACK": "0",
        "PYTORCH_MPS_FAST_MATH": "1",
    }
    born = worker_environment(1, asked)
    assert {name: text for name, text in born.items() if name.startswith("PYTORCH_")} == {
        "PYTORCH_DEBUG_XPU_FALLBACK": "1",
        "PYTORCH_MPS_FAST_MATH": "1",
    }


@pytest.mark.parametrize(
    ("number", "places"),
    [(0, "{0,4},{1,5},{2,6}"), (1, "{1,5},{2,6},{0,4}"), (4, "{1,5},{2,6},{0,4}")],
)
def test_each_worker_begins_at_another_core(number: int, places: str) -> None:
    """Siblings of a physical core stay together; after the last core comes the first."""
    born = worker_environment(2, {}, number=number, cores=[(0, 4), (1, 5), (2, 6)])
    assert born["OMP_PLACES"] == places


def test_slots_that_the_user_chose_are_kept() -> None:
    """Whoever sets them knows more of the machine."""
    born = worker_environment(2, {"OMP_PLACES": "{3}"}, number=1, cores=[(0,), (1,)])
    assert born["OMP_PLACES"] == "{3}"
