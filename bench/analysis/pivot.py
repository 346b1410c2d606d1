"""Pivot table of rows: a line per case, a column per value of something that they differ in. Pure.

Each time is compared with the same line's in the first column. Whatever else differs, within a cell or from
cell to cell of a line, and is neither the case nor the columns, is said: it is what a table like this hides.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.break_even import break_even
from bench.analysis.grid import in_reading_order, ranked_devices, title
from bench.analysis.row_filter import AXIS, check_column, is_other, values_of
from bench.analysis.usable import FOR_OPS, unusable
from bench.errors import SelectionError, hint
from bench.plan.case_id import case_id
from bench.plan.mode import AXIS as MODE
from bench.plan.mode import EAGER
from bench.stats.ratio import Change, Ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.break_even import BreakEven
    from bench.records.record import Record

_HIDDEN = ("machine", "device", "dtype", "threads", "cache", "memory", "torch_version")
"""What changes a time and is not always in a case's id; runs differ by their nature."""
_ANY = "*"
_IDENTITY, _DTYPE = "case", "dtype"


@dataclass(frozen=True, slots=True, kw_only=True)
class PivotCell:
    """A case in a column: the row that stands for it, and how many times as long it takes as in the first.

    `ratio` is None in the first column, and where one of the two says nothing about the op.
    """

    record: Record
    ratio: Ratio | None
    break_even: BreakEven | None = None
    """Of a compiled case against the eager one in its line, where the columns are modes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PivotRow:
    """A case without what the columns are of: its id and, for people, its name."""

    case: str
    name: str
    cells: tuple[PivotCell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """Something not shown that varies: inside of cells, of which the newest run's row was taken, or between."""

    column: str
    inside: bool
    values: tuple[str, ...]
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosstab:
    """The table, with what it hides."""

    by: str
    columns: tuple[str, ...]
    lines: tuple[PivotRow, ...]
    mixed: tuple[Mixed, ...]
    left_out: int
    """Rows that have no value of `by`."""


def crosstab(records: Sequence[Record], by: str, base: str | None = None) -> Crosstab:
    """The rows by a column or an axis.

    Columns come in the order in which the rows have them, devices by kind and number, `base` first if it is given.

    Raises:
        SelectionError: there is no such column or axis, or no such value of it.
    """
    _check(by, records)
    names, places = _placed(records, by)
    having = [value for record in records if (value := _value(record, by))]
    if not having and any(is_other(record, by) for record in records):
        message = f"--by {by}: the column {by} is empty in all rows; for the axis write {AXIS}{by}"
        raise SelectionError(message)
    values = ranked_devices(records) if by == "device" else list(dict.fromkeys(having))
    columns = _columns(values, by, base)
    chosen = {
        line: {column: _newest(rows) for column, rows in cells.items()}
        for line, cells in places.items()
    }
    return Crosstab(
        by=by,
        columns=columns,
        lines=tuple(_line(*names[line], cells, columns, by) for line, cells in chosen.items()),
        mixed=(
            *_varying([of for cells in places.values() for of in cells.values()], by, inside=True),
            *_varying([list(cells.values()) for cells in chosen.values()], by, inside=False),
        ),
        left_out=len(records) - len(having),
    )


def _check(by: str, records: Sequence[Record]) -> None:
    check_column(by, records, "--by")
    if by == _IDENTITY:
        message = "--by case: the lines are the cases; write a column or an axis, as --by device"
        raise SelectionError(message)


