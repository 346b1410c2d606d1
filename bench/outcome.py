"""What became of a case: facts arrive from several workers and rounds, one row leaves.

Collects; decides nothing about measuring. What the samples say is for `bench.summary` to find.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from bench.noise import Noise
from bench.record import Record, Sample
from bench.schedule import HOT
from bench.states import Conditions
from bench.stopping import Stopping
from bench.store.journal import Entry
from bench.summary import Measuring, summarised
from bench.turns import Turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from bench.measure.protocol import Checked, Prepared, Sensed, Visited
    from bench.plan import PlannedCase


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What all rows of a run share."""

    run_id: str
    machine_id: str
    machine: str
    device_names: Mapping[str, str]
    torch_version: str | None
    threads: int
    confidence: float
    started_at: datetime
    started_ns: int
    """The same moment on the clock that samples are taken with."""
    reference: Conditions | None = None
    """What the sentinels take on this machine when it is at its best."""
    cache: str = HOT
    noise: Noise = field(default_factory=Noise)
    """What others say of how far the headline may be off."""
    noise_at_reference: Noise = field(default_factory=Noise)
    """And the headline brought to reference conditions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit: where and when, how the call was prepared there, what was seen."""

    worker: int
    round: int
    prepared: Prepared
    visited: Visited
    sensed: Sensed | None = None
    """What the sentinels took in that turn, known when it is over."""

    def net_times_s(self) -> list[float]:
        """Seconds per call of each sample, overhead subtracted."""
        loops, prepared = self.visited.loops, self.prepared
        return [net_time_s(ns * 1e-9, loops, prepared) for ns in self.visited.elapsed_ns]

    def turn(self) -> Turn:
        """The visit as one time under known conditions."""
        sensed = self.sensed
        return Turn(
            worker=self.worker,
            round=self.round,
            started_ns=self.visited.started_ns[0],
            time_s=median(self.net_times_s()),
            conditions=Conditions(compute_s=sensed.compute_s, barrier_s=sensed.barrier_s)
            if sensed
            else None,
            device_s=_middle(self.visited.device_s, self.visited.gapless),
            host_s=_middle(self.visited.host_s, self.visited.gapless),
            gapless=self.visited.gapless,
        )

    def samples(self, case: PlannedCase, run_started_ns: int) -> Iterator[Sample]:
        """The visit's samples, as they are stored."""
        seen = self.visited
        compute_s = self.sensed.compute_s if self.sensed else None
        barrier_s = self.sensed.barrier_s if self.sensed else None
        launch_s = self.sensed.launch_s if self.sensed else None
        load_1m = self.sensed.load_1m if self.sensed else None
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
                time_s=net_time_s(elapsed * 1e-9, seen.loops, self.prepared),
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


def _middle(values: Sequence[float], gapless: Sequence[bool]) -> float | None:
    """The median of the samples that have no gap; None if all may have one."""
    proven = [value for value, is_proven in zip(values, gapless, strict=True) if is_proven]
    return median(proven) if proven else None


def net_time_s(elapsed_s: float, loops: int, prepared: Prepared) -> float:
    """Seconds per call, less what reading the clock and an empty call of the same shape cost."""
    return (elapsed_s - prepared.clock_s) / loops - prepared.overhead_s


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What is known of a case so far."""

    case: PlannedCase
    status: str = "ok"
    reason: str | None = None
    checked: Checked | None = None
    prepared: dict[int, Prepared] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    sampled_s: float = 0.0
    aside_s: float = 0.0
    """What evictions, and samples of the device's own time, took."""
    spent_s: float = 0.0
    """Time spent on it in all: building, checking, warming up, sampling."""
    graph_s: float | None = None
    """The device's time per call in a replayed graph."""
    stopping: Stopping = field(default_factory=Stopping)
    stopped_by: str | None = None

    def add_visit(self, visit: Visit) -> None:
        """Keep the samples of one visit."""
        self.visits.append(visit)
        self.sampled_s += sum(visit.visited.elapsed_ns) * 1e-9
        self.aside_s += visit.visited.aside_ns * 1e-9

    def set_conditions(self, turn: tuple[int, int], sensed: Sensed | None) -> None:
        """Say what the sentinels took in a turn (worker, round), which is known when it is over."""
        self.visits = [
            dataclasses.replace(visit, sensed=sensed)
            if (visit.worker, visit.round) == turn
            else visit
            for visit in self.visits
        ]

    def turns(self) -> list[Turn]:
        """What each worker saw in each round so far."""
        return [visit.turn() for visit in self.visits]

    def end(self, status: str, reason: str) -> None:
        """Nothing more is measured; samples taken so far are kept."""
        self.status, self.reason = status, reason

    @property
    def open(self) -> bool:
        """Whether it can still be measured."""
        return self.status == "ok"

    @property
    def visited_s(self) -> float:
        """What its visits took: samples, and what came between them."""
        return self.sampled_s + self.aside_s

    @property
    def visited_workers(self) -> set[int]:
        """Workers that samples came from."""
        return {visit.worker for visit in self.visits}

    def entry(self, facts: RunFacts) -> Entry:
        """The finished row and its samples."""
        samples = self._samples(facts)
        record = self._record(facts)
        if self.open and samples:
            how = Measuring(
                confidence=facts.confidence,
                turns=tuple(self.turns()),
                gauges=tuple(g for v in self.visits if v.sensed for g in v.sensed.gauges),
                noise=facts.noise.of(self.case.key),
                noise_at_reference=facts.noise_at_reference.of(self.case.key),
                reference=facts.reference,
                prepared=tuple(visit.prepared for visit in self.visits),
            )
            record = summarised(record, samples, how)
        return Entry(record=record, samples=samples)

    def _samples(self, facts: RunFacts) -> tuple[Sample, ...]:
        return tuple(
            sample for visit in self.visits for sample in visit.samples(self.case, facts.started_ns)
        )

    def _record(self, facts: RunFacts) -> Record:
        case, checked = self.case, self.checked
        return Record(
            run_id=facts.run_id,
            machine_id=facts.machine_id,
            machine=facts.machine,
            suite=case.suite,
            op=case.op,
            case=case.id,
            device=case.device,
            device_name=facts.device_names.get(case.device, case.device),
            dtype=case.dtype,
            params=case.labels,
            status=self.status,
            reason=self.reason or (checked.note if checked and checked.note else None),
            flop=case.flop,
            bytes=case.bytes,
            input_bytes=checked.input_bytes if checked else None,
            peak_memory_bytes=checked.peak_memory_bytes if checked else None,
            correct=checked.correct if checked else None,
            max_error=checked.max_error if checked else None,
            graph_time_s=self.graph_s,
            stopped_by=self.stopped_by if self.visits else None,
            threads=facts.threads,
            cache=facts.cache,
            torch_version=facts.torch_version,
            started_at=facts.started_at,
        )
