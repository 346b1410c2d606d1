"""Cases under the profiler, in a worker that times nothing afterwards: beside the headline, never part of it.

The worker writes a trace and says nothing else; what ran is read from the trace.
"""

from __future__ import annotations

import gzip
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import StoreError
from bench.machine import hardware
from bench.pool.protocol import Refused
from bench.records.kernel_trace import TraceProfile, activity, events_of
from bench.store import atomic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.plan.plan import PlannedCase
    from bench.pool.pool import WorkerPool

_NOBODYS = ("host_name", "traceName")
"""What a trace says of the machine that made it and is of no use to a reader: traces are sent on."""


def profile(
    pool: WorkerPool, case: PlannedCase, calls: int, out: Path, timeout_s: float
) -> TraceProfile | Refused:
    """Profile a case and keep its trace.

    Args:
        pool: its first worker must not have profiled anything before.
        case: what to call.
        calls: how often, after warming up.
        out: the folder for the trace, made if there is none; one of the same case is replaced.
        timeout_s: how long all of it may take.

    Returns:
        What ran, or why the case can't be profiled.

    Raises:
        StoreError: `out` can't be written.
        WorkerError: the worker can't start.
    """
    kept = trace_path(out, case)
    _make(out)  # before anything is measured
    hello = pool.hello(0)
    trace = traced(pool, [case], [calls], timeout_s)
    if isinstance(trace, Refused):
        return trace
    keep(trace, kept)
    names = {"cpu": hardware.read_machine().cpu_model, **hello.device_names}
    return TraceProfile(
        case=case.id,
        device=case.device,
        device_name=names.get(case.device, case.device),
        torch_version=str(hello.torch["version"]),
        threads=int(hello.torch["threads"]),
        activity=activity(events_of(trace), calls, case.device),
        trace=str(kept),
    )


def traced(
    pool: WorkerPool, cases: Sequence[PlannedCase], calls: Sequence[int], timeout_s: float
) -> dict[str, Any] | Refused:
    """The trace of some cases of one device, each called so often, or why there is none."""
    with tempfile.TemporaryDirectory(prefix="bench-profile-") as folder:
        raw = Path(folder) / "trace.json"
        reply = pool.profile(0, cases, calls, str(raw), timeout_s)
        if isinstance(reply, Refused):
            return reply
        try:
            trace: dict[str, Any] = json.loads(raw.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = f"the profiler left no trace that can be read: {type(error).__name__}: {error}"
            return Refused(status="failed", reason=reason)
        return trace


def trace_path(out: Path, case: PlannedCase) -> Path:
    """`profile-matmul-square-n=64-dtype=float32-cpu.json.gz` in a folder: what any system takes as a name."""
    name = re.sub(r"[^\w.=]+", "-", f"profile-{case.id.removesuffix(']')}-{case.device}")
    return out / f"{name}.json.gz"


def keep(trace: dict[str, Any], path: Path) -> None:
    """Write a trace, compressed; whoever looks for it finds all of it or none.

    Raises:
        StoreError: it can't be written.
    """
    facts = {key: value for key, value in trace.items() if key not in _NOBODYS}
    try:
        atomic.write(path, gzip.compress(json.dumps(facts).encode()))
    except OSError as error:
        raise StoreError(_unwritable(path.parent, error)) from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(_unwritable(folder, error)) from error


def _unwritable(folder: Path, error: OSError) -> str:
    return f"{folder} can't be written: {error.strerror}; choose another with --out"
