"""One rule says why a row's time may not be used; each use of times names what else bars them."""

from __future__ import annotations

from typing import Any

import pytest

from bench.analysis.usable import FOR_INTERVALS, FOR_OPS, FOR_ROOFS, failure, unusable
from bench.records.record import FAILED, STATUSES
from tests.fakes.rows import lost, record

BELOW, ODD = "below-overhead", "implausible"


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, (None, None, None)),
        ({"warnings": ("noisy", "two-states", "unchecked"), "correct": None}, (None, None, None)),
        ({"bound_by": "launch"}, (None, None, None)),
        ({"correct": False}, ("wrong-result",) * 3),
        ({"warnings": ("wrong-result",), "correct": None}, ("wrong-result",) * 3),
        ({"warnings": (BELOW,)}, (None, BELOW, BELOW)),
        ({"warnings": ("unchecked", BELOW), "time_s": 0.0}, ("no time", BELOW, BELOW)),
        ({"warnings": (ODD,)}, (None, None, ODD)),
        ({"warnings": (BELOW,), "correct": False}, ("wrong-result",) * 3),
        ({"time_s": None}, ("no time",) * 3),
        ({"time_s": -1e-9}, ("no time",) * 3),
        ({"status": "oom", "time_s": None, "correct": None}, ("oom",) * 3),
        ({"status": "failed", "time_s": 1.0, "correct": False}, ("failed",) * 3),
        ({"status": "skipped", "time_s": None}, ("skipped",) * 3),
    ],
)
def test_why_a_time_may_not_be_used(
    changes: dict[str, Any], reasons: tuple[str | None, ...]
) -> None:
    """For intervals, for ops, for roofs; the reason is what bars the row, not its first warning."""
    row = record(**changes)
    uses = (FOR_INTERVALS, FOR_OPS, FOR_ROOFS)
    assert tuple(unusable(row, barred=barred) for barred in uses) == reasons


def test_a_wrong_result_is_a_failure_and_a_skip_is_none() -> None:
    """Whoever counts failures counts both kinds."""
    assert {s for s in STATUSES if failure(lost(s, "why"))} == FAILED
    assert failure(record(correct=False)) == "wrong-result"
    assert failure(record(warnings=(BELOW, ODD))) is None
