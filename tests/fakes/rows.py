"""Rows, runs and golden files for the tests of what is analysed and reported."""

from __future__ import annotations

import dataclasses
import math
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import pyarrow as pa

from bench.plan.case_id import case_id
from bench.records.record import Record, row, schema
from bench.records.warning_codes import Code
from bench.stats.crossing import Point
from bench.stats.ratio import Timed
from bench.store import journal, runs
from bench.store.load import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

WHEN = datetime(2026, 11, 23, 5, 2, 1, tzinfo=UTC)
RUN_ID = "20261123T050201Z-aaaaaa"
GOLDEN = Path(__file__).parents[1] / "golden"
HOSTILE = "<b onmouseover=\"alert('x')\">&amp;</script> %{y} ```|[red]"


CODES = {
    "no-interval": Code(
        code="no-interval", seen="nobody knows", cause="one worker", remedy="three"
    ),
    "noisy": Code(
        code="noisy",
        seen="the interval is wide",
        cause="a long explanation that has to go on in the next line at usual widths",
        remedy="--budget with more seconds",
    ),
    "unchecked": Code(code="unchecked", seen="compared with nothing", cause="x", remedy="y"),
}
"""Words of warnings for golden files, which so need no change when the real words are bettered."""


def valid(figure: dict[str, Any] | None) -> Any | None:
    """The figure as Plotly sees it, which raises where it doesn't know a property; None if there is none."""
    return None if figure is None else go.Figure(figure)


def record(suite: str = "matmul", op: str = "square", /, **values: Any) -> Record:
    """A measured case with a narrow interval, unless the values say otherwise."""
    params = {k: str(v) for k, v in values.pop("params", {"n": 16, "dtype": "float32"}).items()}
    time = values.pop("time_s", 1e-5)
    facts: dict[str, Any] = {
        "run_id": RUN_ID,
        "machine_id": "m-00000001",
        "machine": "Test machine",
        "suite": suite,
        "op": op,
        "case": case_id(suite, op, params),
        "device": "cpu",
        "device_name": "Test CPU",
        "dtype": params.get("dtype", "float32"),
        "params": params,
        "status": "ok",
        "time_s": time,
        "time_lo_s": None if time is None else time * 0.99,
        "time_hi_s": None if time is None else time * 1.01,
        "confidence": 0.95,
        "samples": 60,
        "workers": 3,
        "rounds": 5,
        "loops": 10,
        "correct": True,
        "threads": 2,
        "memory": "reuse",
        "torch_version": "2.13.0",
        "started_at": WHEN,
    }
    facts.update(values)
    if facts.get("flop") and facts["time_s"]:
        facts["flop_per_s"] = facts["flop"] / facts["time_s"]
    if facts.get("bytes") and facts["time_s"]:
        facts["bytes_per_s"] = facts["bytes"] / facts["time_s"]
    return Record(**facts)


def timed_at(
    size: float, time_s: float, low_s: float | None = None, high_s: float | None = None
) -> Point:
    """A side's time at a size, with an interval from many workers, or none."""
    known = Timed.between(time_s, low_s, high_s, confidence=0.95, least_freedom=math.inf)
    return Point(size, known)


def lost(
    status: str, reason: str | None, suite: str = "matmul", op: str = "square", /, **values: Any
) -> Record:
    """A case without a time."""
    empty = {"time_s": None, "samples": None, "workers": None, "rounds": None, "loops": None}
    facts = {**empty, "correct": None, "confidence": None, "status": status, "reason": reason}
    return record(suite, op, **{**facts, **values})


def table(records: Iterable[Record]) -> pa.Table:
    """The records as a file of a store holds them."""
    return pa.Table.from_pylist([row(r) for r in records], schema())


def values(records: Iterable[Record]) -> list[dict[str, Any]]:
    """The records as `load_values` gives them."""
    return plain(table(records))


def frame(records: Iterable[Record]) -> pd.DataFrame:
    """The records as `bench.load` gives them."""
    rows: pd.DataFrame = table(records).to_pandas()
    rows["params"] = rows["params"].map(dict)
    rows["warnings"] = rows["warnings"].map(list)
    return rows


def info(**values: Any) -> runs.RunInfo:
    """The identity of a run."""
    facts: dict[str, Any] = {
        "run_id": RUN_ID,
        "started_at": WHEN.isoformat(),
        "finished_at": "2026-11-23T05:03:34+00:00",
        "label": "before",
        "tags": {"branch": "main"},
        "argv": ["bench", "run", "matmul", "--preset", "quick"],
        "options": {"preset": "quick", "devices": ["cpu"], "suites": ["matmul"], "budget_s": 0.5},
        "machine": {"machine_id": "m-00000001", "name": "Test machine", "memory_bytes": 2**34},
        "environment": {"os": "Test OS", "git_dirty": False, "usable_cores": [0, 1]},
        "torch": {"version": "2.13.0", "cuda": None},
        "state": {"cpu_busy_share": 0.02, "frequency_hz": 2.6e9},
        "counts": {"ok": 1},
    }
    return runs.RunInfo(**{**facts, **values})


def stored(store: Path, records: Sequence[Record], **values: Any) -> runs.StoredRun:
    """A finished run folder with these records."""
    about = info(**values)
    folder = runs.begin(store, about)
    with journal.Journal(folder) as opened:
        for one in records:
            opened.write(journal.Entry(record=one, samples=()))
    return runs.finish(folder, about)


def example() -> list[Record]:
    """A small run in which most things happen."""
    found = []
    for dtype in ("float32", "bfloat16"):
        for n, time in ((16, 2.04e-6), (64, 7.31e-6), (1024, 2.11e-2)):
            params = {"n": n, "dtype": dtype}
            found.append(record(params=params, time_s=time, flop=2.0 * n**3, bytes=12.0 * n * n))
    wide = {"time_lo_s": 3e-6, "time_hi_s": 4e-6, "warnings": ("noisy", "unchecked")}
    bare = {"time_lo_s": None, "time_hi_s": None, "warnings": ("no-interval",)}
    spelt = {"n": 16, "call": "torch.mm", "dtype": "float32"}
    return [
        *found,
        record("matmul", "spelling", params=spelt, time_s=3.5e-6, **{**wide, "correct": None}),
        lost("timeout", "no answer within 60 s", params={"n": 4096, "dtype": "float32"}),
        record("view", "reshape", params={"n": 16}, time_s=4.2e-7, **bare),
        lost("failed", "RuntimeError: [red]boom[/red] <b>", "view", "reshape", params={"n": 64}),
        *(lost("skipped", "no fast kernel", "view", "t", params={"n": n}) for n in (1, 2, 3)),
    ]


def on(device: str, records: Iterable[Record]) -> list[Record]:
    """The same cases on another device, four times as fast."""

    def quick(time: float | None) -> float | None:
        return None if time is None else time / 4

    return [
        dataclasses.replace(
            r,
            device=device,
            device_name="Test GPU",
            time_s=quick(r.time_s),
            time_lo_s=quick(r.time_lo_s),
            time_hi_s=quick(r.time_hi_s),
            flop_per_s=r.flop_per_s and r.flop_per_s * 4,
            bytes_per_s=r.bytes_per_s and r.bytes_per_s * 4,
        )
        for r in records
    ]


def assert_golden(text: str, name: str) -> None:
    """The text is the golden file's; `BENCH_GOLDEN=write` makes the file anew, to be read in a diff."""
    path = GOLDEN / name
    if os.environ.get("BENCH_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text.splitlines() == path.read_text(encoding="utf-8").splitlines()
