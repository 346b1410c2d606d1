"""The `--where` language: `op=matmul dtype=float32,float64`. It selects rows by their columns and axes. Pure.

Every word must hold; of several values one must. A value with blanks or commas is quoted; the id of a case, or an
op's full name, is a word of its own. A name that a column and an axis share is the column's; `params.NAME` is always
the axis. Not `pandas.query`, which evaluates any expression, and whose errors name no column to choose from.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import SelectionError, hint, shown
from bench.plan.case_id import cut, parse_id, term, values_in
from bench.records.record import LISTS, MAPS, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLUMNS = frozenset(f.name for f in dataclasses.fields(Record)) - set(MAPS)
AXIS = "params."
"""Stands before the name of an axis, where a column has that name too."""
_BLANKS = " \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word: the column, and the values that it may have."""

    column: str
    values: tuple[str, ...]

    def matches(self, record: Record) -> bool:
        """Whether the row has one of the values."""
        return bool(set(self.values) & set(values_of(record, self.column)))

    def __str__(self) -> str:
        first, *others = (term(self.column, value) for value in self.values)
        return ",".join([first, *(other.removeprefix(f"{self.column}=") for other in others)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A parsed filter; the empty one keeps all rows."""

    words: tuple[Word, ...] = ()

    def matches(self, record: Record) -> bool:
        """Whether every word holds for the row."""
        return all(word.matches(record) for word in self.words)

    def keep(self, records: Sequence[Record]) -> list[Record]:
        """The rows for which it holds.

        Raises:
            SelectionError: a column is in none of the rows, or a value is, or no row has all of them.
        """
        for word in self.words:
            check_column(word.column, records, "--where")
            _check_values(word, records)
        found = [record for record in records if self.matches(record)]
        if records and not found:
            words = " ".join(map(str, self.words))
            message = (
                f"--where: no row has all of these values: {words}; leave out one of the words"
            )
            raise SelectionError(message)
        return found


def parse(text: str | Sequence[str] | None) -> Where:
    """The filter that a text means, or several together.

    Raises:
        SelectionError: it can't be read.
    """
    texts = [text] if isinstance(text, str) else text or ()
    parts = [part for one in texts for part, _ in cut(one, _BLANKS) if part]
    return Where(words=tuple(word for part in parts for word in _words(part)))


def _words(part: str) -> tuple[Word, ...]:
    """The words that a part is: one, or two where it is an op's full name."""
    if part[0] in "'\"":
        (part,) = _values(part, part)
    name = parse_id(part)
    if name and name.labels:
        return (Word(column="case", values=(part,)),)
    if name:
        return Word(column="suite", values=(name.suite,)), Word(column="op", values=(name.op,))
    column, _, text = part.partition("=")
    values = _values(text, part)
    if not (column and values):
        message = f"--where {shown(part)} can't be read; write COLUMN=VALUE or COLUMN=VALUE,VALUE"
        raise SelectionError(message)
    return (Word(column=column, values=values),)


def _values(text: str, part: str) -> tuple[str, ...]:
    try:
        return values_in(text)
    except ValueError as error:
        message = (
            f"--where {shown(part)}: a quote is not closed; write COLUMN=VALUE, blanks in quotes"
        )
        raise SelectionError(message) from error


def values_of(record: Record, column: str) -> tuple[str, ...]:
    """What a row has in a column, or on an axis of that name, as text; nothing where it is empty."""
    if column not in COLUMNS:
        axis = column if column in record.params else column.removeprefix(AXIS)
        return (record.params[axis],) if axis in record.params else ()
    value = getattr(record, column)
    if column in LISTS:
        return tuple(map(str, value))
    return () if value is None else (str(value),)


def two_meanings(columns: Iterable[str], records: Iterable[Record]) -> list[str]:
    """A line for each of these names that is a column's and also an axis's, where that has other values."""
    rows = list(records)
    return [
        f"{name} is the column here, and the axis {name} has other values in some rows: "
        f"write {AXIS}{name} for the axis"
        for name in dict.fromkeys(columns)
        if name in COLUMNS and any(is_other(row, name) for row in rows)
    ]


def is_other(record: Record, column: str) -> bool:
    """Whether a row has an axis of this column's name, and another value on it than in the column."""
    return column in record.params and values_of(record, column) != (record.params[column],)


def check_column(column: str, records: Sequence[Record], option: str) -> None:
    """Accept a column of rows, or an axis that one of them has.

    Raises:
        SelectionError: it is neither.
    """
    axes = {axis for record in records for axis in record.params}
    if column not in COLUMNS | axes and column.removeprefix(AXIS) not in axes:
        message = (
            f"{option}: {column!r} is no column and no axis of these rows; {_near(column, axes)}"
        )
        raise SelectionError(message)


def _near(column: str, axes: set[str]) -> str:
    """Near names, else the axes: all columns would fill the screen."""
    said = hint(column, COLUMNS | axes)
    if said.startswith("did you mean"):
        return said
    return f"axes: {', '.join(sorted(axes)) or 'none'}; results/README.md has the columns"


def _check_values(word: Word, records: Sequence[Record]) -> None:
    known = {value for record in records for value in values_of(record, word.column)}
    on_axis = {record.params.get(word.column) for record in records}
    for value in word.values:
        if value not in known:
            near = hint(value, known)
            if value in on_axis:
                near = f"on the axis of that name there is: {term(AXIS + word.column, value)}"
            message = f"--where: no row has {term(word.column, value)}; {near}"
            raise SelectionError(message)
