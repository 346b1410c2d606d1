"""pytest-benchmark reader: a run out of its JSON, with medians, and with samples where the file has them.

All samples of a benchmark come from one process, so that no interval is honest, and none is made; quartiles
are not read, of which versions before 5.3.1 have wrong ones. A row of ours in there is taken as it is.
"""

from __future__ import annotations

import hashlib
import math
import re
import statistics
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from bench.errors import StoreError
from bench.plan.case_id import case_id
from bench.records.record import Record, Sample, record_of
from bench.store.journal import Entry
from bench.store.runs import RunInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IMPORTED = "imported"
_OLDEST, _NEWEST = 3, 5
"""Major versions with these fields: `stats` has had all of them since 3, and 6 may change them."""
_OURS = frozenset({"case", "device", "machine_id", "schema_version", "status", "suite"})
"""Keys of `extra_info` where this project's engine has measured: the row is then in there."""
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_DEVICE = "cpu"
"""The device of every row: the CPU waits and reads the clock; the file does not say what else is at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Facts that all rows of the file share."""

    run_id: str
    machine: Mapping[str, Any]
    started_at: datetime


def is_pytest_benchmark(document: Any) -> bool:
    """Whether a JSON document looks like one of its files."""
    return isinstance(document, dict) and {"benchmarks", "machine_info"} <= document.keys()


def run_of(
    document: Mapping[str, Any], name: str, label: str | None = None
) -> tuple[RunInfo, list[Entry]]:
    """The run that a file tells of; the same file always makes the same run id.

    Args:
        document: what is in the file.
        name: its name, which becomes the label where neither `label` nor a commit is known.
        label: what the run is to be called.

    Raises:
        StoreError: the file is of a version that can't be read, or is not whole.
    """
    version = _version(document, name)
    try:
        started = _started_at(document)
        digest = hashlib.sha256(repr(sorted(document.items())).encode()).hexdigest()
        machine = _machine(document["machine_info"])
        run_id = f"{started:%Y%m%dT%H%M%SZ}-{digest[:6]}"
        frame = _Frame(run_id=run_id, machine=machine, started_at=started)
        entries = [_entry(one, frame) for one in _distinct(document["benchmarks"])]
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        message = f"{name} is no whole file of pytest-benchmark ({type(error).__name__}: {error})"
        raise StoreError(message) from error
    if not entries:
        message = f"{name} holds no benchmark; write it with pytest --benchmark-json={name}"
        raise StoreError(message)
    commit = _commit(document)
    info = RunInfo(
        run_id=run_id,
        started_at=started.isoformat(timespec="seconds"),
        label=label or commit.get("git_commit", "")[:12] or PurePosixPath(name).stem,
        tags={IMPORTED: f"pytest-benchmark {version}", "file": name},
        environment={**_environment(document["machine_info"]), **commit},
        devices=sorted({entry.record.device for entry in entries}),
        **_conditions(entries, machine),
    )
    return info, entries


def _version(document: Mapping[str, Any], name: str) -> str:
    version = str(document.get("version") or "")
    major = re.match(r"\d+", version)
    if major is None or not _OLDEST <= int(major[0]) <= _NEWEST:
        message = (
            f"{name} is of pytest-benchmark {version or 'without a version'}; "
            f"files of versions {_OLDEST} to {_NEWEST} can be read"
        )
        raise StoreError(message)
    return version


def _started_at(document: Mapping[str, Any]) -> datetime:
    told = datetime.fromisoformat(document["datetime"])
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


def _machine(told: Mapping[str, Any]) -> dict[str, Any]:
    """The hardware as far as it is told; without the host's name, and without the clock rate of that time."""
    cpu = told.get("cpu") or {}
    model = str(cpu.get("brand_raw") or cpu.get("brand") or told.get("processor") or "unknown CPU")
    cores, architecture = cpu.get("count"), str(told.get("machine") or "")
    digest = hashlib.blake2s(repr((model, architecture, cores)).encode(), digest_size=4).hexdigest()
    known = {
        "machine_id": f"m-{digest}",
        "name": f"{model}, {cores} logical cores" if cores else model,
        "cpu_model": model,
        "architecture": architecture,
    }
    return {**known, "logical_cores": cores} if cores else known


def _commit(document: Mapping[str, Any]) -> dict[str, Any]:
    """The commit, and whether there were changes in its tree; nothing where it says `unversioned`."""
    told = document.get("commit_info") or {}
    identity = str(told.get("id") or "")
    if not _COMMIT.fullmatch(identity):
        return {}
    return {"git_commit": identity, "git_dirty": bool(told.get("dirty"))}


