"""The doctor's findings in a terminal and as JSON: the worst first, and what to run next."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rich.console import Console

from bench.doctor.checkup import Checkup
from bench.doctor.rules import checkup
from bench.report.text.doctor import doctor_facts, doctor_text
from tests.fakes.machine import KNOWN
from tests.fakes.rows import assert_golden, info

FACTS: dict[str, Any] = {
    "options": {"threads": 2},
    "machine": {"physical_cores": 2, "logical_cores": 4, "memory_bytes": 2**34},
    "environment": {
        "hypervisor": True,
        "usable_cores": [0, 1, 2, 3],
        "smt_siblings": ["0-1", "2-3"],
        "numa_nodes": {"node0": "0-3"},
        "cpu_quota_cores": None,
        "transparent_huge_pages": "always",
        "clock_source": "tsc",
        "variables": {},
    },
    "state": {
        "load_1min": 0.4,
        "cpu_busy_share": 0.32,
        "stolen_share": 0.0,
        "programs": [
            {"pid": 4242, "name": "chromium", "cores": 1.21},
            {"pid": 99, "name": "rsync", "cores": 0.13},
        ],
        "free_memory_bytes": 2**33,
        "swap_used_bytes": 0,
        "memory_stall_share": 0.0,
        "governor": "powersave",
        "turbo": None,
        "temperature_c": 55.0,
        "slowdowns": 0,
        "on_battery": False,
        "gpus": [
            {
                "processes": 1,
                "busy_share": 0.4,
                "power_limit_w": 350.0,
                "usual_limit_w": 700.0,
                "temperature_c": 71.0,
                "throttle_reasons": ["power-cap"],
                "persistent": True,
                "compute_mode": "exclusive-process",
            }
        ],
    },
}
CALM: dict[str, Any] = {
    **FACTS,
    "environment": {
        **FACTS["environment"],
        "hypervisor": False,
        "transparent_huge_pages": "madvise",
    },
    "state": {
        **FACTS["state"],
        "cpu_busy_share": 0.01,
        "programs": [],
        "governor": "performance",
        "gpus": [],
    },
}


def found(facts: dict[str, Any]) -> Checkup:
    """The checkup of a machine like this."""
    about = info(**facts)
    return Checkup(findings=tuple(checkup(about, KNOWN)), info=about, known=KNOWN)


def shown(facts: dict[str, Any], width: int) -> str:
    """What a terminal shows."""
    console = Console(width=width, highlight=False, color_system=None)
    with console.capture() as text:
        console.print(doctor_text(found(facts).findings, width=width))
    return "\n".join(line.rstrip() for line in text.get().splitlines()) + "\n"


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_shows_the_worst_first(width: int) -> None:
    """Each with why it matters and what to do; no line is wider than the terminal."""
    text = shown(FACTS, width)
    assert max(map(len, text.splitlines())) <= width
    assert_golden(text, f"report_doctor_{width}.txt")


def test_a_calm_machine_is_told_so() -> None:
    """And what to run next all the same."""
    text = shown(CALM, 120)
    assert "why:" not in text
    assert "Nothing seen that makes numbers noisy. Next: bench selftest" in text


def test_programs_get_findings_and_facts() -> None:
    """As one document that JSON can hold."""
    facts = doctor_facts(found(FACTS))
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    first = facts["findings"][0]
    assert set(first) == {"code", "severity", "seen", "effect", "remedy"}
    assert first["severity"] == "will"
    assert sum(facts["counts"].values()) == len(facts["findings"])
    assert set(facts["facts"]) == {
        *("options", "machine", "environment", "torch", "state", "known"),
    }
