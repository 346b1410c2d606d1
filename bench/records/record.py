"""Record: a row of results, a frozen dataclass that is also the one explicit Arrow schema, versioned.

A column is declared once, here, with its type and its meaning; the schema, the dictionary of columns
in `results/README.md` and the journal are made from it. Versions only ever add nullable columns.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bench.records import codec, memory_policy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SCHEMA_VERSION = 1
STATUSES = ("ok", "failed", "timeout", "oom", "skipped")
FAILED = frozenset({"failed", "timeout", "oom"})
"""The statuses of a case that was tried in vain: a program that ran it ends with an exit code of its own."""
LAUNCH, DEVICE = BOUND_BY = ("launch", "device")
"""What a caller of a case on a GPU waits for: the host, that launches its work, or the device, that does it."""
LAUNCH_BOUND_IDLE_SHARE = 0.2
"""A case is launch-bound if the device idles for more than this share of the time. Short gaps are in a full
queue too; a fifth is what the host must cost before launching less is worth the trouble."""


def _column(kind: pa.DataType, meaning: str, default: Any = dataclasses.MISSING) -> Any:
    return field(default=default, metadata={"type": kind, "meaning": meaning})


_TEXT = pa.string()
_REAL = pa.float64()
_WHOLE = pa.int64()
_FLOAT_BITS = sys.float_info.max_exp - 1
_TIMESTAMP = pa.timestamp("us", tz="UTC")


def _real(meaning: str) -> Any:
    """A number that may be missing."""
    return _column(_REAL, meaning, None)


def _whole(meaning: str) -> Any:
    """A whole number that may be missing."""
    return _column(_WHOLE, meaning, None)


def _text(meaning: str) -> Any:
    """A text that may be missing."""
    return _column(_TEXT, meaning, None)


def _texts(meaning: str) -> Any:
    """Any number of texts."""
    return _column(pa.list_(_TEXT), meaning, ())


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
    reason: str | None = _text(
        "Why the status is not `ok`, or what was noted of the result, in words."
    )
    warnings: tuple[str, ...] = _texts(
        "Codes of what may be wrong with the row; `bench explain CODE` says more."
    )
    time_s: float | None = _real(
        "The headline: what a caller waits per call, in the state that `cache` names, from the cells in the reference state where these are enough."
    )
    time_lo_s: float | None = _real("Lower end of its interval.")
    time_hi_s: float | None = _real("Upper end of its interval.")
    confidence: float | None = _real("Confidence of the interval.")
    time_at_reference_s: float | None = _real(
        "The headline converted to this machine's reference state, where there is one."
    )
    time_at_reference_lo_s: float | None = _real("Lower end of its interval.")
    time_at_reference_hi_s: float | None = _real("Upper end of its interval.")
    reference_compute_s: float | None = _real(
        "The compute sentinel in the reference state that `time_at_reference_s` is converted to; for cases of CUDA that wait for the host, the time of a launch in that state."
    )
    reference_barrier_s: float | None = _real(
        "The barrier sentinel in that state; none with one thread."
    )
    reference_share: float | None = _real(
        "Share of the cells (worker × round) that were in the reference state, preempted ones left out."
    )
    noise_floor_share: float | None = _real(
        "How far this case's headline differs between earlier runs of the same code in the store (standard deviation); empty with fewer than three."
    )
    state_times_s: tuple[float, ...] = _column(
        pa.list_(_REAL),
        "Where the case has two times (`two-states`, `page-faults`): both, the lower first.",
        (),
    )
    state_shares: tuple[float, ...] = _column(
        pa.list_(_REAL), "The share of the cells in which it had each of them.", ()
    )
    state_faults: tuple[float, ...] = _column(
        pa.list_(_REAL),
        "Page faults per call in each of the two, where these tell them apart (`page-faults`).",
        (),
    )
    preempted_share: float | None = _real(
        "Share of the cells in which other programs took the cores: switched out in half of their samples, and short of CPU time. They are in no estimate where enough others are left."
    )
    time_best_s: float | None = _real("The fastest sample.")
    time_p95_s: float | None = _real("95 % of the samples were no slower.")
    first_call_s: float | None = _real(
        "The very first call in a fresh worker (median over workers)."
    )
    fresh_time_s: float | None = _real(
        "What a call takes whose results lie in fresh memory: `time_s` times the median ratio of seven pairs of calls, in a pass of its own (CPU, where memory is reused; of each op the case that moves most)."
    )
    fresh_time_lo_s: float | None = _real("The same with the least of these ratios.")
    fresh_time_hi_s: float | None = _real("The same with the largest.")
    samples: int | None = _whole("Samples taken; all are in `samples.parquet`.")
    workers: int | None = _whole("Fresh processes the samples come from.")
    rounds: int | None = _whole("Rounds the samples come from.")
    stopped_by: str | None = _text(
        "Why measuring ended: `precise`, `no-gain`, `budget`, `timeout`, or `decided` (`bench ab`)."
    )
    loops: int | None = _whole("Calls per sample (median over workers).")
    overhead_s: float | None = _real(
        "What an empty call of the same shape costs; already subtracted."
    )
    drain_s: float | None = _real(
        "What waiting for the device's queue to drain adds to a sample; already subtracted (CUDA)."
    )
    host_time_s: float | None = _real("What submitting a call costs the host (CUDA).")
    device_time_s: float | None = _real("The device's own time per call (CUDA).")
    graph_time_s: float | None = _real(
        "The device's own time per call in a replayed graph, where the call can be recorded (CUDA)."
    )
    device_time_cold_s: float | None = _real(
        "The device's own time per call after its caches were emptied, in a pass of its own (CUDA)."
    )
    profiled_time_s: float | None = _real(
        "The device's own time per call by torch's profiler, as the sum of what ran; never the headline (CUDA)."
    )
    kernels: tuple[str, ...] = _texts(
        "Names of the kernels, copies and fills that a call consists of, the longest first (CUDA)."
    )
    kernels_per_call: float | None = _real(
        "How many of them run in a call, repetitions counted (CUDA)."
    )
    bound_by: str | None = _text(
        "`launch` where the device waits for the host for a fifth of the time or more, else `device` (CUDA)."
    )
    gapless_share: float | None = _real(
        "Share of the device's samples that are proven to have no launch gap (CUDA)."
    )
    flop: float | None = _real("FLOP of one call, from the op's work model.")
    bytes: float | None = _real("Bytes one call must move, from the op's work model.")
    flop_per_s: float | None = _real("`flop / time_s`.")
    bytes_per_s: float | None = _real("`bytes / time_s`.")
    roof_share: float | None = _real(
        "How close it came to the roof measured on this machine: the least time that it allows, over `time_s`."
    )
    roof: str | None = _text(
        "Which roof: the one that allows no less (`float32 matmul`, `DRAM bandwidth`)."
    )
    input_bytes: int | None = _whole("Bytes of the tensors handed to the call.")
    peak_memory_bytes: int | None = _whole(
        "What one call takes beyond its inputs, at its peak. CPU: pages of the process (Linux); empty where it can't be measured, as below 1 MiB. CUDA: by torch's allocator, to 512 bytes."
    )
    sentinel_compute_s: float | None = _real(
        "The compute sentinel in the same rounds; on CUDA a spin of a million cycles."
    )
    sentinel_barrier_s: float | None = _real("The barrier sentinel in the same rounds.")
    sentinel_launch_s: float | None = _real(
        "What submitting an empty kernel took the host in the same rounds (CUDA)."
    )
    sentinel_memory_s: float | None = _real("The memory sentinel in the same rounds.")
    sm_clock_hz: float | None = _real(
        "The GPU's SM clock (median over the readings that found it at work)."
    )
    sm_clock_min_hz: float | None = _real("The lowest of these clocks.")
    power_w: float | None = _real(
        "The GPU's power while it worked on this case alone; with `bench run --energy`."
    )
    temperature_c: float | None = _real("The GPU's temperature in °C (median over all readings).")
    throttled_share: float | None = _real(
        "Share of the readings in which the driver held the GPU's clocks down, for power, heat or hardware."
    )
    other_processes: int | None = _whole(
        "Most processes on the GPU that are not this run's; empty where they can't be distinguished, as in many containers."
    )
    energy_j: float | None = _real(
        "Energy per call by the GPU's own counter, idle power included; with `bench run --energy`."
    )
    correct: bool | None = _column(
        pa.bool_(),
        "Whether the result met its reference; empty where that was not looked at (`unchecked`) or shows nothing (`vacuous-check`).",
        None,
    )
    max_error: float | None = _real(
        "Largest deviation from the reference, as a share of the largest expected value."
    )
    threads: int | None = _whole("Threads the case had: the run's, or those of its axis `threads`.")
    cache: str | None = _text(
        "`hot`: calls back to back find their data where the last one left it. `cold`: the caches are emptied before each call, which is timed alone."
    )
    memory: str | None = _text(
        "`reuse`: results are written to memory that was used before. `fresh`: large results to fresh pages. `system`: as the C library and the system do it. Rows that name none count as `system` on the CPU, else as `reuse`."
    )
    torch_version: str | None = _text("The torch that ran, with its build.")
    label: str | None = _text("The run's label.")
    tags: Mapping[str, str] | None = _column(
        pa.map_(_TEXT, _TEXT), "The run's tags; empty where it has none.", None
    )
    git_commit: str | None = _text("The commit of the code that was measured, where it is in git.")
    fingerprint: str | None = _text(
        "Hash of the op's code and of what it uses in its file, without comments, or its version; equal ones are the same code."
    )
    mode: str | None = _text(
        "How the function is called: `eager`, `compile`, `compile:max-autotune`, `graph`, `autocast`, …; rows that name none are eager."
    )
    compile_s: float | None = _real(
        "What compiling took the first worker, with an empty cache of compiled code: its first call less a later one. In no time of the row."
    )
    compile_cached_s: float | None = _real(
        "The same in the other workers (median), which find the first one's code in the cache."
    )
    graph_breaks: int | None = _whole(
        "Graph breaks of `torch.compile` while this case was built and called."
    )
    recompiles: int | None = _whole(
        "Compilations of `torch.compile` beyond the first of each function while this case was built and called."
    )
    state_changed: tuple[str, ...] = _texts(
        "Global settings of torch that building or calling the case changed; they were put back."
    )
    python_warnings: tuple[str, ...] = _texts(
        "Python's warnings that were raised while the case was built or called, each once."
    )
    started_at: datetime = _column(_TIMESTAMP, "When the run began (UTC).")
    schema_version: int = _column(pa.int32(), "Version of this schema.", SCHEMA_VERSION)

    @property
    def op_id(self) -> str:
        """Suite and op: `matmul/square`."""
        return f"{self.suite}/{self.op}"

    @property
    def memory_policy(self) -> str:
        """`memory`, also of a row that names none."""
        return self.memory or memory_policy.on(self.device)

    @property
    def vacuous(self) -> bool:
        """Whether its result equals its reference, which shows nothing: compared, but not called correct."""
        return self.correct is None and self.max_error is not None


LISTS = tuple(f.name for f in dataclasses.fields(Record) if pa.types.is_list(f.metadata["type"]))
"""Columns that hold a tuple in a record and a list everywhere else."""
MAPS = tuple(f.name for f in dataclasses.fields(Record) if pa.types.is_map(f.metadata["type"]))
"""Columns that hold a mapping from text to text."""


def row(record: Record) -> dict[str, Any]:
    """The record as Arrow takes it.

    A work model counts in Python's whole numbers, which know no limit: they become the nearest float, and a
    size that no 64 bits hold is left out.
    """
    values = {
        f.name: _held(f.metadata["type"], getattr(record, f.name))
        for f in dataclasses.fields(Record)
    }
    lists = {name: list(values[name]) for name in LISTS}
    maps = {name: list(values[name].items()) for name in MAPS if values[name] is not None}
    return {**values, **lists, **maps}


def _held(kind: pa.DataType, value: Any) -> Any:
    """The value as a column of this type can hold it."""
    if not isinstance(value, int):
        return value
    if kind == _REAL:
        return float(value) if value.bit_length() <= _FLOAT_BITS else math.inf
    return None if kind == _WHOLE and value.bit_length() >= _WHOLE.bit_width else value


def record_of(values: Mapping[str, Any]) -> Record:
    """The record of a row's plain values, out of Arrow or JSON; columns unknown to this version are ignored.

    Raises:
        TypeError: columns without a default are missing, or a value is of another kind.
        ValueError: `started_at` is no time.
    """
    maps = {name: dict(values[name]) for name in MAPS if values.get(name)}
    texts = {name: {str(k): str(v) for k, v in one.items()} for name, one in maps.items()}
    return codec.decode(Record, {**values, "params": {}, **texts})


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
    cpu_s: float | None = _real("CPU time of the process meanwhile, all threads.")
    minor_faults: int | None = _whole("Page faults meanwhile that needed no disk.")
    involuntary_switches: int | None = _whole(
        "Times the process was made to give up a core meanwhile."
    )
    device_s: float | None = _real(
        "The device's own time per call, in a sample of its own beside this one."
    )
    host_s: float | None = _real("What submitting a call took, in that one.")
    gapless: bool | None = _column(
        pa.bool_(), "Whether that one is proven to have no launch gap in it.", None
    )
    sentinel_compute_s: float | None = _real(
        "The compute sentinel in the worker's visits of this round: the mean of the times before and after."
    )
    sentinel_barrier_s: float | None = _real(
        "The barrier sentinel in the worker's visits of this round: the mean of the times before and after."
    )
    sentinel_launch_s: float | None = _real(
        "What submitting an empty kernel took the host, as the mean of the times before and after (CUDA)."
    )
    load_1m: float | None = _real(
        "Processes that ran or waited for a core, averaged by the system over the minute before."
    )


def schema(kind: type[Record | Sample] = Record) -> pa.Schema:
    """The Arrow schema of `cases.parquet`, or with `Sample` of `samples.parquet`: the fields, in order."""
    fields = [pa.field(f.name, f.metadata["type"]) for f in dataclasses.fields(kind)]
    return pa.schema(fields, metadata={"schema_version": str(SCHEMA_VERSION)})


def meanings(kind: type[Record | Sample] = Record) -> dict[str, tuple[str, str]]:
    """Column → (Arrow type, meaning) of the same files, for documents."""
    facts = {f.name: f.metadata for f in dataclasses.fields(kind)}
    return {name: (str(one["type"]), one["meaning"]) for name, one in facts.items()}
