"""A machine as people read it: every fact in its unit, and a dash for what is not known."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest
from rich.console import Console

from bench.records.roofs import FROM_DEVICE, LAUNCH, TO_DEVICE, Roof
from bench.report.text.machine import NO_ROOFS, machine_table
from tests.records.test_roofs import HERE

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


def test_roofs_are_listed_by_device() -> None:
    """A line for each level, dtype and kind; all that was seen of a level in one."""
    bus = [Roof(kind=kind, value=25e9, how="pinned memory") for kind in (TO_DEVICE, FROM_DEVICE)]
    call = Roof(kind=LAUNCH, value=9e-7, how="add of one element")
    here = dataclasses.replace(HERE, roofs=(*HERE.roofs, *bus, call))
    assert lines({"roofs": {"cpu": dataclasses.asdict(here)}}) == [
        "roofs",
        "cpu 2 threads, torch 2.9.0, 2026-01-02 03:04 UTC",
        "L1 from 39.1 KiB in place 90.0 GB/s",
        "L2 from 977 KiB copy 200 GB/s, in place 400 GB/s",
        "L2+DRAM from 3.81 MiB read 100 GB/s",
        "DRAM from 15.3 MiB copy 50.0 GB/s",
        "float32 matmul 200 GFLOP/s (512×512 by 512×512)",
        "bfloat16 matmul 800 GFLOP/s (512×512 by 512×512)",
        "host to device 25.0 GB/s (pinned memory)",
        "device to host 25.0 GB/s (pinned memory)",
        "a call 900 ns (add of one element)",
    ]


def test_a_machine_without_roofs_says_how_to_get_them() -> None:
    """They take a while, so nobody measures them unasked."""
    assert lines({"roofs": {}}) == [f"roofs {NO_ROOFS}"]
