"""Crossovers of models: from which size on a GPU of one model beats the CPU that it stands beside, over all of a fleet.

A time of a model is the median of its units, and its interval reaches over nine tenths of them (over all, where they
are few), so that the size holds for nearly any machine of these two models.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from bench.analysis.crossover.crossovers import crossovers
from bench.analysis.fleet.fleet_summary import FEWEST_FOR_PERCENTILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.analysis.crossover.crossovers import Crossing
    from bench.analysis.fleet.cohort import Row
    from bench.analysis.fleet.fleet_summary import Percentiles
    from bench.records.record import Record

    Rows = Mapping[tuple[str, str], Sequence[Row]]
    """Model and torch → rows."""

_CPU = "cpu"
_CONFIDENCE = 0.9
"""From the 5th to the 95th percentile."""
_MOST_PAIRS = 20
"""Pairs of models; a fleet has a few."""


def model_crossovers(rows: Rows, percentiles: Iterable[Percentiles]) -> tuple[Crossing, ...]:
    """The crossover of each op between each CPU model and each other model that are in the same nodes.

    Args:
        rows: the usable ones, by model and torch.
        percentiles: of all cases.
    """
    known = list(percentiles)
    found: list[Crossing] = []
    for host, other in _pairs(rows)[:_MOST_PAIRS]:
        told = [one for one in known if one.model in {host, other}]
        records = [_median(one, rows, _CPU if one.model == host else "cuda") for one in told]
        crossings = crossovers([one for one in records if one], kinds=("devices",))
        found += [dataclasses.replace(one, one=host, other=other, where="") for one in crossings]
    return tuple(found)


def _pairs(rows: Rows) -> list[tuple[str, str]]:
    """CPU model and other model of the nodes that have both."""
    nodes: dict[str, tuple[set[str], set[str]]] = {}
    for of_model in rows.values():
        for unit in {row.unit for row in of_model}:
            hosts, others = nodes.setdefault(unit.node, (set(), set()))
            (hosts if unit.device == _CPU else others).add(unit.model)
    found = {
        (host, other) for hosts, others in nodes.values() for host in hosts for other in others
    }
    return sorted(found)


def _median(one: Percentiles, rows: Rows, device: str) -> Record | None:
    """A row that stands for all units of a model."""
    of_model = rows.get((one.model, one.torch), ())
    example = next((row.record for row in of_model if _is_of(row.record, one)), None)
    if example is None:
        return None
    low_s, high_s = _interval(example, one)
    return dataclasses.replace(
        example,
        run_id="",
        machine_id="",
        machine="",
        device=device,
        warnings=(),
        time_s=one.p50_s,
        time_lo_s=low_s,
        time_hi_s=high_s,
        confidence=_CONFIDENCE,
    )


def _interval(example: Record, one: Percentiles) -> tuple[float, float]:
    """From unit to unit, and no narrower than that of one row: a single unit would seem to be known exactly."""
    few = one.units < FEWEST_FOR_PERCENTILES
    ends = (one.p1_s, one.p99_s) if few else (one.p5_s, one.p95_s)
    time_s = example.time_s or one.p50_s
    own = [one.p50_s * (end or time_s) / time_s for end in (example.time_lo_s, example.time_hi_s)]
    return min(ends[0], own[0]), max(ends[1], own[1])


def _is_of(record: Record, one: Percentiles) -> bool:
    return (record.case, record.fingerprint, record.threads) == (
        one.case,
        one.fingerprint,
        one.threads,
    )
