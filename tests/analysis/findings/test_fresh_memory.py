"""What fresh memory costs is said of the case that loses most, and no stronger than its pairs allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.findings import findings
from bench.analysis.findings.fresh_memory import page_faults
from tests.fakes.rows import example, lost, record

if TYPE_CHECKING:
    from bench.records.record import Record


def fresh(
    n: int = 4096, time_s: float = 1.6e-3, times: float = 8.0, spread: float = 1.1, **values: Any
) -> Record:
    """A product that takes so many times as long in fresh memory."""
    fresh_s = time_s * times
    return record(
        "mul",
        "matrices",
        params={"n": n, "dtype": "float32"},
        time_s=time_s,
        fresh_time_s=fresh_s,
        fresh_time_lo_s=fresh_s / spread,
        fresh_time_hi_s=fresh_s * spread,
        **values,
    )


def gpu(time_s: float, n: int = 4096) -> Record:
    """The same product on a GPU."""
    values: dict[str, Any] = {"device": "cuda", "device_name": "Test CUDA"}
    return record("mul", "matrices", params={"n": n, "dtype": "float32"}, time_s=time_s, **values)


def test_the_case_that_loses_most_is_named() -> None:
    """With both times and the share, and how many others lose as much."""
    assert page_faults([fresh()]) == (
        "In fresh memory mul/matrices n=4096 float32 takes 13 ms instead of 1.6 ms: at least 86 % of that is page faults."
    )
    rows = [fresh(256, 1e-5), fresh(), fresh(512, 1e-2, times=1.02), record()]
    assert page_faults(rows) == (
        "In fresh memory mul/matrices n=4096 float32 takes 13 ms instead of 1.6 ms: at least 86 % of that is page faults, "
        "and most of the time in 2 of 3 cases."
    )


def test_of_a_gpu_s_lead_so_much_is_page_faults() -> None:
    """A case that both devices have comes first, and the CPU's share of the lead is told."""
    rows = [fresh(8192, 9e-3), fresh(), gpu(6.4e-5)]
    assert page_faults(rows) == (
        "In fresh memory mul/matrices n=4096 float32 on cpu takes 13 ms instead of 1.6 ms: at least 86 % of that is page faults, "
        "and most of the time in 2 of 2 cases. "
        "The GPU (cuda) is 200 times as fast as that, 25 times as fast as a CPU that reuses its memory: "
        "at least 87 % of the time that it saves is page faults."
    )


@pytest.mark.parametrize(
    ("gpu_s", "end"),
    [
        (
            3.2e-3,
            (
                "The GPU (cuda) is 4.0 times as fast as that, 0.50 times as fast as a CPU that reuses its memory: "
                "all of the time that it saves is page faults."
            ),
        ),
        (0.1, "at least 86 % of that is page faults."),
        (1.2e-2, "at least 86 % of that is page faults."),
    ],
    ids=["no lead over reused memory", "no lead", "unsure"],
)
def test_a_lead_is_told_where_there_is_one(gpu_s: float, end: str) -> None:
    """A GPU that is slower than a CPU that reuses its memory leads by page faults alone; one that is slower than both, not."""
    assert str(page_faults([fresh(), gpu(gpu_s)])).endswith(end)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        example(),
        [lost("failed", "x")],
        [fresh(times=1.2)],
        [fresh(times=1.3, spread=1.2)],
        [fresh(correct=False)],
        [fresh(warnings=("below-overhead",))],
    ],
)
def test_nothing_is_said_without_a_sure_cost(rows: list[Record]) -> None:
    """No pass, hardly any cost, pairs that differ too much, or a time that is of no use."""
    assert page_faults(rows) is None


def test_it_is_among_the_findings() -> None:
    """Before the doubts."""
    said = findings.findings([fresh(), record(warnings=("noisy",))])
    places = [place for place, text in enumerate(said) if text.startswith(("In fresh", "1 of 2"))]
    assert len(places) == 2
    assert said[places[0]].startswith("In fresh memory")
