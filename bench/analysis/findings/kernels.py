"""What cases launch on a GPU: which kernels, where the device waits for the host, what a graph would save.

A row keeps the names of its kernels, how many run, and their sum, not each one's own time.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.grid import title
from bench.analysis.usable import FOR_INTERVALS, unusable
from bench.records.kernel_trace import INCOMPLETE
from bench.records.record import LAUNCH
from bench.units import counted, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.records.record import Record

_COPIES = ("Memcpy HtoD", "Memcpy DtoH")
"""What the profiler calls copies between host and device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A kernel, copy or fill, and the rows that run it."""

    name: str
    records: tuple[Record, ...]

    @property
    def alone(self) -> int:
        """How many of them run nothing else."""
        return sum(len(r.kernels) == 1 for r in self.records)

    @property
    def longest(self) -> int:
        """In how many of them it takes the most time."""
        return sum(r.kernels[0] == self.name for r in self.records)


def kernels(records: Iterable[Record]) -> list[Kernel]:
    """Each kernel with its rows, that of the most rows first."""
    found: dict[str, list[Record]] = {}
    for record in records:
        for name in dict.fromkeys(record.kernels):
            found.setdefault(name, []).append(record)
    made = [Kernel(name=name, records=tuple(rows)) for name, rows in found.items()]
    return sorted(made, key=lambda one: (-len(one.records), one.name))


def judged(records: Iterable[Record]) -> list[Record]:
    """The rows of which it is known what a caller waits for."""
    return [r for r in records if r.bound_by and not unusable(r, barred=FOR_INTERVALS)]


def launch_bound(records: Iterable[Record]) -> list[Record]:
    """Those in which the device waits for the host, the one that waits for the largest share first."""
    found = [r for r in judged(records) if r.bound_by == LAUNCH]
    return sorted(found, key=lambda r: -(waiting_share(r) or 0.0))


def waiting_share(record: Record) -> float | None:
    """The share of the headline in which the device has nothing to do."""
    if not record.time_s or record.device_time_s is None:
        return None
    return max(0.0, 1 - record.device_time_s / record.time_s)


def saved_share(record: Record) -> float | None:
    """How much less the device takes in a replayed graph than a caller waits now, at the least.

    The replay is compared with the fast end of the interval. A replay has a launch of its own, so it is a bound.
    """
    low = record.time_lo_s if record.time_lo_s is not None else record.time_s
    if not low or record.graph_time_s is None:
        return None
    return max(0.0, 1 - record.graph_time_s / low)


def crosses_bus(record: Record) -> bool:
    """Whether a call copies between host and device, so that the roofs of the device say nothing of it."""
    return any(name.startswith(_COPIES) for name in record.kernels)


def gpu_waits(records: Sequence[Record]) -> str | None:
    """For how many cases a GPU waits for the host, so that their times are those of launching."""
    rows, bound = judged(records), launch_bound(records)
    if not bound:
        return None
    devices = ", ".join(dict.fromkeys(r.device for r in rows))
    waits = "waits" if len(bound) == 1 else "wait"
    return (
        f"{len(bound)} of {counted(len(rows), 'case')} on {devices} whose own device time is known {waits} "
        "for the host (launch-bound): the device is idle for a fifth of the time or more, so these times "
        "say what launching costs, not what the device can do."
    )


def sentences(records: Sequence[Record]) -> list[str]:
    """What is to be said of launches, kernels and graphs."""
    found = (rule(records) for rule in (_bound, _graphs, _counts, _doubt))
    return [sentence for sentence in found if sentence]


def _bound(records: Sequence[Record]) -> str | None:
    rows, bound = judged(records), launch_bound(records)
    if not rows:
        return None
    if not bound:
        return (
            f"Launch-bound: none of {counted(len(rows), 'case')}; the host keeps the device busy."
        )
    return (
        f"Launch-bound: {len(bound)} of {counted(len(rows), 'case')}; "
        "there the device waits for the host for a fifth of the time or more."
    )


def _graphs(records: Sequence[Record]) -> str | None:
    bound = launch_bound(records)
    saved = [s for r in bound if (s := saved_share(r)) is not None]
    if not bound:
        return None
    if not saved:
        return "None of these could be recorded as a graph, so it is not known what a replay would save."
    ends = f"from {share(min(saved))} to {share(max(saved))}, " if len(saved) > 1 else ""
    return (
        f"Of these {len(saved)} could be recorded as a graph; replayed, the device needs "
        f"{ends}in the middle {share(statistics.median(saved))} less than a caller waits now."
    )


def _counts(records: Sequence[Record]) -> str | None:
    known = [r for r in records if r.kernels and r.kernels_per_call]
    if not known:
        return None
    single = sum(r.kernels_per_call == 1 for r in known)
    most = max(known, key=lambda r: r.kernels_per_call or 0.0)
    said = f"A single kernel per call: {single} of {counted(len(known), 'case')}"
    if single == len(known):
        return f"{said}."
    return f"{said}; {most.suite}/{title(most)} runs the most, {most.kernels_per_call:g}."


def _doubt(records: Sequence[Record]) -> str | None:
    lost = sum(INCOMPLETE in r.warnings for r in records)
    if not lost:
        return None
    return f"The profiler's records of {counted(lost, 'case')} do not add up (profile-incomplete)."
