"""pytest-benchmark reader: a run out of its JSON, with medians, and with samples where the file has them.

All samples of a benchmark come from one process, so that no interval is honest, and none is made; quartiles
are not read, of which versions before 5.3.1 have wrong ones. A row of ours in there is taken as it is.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import re
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from bench.errors import StoreError
from bench.records.record import Record, Sample, record_of
from bench.store.imported_case import CPU, LONGEST_ID, case_of, mapping, printable, told_apart
from bench.store.journal import Entry
from bench.store.runs import RunInfo, storable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.store.imported_case import ImportedCase

IMPORTED = "imported"
_OLDEST, _NEWEST = 3, 5
"""Major versions with these fields: `stats` has had all of them since 3, and 6 may change them."""
_OURS = frozenset({"case", "device", "machine_id", "schema_version", "status", "suite"})
"""Keys of `extra_info` where this project's engine has measured: the row is then in there."""
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_MOST_LOOPS = 2**53
_TORCH = frozenset({"torch", "torchversion", "pytorch", "pytorchversion"})
"""Names, without what joins their words, under which test suites note the torch that they ran."""
_RELEASE = re.compile(r"\d+\.\d+\S*")
_NAMING = 2
"""The rule by which ids are made: a file that was imported by another one is another run."""
_UNREADABLE = (TypeError, ValueError, KeyError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Facts that all rows of the file share."""

    run_id: str
    machine: Mapping[str, Any]
    started_at: datetime
    torch_version: str | None


def is_pytest_benchmark(document: Any) -> bool:
    """Whether a JSON document looks like one of its files."""
    return isinstance(document, dict) and {"benchmarks", "machine_info"} <= document.keys()


def run_of(
    document: Mapping[str, Any], name: str, label: str | None = None
) -> tuple[RunInfo, list[Entry], list[str]]:
    """The run that a file tells of, and what of the file is left out; the same file always makes the same run id.

    Args:
        document: what is in the file.
        name: its name, which becomes the label where neither `label` nor a commit is known.
        label: what the run is to be called.

    Raises:
        StoreError: the file is of a version that can't be read, or is not whole, or none of its tests can be read.
    """
    version = _version(document, name)
    try:
        started = _started_at(document)
        facts = repr((_NAMING, sorted(document.items())))
        digest = hashlib.sha256(facts.encode()).hexdigest()
        told = mapping(document["machine_info"])
        frame = _Frame(
            run_id=f"{started:%Y%m%dT%H%M%SZ}-{digest[:6]}",
            machine=_machine(told),
            started_at=started,
            torch_version=_torch_version(told),
        )
        entries, left_out = _read(document["benchmarks"], frame)
    except _UNREADABLE as error:
        message = f"{name} is no whole file of pytest-benchmark ({type(error).__name__}: {error})"
        raise StoreError(message) from error
    if not entries:
        message = f"{name} holds no benchmark{''.join(f' ({one})' for one in left_out[:1])}; write it with pytest --benchmark-json={name}"
        raise StoreError(message)
    commit = _commit(document)
    info = RunInfo(
        run_id=frame.run_id,
        started_at=started.isoformat(timespec="seconds"),
        label=label or commit.get("git_commit", "")[:12] or PurePosixPath(name).stem,
        tags={IMPORTED: f"pytest-benchmark {printable(version)}", "file": name},
        environment={**_environment(told), **commit},
        devices=sorted({entry.record.device for entry in entries}),
        **_conditions(entries, frame),
    )
    return info, entries, left_out


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
    cpu = mapping(told.get("cpu"))
    brand = cpu.get("brand_raw") or cpu.get("brand") or told.get("processor") or "unknown CPU"
    model, architecture = printable(brand), printable(told.get("machine") or "")
    cores = cpu.get("count") if isinstance(cpu.get("count"), int) else None
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
    told = mapping(document.get("commit_info"))
    identity = str(told.get("id") or "")
    if not _COMMIT.fullmatch(identity):
        return {}
    return {"git_commit": identity, "git_dirty": bool(told.get("dirty"))}


def _environment(told: Mapping[str, Any]) -> dict[str, Any]:
    """How it was set up, in our words; what the file lacks is left out, which is not the same as none."""
    python = f"{told.get('python_implementation')} {told.get('python_version')}"
    known = {"os": told.get("system"), "kernel": told.get("release"), "python": python}
    return {name: printable(value) for name, value in known.items() if value is not None}


def _torch_version(told: Mapping[str, Any]) -> str | None:
    """The torch that ran, if these facts, or those within one of them, have it."""
    within = (one for one in told.values() if isinstance(one, dict))
    for facts in (told, *within):
        for key, value in facts.items():
            if re.sub(r"[\W_]", "", str(key).lower()) in _TORCH:
                version = str(mapping(value).get("version") or value)
                if _RELEASE.fullmatch(version):
                    return printable(version)
    return None


def _conditions(entries: Sequence[Entry], frame: _Frame) -> dict[str, Any]:
    """Machine, torch and options: those of our own rows, if all are ours, else what the file says."""
    first = entries[0].record
    versions = {entry.record.torch_version for entry in entries}
    torch = {"version": versions.pop()} if len(versions) == 1 and first.torch_version else {}
    if any(IMPORTED in entry.record.warnings for entry in entries):
        return {"machine": frame.machine, "torch": torch, "options": {"workers": 1}}
    return {
        "machine": {**frame.machine, "machine_id": first.machine_id, "name": first.machine},
        "torch": torch,
        "options": {"threads": first.threads, "cache": first.cache or "hot"},
        "memory": {entry.record.device: entry.record.memory_policy for entry in entries},
    }


def _read(benchmarks: Sequence[Any], frame: _Frame) -> tuple[list[Entry], list[str]]:
    """The rows that can be made, and for each benchmark that is left out its name and why."""
    found: list[tuple[Mapping[str, Any], ImportedCase | None]] = []
    left_out, entries = [], []
    for place, told in enumerate(map(mapping, benchmarks)):
        try:
            found.append((told, None if _is_ours(told) else case_of(told)))
        except _UNREADABLE as error:
            left_out.append(f"benchmark {place + 1}: {_why(error)}")
    own = iter(told_apart(case for _, case in found if case))
    for told, case in found:
        known = next(own) if case else None
        try:
            entries.append(_entry(told, known, frame))
        except _UNREADABLE as error:
            name = known.id if known else printable(told.get("fullname"))[:LONGEST_ID]
            left_out.append(f"{name}: {_why(error)}")
    return entries, left_out


def _is_ours(told: Mapping[str, Any]) -> bool:
    return mapping(told.get("extra_info")).keys() >= _OURS


def _why(error: Exception) -> str:
    """What is wrong with a benchmark, on one line."""
    said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return printable(said.partition("\n")[0])[:LONGEST_ID]


def _entry(told: Mapping[str, Any], case: ImportedCase | None, frame: _Frame) -> Entry:
    """The row of a test and its samples.

    Args:
        told: the test, as the file has it.
        case: what its row says of its case; None where it carries a row of ours.
        frame: facts of all rows.

    Raises:
        ValueError: it has no statistics, or what it says can't be in a row.
    """
    stats = mapping(told.get("stats"))
    if not stats:
        message = "it has no statistics; its test may have failed"
        raise ValueError(message)
    loops = int(stats.get("iterations") or 1)
    if not 1 <= loops <= _MOST_LOOPS:
        message = f"iterations can't be {loops:.3g}"
        raise ValueError(message)
    times = [float(one) for one in stats.get("data") or ()]
    if case is None:
        record = _ours(told["extra_info"], frame)
    else:
        own = _torch_version(mapping(told.get("extra_info"))) or frame.torch_version
        record = dataclasses.replace(_record(stats, case, frame), torch_version=own, loops=loops)
    return Entry(record=storable(record), samples=_samples(record, times, loops))


def _ours(row: Mapping[str, Any], frame: _Frame) -> Record:
    """A row of this project, which is now one of the run that the file tells of, and named like it."""
    shared = {"run_id": frame.run_id, "started_at": frame.started_at}
    return record_of({**row, **shared, "label": None, "tags": None, "git_commit": None})


def _record(stats: Mapping[str, Any], case: ImportedCase, frame: _Frame) -> Record:
    times = sorted(float(one) for one in stats.get("data") or ())
    if not times and "median" not in stats:
        message = "its statistics hold neither data nor a median"
        raise ValueError(message)
    time_s = statistics.median(times) if times else float(stats["median"])
    best_s = times[0] if times else float(stats.get("min", math.nan))
    usable = math.isfinite(time_s) and time_s > 0
    return Record(
        run_id=frame.run_id,
        machine_id=frame.machine["machine_id"],
        machine=frame.machine["name"],
        suite=case.suite,
        op=case.op,
        case=case.id,
        device=case.device,
        device_name=frame.machine["cpu_model"] if case.device == CPU else case.device,
        dtype=case.dtype,
        params=case.params,
        status="ok" if usable else "failed",
        reason=None if usable else f"the file says that it took {time_s} s",
        warnings=(IMPORTED,),
        time_s=time_s if usable else None,
        time_best_s=best_s if math.isfinite(best_s) else None,
        time_p95_s=times[math.ceil(0.95 * len(times)) - 1] if times else None,
        samples=len(times) or None,
        workers=1,
        rounds=1,
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
