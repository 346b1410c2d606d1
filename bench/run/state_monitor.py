"""State monitor: why a run waits for a slow machine. It times the sentinels of a device while cases are measured.

Each visit is told the times of the sentinels before and after it. Where the machine is in a slower state than its
reference, the visits of a worker wait for it to come back, for as long as patience lasts: states last seconds to
minutes. A machine that does not come back within a third of the patience is taken as it is from then on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.pool.protocol import Sensed
from bench.records import machine_state
from bench.run.visit import conditions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.records.machine_state import Conditions
    from bench.run.outcome import Outcome

    Sense = Callable[[int, str], Sensed | None]
    """Times the sentinels of a device in a worker; None if it was lost over that."""

SENTINELS_EVERY_S = 0.25
"""A look at the sentinels takes 4 to 6 ms, a fiftieth of this; a machine changes its clock within tenths of a
second."""
_PAUSE_S = 0.25
"""Time between two looks while the run waits for the machine."""
_MAX_SHARE_OF_PATIENCE_PER_WAIT = 1 / 3
"""Most slow states that come and go last half a minute or less (decision 0007), so that one which outlasts a
third of three minutes may well outlast the run; no more time is lost on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Tells the time and lets it pass; tests pass their own."""

    now_s: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep


class StateMonitor:
    """Times the sentinels before and after a worker's visits of a round, and every quarter of a second in between."""

    def __init__(
        self,
        sense: Sense,
        device: str = "cpu",
        known: Conditions | None = None,
        *,
        patience_s: float = 0.0,
        waits: Callable[[], None] = lambda: None,
        clock: Clock | None = None,
    ) -> None:
        self._sense = sense
        self._device = device
        self._known = [known] if known else []
        self._clock = clock or Clock()
        self._patience_s = patience_s
        self._waits = waits
        self._cell = (0, 0)
        self._before: Sensed | None = None
        self._looked_s = 0.0
        self._since: list[Outcome] = []
        self.seen: list[Conditions] = []
        """The conditions between each two looks so far."""
        self.waited_s = 0.0

    @property
    def reference(self) -> Conditions | None:
        """The machine's reference, from earlier runs and from this one so far."""
        own = [machine_state.level(self.seen)] if self.seen else []
        return machine_state.reference([*self._known, *own])

    def settle(self) -> Conditions | None:
        """The reference, which from now on only a faster state replaces: rows of a run must share it.

        A machine that has none gets it with its first batch. Times scaled to the conditions until each later
        batch could be compared with those of no other run.
        """
        found = self.reference
        if found and not self._known:
            self._known = [found]
        return found

    @property
    def known(self) -> Conditions | None:
        """The reference as it was known before this run, or is since its first batch."""
        return self._known[0] if self._known else None

    def begin(self, worker: int, round_: int) -> None:
        """Before a worker's visits of a round: look, and wait for the reference while patience lasts."""
        self._cell = worker, round_
        self._since = []
        self._look()
        wanted = self.reference
        in_vain_s = self.waited_s + self._patience_s * _MAX_SHARE_OF_PATIENCE_PER_WAIT
        while self._slower(wanted) and self.waited_s < self._patience_s:
            if self.waited_s >= in_vain_s:
                self._patience_s = 0.0
                return
            self._waits()
            self._clock.sleep(_PAUSE_S)
            self.waited_s += _PAUSE_S
            self._look()

    def visited(self, outcome: Outcome) -> None:
        """A visit is over; look again if the last look is a while ago."""
        self._since.append(outcome)
        if self._clock.now_s() - self._looked_s >= SENTINELS_EVERY_S:
            self._close()

    def end(self) -> None:
        """After these visits: those since the last look are told their conditions."""
        if self._since:
            self._close()

    def _look(self) -> None:
        self._before = self._sense(self._cell[0], self._device)
        self._looked_s = self._clock.now_s()

    def _close(self) -> None:
        before = self._before
        self._look()
        sensed = averaged(before, self._before)
        if sensed:
            self.seen.append(conditions_of(sensed))
        for outcome in self._since:
            outcome.set_conditions(self._cell, sensed)
        self._since = []

    def _slower(self, wanted: Conditions | None) -> bool:
        if wanted is None or self._before is None:
            return False
        return machine_state.is_slower(conditions_of(self._before), wanted)


class StateMonitors:
    """A monitor for each device that is measured on, made when it is first asked for.

    Args:
        make: gives the monitor of a device with a known reference.
        known: device → its reference, from earlier runs.
    """

    def __init__(
        self,
        make: Callable[[str, Conditions | None], StateMonitor],
        known: Mapping[str, Conditions],
    ) -> None:
        self._make = make
        self._known = known
        self.made: dict[str, StateMonitor] = {}

    def of(self, device: str) -> StateMonitor:
        """The device's own."""
        if device not in self.made:
            self.made[device] = self._make(device, self._known.get(device))
        return self.made[device]


def averaged(before: Sensed | None, after: Sensed | None) -> Sensed | None:
    """The mean of two looks at the sentinels; None if one is missing, since the worker was lost."""
    if before is None or after is None:
        return None
    return Sensed(
        compute_s=(before.compute_s + after.compute_s) / 2,
        barrier_s=_mean(before.barrier_s, after.barrier_s),
        launch_s=_mean(before.launch_s, after.launch_s),
        gauges=(*before.gauges, *after.gauges),
        load_1m=_mean(before.load_1m, after.load_1m),
    )


def _mean(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else (before + after) / 2