def _environment(told: Mapping[str, Any]) -> dict[str, Any]:
    """How it was set up, in our words; what the file lacks is left out, which is not the same as none."""
    python = f"{told.get('python_implementation')} {told.get('python_version')}"
    known = {"os": told.get("system"), "kernel": told.get("release"), "python": python}
    return {name: value for name, value in known.items() if value is not None}


def _conditions(entries: Sequence[Entry], machine: Mapping[str, Any]) -> dict[str, Any]:
    """Machine, torch and options: those of our own rows, if all are ours, else what the file says."""
    first = entries[0].record
    if any(IMPORTED in entry.record.warnings for entry in entries):
        return {"machine": machine, "options": {"workers": 1}}
    return {
        "machine": {**machine, "machine_id": first.machine_id, "name": first.machine},
        "torch": {"version": first.torch_version} if first.torch_version else {},
        "options": {"threads": first.threads, "cache": first.cache or "hot"},
    }


def _distinct(benchmarks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The benchmarks, those that would have one id told apart by the file they stand in, then by number."""
    ids = Counter(_id(one) for one in benchmarks)
    seen: Counter[str] = Counter()
    found: list[Mapping[str, Any]] = []
    for one in benchmarks:
        own = {**one, "group": _file(one)} if ids[_id(one)] > 1 else dict(one)
        seen[_id(own)] += 1
        again = seen[_id(own)]
        found.append(own if again == 1 else {**own, "group": f"{_suite(own)}#{again}"})
    return found


def _entry(told: Mapping[str, Any], frame: _Frame) -> Entry:
    stats, extra = told["stats"], told.get("extra_info") or {}
    shared = {"run_id": frame.run_id, "started_at": frame.started_at}
    ours = extra.keys() >= _OURS
    record = record_of({**extra, **shared}) if ours else _record(told, frame)
    times = [float(one) for one in stats.get("data") or ()]
    return Entry(record=record, samples=_samples(record, times, int(stats.get("iterations") or 1)))


def _record(told: Mapping[str, Any], frame: _Frame) -> Record:
    stats = told["stats"]
    times = sorted(float(one) for one in stats.get("data") or ())
    time_s = statistics.median(times) if times else float(stats["median"])
    usable = math.isfinite(time_s) and time_s > 0
    return Record(
        run_id=frame.run_id,
        machine_id=frame.machine["machine_id"],
        machine=frame.machine["name"],
        suite=_suite(told),
        op=_op(told),
        case=_id(told),
        device=_DEVICE,
        device_name=frame.machine["cpu_model"],
        dtype=_params(told).get("dtype", ""),
        params=_params(told),
        status="ok" if usable else "failed",
        reason=None if usable else f"the file says that it took {time_s} s",
        warnings=(IMPORTED,),
        time_s=time_s if usable else None,
        time_best_s=float(stats["min"]),
        time_p95_s=times[math.ceil(0.95 * len(times)) - 1] if times else None,
        samples=len(times) or None,
        workers=1,
        rounds=1,
        loops=int(stats.get("iterations") or 1),
        started_at=frame.started_at,
    )


def _samples(record: Record, times: Sequence[float], loops: int) -> tuple[Sample, ...]:
    """In the order taken; when each began is not told, so that they are put one right after the other."""
    begins = accumulate((time_s * loops for time_s in times), initial=0.0)
    return tuple(
        Sample(
            case=record.case,
            device=record.device,
            worker=0,
            round=0,
            at_s=at_s,
            loops=loops,
            elapsed_s=time_s * loops,
            time_s=time_s,
        )
        for at_s, time_s in zip(begins, times, strict=False)
    )


def _id(told: Mapping[str, Any]) -> str:
    return case_id(_suite(told), _op(told), _params(told))


def _suite(told: Mapping[str, Any]) -> str:
    """The group, else the file's name without its ending."""
    return str(told.get("group") or PurePosixPath(_file(told)).stem)


def _file(told: Mapping[str, Any]) -> str:
    """The file that the test stands in."""
    return str(told.get("fullname") or told["name"]).partition("[")[0].partition("::")[0]


def _op(told: Mapping[str, Any]) -> str:
    """The test without its parameters, behind its class if it has one."""
    test = str(told.get("fullname") or told["name"]).partition("[")[0]
    return ".".join(test.split("::")[1:]) or str(told["name"]).partition("[")[0]


def _params(told: Mapping[str, Any]) -> dict[str, str]:
    """Its parameters by name; where they have none, what stands in brackets."""
    params = told.get("params")
    if isinstance(params, dict) and params:
        return {str(name): str(value) for name, value in params.items()}
    inside = re.search(r"\[(.*)\]$", str(told["name"]))
    return {"param": inside[1]} if inside else {}
