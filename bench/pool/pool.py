"""The worker pool of a run: processes that live together, one at work at a time, replaced when lost. Torch-free.

Cases are built in a worker the first time they are visited there, so a worker that replaces a lost one builds
what it lacks. Workers are started before a run is planned: importing torch takes a second of a core in each, and
the session's own import for planning then costs no more.
"""

from __future__ import annotations

import gc
import itertools
import math
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bench.errors import WorkerError
from bench.machine import hardware
from bench.pool import protocol
from bench.pool.process import WorkerLost, WorkerProcess, worker_environment
from bench.records.cache_state import HOT
from bench.records.memory_policy import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.machine.hardware import CurrentState
    from bench.plan.plan import PlannedCase

Answer = TypeVar("Answer")


COMPILER_START_TIMEOUT_S = 300.0
"""Starting torch's compiler takes 15 s on two calm cores, most of it for its C++ headers, and several times that on busy ones."""
_COMPILED_CODE = "TORCHINDUCTOR_CACHE_DIR"
"""The variable that tells torch's compiler where to keep what it makes."""
_MOST_ABREAST = 4
"""Workers that build and check at the same time at most: each has threads of its own, which meet on the same cores."""


@dataclass(slots=True)
class _Slot:
    """One worker of the pool: its process now, the cases that has built and prepared, and whether it is to be replaced."""

    process: WorkerProcess
    built: set[tuple[str, str]] = field(default_factory=set)
    prepared: set[tuple[str, str]] = field(default_factory=set)
    compilers: set[str] = field(default_factory=set)
    """The devices for which its compiler was started."""
    spent: bool = False


