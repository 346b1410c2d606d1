"""A host with GPUs that are made up, on one clock: suites submit work to it, workers and session run on it.

Workers are real but live in this process, one at work at a time, for runs from end to end. Starting one takes
time, all that are started together as long as one, so that a worker that is lost shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from bench.machine.hardware import read_state
from bench.pool import protocol
from bench.pool.pool import Start, WorkerPool
from bench.run import state_monitor
from bench.worker.gauges import Gauges
from bench.worker.worker import Worker
from tests.fakes.gpu import Process
from tests.fakes.nvml import Allocator
from tests.fakes.workers import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.fakes.gpu import Gpu

PEAK_BYTES = 4096
"""What a kernel takes of its GPU's memory while it is submitted."""
START_NS = 2_500_000_000
"""A new worker, as on an H200's host (`docs/gpu.md`)."""
_READING_NS = 20
"""What it takes to read the host's clock."""
_FLUSH_NS = 30_000
"""What emptying the caches takes a GPU."""


@dataclass(slots=True, kw_only=True)
class Machine:
    """The host, its GPUs and the workers that were started on it."""

    clock: Clock = field(default_factory=Clock)
    gpus: Mapping[str, Gpu] = field(default_factory=dict)
    allocator: Allocator = field(default_factory=Allocator)
    starts: int = 0
    """Workers so far."""

    def submit(self, device: str, ns: float) -> float:
        """Work of so many nanoseconds: a kernel on a GPU, or the host's own. Gives back how many."""
        if device in self.gpus:
            self.allocator.take(PEAK_BYTES)
            self.gpus[device].launch(ns)
            self.allocator.take(-PEAK_BYTES)
        else:
            self.clock.advance(round(ns))
        return ns

    def look(self, device: str, ns: float) -> float:
        """A kernel, and a look at its result."""
        self.submit(device, ns)
        self.gpus[device].wait()
        return ns

    def host_only(self, _device: str, ns: float) -> float:
        """So many nanoseconds of the host, and no kernel, as of a view."""
        self.clock.advance(round(ns))
        return ns

    def backward_of(self, device: str) -> Callable[[str, float], float]:
        """A call of a kernel that runs on the stream which is the current one now, as autograd's do."""
        gpu = self.gpus[device]
        stream = gpu.process.stream

        def backward(_device: str, ns: float) -> float:
            gpu.launch(ns, stream)
            return ns

        return backward

    def break_context(self, device: str, _ns: float) -> NoReturn:
        """A kernel that writes where it must not."""
        self.gpus[device].break_context()

    def started(self, workers: int) -> Start:
        """So many workers, as a run is given them."""
        return Start(pool=WorkerPool(workers, self._start), state=read_state())

    def passing(self) -> state_monitor.Clock:
        """The session's clock; sleeping moves it."""
        return state_monitor.Clock(
            now_s=lambda: self.read() * 1e-9, sleep=lambda s: self.clock.advance(round(s * 1e9))
        )

    def read(self) -> int:
        """The host's clock, which takes time itself."""
        self.clock.advance(_READING_NS)
        return self.clock()

    def _start(self) -> Any:
        self.starts += 1
        return InProcess(self)


class InProcess:
    """Stands for a `WorkerProcess`: a worker of this process, asked and answering in lines of text."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._ready_ns = machine.clock() + START_NS
        self._on = {gpu: Process() for gpu in machine.gpus}
        self._worker = Worker(
            machine.read,
            new_evictor=lambda device: lambda: machine.gpus[device].launch(_FLUSH_NS),
            allocator_of=lambda _: machine.allocator,
            gauges=Gauges(_no_driver),
        )
        self._hello: protocol.Hello = protocol.decode(protocol.encode(self._worker.hello()))

    def wait_ready(self) -> protocol.Hello:
        """Once it has imported torch."""
        clock = self._machine.clock
        clock.advance(max(0, self._ready_ns - clock()))
        return self._hello

    def ask(self, request: protocol.WorkerRequest, timeout_s: float) -> Any:
        """Its answer, however long that takes."""
        assert timeout_s > 0
        for name, gpu in self._machine.gpus.items():
            gpu.process = self._on[name]
        heard = protocol.decode(protocol.encode(request))
        return protocol.decode(protocol.encode(self._worker.answer(heard)))

    def dismiss(self) -> None:
        """Nobody to tell."""

    def close(self) -> None:
        """What it has on GPUs is given back."""
        for name, gpu in self._machine.gpus.items():
            gpu.leave(self._on[name])


def _no_driver() -> NoReturn:
    message = "a GPU that is made up has none"
    raise OSError(message)
