"""A long table that is searched, filtered and sorted on the page: columns, filters, rows of text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bench.report.html.view import Payload, columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Sortable = float | str | None
"""What a cell is sorted by; None stays below the others, whichever way they are sorted."""

Cell = tuple[str, Sortable]
"""A cell's text, and what it is sorted by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: the word in the address that sorts by it, its name, and how it is aligned."""

    key: str
    name: str
    number: bool = False
    sorts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEntry:
    """A row of a listing; its first cell is a link to what `id` names."""

    id: str
    of: Mapping[str, str]
    """Filter → the row's value."""
    cells: tuple[str, ...]
    sort: tuple[Sortable, ...]
    words: str = ""
    """What a search finds beside its cells."""
    badge: str = ""
    """A status other than `ok`, which is shown as a badge in the first cell of a number."""
    block: int = 0
    """Where the page finds more of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFilter:
    """Something to choose rows by, and what can be chosen."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The whole table; `name` is what a copy of it is called."""

    id: str
    name: str
    columns: tuple[Column, ...]
    filters: tuple[ColumnFilter, ...]
    entries: tuple[TableEntry, ...]

    @property
    def payload(self) -> Payload:
        """All of it; the page makes as many rows as are looked at."""
        return Payload(
            id=f"{self.id}-data",
            value={
                "name": self.name,
                "columns": [asdict(column) for column in self.columns],
                "filters": [asdict(one) for one in self.filters],
                "count": len(self.entries),
                "rows": columns([_fields(entry) for entry in self.entries]),
                "of": columns([entry.of for entry in self.entries]),
                "cells": [
                    list(cells) for cells in zip(*(e.cells for e in self.entries), strict=True)
                ],
                "sort": [
                    list(values) for values in zip(*(e.sort for e in self.entries), strict=True)
                ],
            },
        )


def _fields(entry: TableEntry) -> dict[str, object]:
    """What is one value per row."""
    return {"id": entry.id, "words": entry.words, "badge": entry.badge, "block": entry.block}


def filters_of(entries: Sequence[TableEntry]) -> tuple[ColumnFilter, ...]:
    """A filter for each value that entries are found by."""
    return filters(columns([entry.of for entry in entries]))


def filters(chosen: Mapping[str, Iterable[str]]) -> tuple[ColumnFilter, ...]:
    """The filters that choose: a list of one is no choice. Options in the order in which they come."""
    found = {name: tuple(dict.fromkeys(values)) for name, values in chosen.items()}
    return tuple(ColumnFilter(name=n, options=o) for n, o in found.items() if len(o) > 1)


def blocks(count: int, size: int) -> Sequence[range]:
    """So many things in blocks of at most this size."""
    return [range(start, min(start + size, count)) for start in range(0, count, size)]
