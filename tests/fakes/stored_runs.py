"""Runs that nobody measured: rows and samples shaped like a real run's, from a plan and a seed.

They are for what reads rows: pages of any size, with a GPU that no machine of the project has.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bench.plan.case_id import case_id
from bench.plan.discover import load_all
from bench.plan.plan import expand
from bench.plan.selection import Selection
from bench.records.record import STATUSES, Record, Sample, row, schema
from bench.records.roofs import BANDWIDTH, FLOP, LAUNCH, Roof, Roofs, judged
from bench.store import runs
from bench.store.runs import RunInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bench.plan.plan import PlannedCase

BEGUN = datetime(2026, 11, 23, 5, 2, 1, tzinfo=UTC)
TORCH = "2.13.0+made.up"
WORKERS, ROUNDS = 6, 5
TOGETHER = 15
"""Cases that a worker visits between two looks at the sentinels, a quarter of a second in a run."""
COMPUTE_S, BARRIER_S, LAUNCH_S = 1.4e-4, 3.2e-6, 5e-6
"""What the sentinels take at reference."""
WORSE = (
    ("skipped", 0.010, "there is no fast kernel for this dtype here"),
    ("failed", 0.003, "RuntimeError: expected m1 and m2 to have the same dtype"),
    ("oom", 0.002, "Tried to allocate 2.00 GiB; 512.00 MiB of 15.77 GiB were free"),
    ("timeout", 0.001, "no answer within 60 s"),
)
"""Status, the share of the cases that has it, and its reason."""
KERNEL = (
    "void at::native::{op}_elementwise_kernel<4, at::native::{op}Functor<float>, "
    "std::array<char*, 3ul> >(int, at::native::{op}Functor<float>, std::array<char*, 3ul>)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silicon:
    """A device that is made up: what any call costs it, and how fast it moves and reckons."""

    name: str
    call_s: float
    bytes_per_s: float
    flop_per_s: float
    """Of float32; half types take half the time, float64 twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Computer:
    """A machine that is made up."""

    machine_id: str
    name: str
    devices: Mapping[str, Silicon]


def computer(number: int = 0) -> Computer:
    """One of any number of machines, each a little faster than the one before."""
    faster = 1.15**number
    cpu = Silicon(
        name=f"Made-up CPU {number}",
        call_s=1e-6,
        bytes_per_s=2e10 * faster,
        flop_per_s=2e11 * faster,
    )
    gpu = Silicon(
        name=f"Made-up GPU {number}",
        call_s=8e-6,
        bytes_per_s=6e11 * faster,
        flop_per_s=1e13 * faster,
    )
    return Computer(
        machine_id=f"m-{number:08x}",
        name=f"Made-up machine {number}",
        devices={"cpu": cpu, "cuda": gpu},
    )


def cases(
    count: int | None = None,
    suites: Sequence[str] = (),
    devices: tuple[str, ...] = ("cpu", "cuda"),
) -> list[PlannedCase]:
    """The cases that the shipped suites offer; of so many, whole ops in turn from each suite."""
    plan = expand(load_all(suites), Selection(devices=devices, short_axes=False), {}).cases
    if count is None:
        return list(plan)
    copies = range(math.ceil(count / len(plan)))
    offered = [again(case, copy) if copy else case for copy in copies for case in plan]
    by_suite: dict[str, list[list[PlannedCase]]] = {}
    for _, found in itertools.groupby(offered, key=lambda c: (c.suite, c.op)):
        whole = list(found)
        by_suite.setdefault(whole[0].suite, []).append(whole)
    turns = itertools.zip_longest(*by_suite.values(), fillvalue=[])
    chosen = {id(c) for c in itertools.islice(_flat(turns), count)}
    return [c for c in offered if id(c) in chosen]


def again(case: PlannedCase, copy: int) -> PlannedCase:
    """The case as an op of another name, where the suites offer too few."""
    op = f"{case.op}_{copy + 1}"
    return dataclasses.replace(case, op=op, id=case_id(case.suite, op, case.labels))


def run(
    store: Path, planned: Sequence[PlannedCase], number: int = 0, *, on: Computer, samples: int
) -> runs.StoredRun:
    """A finished run of these cases on a machine, with so many samples of each; the later, the newer.

    The same cases, number and machine make the same rows, byte by byte.
    """
    random = np.random.default_rng(number)
    begun = BEGUN + timedelta(hours=number)
    run_id = f"{begun:%Y%m%dT%H%M%SZ}-{number:06x}"
    roofs = {device: _roofs(device, silicon) for device, silicon in on.devices.items()}
    rows = [
        judged(_row(case, on, run_id, begun, samples, random), roofs[case.device])
        for case in planned
    ]
    folder = store / run_id
    folder.mkdir(parents=True)
    runs.write_table(pa.Table.from_pylist([row(r) for r in rows], schema()), folder / runs.CASES)
    runs.write_table(_samples(rows, samples, random), folder / runs.SAMPLES)
    about = _info(run_id, begun, on, rows, roofs)
    files = {name: runs._fingerprint(folder / name) for name in (runs.CASES, runs.SAMPLES)}
    about = dataclasses.replace(about, files=files)
    text = json.dumps(dataclasses.asdict(about), indent=1, ensure_ascii=False)
    (folder / runs.MANIFEST).write_text(text + "\n", encoding="utf-8")
    return runs.StoredRun(folder=folder, info=about, finished=True)


