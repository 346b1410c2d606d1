"""The row: one frozen dataclass that is also the one explicit Arrow schema, versioned.

A column is declared once, here, with its type and its meaning; the schema, the dictionary of columns
in `results/README.md` and the journal are made from it. Versions only ever add nullable columns.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SCHEMA_VERSION = 1
HOT, COLD = "hot", "cold"
"""What calls find in the caches: what the last one left there, or none of their data."""
STATUSES = ("ok", "failed", "timeout", "oom", "skipped")
FAILED = frozenset({"failed", "timeout", "oom"})
"""Statuses of a case that was tried and gave no time."""


def _column(kind: pa.DataType, meaning: str, default: Any = dataclasses.MISSING) -> Any:
    facts = {"type": kind, "meaning": meaning}
    if default is dataclasses.MISSING:
        return field(metadata=facts)
    return field(default=default, metadata=facts)


_TEXT = pa.string()
_REAL = pa.float64()
_WHOLE = pa.int64()
_TIMESTAMP = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of `cases.parquet`: a case on a device, in a run."""

    run_id: str = _column(_TEXT, "The run; ids sort by time.")
    machine_id: str = _column(_TEXT, "Hash of the hardware; a reboot does not change it.")
    machine: str = _column(_TEXT, "The machine's name, made from its hardware unless given.")
    suite: str = _column(_TEXT, "The suite.")
    op: str = _column(_TEXT, "The op within the suite.")
    case: str = _column(_TEXT, "The case's id, without device or machine, so that rows join on it.")
    device: str = _column(_TEXT, "`cpu`, `cuda`, `cuda:1`, …")
    device_name: str = _column(_TEXT, "The device's model.")
    dtype: str = _column(_TEXT, "The case's dtype, as torch names it.")
    params: Mapping[str, str] = _column(pa.map_(_TEXT, _TEXT), "Axis → value, as in the case's id.")
    status: str = _column(_TEXT, "`ok`, `failed`, `timeout`, `oom` or `skipped`.")
    reason: str | None = _column(_TEXT, "Why the status is not `ok`, in words.", None)
    warnings: tuple[str, ...] = _column(
        pa.list_(_TEXT), "Codes of what to distrust; `bench explain CODE` says more.", ()
    )
    time_s: float | None = _column(
        _REAL,
        "The headline: what a caller waits per call, in the state that `cache` names, in the turns at reference conditions where these are enough.",
        None,
    )
    time_lo_s: float | None = _column(_REAL, "Lower end of its interval.", None)
    time_hi_s: float | None = _column(_REAL, "Upper end of its interval.", None)
    confidence: float | None = _column(_REAL, "Confidence of the interval.", None)
    time_at_reference_s: float | None = _column(
        _REAL,
        "The headline brought to this machine's reference conditions, where there is a reference.",
        None,
    )
    time_at_reference_lo_s: float | None = _column(_REAL, "Lower end of its interval.", None)
    time_at_reference_hi_s: float | None = _column(_REAL, "Upper end of its interval.", None)
    reference_compute_s: float | None = _column(
        _REAL,
        "The compute sentinel at the reference that `time_at_reference_s` is brought to; for cases of CUDA that wait for the host, what a launch takes it there.",
        None,
    )
    reference_barrier_s: float | None = _column(
        _REAL, "The barrier sentinel at that reference; none with one thread.", None
    )
    reference_share: float | None = _column(
        _REAL, "Share of the turns (worker × round) that were at reference conditions.", None
    )
    noise_floor_share: float | None = _column(
        _REAL,
        "How far this case's headline lies apart between earlier runs of the same code in the store (standard deviation); empty with fewer than three.",
        None,
    )
    state_times_s: tuple[float, ...] = _column(
        pa.list_(_REAL), "Where the case has two times (`two-states`): both, the lower first.", ()
    )
    state_shares: tuple[float, ...] = _column(
        pa.list_(_REAL), "The share of the turns in which it had each of them.", ()
    )
    time_best_s: float | None = _column(_REAL, "The fastest sample.", None)
    time_p95_s: float | None = _column(_REAL, "95 % of the samples were no slower.", None)
    first_call_s: float | None = _column(
        _REAL, "The very first call in a fresh worker (median over workers).", None
    )
    samples: int | None = _column(_WHOLE, "Samples taken; all are in `samples.parquet`.", None)
    workers: int | None = _column(_WHOLE, "Fresh processes the samples come from.", None)
    rounds: int | None = _column(_WHOLE, "Rounds the samples come from.", None)
    stopped_by: str | None = _column(
        _TEXT,
        "Why measuring ended: `precise`, `no-gain`, `budget`, `timeout`, or `decided` (`bench ab`).",
        None,
    )
    loops: int | None = _column(_WHOLE, "Calls per sample (median over workers).", None)
    overhead_s: float | None = _column(
        _REAL, "What an empty call of the same shape costs; already subtracted.", None
    )
    drain_s: float | None = _column(
        _REAL,
        "What waiting for the device's queue to drain adds to a sample; already subtracted (CUDA).",
        None,
    )
    host_time_s: float | None = _column(
        _REAL, "What submitting a call costs the host (CUDA).", None
    )
    device_time_s: float | None = _column(_REAL, "The device's own time per call (CUDA).", None)
    graph_time_s: float | None = _column(
        _REAL,
        "The device's own time per call in a replayed graph, where the call can be recorded (CUDA).",
        None,
    )
    device_time_cold_s: float | None = _column(
        _REAL,
        "The device's own time per call after its caches were emptied, in a pass of its own (CUDA).",
        None,
    )
    profiled_time_s: float | None = _column(
        _REAL,
        "The device's own time per call by torch's profiler, as the sum of what ran; never the headline (CUDA).",
        None,
    )
    kernels: tuple[str, ...] = _column(
        pa.list_(_TEXT),
        "Names of the kernels, copies and fills that a call consists of, the longest first (CUDA).",
        (),
    )
    kernels_per_call: float | None = _column(
        _REAL, "How many of them run in a call, repetitions counted (CUDA).", None
    )
    bound_by: str | None = _column(
        _TEXT,
        "`launch` where the device waits for the host for a fifth of the time or more, else `device` (CUDA).",
        None,
    )
    gapless_share: float | None = _column(
        _REAL, "Share of the device's samples that are proven to have no launch gap (CUDA).", None
    )
    flop: float | None = _column(_REAL, "FLOP of one call, from the op's work model.", None)
    bytes: float | None = _column(
        _REAL, "Bytes one call must move, from the op's work model.", None
    )
    flop_per_s: float | None = _column(_REAL, "`flop / time_s`.", None)
    bytes_per_s: float | None = _column(_REAL, "`bytes / time_s`.", None)
    roof_share: float | None = _column(
        _REAL,
        "How close it came to the roof measured on this machine: the least time that it allows, over `time_s`.",
        None,
    )
    roof: str | None = _column(
        _TEXT, "Which roof: the one that allows no less (`float32 matmul`, `DRAM bandwidth`).", None
    )
    input_bytes: int | None = _column(_WHOLE, "Bytes of the tensors handed to the call.", None)
    peak_memory_bytes: int | None = _column(
        _WHOLE,
        "What one call takes beyond its inputs, at its peak. CPU: pages of the process (Linux); empty where it can't be told, as below 1 MiB. CUDA: by torch's allocator, to 512 bytes.",
        None,
    )
    sentinel_compute_s: float | None = _column(
        _REAL,
        "The compute sentinel in the same rounds; on CUDA a spin of a million cycles.",
        None,
    )
    sentinel_barrier_s: float | None = _column(
        _REAL, "The barrier sentinel in the same rounds.", None
    )
    sentinel_launch_s: float | None = _column(
        _REAL, "What submitting an empty kernel took the host in the same rounds (CUDA).", None
    )
    sentinel_memory_s: float | None = _column(
        _REAL, "The memory sentinel in the same rounds.", None
    )
    sm_clock_hz: float | None = _column(
        _REAL, "The GPU's SM clock (median over the looks that found it at work).", None
    )
    sm_clock_min_hz: float | None = _column(_REAL, "The lowest of these clocks.", None)
    power_w: float | None = _column(
        _REAL,
        "The GPU's power while it worked on this case alone; with `bench run --energy`.",
        None,
    )
    temperature_c: float | None = _column(
        _REAL, "The GPU's temperature in °C (median over all looks).", None
    )
    throttled_share: float | None = _column(
        _REAL,
        "Share of the looks in which the driver held the GPU's clocks down, for power, heat or hardware.",
        None,
    )
    other_processes: int | None = _column(
        _WHOLE,
        "Most processes on the GPU that are not this run's; empty where they can't be told apart, as in many containers.",
        None,
    )
    energy_j: float | None = _column(
        _REAL,
        "Energy per call by the GPU's own counter, idle power included; with `bench run --energy`.",
        None,
    )
    correct: bool | None = _column(pa.bool_(), "Whether the result met its reference.", None)
    max_error: float | None = _column(
        _REAL,
        "Largest deviation from the reference, as a share of the largest expected value.",
        None,
    )
    threads: int | None = _column(_WHOLE, "Threads a worker had.", None)
    cache: str | None = _column(
        _TEXT,
        "`hot`: calls back to back find their data where the last one left it. `cold`: the caches are emptied before each call, which is timed alone.",
        None,
    )
    torch_version: str | None = _column(_TEXT, "The torch that ran, with its build.", None)
    started_at: datetime = _column(_TIMESTAMP, "When the run began (UTC).")
    schema_version: int = _column(pa.int32(), "Version of this schema.", SCHEMA_VERSION)

    @property
    def op_id(self) -> str:
        """The op's full name, `suite/op`."""
        return f"{self.suite}/{self.op}"


