"""Files of pytest-benchmark as its versions write them, made up."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TIMES = (4e-6, 1e-6, 2e-6, 9e-6, 3e-6)
MEDIAN_S = 3e-6


def benchmark(
    fullname: str = "tests/test_sort.py::test_sort[10]",
    times: Sequence[float] = TIMES,
    *,
    data: bool = True,
    **changes: Any,
) -> dict[str, Any]:
    """One benchmark; without `data`, as `--benchmark-json` leaves it out where `--benchmark-save` does."""
    stats: dict[str, Any] = {
        "min": min(times),
        "max": max(times),
        "mean": statistics.mean(times),
        "stddev": 0.0,
        "rounds": len(times),
        "median": statistics.median(times),
        "iqr": 0.0,
        "q1": 1e-6,
        "q3": 2e-6,
        "hd15iqr": 1e9,
        "ld15iqr": 1e9,
        "outliers": "0;0",
        "ops": 1.0,
        "iterations": 5,
    }
    known = {
        "group": None,
        "name": fullname.rpartition("::")[2],
        "fullname": fullname,
        "params": {"n": 10} if "[" in fullname else None,
        "param": "10" if "[" in fullname else None,
        "extra_info": {},
        "options": {},
        "stats": {**stats, "data": list(times)} if data else stats,
    }
    return {**known, **changes}


def document(*benchmarks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A whole file."""
    known = {
        "machine_info": {
            "node": "secret-host",
            "processor": "x86_64",
            "machine": "x86_64",
            "python_implementation": "CPython",
            "python_version": "3.12.1",
            "system": "Linux",
            "release": "6.1.0",
            "cpu": {"brand_raw": "Test CPU", "count": 8, "hz_actual_friendly": "2.6 GHz"},
        },
        "commit_info": {"id": COMMIT, "dirty": False, "branch": "main"},
        "benchmarks": list(benchmarks or (benchmark(),)),
        "datetime": "2026-03-04T05:06:07.890000+00:00",
        "version": "5.3.1",
    }
    return {**known, **changes}