def _placed(
    records: Sequence[Record], by: str
) -> tuple[dict[str, tuple[str, str]], dict[str, dict[str, list[Record]]]]:
    """Line → its id and its name, and line → column → rows, in reading order."""
    names: dict[str, tuple[str, str]] = {}
    places: dict[str, dict[str, list[Record]]] = {}
    with_dtype = {record.suite for record in records if by == "op" and _DTYPE in record.params}
    differing = {(record.suite, record.op) for record in records if is_other(record, by)}
    for record in in_reading_order(records):
        if value := _value(record, by):
            axis = None if (record.suite, record.op) in differing else by.removeprefix(AXIS)
            line, *name = _identity(record, by, axis, told=record.suite in with_dtype)
            names.setdefault(line, (name[0], name[1]))
            places.setdefault(line, {}).setdefault(value, []).append(record)
    return names, places


def _columns(found: list[str], by: str, base: str | None) -> tuple[str, ...]:
    if base is None:
        return tuple(found)
    if base not in found:
        message = f"--base {base!r}: no row has {by}={base}; {hint(base, found)}"
        raise SelectionError(message)
    return (base, *(column for column in found if column != base))


def _value(record: Record, by: str) -> str:
    """The text of a row's column; several values of a list are one."""
    return ", ".join(values_of(record, by))


def _identity(record: Record, by: str, dropped: str | None, *, told: bool) -> tuple[str, str, str]:
    """A line's key, id and name: the case without the axis that columns are of; a suite or an op becomes `*`.

    Args:
        record: a row of the case.
        by: what the columns are of.
        dropped: the axis; None where the op has one that only shares its name with the column, and not its values.
        told: whether the dtype is named where it is on no axis, for one line with an op that has it on one.
    """
    suite = _ANY if by == "suite" else record.suite
    op = _ANY if by == "op" else record.op
    params = {axis: text for axis, text in record.params.items() if axis != dropped}
    if told:
        params.setdefault(_DTYPE, record.dtype)
    name = title(dataclasses.replace(record, op=op, params=params))
    key = case_id(suite, op, dict(sorted(params.items())))
    return key, case_id(suite, op, params), f"{suite}/{name}"


def _newest(rows: Sequence[Record]) -> Record:
    """The newest row that says something, else the newest."""
    ranked = sorted(rows, key=lambda r: (r.started_at, r.run_id))
    return next((r for r in reversed(ranked) if not unusable(r, barred=FOR_OPS)), ranked[-1])


def _line(
    case: str, name: str, cells: Mapping[str, Record], columns: Sequence[str], by: str
) -> PivotRow:
    base = cells.get(columns[0])
    eager = cells.get(EAGER) if by == MODE else None
    found = [
        PivotCell(
            record=cells[column],
            ratio=_ratio(cells[column], base) if place else None,
            break_even=break_even(eager, cells[column]) if eager else None,
        )
        if column in cells
        else None
        for place, column in enumerate(columns)
    ]
    return PivotRow(case=case, name=name, cells=tuple(found))


def _ratio(record: Record, base: Record | None) -> Ratio | None:
    """How many times as long it takes as the base."""
    if base is None or any(unusable(r, barred=FOR_OPS) for r in (record, base)):
        return None
    return Change.of(base, record).ratio()


def _is_by(column: str, by: str, rows: Sequence[Record]) -> bool:
    """Whether the table's columns are of this column, or of an axis of its name that has its values."""
    is_axis = AXIS + column == by and not any(is_other(row, column) for row in rows)
    return column == by or is_axis


def _varying(groups: Sequence[Sequence[Record]], by: str, *, inside: bool) -> list[Mixed]:
    """What has several values in one of the groups, and in how many."""
    count: Counter[str] = Counter()
    values: dict[str, dict[str, None]] = {}
    for rows in groups:
        for column in (_IDENTITY, *_HIDDEN) if inside else _HIDDEN:
            found = dict.fromkeys(_value(row, column) for row in rows if row.status != "skipped")
            if len(found) > 1 and not _is_by(column, by, rows):
                count[column] += 1
                values.setdefault(column, {}).update(found)
    return [
        Mixed(column=column, inside=inside, values=tuple(values[column]), lines=count[column])
        for column in (_IDENTITY, *_HIDDEN)
        if count[column]
    ]
