"""The memory budget: how much the inputs of a batch may take, and what is said of what takes more."""

from __future__ import annotations

import math

import pytest

from bench.plan.schedule import MemoryBudget

BUDGET = MemoryBudget(memory_bytes=4e9, device_memory_bytes={"cuda": 16_000_000_000}, workers=4)


def test_inputs_share_the_cpus_memory_and_half_of_a_devices() -> None:
    """All workers are alive together; what is not known is not limited."""
    assert (BUDGET.all_bytes("cpu"), BUDGET.worker_bytes("cpu")) == (4e9, 1e9)
    assert (BUDGET.all_bytes("cuda"), BUDGET.worker_bytes("cuda")) == (8e9, 2e9)
    assert BUDGET.worker_bytes("cuda:7") == math.inf


@pytest.mark.parametrize(
    ("device", "needed", "exact", "reason"),
    [
        ("cpu", 10**9, True, ""),
        ("cuda", 10**9, True, ""),
        (
            "cpu",
            2 * 10**9,
            True,
            (
                "inputs take 1.86 GiB in each of 4 workers; 3.73 GiB may be used: "
                "use --workers 2 or smaller sizes"
            ),
        ),
        (
            "cpu",
            5 * 10**9,
            False,
            (
                "inputs take at least 4.66 GiB in each of 4 workers; 3.73 GiB may be used: "
                "use smaller sizes"
            ),
        ),
    ],
    ids=["fits", "fits on a GPU", "fewer workers help", "nothing but smaller sizes helps"],
)
def test_a_refusal_names_both_sizes_and_what_would_help(
    *, device: str, needed: int, exact: bool, reason: str
) -> None:
    """Fewer workers, where these would do."""
    assert BUDGET.refusal(device, needed, exact=exact) == reason


def test_one_worker_is_not_advised_to_have_fewer() -> None:
    """There is only one."""
    alone = MemoryBudget(memory_bytes=100.0, device_memory_bytes={}, workers=1)
    assert alone.refusal("cpu", 200, exact=True) == (
        "inputs take 200 B; 100 B may be used: use smaller sizes"
    )
