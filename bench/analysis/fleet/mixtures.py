"""Mixtures: facts that should be one for all units of a model, and are several.

Units with another torch are never compared. Those with another driver, kernel or host are, since that is what makes
a unit slow more often than its silicon; the mixture is named, and so it is at the unit (`reasons.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bench.analysis.fleet.cohort import Row
    from bench.analysis.fleet.fleet_summary import VisitRows
    from bench.store.runs import RunInfo


def facts_of(info: RunInfo) -> dict[str, str]:
    """The facts of a run that should be one, where it has them."""
    found = {
        "driver": info.environment.get("gpu_driver"),
        "kernel": info.environment.get("kernel"),
        "architecture": info.machine.get("architecture"),
        "cpu": info.machine.get("cpu_model"),
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def mixtures(
    visits: Sequence[VisitRows], rows: Mapping[tuple[str, str], Sequence[Row]]
) -> dict[str, tuple[str, ...]]:
    """Fact → its values, where a model has several; `code of …` where an op's code is several."""
    by_model: dict[str, dict[str, set[str]]] = {}
    for (model, torch), of in rows.items():
        facts = by_model.setdefault(model, {})
        facts.setdefault("torch", set()).add(torch)
        for place in {row.visit for row in of}:
            _add(facts, facts_of(visits[place].info).items())
        _add(facts, _codes(of))
    found: dict[str, set[str]] = {}
    for facts in by_model.values():
        for name, values in facts.items():
            if len(values) > 1:
                found.setdefault(name, set()).update(values)
    return {name: tuple(sorted(values)) for name, values in sorted(found.items())}


def _codes(rows: Iterable[Row]) -> Iterator[tuple[str, str]]:
    """The codes of ops of which a case has several; two cases of an op may have two, by what stands on their axes."""
    by_case: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        if row.record.fingerprint:
            case = row.record.op_id, row.record.case
            by_case.setdefault(case, set()).add(row.record.fingerprint)
    for (op, _), codes in by_case.items():
        if len(codes) > 1:
            yield from ((f"code of {op}", code) for code in codes)


def _add(facts: dict[str, set[str]], named: Iterable[tuple[str, str]]) -> None:
    for name, value in named:
        facts.setdefault(name, set()).add(value)