def _flat(turns: Iterator[tuple[list[PlannedCase], ...]]) -> Iterator[PlannedCase]:
    return (case for turn in turns for op in turn for case in op)


def _row(
    case: PlannedCase,
    on: Computer,
    run_id: str,
    begun: datetime,
    samples: int,
    random: np.random.Generator,
) -> Record:
    silicon = on.devices[case.device]
    known = Record(
        run_id=run_id,
        machine_id=on.machine_id,
        machine=on.name,
        suite=case.suite,
        op=case.op,
        case=case.id,
        device=case.device,
        device_name=silicon.name,
        dtype=case.dtype,
        params=case.labels,
        status="ok",
        threads=2,
        cache="hot",
        memory="reuse",
        torch_version=TORCH,
        started_at=begun,
    )
    chance = random.random()
    for status, part, reason in WORSE:
        if chance < part:
            return dataclasses.replace(known, status=status, reason=reason)
        chance -= part
    time_s = _time_s(case, silicon) * random.lognormal(0, 0.02)
    changes = {**_timed(case, time_s, samples, random), **_on_device(case, silicon, time_s)}
    return dataclasses.replace(known, **changes)


def _time_s(case: PlannedCase, silicon: Silicon) -> float:
    """Its call, and what it moves or reckons, at some share of what the device can do."""
    digest = hashlib.blake2s(f"{case.suite}/{case.op}".encode(), digest_size=4).digest()
    slow = 1 + int.from_bytes(digest) / 2**32  # an op is up to twice as slow as it might be
    width = {"float64": 2.0, "float16": 0.5, "bfloat16": 0.5}.get(case.dtype, 1.0)
    moving = (case.bytes or 0.0) / silicon.bytes_per_s
    reckoning = (case.flop or 0.0) / silicon.flop_per_s * width
    return slow * (silicon.call_s + max(moving, reckoning))


def _timed(
    case: PlannedCase, time_s: float, samples: int, random: np.random.Generator
) -> dict[str, Any]:
    half = float(random.lognormal(np.log(0.012), 0.7))
    low, high = time_s * (1 - half), time_s * (1 + half)
    return {
        "time_s": time_s,
        "time_lo_s": low,
        "time_hi_s": high,
        "confidence": 0.95,
        "time_at_reference_s": time_s * 0.995,
        "time_at_reference_lo_s": low * 0.995,
        "time_at_reference_hi_s": high * 0.995,
        "reference_compute_s": COMPUTE_S,
        "reference_barrier_s": BARRIER_S if case.device == "cpu" else None,
        "reference_share": float(random.choice([1.0, 1.0, 0.8, 0.4])),
        "noise_floor_share": 0.011,
        "time_best_s": time_s * 0.96,
        "time_p95_s": time_s * 1.08,
        "first_call_s": time_s * 40 + 1e-4,
        "samples": samples,
        "workers": WORKERS,
        "rounds": ROUNDS,
        "stopped_by": "precise" if half <= 0.01 else "budget",
        "loops": max(1, round(2e-3 / time_s)),
        "overhead_s": 3e-8,
        "flop": case.flop,
        "bytes": case.bytes,
        "flop_per_s": case.flop and case.flop / time_s,
        "bytes_per_s": case.bytes and case.bytes / time_s,
        "input_bytes": round(case.bytes or 4096),
        "peak_memory_bytes": round(case.bytes or 4096) // 3,
        "sentinel_compute_s": COMPUTE_S * 1.005,
        "sentinel_barrier_s": BARRIER_S if case.device == "cpu" else None,
        "correct": True,
        "max_error": 3e-8,
        **_distrust(half, time_s, random),
    }


def _distrust(half: float, time_s: float, random: np.random.Generator) -> dict[str, Any]:
    """Warnings as often as a shared machine has them."""
    codes = ["noisy"] if half > 0.05 else []
    codes += ["drift"] if random.random() < 0.02 else []
    if random.random() < 0.05:
        times = (time_s, time_s * 1.6)
        return {
            "warnings": (*codes, "two-states"),
            "state_times_s": times,
            "state_shares": (0.7, 0.3),
        }
    return {"warnings": tuple(codes)}


def _on_device(case: PlannedCase, silicon: Silicon, time_s: float) -> dict[str, Any]:
    """What only a GPU's row has."""
    if case.device == "cpu":
        return {}
    device_s = max(1.5e-6, time_s - silicon.call_s)
    return {
        "host_time_s": silicon.call_s,
        "device_time_s": device_s,
        "graph_time_s": device_s,
        "profiled_time_s": device_s * 1.02,
        "kernels": (KERNEL.format(op=case.op), "Memcpy DtoD (Device -> Device)"),
        "kernels_per_call": 2.0,
        "bound_by": "launch" if device_s < 0.8 * time_s else "device",
        "gapless_share": 1.0,
        "sentinel_launch_s": LAUNCH_S,
        "sm_clock_hz": 1.59e9,
        "sm_clock_min_hz": 1.5e9,
        "power_w": 61.5,
        "temperature_c": 56.0,
        "throttled_share": 0.0,
        "other_processes": 0,
    }


