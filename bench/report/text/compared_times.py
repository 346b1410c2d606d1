"""Times of a comparison: at the machine's reference conditions, or the headlines, and which of these is shown.

The ratio beside two times is theirs, so it may differ from that of the times that `bench show` has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.units import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.analysis.compare.verdict import CaseVerdict

_MARK = "*"
"""Marks headlines among times at reference."""


def note(cases: Iterable[CaseVerdict]) -> str:
    """Which times are shown, in a sentence."""
    kinds = {one.at for one in cases}
    if kinds == {"headline"}:
        return "Times are headlines, as in bench show."
    marked = f"; headlines are marked {_MARK}" if len(kinds) > 1 else ""
    return f"Times are those at the machine's reference conditions, not the headlines of bench show{marked}."


def mixed(cases: Iterable[CaseVerdict]) -> bool:
    """Whether some times are headlines and others are at reference, so that the first are marked."""
    return len({one.at for one in cases}) > 1


def pair(one: CaseVerdict, *, marked: bool, digits: int = 3) -> tuple[str, str]:
    """The time of the base and the new one: `1.05 µs`, `1.05 µs*`."""
    mark = _MARK if marked and one.at == "headline" else ""
    base, new = (
        seconds(value, digits) + mark * (value is not None) for value in (one.base_s, one.new_s)
    )
    return base, new
