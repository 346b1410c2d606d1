"""What torch says of itself: whatever can change a number, as JSON can hold it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bench.worker.torch_info import torch_facts


def test_the_facts_are_those_of_this_torch() -> None:
    """Version, build, threads, precision."""
    facts = torch_facts()
    assert facts["version"] == torch.__version__
    assert facts["cuda"] == torch.version.cuda
    assert facts["threads"] == torch.get_num_threads()
    assert facts["float32_matmul_precision"] == torch.get_float32_matmul_precision()
    assert facts["blas"]
    assert facts["cpu_capability"]


def test_a_setting_that_changes_shows() -> None:
    """They are read, not remembered."""
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        assert torch_facts()["float32_matmul_precision"] == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


def test_the_facts_can_be_sent() -> None:
    """They travel from the worker as one line."""
    facts = torch_facts()
    assert json.loads(json.dumps(facts)) == facts


def test_settings_that_choose_kernels_on_cuda_are_read() -> None:
    """Each as torch has it now, also where there is no GPU."""
    settings = torch_facts()["cuda_settings"]
    matmul: Any = torch.backends.cuda.matmul
    before = matmul.allow_bf16_reduced_precision_reduction
    try:
        matmul.allow_bf16_reduced_precision_reduction = False
        changed = torch_facts()["cuda_settings"]
    finally:
        matmul.allow_bf16_reduced_precision_reduction = before
    assert settings["bf16_reduced_precision_reduction"] is before
    assert changed == {**settings, "bf16_reduced_precision_reduction": False}
    assert settings["cudnn_benchmark"] is False
    assert isinstance(settings["preferred_blas_library"], str)


@pytest.mark.parametrize("error", [AttributeError, RuntimeError])
def test_a_setting_that_torch_does_not_tell_is_none(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """An older torch lacks it; a newer one refuses it by its older name."""

    def refuse() -> None:
        raise error

    monkeypatch.setattr(torch.backends.cuda, "preferred_blas_library", refuse)
    settings = torch_facts()["cuda_settings"]
    assert settings["preferred_blas_library"] is None
    assert settings["cudnn_allow_tf32"] is not None


def test_gpus_are_described(monkeypatch: pytest.MonkeyPatch) -> None:
    """In torch's order; the L2 cache where this torch tells it."""
    gpu = SimpleNamespace(name="H100", total_memory=80, multi_processor_count=132, major=9, minor=0)
    with_l2 = SimpleNamespace(**vars(gpu), L2_cache_size=50)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda i: (gpu, with_l2)[i])
    known = {"name": "H100", "memory_bytes": 80, "multiprocessors": 132, "capability": "9.0"}
    assert torch_facts()["cuda_devices"] == [
        {**known, "l2_bytes": None},
        {**known, "l2_bytes": 50},
    ]


def test_without_a_gpu_cuda_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Initialising it takes seconds and memory, or fails."""

    def refuse(*_: object) -> None:
        message = "CUDA was initialised"
        raise AssertionError(message)

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.cuda, "_lazy_init", refuse)
    monkeypatch.setattr(torch.cuda, "get_device_properties", refuse)
    assert torch_facts()["cuda_devices"] == []
