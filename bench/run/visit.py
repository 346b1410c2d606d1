"""Visit: a worker's stay with a case in a round. Its samples, and the one time that they give in one state of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.records.machine_state import Conditions
from bench.records.record import Sample
from bench.run.cells import Cell, process_use

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.plan.plan import PlannedCase
    from bench.pool.protocol import Prepared, Sensed, Visited


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A worker's visit to a case in a round: how the call was prepared in that worker, and the samples."""

    worker: int
    round: int
    prepared: Prepared
    visited: Visited
    sensed: Sensed | None = None
    """What the sentinels took during the visit, known when the worker has made its visits of the round."""

    def net_times_s(self) -> list[float]:
        """Seconds per call of each sample, overhead subtracted."""
        seen, device_s = self.visited, self.device_s
        return [
            net_time_s(ns * 1e-9, seen.loops, self.prepared, device_s) for ns in seen.elapsed_ns
        ]

    @property
    def device_s(self) -> float | None:
        """The device's own time in this visit, where that is told."""
        return _middle(self.visited.device_s, self.visited.gapless)

    def cell(self) -> Cell:
        """The visit as one time in one state of the machine."""
        sensed = self.sensed
        return Cell(
            worker=self.worker,
            round=self.round,
            started_ns=self.visited.started_ns[0],
            time_s=median(self.net_times_s()),
            conditions=conditions_of(sensed) if sensed else None,
            device_s=self.device_s,
            host_s=_middle(self.visited.host_s, self.visited.gapless),
            gapless=self.visited.gapless,
            **process_use(self.visited),
        )

    def samples(self, case: PlannedCase, run_started_ns: int) -> Iterator[Sample]:
        """The visit's samples, as they are stored."""
        seen = self.visited
        compute_s = self.sensed.compute_s if self.sensed else None
        barrier_s = self.sensed.barrier_s if self.sensed else None
        launch_s = self.sensed.launch_s if self.sensed else None
        load_1m = self.sensed.load_1m if self.sensed else None
        times_s = self.net_times_s()
        beside = list(zip(seen.device_s, seen.host_s, seen.gapless, strict=True))
        for i, (start, elapsed) in enumerate(zip(seen.started_ns, seen.elapsed_ns, strict=True)):
            device_s, host_s, gapless = beside[i] if i < len(beside) else (None, None, None)
            yield Sample(
                case=case.id,
                device=case.device,
                worker=self.worker,
                round=self.round,
                at_s=(start - run_started_ns) * 1e-9,
                loops=seen.loops,
                elapsed_s=elapsed * 1e-9,
                time_s=times_s[i],
                cpu_s=seen.cpu_ns[i] * 1e-9,
                minor_faults=seen.minor_faults[i],
                involuntary_switches=seen.involuntary_switches[i],
                device_s=device_s,
                host_s=host_s,
                gapless=gapless,
                sentinel_compute_s=compute_s,
                sentinel_barrier_s=barrier_s,
                sentinel_launch_s=launch_s,
                load_1m=load_1m,
            )


def conditions_of(sensed: Sensed) -> Conditions:
    """The times of the sentinels, without the readings taken beside them."""
    return Conditions(
        compute_s=sensed.compute_s, barrier_s=sensed.barrier_s, launch_s=sensed.launch_s
    )


def _middle(values: Sequence[float], gapless: Sequence[bool]) -> float | None:
    """The median of the samples that have no gap; None if all may have one."""
    proven = [value for value, is_proven in zip(values, gapless, strict=True) if is_proven]
    return median(proven) if proven else None


def net_time_s(
    elapsed_s: float, loops: int, prepared: Prepared, device_s: float | None = None
) -> float:
    """Seconds per call, less what reading the clock, draining the queue and an empty call of its shape cost.

    No call takes less than its own work on the device, whatever these were found to cost: when the call was prepared,
    the host may have been slower than it is now, or other programs at work on it.
    """
    fixed_s = prepared.clock_s + prepared.drain_s
    net_s = (elapsed_s - fixed_s) / loops - prepared.overhead_s
    return net_s if device_s is None else max(net_s, min(elapsed_s / loops, device_s))
