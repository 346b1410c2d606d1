"""The `--where` language: `op=matmul dtype=float32,float64`. It selects rows by their columns and axes. Pure.

Every word must hold; of several values one must. A value with blanks is quoted. Not `pandas.query`, which
evaluates any expression, and whose errors name no column to choose from.
"""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import SelectionError, hint
from bench.records.record import LISTS, MAPS, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = frozenset(f.name for f in dataclasses.fields(Record)) - set(MAPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word: the column, and the values that it may have."""

    column: str
    values: tuple[str, ...]

    def matches(self, record: Record) -> bool:
        """Whether the row has one of the values."""
        return bool(set(self.values) & set(values_of(record, self.column)))


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
            message = "--where: no row has all of these values; leave out one of the words"
            raise SelectionError(message)
        return found


def parse(text: str) -> Where:
    """The filter that a text means.

    Raises:
        SelectionError: it can't be read.
    """
    try:
        parts = shlex.split(text)
    except ValueError as error:
        message = f"--where {text!r}: a quote is not closed; write COLUMN=VALUE, blanks in quotes"
        raise SelectionError(message) from error
    return Where(words=tuple(_word(part) for part in parts))


def _word(part: str) -> Word:
    column, equals, text = part.partition("=")
    values = tuple(value for value in text.split(",") if value)
    if not (column and equals and values):
        message = f"--where {part!r} can't be read; write COLUMN=VALUE or COLUMN=VALUE,VALUE"
        raise SelectionError(message)
    return Word(column=column, values=values)


def values_of(record: Record, column: str) -> tuple[str, ...]:
    """What a row has in a column, or on an axis of that name, as text; nothing where it is empty."""
    if column not in COLUMNS:
        return (record.params[column],) if column in record.params else ()
    value = getattr(record, column)
    if column in LISTS:
        return tuple(map(str, value))
    return () if value is None else (str(value),)


def check_column(column: str, records: Sequence[Record], option: str) -> None:
    """Accept a column of rows, or an axis that one of them has.

    Raises:
        SelectionError: it is neither.
    """
    axes = {axis for record in records for axis in record.params}
    if column not in COLUMNS | axes:
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
    for value in word.values:
        if value not in known:
            message = f"--where: no row has {word.column}={value}; {hint(value, known)}"
            raise SelectionError(message)
