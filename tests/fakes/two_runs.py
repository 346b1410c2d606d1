"""Rows of two runs that differ by a known factor, for the tests of what is compared."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from bench.analysis.compare.comparison import Comparison, compare
from tests.fakes import rows as fakes_report

if TYPE_CHECKING:
    from bench.records.record import Record
    from bench.store.runs import RunInfo

BASE, NEW = "20261123T050201Z-aaaaaa", "20261123T060201Z-bbbbbb"
MACHINE = {"machine_id": "m-00000001", "name": "Test machine"}


def timed(time_s: Any = 1e-5, width: Any = 0.01, **values: Any) -> Record:
    """A case with its time at reference, each with an interval of this half-width (at 95 %)."""
    facts = {
        "time_s": time_s,
        "time_lo_s": time_s * (1 - width),
        "time_hi_s": time_s * (1 + width),
        "time_at_reference_s": time_s,
        "time_at_reference_lo_s": time_s * (1 - width),
        "time_at_reference_hi_s": time_s * (1 + width),
        "reference_compute_s": 1e-4,
        "reference_barrier_s": 3e-6,
        "reference_share": 1.0,
        "sentinel_compute_s": 1e-4,
        "sentinel_barrier_s": 3e-6,
        "workers": 6,
        "rounds": 8,
    }
    return fakes_report.record(**{**facts, **values})


def run(run_id: str = BASE, **values: Any) -> RunInfo:
    """What a run says of itself: as much as it takes to be comparable."""
    facts: dict[str, Any] = {
        "run_id": run_id,
        "label": None,
        "machine": MACHINE,
        "torch": {"version": "2.13.0", "float32_matmul_precision": "highest"},
        "options": {"threads": 2, "cache": "hot", "suites": ["matmul"]},
        "suites": {"matmul": "f00"},
        "state": {},
    }
    return fakes_report.info(**{**facts, **values})


def elsewhere(row: Record, time_s: float) -> Record:
    """The row as it would be from a machine that was never at its reference."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("time_at_reference_s", "time_at_reference_lo_s", "time_at_reference_hi_s")
    )
    return dataclasses.replace(
        row,
        **nothing,
        time_s=time_s,
        time_lo_s=time_s * 0.97,
        time_hi_s=time_s * 1.03,
        reference_share=0.0,
        sentinel_barrier_s=4.65e-6,
        warnings=("other-state",),
    )


def example() -> Comparison:
    """A comparison in which most things happen."""

    def at(n: int) -> dict[str, Any]:
        return {"params": {"n": n, "dtype": "float32"}}

    steady, drifted = timed(2e-6, **at(16)), timed(4e-4, **at(256))
    before = [
        steady,
        timed(5e-6, **at(64)),
        drifted,
        timed(1e-2, **at(1024)),
        timed(8e-2, width=0.2, **at(2048)),
        timed(1e-1, **at(4096)),
        timed(3e-6, suite="view", op="view", case="view/view[n=16]"),
    ]
    after = [
        steady,
        timed(6e-6, **at(64)),
        dataclasses.replace(
            drifted, time_s=4.8e-4, time_lo_s=4.7e-4, time_hi_s=4.9e-4, sentinel_compute_s=1.2e-4
        ),
        elsewhere(timed(**at(1024)), 1.2e-2),
        timed(8.8e-2, width=0.2, **at(2048)),
        fakes_report.lost("timeout", "no answer within 60 s", **at(4096)),
        timed(2e-6, suite="view", op="view", case="view/view[n=16]"),
    ]
    torch = {"version": "2.13.0", "float32_matmul_precision": "highest", "blas": "mkl"}
    base = run(BASE, label="before", torch={**torch, "blas": "openblas"})
    return compare(before, after, base, run(NEW, label="after", torch=torch))
