"""Grouping of cases: by what binds them, arithmetic, memory, launches, or the bus.

What a unit is slow at says why it is: arithmetic points to clocks and power, memory to its memory, launches to the
host, copies to the bus. A case is in one group for a whole model (that of most of its rows, `cohort.py`), so that
units are compared on the same cases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.records.record import LAUNCH

if TYPE_CHECKING:
    from bench.analysis.fleet.fleet_summary import Group
    from bench.records.record import Record

_COPIES = ("Memcpy HtoD", "Memcpy DtoH")
"""What the profiler calls copies between host and device."""
_SUITE_OF_COPIES = "transfer"
_MATMUL, _BANDWIDTH = "matmul", "bandwidth"
"""How the names of roofs end (`bench.records.roofs`)."""
MAX_CALL_S = 1e-5
"""A shorter call on a CPU is mostly calling. A call costs about 1 µs and two threads that meet 6 to 11 µs, whatever
they compute (docs/method.md, "The state of the machine"); the roofline's sentences leave out the same calls."""
MIN_FLOP_PER_BYTE = 10.0
"""More arithmetic per byte than that is bound by arithmetic, where no roof was measured: between the ridges of CPUs
and of GPUs without matrix units (Williams, Waterman & Patterson, "Roofline", 2009)."""


def group_of(record: Record) -> Group:
    """What binds a row.

    A copy over the bus is one whatever else is true of it. What has neither a roof nor a work model counts as
    memory: most ops do little with each byte.
    """
    if _crosses_bus(record):
        return "transfer"
    if _waits_for_calls(record):
        return "launch"
    roof = record.roof or ""
    if roof.endswith((_MATMUL, _BANDWIDTH)):
        return "compute" if roof.endswith(_MATMUL) else "memory"
    flop, moved = record.flop or 0.0, record.bytes or 0.0
    return "compute" if flop > MIN_FLOP_PER_BYTE * moved else "memory"


def _crosses_bus(record: Record) -> bool:
    """Whether copying between host and device is what a call is for, or takes longest in it.

    Not any copy: many a call reads a value or two back.
    """
    if record.device == "cpu":
        return False
    longest = record.kernels[0] if record.kernels else ""
    return record.suite == _SUITE_OF_COPIES or longest.startswith(_COPIES)


def _waits_for_calls(record: Record) -> bool:
    """Whether the host's calls take the time: a GPU that waits for launches, a short call on a CPU."""
    if record.device == "cpu":
        return (record.time_s or 0.0) < MAX_CALL_S
    return record.bound_by == LAUNCH