class WorkerPool(AbstractContextManager["WorkerPool"]):
    """`count` fresh processes, ended when the pool is left; `start` makes one (tests pass their own).

    As many as `abreast` are at work at the same time where nothing is being timed.
    """

    def __init__(self, count: int, start: Callable[[], WorkerProcess], *, abreast: int = 1) -> None:
        self._start = start
        self.abreast = min(count, abreast)
        # For as long as the pool: the system ends a worker when the thread that started it ends.
        self._executor = ThreadPoolExecutor(self.abreast)
        self._left = False
        self._slots = [_Slot(start()) for _ in range(count)]

    @classmethod
    def of_processes(
        cls,
        count: int,
        threads: int,
        base: Mapping[str, str],
        cores: Sequence[Sequence[int]] = (),
        python: str | None = None,
        memory: str = SYSTEM,
    ) -> WorkerPool:
        """Real processes with `threads` threads each, started together, each at another core.

        `python` is their interpreter, if that is another than ours.
        """
        number = itertools.count()

        def start() -> WorkerProcess:
            place = next(number) % count
            environment = worker_environment(
                threads, base, number=place, cores=cores, memory=memory
            )
            return WorkerProcess(environment, python)

        # With a core each they are not slower than one after the other, whatever threads they have beside.
        return cls(count, start, abreast=max(1, min(len(cores), _MOST_ABREAST)))

    def __len__(self) -> int:
        """The number of workers."""
        return len(self._slots)

    def wait_ready(self) -> None:
        """Wait for every worker, so that none is still importing while another is timed.

        Raises:
            WorkerError: one never became ready.
        """
        for slot in self._slots:
            _ready(slot.process)

    def hello(self, worker: int) -> protocol.Hello:
        """The first message of a worker (waits for it).

        Raises:
            WorkerError: it never became ready.
        """
        return _ready(self._slots[worker].process)

    def check(
        self, worker: int, case: PlannedCase, timeout_s: float, input_limit_bytes: float = math.inf
    ) -> protocol.Checked | protocol.Refused:
        """Compare the case's result with its reference, if its inputs are no larger than allowed."""
        asked = protocol.Check(case=case, input_limit_bytes=input_limit_bytes)
        return self.ask(worker, asked, timeout_s, protocol.Checked)

    def start_compiler(self, worker: int, device: str) -> protocol.Refused | None:
        """Have a worker's compiler started for a device; None where it is."""
        slot = self._slots[worker]
        if device in slot.compilers:
            return None
        asked = protocol.StartCompiler(device=device)
        reply = self.ask(worker, asked, COMPILER_START_TIMEOUT_S, protocol.CompilerStarted)
        if isinstance(reply, protocol.Refused):
            return reply
        slot.compilers.add(device)
        return None

    def side_by_side(self, step: Callable[[int], Answer]) -> list[Answer]:
        """What a step gives in each worker, several at the same time: nothing may be timed in it.

        Where one fails, or the user interrupts, the others are not waited for: they fail when the pool is left.
        """
        return list(self._executor.map(step, range(len(self._slots))))

    def build(
        self, worker: int, case: PlannedCase, timeout_s: float
    ) -> protocol.Built | protocol.Refused | None:
        """Have the case built in a worker; None where it is already."""
        slot = self._slots[worker]
        if case.key in slot.built:
            return None
        reply = self.ask(worker, protocol.Build(case=case), timeout_s, protocol.Built)
        if isinstance(reply, protocol.Built):
            slot.built.add(case.key)
        return reply

    def prepare(
        self,
        worker: int,
        case: PlannedCase,
        sample_s: float,
        timeout_s: float,
        *,
        cache: str = HOT,
        known: protocol.Prepared | None = None,
    ) -> protocol.Prepared | protocol.Refused | None:
        """Have the case ready in a worker; None where it is already.

        Args:
            worker: which.
            case: to be built, if it is not, and warmed up.
            sample_s: how long a sample should take.
            timeout_s: how long it may take.
            cache: what samples are to find in the caches.
            known: what another worker found, which need not be found again.
        """
        if case.key in self._slots[worker].prepared:
            return None
        asked = protocol.Prepare(
            case=case,
            sample_s=sample_s,
            cache=cache,
            loops=known.loops if known else 0,
            call_s=known.call_s if known else 0.0,
        )
        reply = self.ask(worker, asked, timeout_s, protocol.Prepared)
        if isinstance(reply, protocol.Prepared):
            self._slots[worker].prepared.add(case.key)
        return reply

    def visit(
        self, worker: int, case: PlannedCase, seconds: float, timeout_s: float
    ) -> protocol.Visited | protocol.Refused:
        """Samples of a prepared case."""
        asked = protocol.VisitRequest(case=case, seconds=seconds)
        return self.ask(worker, asked, timeout_s, protocol.Visited)

    def ask(
        self, worker: int, request: protocol.WorkerRequest, timeout_s: float, answer: type[Answer]
    ) -> Answer | protocol.Refused:
        """The reply to a request, one of this kind; a worker that is lost, or ends, is replaced at once, and its case is refused."""
        process = self._slots[worker].process
        _ready(process)
        reply: Answer | protocol.Refused
        try:
            reply = process.ask(request, timeout_s)
        except WorkerLost as lost:
            reply = protocol.Refused(status=lost.status, reason=str(lost))
            self._replace(worker)
        assert isinstance(reply, (answer, protocol.Refused))  # noqa: S101 - both ends are one package
        if isinstance(reply, protocol.Refused) and reply.ends_worker:
            self._replace(worker)
        return reply

    def sense(
        self, worker: int, device: str = "cpu", timeout_s: float = 60.0
    ) -> protocol.Sensed | None:
        """The times of a device's sentinels in a worker now; None if the worker was lost over it."""
        reply = self.ask(worker, protocol.Sense(device=device), timeout_s, protocol.Sensed)
        return reply if isinstance(reply, protocol.Sensed) else None

    def profile(
        self,
        worker: int,
        cases: Sequence[PlannedCase],
        calls: Sequence[int],
        path: str,
        timeout_s: float,
    ) -> protocol.Profiled | protocol.Refused:
        """Have a trace of the cases' calls written; once per worker, which times nothing after it."""
        slot = self._slots[worker]
        asked = protocol.Profile(cases=tuple(cases), calls=tuple(calls), path=path)
        reply = self.ask(worker, asked, timeout_s, protocol.Profiled)
        slot.spent = True
        return reply

    def survey(
        self, worker: int, device: str, seconds: float, timeout_s: float
    ) -> protocol.Surveyed | protocol.Refused:
        """The peak rates of a device; the worker times no cases after it, since it is not fresh."""
        slot = self._slots[worker]
        asked = protocol.Survey(device=device, seconds=seconds)
        reply = self.ask(worker, asked, timeout_s, protocol.Surveyed)
        slot.spent = True
        return reply

    def forget(self, timeout_s: float = 60.0) -> None:
        """Free every worker's calls and inputs; a worker that can't is replaced.

        So is one that has profiled (it can't do so again, and its launches may go on being watched), or
        has measured peak rates.
        """

        def forget(worker: int) -> None:
            slot = self._slots[worker]
            if slot.spent:
                self._replace(worker)
            elif slot.built or slot.prepared:
                reply = self.ask(worker, protocol.Forget(), timeout_s, protocol.Forgotten)
                if isinstance(reply, protocol.Forgotten):
                    slot.built.clear()
                    slot.prepared.clear()

        self.side_by_side(forget)

    def refresh(self, worker: int) -> None:
        """Replace a worker that can't time, or profile, any more."""
        if self._slots[worker].spent:
            self._replace(worker)

    def _replace(self, worker: int) -> None:
        """End a worker's process and wait for another: nothing is timed while it imports torch.

        Raises:
            WorkerError: the pool was left, and a step in another thread goes on.
        """
        self._slots[worker].process.close()
        if self._left:
            message = "the workers were ended"
            raise WorkerError(message)
        process = self._start()
        _ready(process)  # before others see it: only one thread may wait for its first words
        self._slots[worker] = _Slot(process)

    def __exit__(self, *_: object) -> None:
        """End every worker; they end side by side."""
        self._left = True
        self._executor.shutdown(wait=False, cancel_futures=True)
        for slot in self._slots:
            slot.process.dismiss()
        for slot in self._slots:
            slot.process.close()