def _roofs(device: str, silicon: Silicon) -> Roofs:
    """Twice as near to the processor, and what `_time_s` takes a call to cost at least."""
    wide = [("L2", 2**18, 2.0), ("DRAM", 2**26, 1.0)]
    kinds = [("float32", 1.0), ("float64", 0.5), ("float16", 2.0), ("bfloat16", 2.0)]
    bandwidths = [
        Roof(
            kind=BANDWIDTH, value=times * silicon.bytes_per_s, level=level, bytes=least, how="copy"
        )
        for level, least, times in wide
    ]
    peaks = [
        Roof(kind=FLOP, value=times * silicon.flop_per_s, dtype=dtype, how="2048 × 2048")
        for dtype, times in kinds
    ]
    launch = [Roof(kind=LAUNCH, value=silicon.call_s)]
    return Roofs(
        device=device,
        threads=2,
        torch=TORCH,
        measured_at=BEGUN.isoformat(),
        roofs=(*bandwidths, *peaks, *launch),
    )


def _samples(rows: Sequence[Record], count: int, random: np.random.Generator) -> pa.Table:
    """So many of every case that has a time, in the order of rounds, workers taking turns."""
    timed = [r for r in rows if r.time_s]
    length = len(timed) * count
    place = np.tile(np.arange(count), len(timed))
    each = max(1, count // (WORKERS * ROUNDS))
    time_s = np.repeat([r.time_s for r in timed], count) * random.lognormal(0, 0.015, length)
    loops = np.repeat([r.loops or 1 for r in timed], count)
    on_gpu = np.repeat([r.device != "cpu" for r in timed], count)
    turns = -(-count // each)
    looks = COMPUTE_S * random.lognormal(0, 0.004, turns * -(-len(timed) // TOGETHER))
    look = place // each + turns * np.repeat(np.arange(len(timed)) // TOGETHER, count)
    columns: dict[str, Any] = {
        "case": np.repeat(np.array([r.case for r in timed], dtype=object), count),
        "device": np.repeat(np.array([r.device for r in timed], dtype=object), count),
        "worker": place // each % WORKERS,
        "round": place // (each * WORKERS) % ROUNDS,
        "at_s": 20 + place * 0.05 + np.repeat(np.arange(len(timed)), count) * 1e-3,
        "loops": loops,
        "elapsed_s": (time_s + 3e-8) * loops,
        "time_s": time_s,
        "cpu_s": time_s * loops,
        "minor_faults": np.zeros(length, dtype=np.int64),
        "involuntary_switches": (random.random(length) < 0.02).astype(np.int64),
        "device_s": pa.array(time_s * 0.9, mask=~on_gpu),
        "host_s": pa.array(np.full(length, 8e-6), mask=~on_gpu),
        "gapless": pa.array(np.full(length, True), mask=~on_gpu),  # noqa: FBT003 - the value
        "sentinel_compute_s": looks[look],
        "sentinel_barrier_s": pa.array(np.full(length, BARRIER_S), mask=on_gpu),
        "sentinel_launch_s": pa.array(np.full(length, LAUNCH_S), mask=~on_gpu),
        "load_1m": np.full(length, 0.3),
    }
    return pa.table(columns, schema=schema(Sample))


def _info(
    run_id: str,
    begun: datetime,
    on: Computer,
    rows: Sequence[Record],
    roofs: Mapping[str, Roofs],
) -> RunInfo:
    devices = list(dict.fromkeys(r.device for r in rows))
    suites = list(dict.fromkeys(r.suite for r in rows))
    statuses = [r.status for r in rows]
    level = {"compute_s": COMPUTE_S, "barrier_s": BARRIER_S}
    return RunInfo(
        run_id=run_id,
        started_at=begun.isoformat(),
        finished_at=(begun + timedelta(minutes=9)).isoformat(),
        label=f"made up on {on.name}",
        tags={"made-up": "yes"},
        argv=["bench", "run", "--preset", "full"],
        options={
            "suites": suites,
            "devices": devices,
            "preset": "full",
            "budget_s": 0.5,
            "threads": 2,
        },
        machine={"machine_id": on.machine_id, "name": on.name, "memory_bytes": 2**34},
        environment={"os": "Made-up OS", "git_dirty": False, "usable_cores": [0, 1]},
        torch={"version": TORCH, "cuda": "13.0", "float32_matmul_precision": "highest"},
        state={"cpu_busy_share": 0.02, "frequency_hz": 2.6e9},
        devices=devices,
        suites={suite: hashlib.sha256(suite.encode()).hexdigest() for suite in suites},
        sentinels=dict.fromkeys(devices, level),
        reference=dict.fromkeys(devices, level),
        roofs={d: dataclasses.asdict(roofs[d]) for d in devices},
        counts={status: statuses.count(status) for status in STATUSES},
    )
