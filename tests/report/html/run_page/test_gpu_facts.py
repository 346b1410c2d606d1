"""The GPUs of a run: what they are called, what they said, how torch is set. All of them are made up."""

from __future__ import annotations

from bench.report.html.run_page import gpu_facts
from tests.fakes.launches import launched
from tests.fakes.rows import info, record

DEVICE = {
    "name": "H100",
    "memory_bytes": 80 * 2**30,
    "multiprocessors": 132,
    "l2_bytes": 50 * 2**20,
    "capability": "9.0",
}


def test_a_machine_without_a_gpu_has_no_section() -> None:
    """Torch's settings for CUDA say nothing there."""
    here = info(torch={"cuda_settings": {"matmul_allow_tf32": False}, "cuda_devices": []})
    assert gpu_facts.groups([record()], here) == []


def test_driver_and_torch_are_named_apart() -> None:
    """They may number GPUs differently, and see different ones."""
    here = info(
        machine={"gpus": [{"name": "H100 PCIe", "memory_bytes": 80 * 2**30}]},
        torch={"cuda": "13.0", "cuda_devices": [DEVICE], "cuda_settings": {"cudnn_enabled": True}},
        environment={"gpu_driver": "580.1"},
    )
    found = dict(gpu_facts.groups([], here))
    assert dict(found["GPU"]) == {
        "by the driver": "H100 PCIe (80.0 GiB)",
        "by torch": "H100 (80.0 GiB, 132 SMs, L2 50.0 MiB, 9.0)",
        "driver": "580.1",
        "CUDA of torch": "13.0",
    }
    assert found["Settings of torch for CUDA"] == [("cudnn enabled", "yes")]


def test_what_it_said_is_the_middle_and_both_ends_over_the_cases() -> None:
    """What the driver did not say is left out."""
    rows = [launched(sm_clock_hz=f * 1e9, power_w=200.0) for f in (1.0, 1.5, 1.7)]
    found = dict(gpu_facts.groups(rows, info()))
    assert found["cuda while it measured"] == [
        ("SM clock", "1.50 GHz in the middle (1.00 GHz to 1.70 GHz)"),
        ("power", "200 W"),
    ]


def test_a_gpu_of_which_torch_says_little_is_still_shown() -> None:
    """Another version's manifest may lack what this one reads."""
    here = info(torch={"cuda_devices": [{"name": "H100"}]}, machine={"gpus": [{"uuid": "x"}]})
    assert dict(dict(gpu_facts.groups([], here))["GPU"])["by torch"] == "H100"


def test_facts_of_cuda_are_left_out_elsewhere() -> None:
    """They would be there twice."""
    here = info(torch={"version": "2.13.0", "cuda_settings": {}, "cuda_devices": []})
    assert gpu_facts.without(here).torch == {"version": "2.13.0"}
