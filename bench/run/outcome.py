"""The outcome of a case: visits of several workers in several rounds come in, one row goes out.

An outcome collects, and decides nothing about measuring. `bench.run.summary` estimates from its cells.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from statistics import mode
from typing import TYPE_CHECKING, Any

from bench.pool.protocol import IDLE, WAITS
from bench.pool.side_effects import SideEffects, together
from bench.records import memory_policy
from bench.records.cache_state import HOT
from bench.records.memory_policy import SYSTEM
from bench.records.record import Record
from bench.records.warning_codes import NOT_COMPILED
from bench.run.cells import under_host, waits_for_host
from bench.run.compile_time import compile_columns, is_not_compiled
from bench.run.stopping import Stopping
from bench.run.summary import Measuring, Noise, summarised
from bench.store.journal import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bench.machine.gpu_readings import Telemetry
    from bench.plan.plan import PlannedCase
    from bench.pool.protocol import Built, Checked, Metered, Prepared, Rechecked, Sensed
    from bench.records.kernel_trace import Activity
    from bench.records.machine_state import Conditions
    from bench.records.record import Sample
    from bench.run.cells import Cell
    from bench.run.visit import Visit

NO_ENERGY, NOT_QUEUED, OVERFILLED = "no-energy", "not-queued", "queue-full"
INPUTS_CHANGED = "inputs-changed"
MOST_LAUNCHES_PER_CALL = 500
"""A queue holds about a thousand launches (1,022 on an H200, `docs/gpu.md`); a call with
half of that fills it before its marks are in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """The facts that all rows of a run share."""

    run_id: str
    machine_id: str
    machine: str
    device_names: Mapping[str, str]
    torch_version: str | None
    threads: int
    confidence: float
    started_at: datetime
    started_ns: int
    """The same time on the clock that samples are taken with."""
    reference: Conditions | None = None
    """Times of the sentinels when this machine is in its reference state."""
    cache: str = HOT
    memory: Mapping[str, str] = field(default_factory=dict)
    """Device → the policy by which results get their memory there."""
    budget_s: float = math.inf
    """The time that a case has for its samples."""
    noise: Noise = field(default_factory=Noise)
    """How far the headlines of cases may be off, as other cases and earlier runs tell."""
    noise_at_reference: Noise = field(default_factory=Noise)
    """The same for the times at reference conditions."""
    names: Mapping[str, Any] = field(default_factory=dict)
    """The columns that say what the run is called."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """A case so far: its status, its visits, and the results of the extra passes."""

    case: PlannedCase
    status: str = "ok"
    reason: str | None = None
    codes: tuple[str, ...] = ()
    """Warnings of a refusal."""
    checked: Checked | None = None
    rechecked: Rechecked | None = None
    """What became of the result by its timing."""
    checker: int = 0
    """The worker that checked it."""
    built: list[Built] = field(default_factory=list)
    prepared: dict[int, Prepared] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    sampled_s: float = 0.0
    aside_s: float = 0.0
    """Time that lead-ins, evictions, and samples of the device's own time took."""
    spent_s: float = 0.0
    """Time spent on it in all: building, checking, warming up, sampling."""
    graph_s: float | None = None
    """The device's time per call in a replayed graph."""
    cold_s: float | None = None
    """The device's time per call with cold caches."""
    fresh: Mapping[str, float] = field(default_factory=dict)
    """How many times as long it takes in fresh memory, under the columns of the times."""
    loaded: tuple[Telemetry, ...] = ()
    """Readings of the GPU while it worked on this case alone."""
    activity: Activity | None = None
    """The kernels of a call, as the profiler saw them on the device."""
    metered: Metered | None = None
    """The energy of a call, if it was asked for."""
    stopping: Stopping = field(default_factory=Stopping)
    stopped_by: str | None = None

    def add_visit(self, visit: Visit) -> None:
        """Keep the samples of one visit."""
        self.visits.append(visit)
        self.sampled_s += sum(visit.visited.elapsed_ns) * 1e-9
        self.aside_s += visit.visited.aside_ns * 1e-9

    def set_conditions(self, cell: tuple[int, int], sensed: Sensed | None) -> None:
        """Say what the sentinels took in a cell (worker, round), which is known after its visits."""
        self.visits = [
            dataclasses.replace(visit, sensed=sensed)
            if (visit.worker, visit.round) == cell
            else visit
            for visit in self.visits
        ]

    def cells(self) -> list[Cell]:
        """A cell for each worker and round so far."""
        return [visit.cell() for visit in self.visits]

    def under(self, reference: Conditions | None) -> tuple[list[Cell], Conditions | None]:
        """The cells, and the machine's reference, by the sentinel that tells what the caller of the op waits for.

        That sentinel is the host's where the device idles for want of launches, is waited for within the call,
        or has nothing to do. On an H200's host launches took 7 to 18 µs from minute to minute while the GPU's
        clock stood still. Of 134 cases that wait for launches 98 % were more than 5 % apart in two runs,
        and 16 % when each cell, in whichever state, was scaled to what a launch takes; calls without
        kernels do other things than launching, and only agree near the reference (`docs/gpu.md`).
        """
        seen = self.cells()
        launches = waits_for_host(seen)
        if reference is None or not (launches or self.work in {IDLE, WAITS}):
            return seen, reference
        host = reference.of_host(anywhere=launches)
        return (seen, reference) if host is None else (under_host(seen), host)

    def end(self, status: str, reason: str, codes: tuple[str, ...] = ()) -> None:
        """Nothing more is measured; samples taken so far are kept."""
        self.status, self.reason, self.codes = status, reason, codes

    @property
    def open(self) -> bool:
        """Whether it can still be measured."""
        return self.status == "ok"

    @property
    def work(self) -> str:
        """The kind of work on a device with a queue, as most workers have it; empty on other devices."""
        return mode([one.work for one in self.prepared.values()] or [""])

    @property
    def visited_s(self) -> float:
        """Time that visits took: samples, and what came between them."""
        return self.sampled_s + self.aside_s

    @property
    def visited_workers(self) -> set[int]:
        """Workers that samples came from."""
        return {visit.worker for visit in self.visits}

    @property
    def effects(self) -> SideEffects:
        """What building and calling it did beside, in all workers."""
        visited = (visit.visited for visit in self.visits)
        checked = [self.checked] if self.checked else ()
        seen = (*checked, *self.built, *self.prepared.values(), *visited)
        return together(one.effects for one in seen)

    @property
    def alone(self) -> bool:
        """Whether it is measured in a batch of its own: what it compiles it would share with other cases."""
        return self.case.is_compiled or self.effects.compiled

    def entry(self, facts: RunFacts) -> Entry:
        """The finished row and its samples."""
        samples = self._samples(facts)
        record = self._record(facts)
        if self.open and samples:
            seen, reference = self.under(facts.reference)
            how = Measuring(
                confidence=facts.confidence,
                cells=tuple(seen),
                gauges=tuple(g for v in self.visits if v.sensed for g in v.sensed.gauges),
                loaded=self.loaded,
                budget_s=facts.budget_s,
                noise=facts.noise.of(self.case.key),
                noise_at_reference=facts.noise_at_reference.of(self.case.key),
                reference=reference,
                memory=record.memory or SYSTEM,
                prepared=tuple(visit.prepared for visit in self.visits),
            )
            record = summarised(record, samples, how)
            fresh: dict[str, Any] = {
                name: times * (record.time_s or 0.0) for name, times in self.fresh.items()
            }
            codes = (*record.warnings, *self._codes())
            record = dataclasses.replace(record, warnings=codes, **fresh)
        return Entry(record=record, samples=samples)

    def _codes(self) -> tuple[str, ...]:
        """The warnings that side effects and the extra passes give."""
        profiled = (*self.effects.codes, *(self.activity.codes if self.activity else ()))
        if self.rechecked and self.rechecked.inputs_changed:
            profiled = (*profiled, INPUTS_CHANGED)
        if is_not_compiled(self.case, self.effects):
            profiled = (*profiled, NOT_COMPILED)
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
        known = self.activity.launches_per_call if self.activity else 0.0
        return self.graph_s is not None and known > MOST_LAUNCHES_PER_CALL

    @property
    def _became_wrong(self) -> bool:
        """Whether the result was no longer right after the timing."""
        return self.rechecked is not None and self.rechecked.wrong

    @property
    def _note(self) -> str | None:
        """What was noted of the result: of a wrong one after the timing, else at first."""
        if self.rechecked and self._became_wrong:
            return f"after the timing: {self.rechecked.note}"
        return (self.checked.note or None) if self.checked else None

    @property
    def _max_error(self) -> float | None:
        """The larger of the errors at first and after the timing."""
        looked = [one for one in (self.checked, self.rechecked) if one]
        return max((one.max_error for one in looked if one.max_error is not None), default=None)

    def _samples(self, facts: RunFacts) -> tuple[Sample, ...]:
        return tuple(
            sample for visit in self.visits for sample in visit.samples(self.case, facts.started_ns)
        )

    def _record(self, facts: RunFacts) -> Record:
        case, checked, effects = self.case, self.checked, self.effects
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
            params=case.params,
            mode=case.mode,
            fingerprint=case.fingerprint,
            status=self.status,
            warnings=self.codes,
            reason=self.reason or self._note,
            flop=case.flop,
            bytes=case.bytes,
            input_bytes=checked.input_bytes if checked else None,
            peak_memory_bytes=checked.peak_memory_bytes if checked else None,
            correct=False if self._became_wrong else checked.correct if checked else None,
            max_error=self._max_error,
            graph_time_s=self.graph_s,
            device_time_cold_s=self.cold_s,
            **_profiled(self.activity),
            energy_j=self.metered.energy_j if self.metered else None,
            power_w=self.metered.power_w if self.metered else None,
            stopped_by=self.stopped_by if self.visits else None,
            threads=case.threads or facts.threads,
            **compile_columns(case, checked, self.checker, self.prepared),
            **effects.columns,
            cache=facts.cache,
            memory=facts.memory.get(case.device) or memory_policy.on(case.device),
            torch_version=facts.torch_version,
            started_at=facts.started_at,
            **facts.names,
        )


def _profiled(activity: Activity | None) -> dict[str, Any]:
    """The columns that a profile fills; times and counts of an incomplete one would be wrong."""
    if activity is None:
        return {}
    names = tuple(dict.fromkeys(line.name for line in activity.lines))
    if activity.codes:
        return {"kernels": names}
    return {
        "kernels": names,
        "kernels_per_call": activity.launches_per_call,
        "profiled_time_s": activity.per_call_s if activity.lines else None,
    }
