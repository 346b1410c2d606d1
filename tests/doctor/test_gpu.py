"""What is said of GPUs: each its own, and nothing of a run that noted none. Tried on made-up facts only."""

from __future__ import annotations

from typing import Any

import pytest

from bench.doctor import gpu
from tests.fakes.rows import info

CALM: dict[str, Any] = {
    "name": "NVIDIA H100",
    "processes": 0,
    "busy_share": 0.0,
    "power_limit_w": 700.0,
    "usual_limit_w": 700.0,
    "temperature_c": 40.0,
    "throttle_reasons": ("idle",),
    "persistent": True,
    "compute_mode": "default",
}


def said(**changes: Any) -> dict[str, str]:
    """Code → severity of a GPU that is calm but for these."""
    found = gpu.hazards(info(state={"gpus": [{**CALM, **changes}]}))
    assert all(one.alarming == bool(one.remedy) for one in found)
    return {one.code: one.severity for one in found}


def test_a_calm_gpu_is_fine() -> None:
    """In every respect."""
    assert set(said().values()) == {"fine"}


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        ({"busy_share": 0.01}, "busy-gpu", "will"),
        ({"processes": 1}, "busy-gpu", "may"),
        ({"processes": None, "busy_share": None}, "busy-gpu", "unknown"),
        ({"throttle_reasons": ("power-cap",)}, "clock-throttled", "will"),
        ({"temperature_c": 83.0}, "clock-throttled", "may"),
        ({"throttle_reasons": None, "temperature_c": None}, "clock-throttled", "unknown"),
        ({"power_limit_w": 350.0}, "power-cap", "may"),
        ({"power_limit_w": 695.0}, "power-cap", "fine"),
        ({"usual_limit_w": None}, "power-cap", "unknown"),
        ({"persistent": False}, "persistence", "may"),
        ({"persistent": None}, "persistence", "unknown"),
        ({"compute_mode": "exclusive-process"}, "compute-mode", "will"),
        ({"compute_mode": "prohibited"}, "compute-mode", "will"),
        ({"compute_mode": None}, "compute-mode", "unknown"),
    ],
)
def test_each_fact_has_its_rule(changes: dict[str, Any], code: str, severity: str) -> None:
    """And the others stay as they are."""
    calm = said()
    assert said(**changes) == {**calm, code: severity}


@pytest.mark.parametrize(
    ("mode", "mps", "seen", "remedy"),
    [
        (
            "exclusive-process",
            False,
            "GPU 0: compute mode exclusive-process: one process at a time can use it",
            "sudo nvidia-smi -c 0, or start MPS (nvidia-cuda-mps-control -d); else bench run --workers 1, without intervals",
        ),
        (
            "exclusive-process",
            True,
            "GPU 0: compute mode exclusive-process, and MPS lets several processes share it",
            "",
        ),
        (
            "prohibited",
            True,
            "GPU 0: compute mode prohibited: no process can use it",
            "sudo nvidia-smi -c 0",
        ),
    ],
)
def test_a_mode_that_keeps_workers_out_has_a_remedy(
    mode: str, seen: str, remedy: str, *, mps: bool
) -> None:
    """The workers are clients of MPS where it runs; in a mode that lets nobody in not even its server is."""
    found = gpu.hazards(info(state={"gpus": [{**CALM, "compute_mode": mode}], "mps": mps}))
    (said,) = [one for one in found if one.code == "compute-mode"]
    assert (said.seen, said.remedy) == (seen, remedy)


def test_each_gpu_is_named() -> None:
    """By the driver's number, which is that of nvidia-smi."""
    found = gpu.hazards(info(state={"gpus": [CALM, {**CALM, "power_limit_w": 350.0}]}))
    (capped,) = [one for one in found if one.severity == "may"]
    assert capped.seen == "GPU 1: it may take 350 W of 700 W"
    assert capped.remedy == "sudo nvidia-smi -i 1 -pl 700"


def test_a_machine_without_a_gpu_says_so_once() -> None:
    """A run that did not look says nothing."""
    (one,) = gpu.hazards(info(state={"gpus": [], "gpus_missing": "no driver"}))
    assert (one.severity, one.seen) == ("fine", "no NVIDIA GPU is seen (no driver)")
    assert gpu.hazards(info(state={})) == []


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"PYTORCH_ENABLE_MPS_FALLBACK": "1"}, "PYTORCH_ENABLE_MPS_FALLBACK"),
        ({"PYTORCH_ENABLE_XPU_FALLBACK": "1"}, "PYTORCH_ENABLE_XPU_FALLBACK"),
        ({"PYTORCH_XPU_FALLBACK_OP": "abs.out"}, "PYTORCH_XPU_FALLBACK_OP"),
        ({"PYTORCH_ENABLE_MPS_FALLBACK": "0"}, ""),
        ({}, ""),
    ],
)
def test_a_fallback_to_the_cpu_that_is_asked_for_is_named(
    variables: dict[str, str], named: str
) -> None:
    """Also where the driver names no GPU, as on a Mac; what is not set is not worth a line."""
    found = gpu.hazards(info(state={"gpus": []}, environment={"variables": variables}))
    asked = [one for one in found if one.code == "cpu-fallback"]
    assert [(one.seen, one.remedy) for one in asked] == (
        [(f"set: {named}", f"unset {named}")] if named else []
    )
