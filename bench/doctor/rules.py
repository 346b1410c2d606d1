"""All rules about hazards: what on a machine may make its numbers noisy, found in recorded facts alone.

One set of rules for the page of a run, which tells what is to be feared, and for `bench doctor`, which
also tells what is fine and what is not known. The rules are in `load.py`, `setup.py`, `gpu.py`, `history.py`.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from bench.doctor import gpu, history, load, setup
from bench.doctor.hazard import SEVERITIES, Topic
from bench.units import clock, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.doctor.hazard import Hazard
    from bench.doctor.history import MachineHistory
    from bench.records.record import Record
    from bench.store.runs import RunInfo

_LONG_WAIT_S = 5.0
"""A wait of a second or two is one state that passed; a longer wait says how this machine is."""
_RARE_REFERENCE_SHARE = 0.5
"""Fewer than half of the visits at reference say that the usual state was another."""
_STATES = Topic(
    code="states",
    subject="the states of the machine",
    effect="the machine has more than one state, and a time belongs to one of them",
    remedy="compare time_at_reference_s; run when nothing else does",
)


def hazards(info: RunInfo, records: Sequence[Record] = ()) -> list[Hazard]:
    """Hazards of a run's machine, the most telling first, without what is fine or not known."""
    found = [one for one in _all(info) if one.alarming]
    states = away_from_reference(info, records)
    return [states, *found] if states else found


def checkup(info: RunInfo, known: MachineHistory) -> list[Hazard]:
    """All that the rules say of a machine as it is now, the worst first, also what is fine or not known."""
    found = [*_all(info), *history.hazards(known)]
    return sorted(found, key=lambda one: SEVERITIES.index(one.severity))


def _all(info: RunInfo) -> list[Hazard]:
    return [*(rule(info) for rule in (*load.RULES, *setup.RULES)), *gpu.hazards(info)]


def away_from_reference(info: RunInfo, records: Sequence[Record]) -> Hazard | None:
    """Visits away from the reference state, and time spent waiting for it."""
    shares = [r.reference_share for r in records if r.reference_share is not None]
    middle = statistics.median(shares) if shares else 1.0
    seen = []
    if info.waited_s >= _LONG_WAIT_S:
        seen.append(
            f"the run waited {clock(info.waited_s)} for the machine to come back to its reference"
        )
    if middle < _RARE_REFERENCE_SHARE:
        seen.append(f"in the middle, {share(middle)} of a case's visits were at reference")
    return _STATES.will(" and ".join(seen)) if seen else None
