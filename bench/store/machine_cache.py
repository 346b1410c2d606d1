"""What this machine is like at its best, kept between runs and stores. No torch, no pandas.

A state can outlast a run, and a new store knows nothing: so the reference belongs to the machine. It is
a small file in the user's cache folder; without it a run begins anew, and nothing else is lost.
"""

from __future__ import annotations

import dataclasses
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.records import codec, machine_state
from bench.records.machine_state import Conditions  # noqa: TC001 - the codec reads annotations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_MISSED = 20
"""After so many runs that never were at the reference it is of another machine than this has become."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What the sentinels take at the machine's best, and how many runs in a row have missed it."""

    conditions: Conditions
    missed: int = 0


def renewed(before: Reference | None, seen: Sequence[Conditions]) -> Reference:
    """The reference after a run that has seen this: a faster state replaces it, drift does not."""
    level = machine_state.level(seen)
    if before is None:
        return Reference(conditions=level)
    now = machine_state.reference([before.conditions, level]) or level
    missed = 0 if any(machine_state.is_at(one, now) for one in seen) else before.missed + 1
    return (
        Reference(conditions=level)
        if missed >= MOST_MISSED
        else Reference(conditions=now, missed=missed)
    )


def file_of(
    machine_id: str, threads: int, device: str, environ: Mapping[str, str] = os.environ
) -> Path:
    """Where the reference of a machine's device, with so many threads, is kept."""
    name = f"reference-{machine_id}-{threads}-{device.replace(':', '')}.json"
    return cache_folder(environ) / name


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where a machine's own facts are kept between runs and stores.

    `TENSORBENCH_CACHE`, else `tensorbench` in the user's cache folder, as the XDG base directory
    specification names it.
    """
    named = environ.get("TENSORBENCH_CACHE")
    users = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(users) / "tensorbench"


def load(path: Path) -> Reference | None:
    """The reference in a file; None where there is none that can be read."""
    try:
        facts: Any = json.loads(path.read_text(encoding="utf-8"))
        found = codec.decode(Reference, facts)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if found.conditions.compute_s > 0 else None


def save(path: Path, reference: Reference) -> None:
    """Keep the reference, if the folder can be written: a home may be read-only."""
    replace(path, dataclasses.asdict(reference))


def replace(path: Path, facts: Mapping[str, Any]) -> None:
    """Write facts as JSON, all of them or none, if the folder can be written."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(facts) + "\n", encoding="utf-8")
        partial.replace(path)