def _ready(process: WorkerProcess) -> protocol.Hello:
    """Wait for a worker; one that can't even start ends the run, not the case."""
    try:
        return process.wait_ready()
    except WorkerLost as lost:
        message = f"a worker can't start: {lost}"
        raise WorkerError(message) from lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(AbstractContextManager["Start"]):
    """A pool whose workers are starting, and the state that the machine was in before; ended when left."""

    pool: WorkerPool
    state: CurrentState
    compiled_code: tempfile.TemporaryDirectory[str] | None = None
    """Where torch's compiler keeps what it makes for these workers."""

    def __exit__(self, *_: object) -> None:
        """End every worker, however far it has come."""
        self.pool.__exit__()
        if self.compiled_code:
            self.compiled_code.cleanup()


def start(
    workers: int,
    threads: int,
    variables: Mapping[str, str] | None = None,
    python: str | None = None,
    memory: str = SYSTEM,
) -> Start:
    """Start workers with `threads` threads each, after reading the state of the machine that they will keep busy.

    Their compiled code is cached in a folder of their own, empty at first: what compiling takes must not depend on
    earlier runs.

    Args:
        workers: how many.
        threads: that each has.
        variables: that they have beside those of our environment.
        python: their interpreter, if that is another than ours.
        memory: the policy by which their results get memory.
    """
    state = hardware.read_state()
    base = {**os.environ, **(variables or {})}
    code = _compiled_code(base.get(_COMPILED_CODE))
    base[_COMPILED_CODE] = code.name
    pool = WorkerPool.of_processes(workers, threads, base, hardware.core_groups(), python, memory)
    return Start(pool=pool, state=state, compiled_code=code)


def _compiled_code(place: str | None) -> tempfile.TemporaryDirectory[str]:
    """An empty folder for compiled code, in the place that the user names for that, if it can be written."""
    made = partial(tempfile.TemporaryDirectory, prefix="tensorbench-", ignore_cleanup_errors=True)
    if place:
        with suppress(OSError):
            Path(place).mkdir(parents=True, exist_ok=True)
            return made(dir=place)
    return made()


@contextmanager
def no_collecting() -> Iterator[None]:
    """Collect no garbage meanwhile, and exempt the objects that exist then from every later collection.

    Importing torch leaves no garbage, but so many objects that stay that looking through them takes a third of
    the import's time, and once more at the end of the process.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
