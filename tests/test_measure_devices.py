"""Which devices are here, why one isn't, and what the words on the command line stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from bench.errors import SelectionError
from bench.measure import devices

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
    with pytest.raises(SelectionError, match="is no device; write cpu, cuda, cuda:1 or all"):
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


def test_devices_have_models(gpus: Callable[[int], None]) -> None:
    """`cuda` is the first of them."""
    gpus(0)
    assert devices.names_of_devices() == {}
    gpus(2)
    assert devices.names_of_devices() == {"cuda": "GPU 0", "cuda:0": "GPU 0", "cuda:1": "GPU 1"}


def test_the_cpu_need_not_be_waited_for() -> None:
    """A call has been done when it returns."""
    device = devices.device_of("cpu")
    assert isinstance(device, devices.Cpu)
    device.synchronize()


def test_a_cuda_device_is_waited_for_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the one that happens to be the current one."""
    waited: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    devices.device_of("cuda:1").synchronize()
    assert waited == [torch.device("cuda:1")]


@pytest.mark.gpu
def test_a_real_cuda_device_has_done_its_work_after_waiting() -> None:
    """What was submitted can be seen to be finished."""
    work = torch.ones(1000, device="cuda")
    event: Any = torch.cuda.Event  # it carries no types
    done = event()
    work.mul_(2)
    done.record()
    devices.device_of("cuda").synchronize()
    assert done.query()
