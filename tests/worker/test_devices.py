"""Which devices are here, why one isn't, and what the words on the command line stand for."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import torch

from bench.errors import SelectionError
from bench.worker import devices

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(name="gpus")
def _gpus(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes torch see so many GPUs."""

    def see(count: int) -> None:
        monkeypatch.setattr(torch.version, "cuda", "13.0")
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"GPU {index}")

    return see


@pytest.mark.parametrize(
    ("count", "names"),
    [(0, ("cpu",)), (1, ("cpu", "cuda")), (2, ("cpu", "cuda:0", "cuda:1"))],
)
def test_all_devices_are_those_that_torch_sees(
    gpus: Callable[[int], None], count: int, names: tuple[str, ...]
) -> None:
    """A single GPU needs no number."""
    gpus(count)
    assert devices.present() == names


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), ("cpu", "cuda")),
        (("all",), ("cpu", "cuda")),
        (("cpu",), ("cpu",)),
        (("cuda:3", "cpu"), ("cuda:3", "cpu")),
        (("cuda", "all"), ("cuda", "cpu")),
        (("cpu", "cpu"), ("cpu",)),
    ],
)
def test_words_stand_for_devices(
    gpus: Callable[[int], None], words: tuple[str, ...], names: tuple[str, ...]
) -> None:
    """In the order in which they are named, each once; also those that are not here."""
    gpus(1)
    assert devices.chosen(words) == names


@pytest.mark.parametrize("word", ["gpu", "cuda:", "cuda:x", "CPU", "", "cpu:0"])
def test_another_word_is_an_error(word: str) -> None:
    """It says which there are."""
    with pytest.raises(
        SelectionError, match="is no device; write cpu, cuda, cuda:1, xpu, mps or all"
    ):
        devices.chosen((word,))


@pytest.mark.parametrize(
    ("count", "name", "why"),
    [
        (0, "cpu", ""),
        (0, "cuda", "torch sees no CUDA device on this machine"),
        (1, "cuda", ""),
        (1, "cuda:0", ""),
        (1, "cuda:1", "there is no cuda:1: torch sees 1 CUDA device(s)"),
        (2, "cuda:1", ""),
    ],
)
def test_a_device_that_is_not_here_has_a_reason(
    gpus: Callable[[int], None], count: int, name: str, why: str
) -> None:
    """And one that is here has none."""
    gpus(count)
    assert devices.why_missing(name) == why


def test_a_torch_without_cuda_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver would not help; another build of torch would."""
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    why = f"torch {torch.__version__} is built without CUDA"
    assert devices.why_missing("cuda") == why


@pytest.mark.parametrize(
    ("hip", "arch", "counts"),
    [
        (None, "", True),
        ("7.0", "gfx942:sramecc+:xnack-", True),
        ("7.0", "gfx1030", True),
        ("7.0", "gfx1100", False),
        ("7.0", "gfx1151", False),
        ("7.0", "gfx1201", True),
    ],
)
def test_a_spin_of_rdna_3_counts_no_cycles(
    monkeypatch: pytest.MonkeyPatch, *, hip: str | None, arch: str, counts: bool
) -> None:
    """It takes equally long at every clock there, so that it tells none."""
    monkeypatch.setattr(torch.version, "hip", hip)
    facts = SimpleNamespace(gcnArchName=arch)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: facts)
    assert devices.spin_counts_cycles("cuda") is counts


@pytest.fixture(name="accelerator")
def _accelerator(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes torch work with an accelerator of this kind."""

    def work_with(kind: str) -> None:
        found = SimpleNamespace(type=kind)
        monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: found)

    return work_with


def test_an_accelerator_of_another_kind_is_a_device(
    gpus: Callable[[int], None], accelerator: Callable[[str], None]
) -> None:
    """It has a name that can be asked for, and is there."""
    gpus(0)
    accelerator("mps")
    assert devices.present() == ("cpu", "mps")
    assert devices.chosen(("mps", "xpu")) == ("mps", "xpu")
    assert devices.why_missing("mps") == ""
    assert devices.why_missing("xpu") == "torch finds no xpu device here"


def test_a_gpu_is_no_other_accelerator(
    gpus: Callable[[int], None], accelerator: Callable[[str], None]
) -> None:
    """It would be there twice; and a kind that nobody can ask for is not there."""
    gpus(1)
    accelerator("cuda")
    assert devices.present() == ("cpu", "cuda")
    accelerator("hpu")
    assert devices.present() == ("cpu", "cuda")


