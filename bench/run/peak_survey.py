"""Peak rates (roofs) of each device of a run: as they were kept, or measured now by a worker and kept. Torch-free.

Rows are compared with them batch by batch; a correct row that is faster, within reason, raises them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from bench.pool import protocol
from bench.records import roofs
from bench.records.roofs import Roofs
from bench.store import machine_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from bench.pool.pool import WorkerPool
    from bench.store.journal import Entry
    from bench.store.runs import RunInfo

    Tell = Callable[[str, float], None]
    """Told that a device is measured, and about how many seconds that takes."""

SURVEY_S = 10.0
"""Seconds of measuring per device; it takes some 15 in all, with the making of inputs and a worker that replaces
the one that measured. With four dtypes and 75 ways to move bytes each gets a few hundredths of a second."""
_TIMEOUT_S = 120.0
"""A worker that is that late hangs; the run goes on without roofs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoofOwner:
    """Whose roofs: this machine's, with so many threads and this torch."""

    machine_id: str
    threads: int
    torch: str

    def file(self, device: str) -> Path:
        """Where those of a device are kept."""
        return machine_cache.roofs_file(self.machine_id, self.threads, device)


def known(place: RoofOwner, devices: Iterable[str]) -> dict[str, Roofs]:
    """Device → the roofs that are kept of it."""
    found = {
        device: machine_cache.load_roofs(place.file(device), place.torch) for device in devices
    }
    return {device: one for device, one in found.items() if one}


def measured(
    pool: WorkerPool, place: RoofOwner, devices: Iterable[str], tell: Tell
) -> dict[str, Roofs]:
    """Device → its roofs, measured now and kept. One that can't be measured has none.

    Args:
        pool: whose first worker measures; it times nothing else afterwards.
        place: whose roofs they are.
        devices: those to measure.
        tell: told of each device, and how many seconds it takes.
    """
    found = {}
    pool.wait_ready()  # a roof seen while others import torch would be too low
    for device in devices:
        tell(device, SURVEY_S)
        reply = pool.survey(0, device, SURVEY_S, _TIMEOUT_S)
        if isinstance(reply, protocol.Surveyed):
            found[device] = Roofs(
                device=device,
                threads=place.threads,
                torch=place.torch,
                measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
                roofs=reply.roofs,
            )
            machine_cache.save_roofs(place.file(device), found[device])
    return found


@dataclass(slots=True, kw_only=True)
class RunRoofs:
    """The roofs of a run's devices; none of a device whose roofs are not wanted, or can't be measured."""

    place: RoofOwner | None = None
    of_device: dict[str, Roofs] = field(default_factory=dict)

    @classmethod
    def of(cls, pool: WorkerPool, info: RunInfo, tell: Tell) -> Self:
        """Those that are kept; the others are measured first."""
        place = RoofOwner(
            machine_id=info.machine["machine_id"],
            threads=info.options["threads"],
            torch=str(info.torch["version"]),
        )
        found = known(place, info.devices)
        missing = [device for device in info.devices if device not in found]
        return cls(place=place, of_device={**found, **measured(pool, place, missing, tell)})

    def compared(self, entries: Sequence[Entry]) -> list[Entry]:
        """A batch with each row's share of its roof, once its correct rows have raised what they can."""
        for device, before in self.of_device.items():
            after = roofs.raised(before, (e.record for e in entries if e.record.device == device))
            if after != before and self.place:
                self.of_device[device] = after
                machine_cache.save_roofs(self.place.file(device), after)
        return [
            dataclasses.replace(
                entry, record=roofs.judged(entry.record, self.of_device.get(entry.record.device))
            )
            for entry in entries
        ]

    def noted(self, info: RunInfo) -> RunInfo:
        """The run's facts with the roofs that its rows were compared with."""
        facts = {device: dataclasses.asdict(one) for device, one in self.of_device.items()}
        return dataclasses.replace(info, roofs=facts)
