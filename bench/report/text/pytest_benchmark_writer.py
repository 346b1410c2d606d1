"""A run as pytest-benchmark's JSON, for its tables and comparisons; the one place that knows how our rows look there.

Its statistics are made by its own code from our samples, as if these were independent; the number of record
stands beside them in `extra_info`.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
from typing import TYPE_CHECKING, Any

from bench.errors import SelectionError
from bench.records.record import LISTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.records.record import Record
    from bench.store.runs import RunInfo

    Key = tuple[str, str]

_TEST = "suites/test_quick.py::test_quick"
"""The test that measures a case in pytest, so that both doors' files line up."""


def extra_info(record: Record) -> dict[str, Any]:
    """What pytest-benchmark's JSON keeps beside its own statistics: our row, without empty columns."""
    facts = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    facts = {k: v for k, v in facts.items() if v is not None and k not in {"run_id", "started_at"}}
    lists = {name: list(facts[name]) for name in LISTS if facts[name]}
    facts = {k: v for k, v in facts.items() if k not in LISTS}
    return {**facts, **lists, "params": dict(record.params)}


def exported(
    records: Sequence[Record], samples: Mapping[Key, Sequence[float]], info: RunInfo
) -> str:
    """The run's cases that have samples; ends with a newline.

    Args:
        records: its rows.
        samples: case and device → seconds per call, in the order taken.
        info: its manifest.

    Raises:
        SelectionError: no case has samples, without which that format says nothing.
    """
    benchmarks = [
        _benchmark(record, samples[record.case, record.device])
        for record in records
        if record.status == "ok" and len(samples.get((record.case, record.device), ()))
    ]
    if not benchmarks:
        message = f"run {info.run_id} has no samples, and pytest-benchmark's format is made of them; use json"
        raise SelectionError(message)
    document = {
        "machine_info": _machine(info),
        "commit_info": _commit(info),
        "benchmarks": benchmarks,
        "datetime": info.started_at,
        "version": importlib.metadata.version("pytest-benchmark"),
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def left_out(records: Sequence[Record], samples: Mapping[Key, Sequence[float]]) -> int:
    """How many cases that format has no place for: failed, skipped, or without samples."""
    return sum(r.status != "ok" or not len(samples.get((r.case, r.device), ())) for r in records)


def _benchmark(record: Record, times: Sequence[float]) -> dict[str, Any]:
    from pytest_benchmark.stats import Stats  # noqa: PLC0415 - of use for this format alone

    stats: Any = Stats()  # type: ignore[no-untyped-call]  # it ships no types
    for time_s in times:
        stats.update(float(time_s))
    where = record.case if record.device == "cpu" else f"{record.case}-{record.device}"
    return {
        "group": record.op_id,
        "name": f"test_quick[{where}]",
        "fullname": f"{_TEST}[{where}]",
        "params": {"case_id": record.case},
        "param": where,
        "extra_info": extra_info(record),
        "options": {"timer": "bench"},
        "stats": {
            **stats.as_dict(),
            "data": stats.data,
            "iterations": record.loops or 1,
        },
    }


def _machine(info: RunInfo) -> dict[str, Any]:
    """Our facts by its names; no host's name, which would be private, and no clock of the moment."""
    machine, environment = info.machine, info.environment
    python, _, version = str(environment.get("python") or "").partition(" ")
    return {
        "node": machine.get("name"),
        "processor": machine.get("cpu_model"),
        "machine": machine.get("architecture"),
        "python_implementation": python,
        "python_version": version,
        "system": environment.get("os"),
        "release": environment.get("kernel"),
        "cpu": {"brand_raw": machine.get("cpu_model"), "count": machine.get("logical_cores")},
    }


def _commit(info: RunInfo) -> dict[str, Any]:
    """The commit as far as a run notes it: neither its branch nor its author."""
    return {
        "id": info.environment.get("git_commit"),
        "dirty": info.environment.get("git_dirty"),
    }
