"""Cohort: the units that may be compared with each other, one model with one torch, and their log times as a table.

Only the same case in the same code, threads, cache state, memory policy and mode is compared; a time that may not be
used (`bench.analysis.usable`) is missing. The time is the headline, which a caller waits: a unit that is always in a
slow state would hide it in a time converted to its own reference.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri

from bench.analysis.fleet.fleet_summary import GROUPS, Unit
from bench.analysis.fleet.grouping import group_of
from bench.analysis.usable import FOR_OPS, unusable
from bench.plan.mode import EAGER
from bench.records.cache_state import HOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from bench.analysis.fleet.fleet_summary import Group, VisitRows
    from bench.records.record import Record

    Reals = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Places = NDArray[np.intp]

_LONGEST_S = 1e9
"""No time is longer; infinity is none."""


class Cell(NamedTuple):
    """A case as it must be the same on all units: its code, and how it was called."""

    case: str
    fingerprint: str | None
    threads: int | None
    cache: str | None
    memory: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Units that may be compared."""

    model: str
    torch: str
    units: tuple[Unit, ...]
    cells: tuple[Cell, ...]
    groups: tuple[Group, ...]
    """Of each cell."""
    logs: Reals
    """Units × visits × cells: logarithms of seconds, NaN where there is none."""
    confirms: Bools
    """Units × visits: whether the visit was made to confirm or clear."""
    dtypes: tuple[str, ...] = ()
    """Of each cell."""
    errors: Reals = field(default_factory=lambda: np.empty(0))
    """Of each cell: the standard error of a log time within a run (median of its intervals), NaN without."""

    @property
    def nodes(self) -> NDArray[np.intp]:
        """The node of each unit, as a number."""
        places = {node: i for i, node in enumerate(dict.fromkeys(u.node for u in self.units))}
        return np.array([places[unit.node] for unit in self.units], dtype=np.intp)

    @property
    def first(self) -> Reals:
        """The log times without the visits that were made to confirm."""
        return np.where(self.confirms[..., np.newaxis], np.nan, self.logs)


class Row(NamedTuple):
    """A usable row and where it is from."""

    unit: Unit
    visit: int
    """Its place among the visits of all."""
    record: Record


def usable_rows(visits: Sequence[VisitRows]) -> dict[tuple[str, str], list[Row]]:
    """The usable rows by model and torch, each unit only with the torch that most of its rows have."""
    found: dict[tuple[str, str], list[Row]] = {}
    for place, visit in enumerate(visits):
        units: dict[tuple[str, str], Unit] = {}
        for record in visit.records:
            if unusable(record, barred=FOR_OPS) or (record.time_s or 0.0) > _LONGEST_S:
                continue
            key = record.device_name, record.device
            if key not in units:
                units[key] = Unit(model=key[0], node=visit.node, device=key[1])
            row = Row(units[key], place, record)
            found.setdefault((key[0], record.torch_version or ""), []).append(row)
    return _with_their_torch(found)


def cohorts(
    visits: Sequence[VisitRows], rows: Mapping[tuple[str, str], Sequence[Row]]
) -> list[Cohort]:
    """Their rows as tables, by model and torch."""
    return [_cohort(visits, key, rows[key]) for key in sorted(rows)]


def _with_their_torch(
    found: Mapping[tuple[str, str], list[Row]],
) -> dict[tuple[str, str], list[Row]]:
    """Each unit in one cohort: with two torches it is measured as two things, and one must be judged."""
    if len({model for model, _ in found}) == len(found):
        return dict(found)
    counts: dict[Unit, Counter[str]] = {}
    for (_, torch), rows in found.items():
        for row in rows:
            counts.setdefault(row.unit, Counter())[torch] += 1
    totals = {key: len(rows) for key, rows in found.items()}
    chosen = {
        unit: max(of, key=lambda torch: (of[torch], totals[unit.model, torch], torch))
        for unit, of in counts.items()
    }
    kept = {key: [row for row in rows if chosen[row.unit] == key[1]] for key, rows in found.items()}
    return {key: rows for key, rows in kept.items() if rows}


