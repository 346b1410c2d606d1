"""User's cache folder: what is known of this machine beyond one run and one store. No torch, no pandas.

It holds the machine's reference (what its sentinels take at its best) and its roofs (what its devices can do
at most), a small JSON file for each device and number of threads. A lost file costs one more measurement.
"""

from __future__ import annotations

import dataclasses
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bench.records import codec, machine_state
from bench.records.machine_state import Conditions  # noqa: TC001 - the codec reads annotations
from bench.records.roofs import Roofs
from bench.store import atomic

if TYPE_CHECKING:
    from collections.abc import Sequence

    Kept = TypeVar("Kept", "Reference", Roofs)

MOST_MISSED = 20
"""A reference that so many runs in a row never met is given up: the machine has become another one."""
ROOFS_METHOD = 1
"""The version of the way in which roofs are measured; roofs of another version are measured again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What the sentinels take at the machine's best, and how many runs in a row have missed it."""

    conditions: Conditions
    missed: int = 0


def renewed(before: Reference | None, seen: Sequence[Conditions]) -> Reference:
    """The reference after a run with these conditions: a faster state replaces it, drift does not."""
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


def cache_folder() -> Path:
    """`TENSORBENCH_CACHE`, else `tensorbench` where this system keeps a user's caches.

    On Linux that is in `XDG_CACHE_HOME` or `~/.cache`.
    """
    named = os.environ.get("TENSORBENCH_CACHE")
    if named:
        return Path(named)
    from platformdirs import user_cache_path  # noqa: PLC0415 - 30 ms, and often not needed

    return user_cache_path("tensorbench", appauthor=False)


def reference_file(machine_id: str, threads: int, device: str) -> Path:
    """The file for the reference of a machine's device, with so many threads."""
    return _file("reference", machine_id, threads, device)


def load_reference(path: Path) -> Reference | None:
    """The reference in a file; None where there is none that can be read."""
    found = _load(Reference, path)
    return found if found and found.conditions.compute_s > 0 else None


def save_reference(path: Path, reference: Reference) -> None:
    """Keep the reference, if the folder can be written."""
    _save(path, dataclasses.asdict(reference))


def roofs_file(machine_id: str, threads: int, device: str) -> Path:
    """The file for the roofs of a machine's device, with so many threads."""
    return _file("roofs", machine_id, threads, device)


def load_roofs(path: Path, torch: str | None) -> Roofs | None:
    """The roofs in a file; None where none can be read that this version measured with this torch."""
    found = _load(Roofs, path, method=ROOFS_METHOD)
    return found if found and found.torch == torch else None


def save_roofs(path: Path, roofs: Roofs) -> None:
    """Keep the roofs, if the folder can be written."""
    _save(path, {"method": ROOFS_METHOD, **dataclasses.asdict(roofs)})


def _file(kind: str, machine_id: str, threads: int, device: str) -> Path:
    return cache_folder() / f"{kind}-{machine_id}-{threads}-{device.replace(':', '')}.json"


def _load(kind: type[Kept], path: Path, method: int | None = None) -> Kept | None:
    try:
        facts: Any = json.loads(path.read_text(encoding="utf-8"))
        found = codec.decode(kind, facts)
    except (OSError, ValueError, TypeError):
        return None
    return found if facts.get("method") == method else None


def _save(path: Path, facts: dict[str, Any]) -> None:
    with suppress(OSError):  # a home may be read-only
        atomic.write(path, (json.dumps(facts) + "\n").encode())
