"""A machine as people read it: every fact in its unit, and a dash for what is not known."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from bench.report.machine import machine_table

H100 = {
    "name": "H100",
    "memory_bytes": 80 * 2**30,
    "multiprocessors": 132,
    "l2_bytes": 50 * 2**20,
    "capability": "9.0",
}


def lines(facts: dict[str, dict[str, Any]]) -> list[str]:
    """The lines on a wide terminal, with spaces squeezed."""
    console = Console(file=io.StringIO(), width=200)
    console.print(machine_table(facts))
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("memory_bytes", 8 * 2**30, "memory 8.00 GiB"),
        ("free_memory_bytes", 512, "free memory 512 B"),
        ("cpu_busy_share", 0.125, "cpu busy 12 %"),
        ("cpu_busy_share", 0.0, "cpu busy 0 %"),
        ("frequency_hz", 2.7e9, "frequency 2.70 GHz"),
        ("temperature_c", 51.25, "temperature 51.2"),
        ("turbo", True, "turbo yes"),
        ("turbo", False, "turbo no"),
        ("turbo", None, "turbo –"),
        ("frequency_hz", None, "frequency –"),
        ("usable_cores", (0, 1), "usable cores 0, 1"),
        ("smt_siblings", ("0-1", "2-3"), "smt siblings 0-1, 2-3"),
        ("smt_siblings", (), "smt siblings none"),
        ("smt_siblings", None, "smt siblings –"),
        ("physical_cores", 2, "physical cores 2"),
        ("variables", {"A": "1", "B": "2"}, "variables A=1, B=2"),
        ("variables", {}, "variables none"),
        ("cpu_caches_bytes", {"L1d": 49152, "L2": 2**20}, "cpu caches L1d=48.0 KiB, L2=1.00 MiB"),
        ("cpu_caches_bytes", None, "cpu caches –"),
        ("gpus", (), "gpus none"),
        (
            "gpus",
            ({"name": "H100", "uuid": "GPU-1", "memory_bytes": 2**30},),
            "gpus H100 (1.00 GiB, GPU-1)",
        ),
        ("cuda_devices", [], "cuda devices none"),
        ("cuda_devices", [H100], "cuda devices H100 (80.0 GiB, 132 SMs, L2 50.0 MiB, 9.0)"),
        (
            "cuda_devices",
            [H100, {**H100, "l2_bytes": None}],
            "cuda devices H100 (80.0 GiB, 132 SMs, L2 50.0 MiB, 9.0); H100 (80.0 GiB, 132 SMs, 9.0)",
        ),
        ("name", "[red]", "name [red]"),
    ],
)
def test_a_fact_is_a_line(name: str, value: Any, line: str) -> None:
    """Under the name of its section."""
    assert lines({"state": {name: value}}) == ["state", line]


def test_sections_follow_each_other() -> None:
    """In the order in which they were given."""
    assert lines({"machine": {"a": 1}, "state": {"b": 2}}) == ["machine", "a 1", "state", "b 2"]
