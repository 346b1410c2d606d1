"""Plain table for a terminal: aligned columns, no lines between them, and what stands above and below.

Text is never read as rich's markup, whatever the data holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.constrain import Constrain
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType


def folded(name: str = "") -> Column:
    """A column of long texts, which continue on the next line."""
    return Column(Text(name), overflow="fold")


def whole(name: str = "") -> Column:
    """A column of short texts, which are never broken."""
    return Column(Text(name), no_wrap=True)


def right(name: str = "") -> Column:
    """A column of numbers."""
    return Column(Text(name), justify="right", no_wrap=True)


class PlainTable(Table):
    """The table of every report; columns are at least two blanks apart."""

    def __init__(self, *columns: Column, heads: bool = True) -> None:
        super().__init__(
            *columns,
            box=None,
            pad_edge=False,
            padding=(0, 2, 0, 0),
            header_style="",
            show_header=heads,
        )

    def add(self, *cells: RenderableType) -> None:
        """Add a row; strings are shown as they are."""
        self.add_row(*map(_shown, cells))


def below_each_other(*parts: RenderableType, width: int | None = None) -> RenderableType:
    """Lines and tables, at most so many characters wide, or as the terminal is; an empty string is an empty line."""
    return Constrain(Group(*map(_shown, parts)), width)


def _shown(part: RenderableType) -> RenderableType:
    return Text(part) if isinstance(part, str) else part
