"""Time series of the sentinels over a run, out of its samples, compared with the machine's reference.

All samples between two looks carry the same numbers, so each such stretch counts once.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

SENTINELS = ("compute", "barrier", "launch")
_MIN_WIDTH_S = 1e-9
"""Least width of a stretch of time: a run of one look lasts no time."""
_PLACE = ["device", "worker", "round"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelReading:
    """A sentinel in a stretch of a worker's visits."""

    at_s: float
    round: int
    worker: int
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelSeries:
    """A sentinel of a device over a run, in order of time; `reference_s` is what its times are compared with."""

    device: str
    sentinel: str
    reference_s: float
    is_reference: bool
    """Whether that is the machine's reference; else it is the middle of this run."""
    looks: tuple[SentinelReading, ...]

    def share(self, look: SentinelReading) -> float:
        """Its time as a multiple of the reference."""
        return look.time_s / self.reference_s

    def middles(self, count: int) -> list[tuple[float, float]]:
        """When, and the median multiple, of each of so many stretches of time."""
        return [
            (
                statistics.median(look.at_s for look in part),
                statistics.median(map(self.share, part)),
            )
            for part in stretches(self.looks, count)
        ]

    def shown(self, most: int) -> list[SentinelReading]:
        """At most so many: of each stretch the fastest and the slowest, so that no state vanishes."""
        if len(self.looks) <= most:
            return list(self.looks)
        found = []
        for part in stretches(self.looks, max(1, most // 2)):
            ends = {min(part, key=attrgetter("time_s")), max(part, key=attrgetter("time_s"))}
            found += sorted(ends, key=attrgetter("at_s"))
        return found


def courses(samples: pd.DataFrame | None, reference: Mapping[str, Any]) -> list[SentinelSeries]:
    """The sentinels of each device that were timed, in the order of `SENTINELS`.

    Args:
        samples: as `load_samples` gives them; None where there are none at hand.
        reference: device → the times of its sentinels at reference (`RunInfo.reference`).
    """
    if samples is None or samples.empty:
        return []
    columns = [f"sentinel_{name}_s" for name in SENTINELS]
    stretches = samples.drop_duplicates([*_PLACE, *columns])
    found = []
    for device, rows in stretches.groupby("device", sort=True):
        for name, column in zip(SENTINELS, columns, strict=True):
            known = rows[["at_s", "round", "worker", column]].dropna()
            if len(known):
                looks = [_look(*values) for values in known.to_numpy().tolist()]
                found.append(_course(str(device), name, looks, reference))
    return found


def _look(at_s: float, round_: float, worker: float, time_s: float) -> SentinelReading:
    return SentinelReading(at_s=at_s, round=int(round_), worker=int(worker), time_s=time_s)


def _course(
    device: str, name: str, looks: Sequence[SentinelReading], reference: Mapping[str, Any]
) -> SentinelSeries:
    facts = reference.get(device)
    known = facts.get(f"{name}_s") if isinstance(facts, dict) else None
    middle = statistics.median(look.time_s for look in looks)
    return SentinelSeries(
        device=device,
        sentinel=name,
        reference_s=known or middle,
        is_reference=bool(known),
        looks=tuple(sorted(looks, key=attrgetter("at_s"))),
    )


def stretches(looks: Sequence[SentinelReading], count: int) -> list[list[SentinelReading]]:
    """Looks in order of time, in so many stretches of equal length; empty ones are left out."""
    if not looks:
        return []
    begin = looks[0].at_s
    width = max((looks[-1].at_s - begin) / count, _MIN_WIDTH_S)
    found: dict[int, list[SentinelReading]] = {}
    for look in looks:
        found.setdefault(min(count - 1, int((look.at_s - begin) / width)), []).append(look)
    return list(found.values())
