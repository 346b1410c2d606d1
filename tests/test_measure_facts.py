"""What torch says of itself: whatever can change a number, as JSON can hold it."""

from __future__ import annotations

import json

import torch

from bench.measure.facts import torch_facts


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
