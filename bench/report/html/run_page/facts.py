"""Who ran what, where and how, as definition tables; a fact that is not known says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bench.analysis.usable import WRONG_RESULT, failure
from bench.records.record import STATUSES
from bench.report.text import wording
from bench.units import MISSING, clock, rate, seconds, share, size

if TYPE_CHECKING:
    from bench.records.record import Record
    from bench.store.runs import RunInfo

Definitions = list[tuple[str, str]]
_UNITS: Mapping[str, Callable[[float], str]] = {
    "bytes": size,
    "hz": lambda value: rate(value, "Hz"),
    "s": seconds,
    "share": share,
    "c": lambda value: f"{value:g} °C",
    "cores": lambda value: f"{value:g}",
}


def headline(info: RunInfo, records: Sequence[Record]) -> Definitions:
    """What a reader wants to know first."""
    threads = {r.threads for r in records if r.threads is not None}
    devices = dict.fromkeys(f"{r.device}: {r.device_name}" for r in _naming(records))
    facts = {
        "machine": wording.machine_name(info),
        "devices": " · ".join(devices),
        "torch": wording.torch_version(info),
        "threads": ", ".join(map(str, sorted(threads))),
        "caches": ", ".join(sorted({r.cache for r in records if r.cache not in {None, "hot"}})),
        "memory": _memory(info, records),
        "begun": wording.when(info.started_at) + _lasted(info),
        "preset": str(info.options.get("preset") or ""),
        "tags": ", ".join(f"{k}={v}" for k, v in info.tags.items()),
    }
    return [(name, text) for name, text in facts.items() if text not in {"", MISSING}]


def _memory(info: RunInfo, records: Sequence[Record]) -> str:
    """The memory policies that are not the usual one, and why one is not as asked for."""
    unusual = wording.memory(records)
    return f"{unusual} ({info.memory_note})" if unusual and info.memory_note else unusual


def _naming(records: Sequence[Record]) -> list[Record]:
    """The rows that name their devices: what was skipped may not know the model."""
    named = {r.device for r in records if r.device_name != r.device}
    return [r for r in records if r.device_name != r.device or r.device not in named]


def outcome(record: Record) -> str:
    """What became of a case: its status, or `wrong` where it was measured and its result is wrong."""
    return "wrong" if failure(record) == WRONG_RESULT else record.status


def outcomes(records: Sequence[Record]) -> list[tuple[str, int]]:
    """(outcome, how many), those that occur."""
    found = Counter(map(outcome, records))
    return [(name, found[name]) for name in ("ok", "wrong", *STATUSES[1:]) if found[name]]


def confidence(records: Sequence[Record]) -> str:
    """The confidence of the intervals, if they share one."""
    levels = {r.confidence for r in records if r.confidence}
    return share(levels.pop()) if len(levels) == 1 else "stated"


def groups(info: RunInfo) -> list[tuple[str, Definitions]]:
    """Heading → everything the run says of that."""
    run = {
        "id": info.run_id,
        "label": info.label,
        "started": info.started_at,
        "finished": info.finished_at,
        "tags": info.tags,
        "schema version": info.schema_version,
    }
    parts = {
        "Run": run,
        "Machine": info.machine,
        "Environment": info.environment,
        "Torch": info.torch,
        "State at the start": info.state,
        "Options": info.options,
    }
    return [(name, list(defined(facts))) for name, facts in parts.items() if facts]


def has_unit(name: str) -> bool:
    """Whether a fact's name ends in a unit, so that its numbers are shown in it."""
    return "_" in name and name.rpartition("_")[2] in _UNITS


def defined(facts: Mapping[str, Any]) -> Definitions:
    """Each fact with its name and, where that says so, its unit."""
    return [(str(key).replace("_", " "), _text(str(key), value)) for key, value in facts.items()]


def _text(key: str, value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        unit = _UNITS.get(key.rpartition("_")[2]) if "_" in key else None
        return unit(value) if unit else str(value)
    if isinstance(value, Mapping):
        shared = key.rpartition("_")[2] in _UNITS
        value = [f"{k}: {_text(key if shared else str(k), v)}" for k, v in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_text(key, v) for v in value) or "none"
    return str(value) or "none"


def _lasted(info: RunInfo) -> str:
    try:
        begun = datetime.fromisoformat(info.started_at)
        return f", took {clock((datetime.fromisoformat(info.finished_at or '') - begun).total_seconds())}"
    except (TypeError, ValueError):
        return ""
