"""What is known before a run: reference, roofs, earlier runs, torch; and what to do where it is not."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bench.doctor import history
from tests.fakes.machine import KNOWN


def said(**changes: Any) -> dict[str, str]:
    """Code → severity."""
    found = history.hazards(dataclasses.replace(KNOWN, **changes))
    assert all(one.alarming == bool(one.remedy) for one in found)
    return {one.code: one.severity for one in found}


def test_a_machine_that_has_measured_before_is_fine() -> None:
    """In every respect."""
    assert set(said().values()) == {"fine"}


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        ({"torch": None}, "torch", "will"),
        ({"reference": False}, "reference", "may"),
        ({"missed": 1}, "reference", "may"),
        ({"roofs": False}, "roofs", "may"),
        ({"earlier_runs": 2}, "noise-floor", "may"),
        ({"earlier_runs": 3}, "noise-floor", "fine"),
    ],
)
def test_each_lack_is_told(changes: dict[str, Any], code: str, severity: str) -> None:
    """By itself."""
    assert said(**changes) == {**said(), code: severity}


@pytest.mark.parametrize(("missed", "words"), [(1, "the last run"), (4, "the last 4 runs")])
def test_runs_that_missed_the_reference_are_counted(missed: int, words: str) -> None:
    """The machine may have become another."""
    found = history.hazards(dataclasses.replace(KNOWN, missed=missed))
    assert f"{words} never met this machine's reference" in [one.seen for one in found]


def test_torch_is_told_with_the_kernels_it_can_use() -> None:
    """Where the processor says so."""
    assert history.hazards(KNOWN)[0].seen == "torch 2.13.0, kernels for AVX2"
    bare = dataclasses.replace(KNOWN, cpu_capability=None)
    assert history.hazards(bare)[0].seen == "torch 2.13.0"