def _cohort(visits: Sequence[VisitRows], key: tuple[str, str], rows: Sequence[Row]) -> Cohort:
    of_rows = [_cell(row.record) for row in rows]
    firsts = dict(zip(reversed(of_rows), reversed(rows), strict=True))
    cells = sorted(firsts, key=str)
    units, at_unit, at_slot, confirms = _places(visits, rows)
    numbers = {cell: i for i, cell in enumerate(cells)}
    at_cell = np.fromiter((numbers[cell] for cell in of_rows), dtype=np.intp, count=len(rows))
    logs = np.full((*confirms.shape, len(cells)), np.nan)
    logs[at_unit, at_slot, at_cell] = np.log([row.record.time_s or np.nan for row in rows])
    return Cohort(
        model=key[0],
        torch=key[1],
        units=units,
        cells=tuple(cells),
        groups=_groups(rows, at_cell, cells),
        logs=logs,
        confirms=confirms,
        dtypes=tuple(firsts[cell].record.dtype for cell in cells),
        errors=_errors(rows, at_cell, len(cells)),
    )


def _cell(record: Record) -> Cell:
    return Cell(
        record.case,
        record.fingerprint,
        record.threads,
        record.cache or HOT,
        record.memory_policy,
        record.mode or EAGER,
    )


def _places(
    visits: Sequence[VisitRows], rows: Sequence[Row]
) -> tuple[tuple[Unit, ...], Places, Places, Bools]:
    """The units; of each row its unit and which of that unit's visits it is of; which visits confirm."""
    pairs = dict.fromkeys((row.unit, row.visit) for row in rows)
    by_unit: dict[Unit, list[int]] = {}
    for unit, place in pairs:
        by_unit.setdefault(unit, []).append(place)
    units = sorted(by_unit)
    confirms = np.zeros((len(units), max(map(len, by_unit.values()))), dtype=np.bool_)
    at: dict[tuple[Unit, int], tuple[int, int]] = {}
    for number, unit in enumerate(units):
        in_order = sorted(by_unit[unit], key=lambda place: (visits[place].visit, place))
        for slot, place in enumerate(in_order):
            at[unit, place] = number, slot
            confirms[number, slot] = visits[place].confirms
    where = np.array([at[row.unit, row.visit] for row in rows], dtype=np.intp)
    return tuple(units), where[:, 0], where[:, 1], confirms


def _groups(rows: Sequence[Row], at_cell: Places, cells: Sequence[Cell]) -> tuple[Group, ...]:
    """The group of each cell: that of most rows of its case, whatever its code was."""
    numbers = {group: i for i, group in enumerate(GROUPS)}
    cases = {case: i for i, case in enumerate(dict.fromkeys(cell.case for cell in cells))}
    of_cells = np.array([cases[cell.case] for cell in cells], dtype=np.intp)
    of_rows = np.array([numbers[group_of(row.record)] for row in rows], dtype=np.intp)
    shape = len(cases), len(GROUPS)
    votes = np.bincount(of_cells[at_cell] * shape[1] + of_rows, minlength=shape[0] * shape[1])
    return tuple(GROUPS[place] for place in votes.reshape(shape).argmax(axis=1)[of_cells])


def _errors(rows: Sequence[Row], at_cell: Places, count: int) -> Reals:
    """Of each cell the standard error of a log time within a run, as its rows' intervals have it."""
    ends = np.array(
        [(r.time_lo_s or np.nan, r.time_hi_s or np.nan, r.confidence or np.nan) for _, _, r in rows]
    )
    low, high, confidence = np.where(ends > 0, ends, np.nan).T
    own = (np.log(high) - np.log(low)) / 2 / ndtri(0.5 + confidence / 2)
    found = np.full(count, np.nan)
    order = np.argsort(at_cell, kind="stable")
    borders = np.searchsorted(at_cell[order], np.arange(1, count))
    for place, values in enumerate(np.split(own[order], borders)):
        known = values[np.isfinite(values)]
        found[place] = np.median(known) if len(known) else np.nan
    return found
