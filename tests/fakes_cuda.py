"""A torch that has a GPU with a clock and nothing else: work takes the time it is told, at once."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class FakeCuda:
    """Stands for `torch.cuda`; times in milliseconds, as events give them."""

    def __init__(self, cycle_ms: Callable[[int], float]) -> None:
        self.now_ms = 0.0
        self._spin_ms = cycle_ms
        self._recording: FakeGraph | None = None

    def work(self, ms: float) -> None:
        """Keep the GPU busy, or note for a graph that it would be."""
        if self._recording:
            self._recording.ms += ms
        else:
            self.now_ms += ms

    def _sleep(self, cycles: int) -> None:
        self.work(self._spin_ms(cycles))

    def Event(self, *, enable_timing: bool) -> FakeEvent:  # noqa: N802 - it stands for a class
        """An event that keeps its time."""
        assert enable_timing
        return FakeEvent(self)

    def Stream(self) -> Any:  # noqa: N802 - as above
        """A stream that waits for nobody."""
        return SimpleNamespace(wait_stream=lambda _: None)

    current_stream = Stream

    @contextmanager
    def stream(self, _: object) -> Iterator[None]:
        """Work on a stream is work."""
        yield

    def CUDAGraph(self) -> FakeGraph:  # noqa: N802 - as above
        """A graph of nothing yet."""
        return FakeGraph(self)

    @contextmanager
    def graph(self, graph: FakeGraph) -> Iterator[None]:
        """What is done meanwhile is not done, but noted."""
        self._recording = graph
        yield
        self._recording = None

    def is_available(self) -> bool:
        """There is one."""
        return True

    def get_device_name(self, _: int) -> str:
        """Its model."""
        return "a GPU"


class FakeEvent:
    """A time that is taken when it is recorded."""

    def __init__(self, cuda: FakeCuda) -> None:
        self._cuda = cuda
        self.at_ms = 0.0

    def record(self) -> None:
        """Take the time."""
        self.at_ms = self._cuda.now_ms

    def synchronize(self) -> None:
        """All has been done."""

    def elapsed_time(self, later: FakeEvent) -> float:
        """Milliseconds from this one to a later one."""
        return later.at_ms - self.at_ms


class FakeGraph:
    """A replay takes as long as what was captured."""

    def __init__(self, cuda: FakeCuda) -> None:
        self._cuda = cuda
        self.ms = 0.0

    def replay(self) -> None:
        """Do it."""
        assert self.ms > 0
        self._cuda.now_ms += self.ms


class FakeTorch:
    """Stands for `torch`: products take `matmul_ms`, and it is noted what they were made of."""

    float32, bfloat16 = "float32", "bfloat16"

    def __init__(
        self,
        matmul_ms: float = 2.0,
        cycle_ms: Callable[[int], float] = lambda cycles: cycles * 1e-6,
    ) -> None:
        self.cuda = FakeCuda(cycle_ms)
        self.matmul_ms = matmul_ms
        self.products: list[tuple[Any, Any]] = []

    def manual_seed(self, seed: int) -> None:
        """The same numbers each time."""

    def randn(self, *shape: int, device: str, dtype: str) -> Any:
        """Random numbers, by name."""
        return ("randn", shape, device, dtype)

    def empty_like(self, other: Any) -> Any:
        """Memory for a result."""
        return ("empty", *other[1:])

    def matmul(self, a: Any, b: Any, out: Any = None) -> Any:
        """A product."""
        self.products.append((a, b))
        self.cuda.work(self.matmul_ms)
        return out
