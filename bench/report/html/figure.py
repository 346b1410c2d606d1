"""A figure as a page holds it: what a listener hears, what a reader reads, and its numbers as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.report.html.view import Payload

if TYPE_CHECKING:
    from collections.abc import Iterable

Figure = dict[str, Any]
"""Plotly's `data` and `layout`, of plain JSON values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A figure's own numbers: one row per line, one column per size; `row_head` is the heading of the rows' names."""

    row_head: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure on the page; `payload` is the id of the data that has it."""

    id: str
    payload: str
    figure: Figure
    label: str
    caption: str
    twin: Twin
    wide: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendKey:
    """A line of a legend: a number, by which colour, dash and marker are known, and a name."""

    number: int
    name: str


def payload(id_: str, drawings: Iterable[Drawing]) -> Payload:
    """The figures and tables of some drawings that are looked at together."""
    return Payload(
        id=id_,
        value={
            one.id: {
                "figure": one.figure,
                "twin": {
                    "row_head": one.twin.row_head,
                    "head": one.twin.head,
                    "rows": one.twin.rows,
                },
            }
            for one in drawings
        },
    )
