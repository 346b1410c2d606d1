"""What became of a case: facts arrive from several workers and rounds, one row leaves.

Collects; decides nothing about measuring. What the samples say is for `bench.run.summary` to find.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from statistics import mode
from typing import TYPE_CHECKING, Any

from bench.pool.protocol import IDLE, WAITS
from bench.records.cache_state import HOT
from bench.records.record import Record
from bench.run import turns
from bench.run.noise import Noise
from bench.run.stopping import Stopping
from bench.run.summary import Measuring, summarised
from bench.store.journal import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bench.machine.gpu_readings import Telemetry
    from bench.plan.plan import PlannedCase
    from bench.pool.protocol import Checked, Metered, Prepared, Sensed
    from bench.records.kernel_trace import Activity
    from bench.records.machine_state import Conditions
    from bench.records.record import Sample
    from bench.run.turns import Turn
    from bench.run.visit import Visit


NO_ENERGY, NOT_QUEUED, OVERFILLED = "no-energy", "not-queued", "queue-full"
MOST_LAUNCHES = 500
"""A queue holds about a thousand launches (1,022 on an H200, `docs/gpu.md`); a call with
half of that fills it before its marks are in it."""


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
    cold_s: float | None = None
    """The device's time per call with cold caches."""
    loaded: tuple[Telemetry, ...] = ()
    """What its GPU said of itself while it worked on this case alone."""
    activity: Activity | None = None
    """What the profiler saw of it on its device."""
    metered: Metered | None = None
    """What a call costs in energy, if that was asked for."""
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

    def under(self, best: Conditions | None) -> tuple[list[Turn], Conditions | None]:
        """The turns, and the machine's best, by the sentinel that tells what its caller waits for.

        That is the host's where the device idles for want of launches, is waited for within the call, or
        has nothing to do. On an H200's host launches took 7 to 18 µs from minute to minute while the GPU's
        clock stood still. Of 134 cases that wait for launches 98 % were more than 5 % apart in two runs,
        and 16 % when each turn, in whichever state, was brought to what a launch takes; calls without
        kernels do other things than launching, and only agree near the reference (`docs/gpu.md`).
        """
        seen = self.turns()
        launches = turns.waits_for_host(seen)
        if best is None or not (launches or self.work in {IDLE, WAITS}):
            return seen, best
        host = best.of_host(anywhere=launches)
        return (seen, best) if host is None else (turns.under_host(seen), host)

    def end(self, status: str, reason: str) -> None:
        """Nothing more is measured; samples taken so far are kept."""
        self.status, self.reason = status, reason

    @property
    def open(self) -> bool:
        """Whether it can still be measured."""
        return self.status == "ok"

    @property
    def work(self) -> str:
        """What its work on a device with a queue is, by most workers; empty on other devices."""
        return mode([one.work for one in self.prepared.values()] or [""])

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
            seen, reference = self.under(facts.reference)
            how = Measuring(
                confidence=facts.confidence,
                turns=tuple(seen),
                gauges=tuple(g for v in self.visits if v.sensed for g in v.sensed.gauges),
                loaded=self.loaded,
                noise=facts.noise.of(self.case.key),
                noise_at_reference=facts.noise_at_reference.of(self.case.key),
                reference=reference,
                prepared=tuple(visit.prepared for visit in self.visits),
            )
            record = summarised(record, samples, how)
            record = dataclasses.replace(record, warnings=(*record.warnings, *self._codes()))
        return Entry(record=record, samples=samples)

    def _codes(self) -> tuple[str, ...]:
        """What to distrust of what was learnt beside the samples."""
        profiled = self.activity.codes if self.activity else ()
        if self._unproven:
            profiled = (*profiled, OVERFILLED if self._overfills else NOT_QUEUED)
        return (*profiled, NO_ENERGY) if self.metered and self.metered.reason else profiled

    @property
    def _unproven(self) -> bool:
        """Whether it has work on a device, and no sample of it is proven to have no launch gap."""
        proven = [one for visit in self.visits for one in visit.visited.gapless]
        return self.work == WAITS or (bool(proven) and not any(proven))

    @property
    def _overfills(self) -> bool:
        """Whether its launches are more than fit, and not waits of its own: those can't be recorded."""
        return self.graph_s is not None and _launches(self.activity) > MOST_LAUNCHES

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
            device_time_cold_s=self.cold_s,
            **_profiled(self.activity),
            energy_j=self.metered.energy_j if self.metered else None,
            power_w=self.metered.power_w if self.metered else None,
            stopped_by=self.stopped_by if self.visits else None,
            threads=facts.threads,
            cache=facts.cache,
            torch_version=facts.torch_version,
            started_at=facts.started_at,
        )


def _launches(activity: Activity | None) -> float:
    """What a call runs on its device, as far as a profile has seen it."""
    return sum(line.count for line in activity.lines) / activity.calls if activity else 0.0


def _profiled(activity: Activity | None) -> dict[str, Any]:
    """The columns that a profile fills; times and counts of an incomplete one would be wrong."""
    if activity is None:
        return {}
    names = tuple(dict.fromkeys(line.name for line in activity.lines))
    if activity.codes:
        return {"kernels": names}
    return {
        "kernels": names,
        "kernels_per_call": _launches(activity),
        "profiled_time_s": activity.per_call_s if activity.lines else None,
    }
