"""What became of a case: facts arrive from several workers and rounds, one row leaves.

Collects; decides nothing about measuring. The row's statistics and warnings are made here, once.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import stats, units
from bench.record import Record, Sample
from bench.store.journal import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bench.measure.protocol import Checked, Hello, Prepared, Visited
    from bench.plan import PlannedCase

NOISY_HALF_WIDTH = 0.05
"""An interval wider than ±5 % can't settle the differences people ask about."""
FEW_ROUNDS = 3
"""Below three rounds a change of the machine during the run can't be told from the op's own time."""


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


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What is known of a case so far."""

    case: PlannedCase
    status: str = "ok"
    reason: str | None = None
    checked: Checked | None = None
    prepared: dict[int, Prepared] = field(default_factory=dict)
    visits: list[tuple[int, int, Visited, Hello]] = field(default_factory=list)
    sampled_s: float = 0.0
    spent_s: float = 0.0
    """Time spent on it in all: building, checking, warming up, sampling."""

    def add_visit(self, worker: int, round_: int, visited: Visited, hello: Hello) -> None:
        """Keep the samples of one visit."""
        self.visits.append((worker, round_, visited, hello))
        self.sampled_s += sum(visited.elapsed_ns) * 1e-9

    def end(self, status: str, reason: str) -> None:
        """Nothing more is measured; samples taken so far are kept."""
        self.status, self.reason = status, reason

    @property
    def open(self) -> bool:
        """Whether it can still be measured."""
        return self.status == "ok"

    @property
    def visited_workers(self) -> set[int]:
        """Workers that samples came from."""
        return {worker for worker, *_ in self.visits}

    def entry(self, facts: RunFacts) -> Entry:
        """The finished row and its samples."""
        samples = self._samples(facts)
        record = self._record(facts)
        if self.open and samples:
            record = self._with_times(record, samples, facts.confidence)
        return Entry(record=record, samples=samples)

    def _samples(self, facts: RunFacts) -> tuple[Sample, ...]:
        samples = []
        for worker, round_, visited, hello in self.visits:
            for start, elapsed in zip(visited.started_ns, visited.elapsed_ns, strict=True):
                samples.append(
                    Sample(
                        case=self.case.id,
                        device=self.case.device,
                        worker=worker,
                        round=round_,
                        at_s=(start - facts.started_ns) * 1e-9,
                        loops=visited.loops,
                        elapsed_s=elapsed * 1e-9,
                        time_s=net_time_s(elapsed * 1e-9, visited.loops, hello),
                    )
                )
        return tuple(samples)

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
            correct=checked.correct if checked else None,
            max_error=checked.max_error if checked else None,
            threads=facts.threads,
            cache="hot",
            torch_version=facts.torch_version,
            started_at=facts.started_at,
        )

    def _with_times(self, bare: Record, samples: tuple[Sample, ...], confidence: float) -> Record:
        times = [s.time_s for s in samples]
        matrix = stats.cells(times, [s.worker for s in samples], [s.round for s in samples])
        estimate = stats.estimate(matrix, confidence)
        rounds = len({s.round for s in samples})
        headline = estimate.centre if estimate.centre > 0 else None
        known = math.isfinite(estimate.low)
        return dataclasses.replace(
            bare,
            warnings=self._warnings(estimate, rounds),
            time_s=headline,
            time_lo_s=estimate.low if known else None,
            time_hi_s=estimate.high if known else None,
            confidence=confidence,
            time_best_s=min(times),
            time_p95_s=stats.quantile(times, 0.95),
            first_call_s=statistics.median(p.first_call_s for p in self.prepared.values()),
            samples=len(samples),
            workers=len({s.worker for s in samples}),
            rounds=rounds,
            loops=round(statistics.median(p.loops for p in self.prepared.values())),
            overhead_s=statistics.median(hello.loop_s for *_, hello in self.visits),
            flop_per_s=_rate(self.case.flop, headline),
            bytes_per_s=_rate(self.case.bytes, headline),
        )

    def _warnings(self, estimate: stats.Estimate, rounds: int) -> tuple[str, ...]:
        uncertainty = max(hello.loop_uncertainty_s for *_, hello in self.visits)
        width = units.half_width(estimate.centre, estimate.low, estimate.high)
        found = {
            "wrong-result": self.checked is not None and self.checked.correct is False,
            "unchecked": self.checked is None or self.checked.correct is None,
            "below-overhead": estimate.centre <= uncertainty,
            "no-interval": not math.isfinite(width),
            "few-samples": rounds < FEW_ROUNDS,
            "noisy": math.isfinite(width) and width > NOISY_HALF_WIDTH,
        }
        return tuple(code for code, holds in found.items() if holds)


def net_time_s(elapsed_s: float, loops: int, hello: Hello) -> float:
    """Seconds per call: the cost of reading the clock and of turning the loop taken off."""
    return (elapsed_s - hello.clock_s) / loops - hello.loop_s


def _rate(work: float | None, time_s: float | None) -> float | None:
    return work / time_s if work and time_s else None