def test_another_accelerator_is_waited_for_and_has_no_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that a caller's time is right, though the device's own is not known."""
    waited: list[str] = []
    monkeypatch.setattr(torch.accelerator, "synchronize", lambda: waited.append("xpu"))
    devices.device_of("xpu").synchronize()
    devices.device_of("cpu").synchronize()
    assert waited == ["xpu"]
    assert devices.queue_of("xpu") is None
    assert isinstance(devices.device_of("cuda:1"), devices.Cuda)


def test_the_cpu_need_not_be_waited_for() -> None:
    """A call has been done when it returns."""
    devices.Cpu().synchronize()
    assert devices.queue_of("cpu") is None


def test_a_cuda_device_is_waited_for_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the one that happens to be the current one."""
    waited: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    devices.Cuda("cuda:1").synchronize()
    assert waited == [torch.device("cuda:1")]


class Event:
    """Stands for a CUDA event: reached when it is recorded, five milliseconds after the one before."""

    made: ClassVar[list[Event]] = []

    def __init__(self, *, enable_timing: bool) -> None:
        assert enable_timing
        self.stream: object = None
        self.made.append(self)

    def record(self, stream: object) -> None:
        """On this stream."""
        self.stream = stream

    def query(self) -> bool:
        """Whether it was recorded."""
        return self.stream is not None

    def elapsed_time(self, later: Event) -> float:
        """In milliseconds."""
        return 5.0 * float(self.made.index(later) - self.made.index(self))


def test_a_mark_is_an_event_on_the_stream_of_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that torch submits to; its times are in seconds."""
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"stream of {device}")
    queue = devices.queue_of("cuda:1")
    assert queue is not None
    first, last = queue.mark(), queue.mark()

    assert not first.is_reached()
    first.record()
    assert first.is_reached()
    assert last.seconds_since(first) == pytest.approx(5e-3)
    assert [event.stream for event in Event.made] == ["stream of cuda:1", None]


def test_a_spin_is_queued_on_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's spin knows only the current device."""
    seen: list[object] = []

    def current(device: torch.device) -> Any:
        seen.append(device)
        return nullcontext()

    monkeypatch.setattr(torch.cuda, "device", current)
    monkeypatch.setattr(torch.cuda, "_sleep", seen.append)
    devices.Cuda("cuda:1").spin(123)
    assert seen == [torch.device("cuda:1"), 123]


def test_cuda_devices_have_a_model_and_memory_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each by its number, and the first by its short name; the CPU's is not told here."""
    assert devices.cuda_properties() == {}
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    known = [SimpleNamespace(name=f"GPU {i}", total_memory=10 * i) for i in range(2)]
    monkeypatch.setattr(torch.cuda, "get_device_properties", known.__getitem__)
    assert devices.cuda_properties() == {"cuda": known[0], "cuda:0": known[0], "cuda:1": known[1]}


@pytest.mark.gpu
def test_a_real_cuda_device_has_done_its_work_after_waiting() -> None:
    """What was submitted can be seen to be finished."""
    work = torch.ones(1000, device="cuda")
    event: Any = torch.cuda.Event  # it carries no types
    done = event()
    work.mul_(2)
    done.record()
    devices.Cuda("cuda").synchronize()
    assert done.query()


@pytest.mark.parametrize(
    ("word", "expected"),
    [("cpu", True), ("cuda", True), ("cuda:3", True), ("all", False), ("gpu", False), ("", False)],
)
def test_a_word_names_one_device_or_not(word: str, expected: object) -> None:
    """Whether it is here is another question."""
    assert devices.is_one(word) is expected


@pytest.mark.gpu
def test_a_backward_of_a_graph_that_was_built_before_is_recorded() -> None:
    """It is built on the recording stream; on another it ends in a CUDA error (pytorch#15623)."""
    made: Any = torch.rand

    def build() -> Callable[[], object]:
        leaf = made(8, 8, device="cuda", requires_grad=True)
        product, slope = leaf @ leaf, made(8, 8, device="cuda")
        return lambda: torch.autograd.grad(product, leaf, slope, retain_graph=True)

    home = torch.cuda.current_stream()
    devices.Cuda("cuda").capture(build, 2)()
    torch.cuda.synchronize()
    assert torch.cuda.current_stream() == home


@pytest.mark.gpu
def test_a_call_that_waits_is_refused_and_leaves_the_process_whole() -> None:
    """Torch's own error comes before CUDA's: the stream is restored, memory is given back, work goes on."""
    some: Any = torch.rand(1024, 1024, device="cuda")
    home = torch.cuda.current_stream()
    with pytest.raises(RuntimeError, match="synchronizing") as refused:
        devices.Cuda("cuda").capture(lambda: some.sum().item, 1)
    assert not isinstance(refused.value, torch.AcceleratorError)
    assert torch.cuda.current_stream() == home
    held = torch.zeros(2**26, dtype=torch.uint8, device="cuda")
    before = torch.cuda.memory_reserved()
    del held
    torch.cuda.empty_cache()
    assert torch.cuda.memory_reserved() < before