LISTS = tuple(f.name for f in dataclasses.fields(Record) if pa.types.is_list(f.metadata["type"]))
"""Columns that hold a tuple in a record and a list everywhere else."""


def schema() -> pa.Schema:
    """The Arrow schema of `cases.parquet`: the fields of `Record`, in order."""
    fields = [pa.field(f.name, f.metadata["type"]) for f in dataclasses.fields(Record)]
    return pa.schema(fields, metadata={"schema_version": str(SCHEMA_VERSION)})


def meanings() -> dict[str, tuple[str, str]]:
    """Column → (Arrow type, meaning), for documents."""
    return {
        f.name: (str(f.metadata["type"]), f.metadata["meaning"]) for f in dataclasses.fields(Record)
    }


def row(record: Record) -> dict[str, Any]:
    """The record as Arrow takes it."""
    values = {f.name: getattr(record, f.name) for f in dataclasses.fields(Record)}
    lists = {name: list(values[name]) for name in LISTS}
    return {**values, **lists, "params": list(record.params.items())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One row of `samples.parquet`: `loops` calls between two readings of the clock."""

    case: str = _column(_TEXT, "The case's id.")
    device: str = _column(_TEXT, "The device.")
    worker: int = _column(pa.int32(), "Which fresh process took it.")
    round: int = _column(pa.int32(), "In which round.")
    at_s: float = _column(_REAL, "When it began, in seconds since the run began.")
    loops: int = _column(_WHOLE, "Calls between the two readings.")
    elapsed_s: float = _column(_REAL, "Time between the two readings, as it was read.")
    time_s: float = _column(_REAL, "Per call, with the cost of an empty call subtracted.")
    cpu_s: float | None = _column(_REAL, "CPU time of the process meanwhile, all threads.", None)
    minor_faults: int | None = _column(_WHOLE, "Page faults meanwhile that needed no disk.", None)
    involuntary_switches: int | None = _column(
        _WHOLE, "Times the process was made to give up a core meanwhile.", None
    )
    device_s: float | None = _column(
        _REAL, "The device's own time per call, in a sample of its own beside this one.", None
    )
    host_s: float | None = _column(_REAL, "What submitting a call took, in that one.", None)
    gapless: bool | None = _column(
        pa.bool_(), "Whether that one is proven to have no launch gap in it.", None
    )
    sentinel_compute_s: float | None = _column(
        _REAL, "The compute sentinel in the worker's turn: the mean of its beginning and end.", None
    )
    sentinel_barrier_s: float | None = _column(
        _REAL, "The barrier sentinel in the worker's turn: the mean of its beginning and end.", None
    )
    sentinel_launch_s: float | None = _column(
        _REAL,
        "What submitting an empty kernel took the host, as the mean of two looks (CUDA).",
        None,
    )
    load_1m: float | None = _column(
        _REAL,
        "Processes that ran or waited for a core, averaged by the system over the minute before.",
        None,
    )


def sample_schema() -> pa.Schema:
    """The Arrow schema of `samples.parquet`."""
    fields = [pa.field(f.name, f.metadata["type"]) for f in dataclasses.fields(Sample)]
    return pa.schema(fields, metadata={"schema_version": str(SCHEMA_VERSION)})


def sample_meanings() -> dict[str, tuple[str, str]]:
    """Column → (Arrow type, meaning) of `samples.parquet`."""
    return {
        f.name: (str(f.metadata["type"]), f.metadata["meaning"]) for f in dataclasses.fields(Sample)
    }
