"""What this machine can do at most, kept between runs and stores. No torch, no pandas.

A small file for each device in the user's cache folder, beside its reference; without it roofs are measured
again, and nothing else is lost.
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import TYPE_CHECKING, Any

from bench.records import codec
from bench.records.roofs import Roofs
from bench.store import machine_cache

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

METHOD = 1
"""Which way of measuring them it was; what another way found is measured anew."""


def file_of(
    machine_id: str, threads: int, device: str, environ: Mapping[str, str] = os.environ
) -> Path:
    """Where the roofs of a machine's device, with so many threads, are kept."""
    name = f"roofs-{machine_id}-{threads}-{device.replace(':', '')}.json"
    return machine_cache.cache_folder(environ) / name


def load(path: Path, torch: str | None) -> Roofs | None:
    """The roofs in a file; None where none can be read that this version measured with this torch."""
    try:
        facts: Any = json.loads(path.read_text(encoding="utf-8"))
        if facts.pop("method") != METHOD:
            return None
        found = codec.decode(Roofs, facts)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return found if found.torch == torch else None


def save(path: Path, found: Roofs) -> None:
    """Keep them, if the folder can be written: a home may be read-only."""
    machine_cache.replace(path, {"method": METHOD, **dataclasses.asdict(found)})
