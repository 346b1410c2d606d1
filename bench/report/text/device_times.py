"""What is known of a case's time on a GPU: each way in which it was told, side by side, with what it means.

None of these is the headline but what a caller waits; the others say why it is as long as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.units import MISSING, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bench.records.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way of telling a call's time: its name, a shorter one for columns, what it means, and the row's value."""

    name: str
    head: str
    meaning: str
    of: Callable[[Record], float | None]
    usual: bool = True
    """Whether it is shown in a narrow terminal as well."""
    of_work: bool = True
    """Whether it tells of work on the device, which what a caller waits, and draining, may do without."""


WAYS = (
    Way(
        name="a caller waits",
        head="waits",
        meaning="The headline: calls back to back, until the device has done them all.",
        of=lambda r: r.time_s,
        of_work=False,
    ),
    Way(
        name="submitting it",
        head="submits",
        meaning="What the host takes to put a call into the device's queue.",
        of=lambda r: r.host_time_s,
        usual=False,
    ),
    Way(
        name="device, caches hot",
        head="hot",
        meaning="The device's own time, between two events in its queue, with all the work there before it "
        "begins and the data where the last call left it.",
        of=lambda r: r.device_time_s,
    ),
    Way(
        name="device, caches cold",
        head="cold",
        meaning="The same after the device's caches were emptied, so that data comes from its memory.",
        of=lambda r: r.device_time_cold_s,
    ),
    Way(
        name="device, in a graph",
        head="graph",
        meaning="The device's own time when the call is recorded as a CUDA graph and replayed, without any "
        "launches by the host.",
        of=lambda r: r.graph_time_s,
    ),
    Way(
        name="device, by the profiler",
        head="profiler",
        meaning="The sum of what ran on the device, by torch's profiler, without the gaps between kernels; "
        "never the headline.",
        of=lambda r: r.profiled_time_s,
    ),
    Way(
        name="draining the queue",
        head="drain",
        meaning="What waiting for an empty queue adds to a sample of many calls; it is subtracted already.",
        of=lambda r: r.drain_s,
        usual=False,
        of_work=False,
    ),
)


def known(records: Iterable[Record]) -> list[Record]:
    """The rows of which any time on a device is known."""
    return [
        r for r in records if r.status == "ok" and any(way.of(r) for way in WAYS if way.of_work)
    ]


def texts(record: Record) -> tuple[str, ...]:
    """The times in the order of `WAYS`, a dash where one is not known; none at all for a CPU's row."""
    return tuple(seconds(way.of(record)) or MISSING for way in WAYS) if known([record]) else ()
