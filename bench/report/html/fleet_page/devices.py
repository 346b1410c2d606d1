"""Devices that stand out or are not cleared up: a table with the evidence for each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.analysis.fleet.fleet_summary import GROUPS
from bench.analysis.fleet.sentences import LONGEST_NAME, cleared, unit_name
from bench.report.html.fleet_page.device_map import mark_of
from bench.report.html.table import Column, Listing, TableEntry, filters_of
from bench.report.text import ratio_text
from bench.report.text.fleet import noteworthy
from bench.units import MISSING, number, one_line

if TYPE_CHECKING:
    from bench.analysis.fleet.fleet_summary import Deviation, FleetSummary
    from bench.report.html.table import Cell

ID = "devices"
MOST_UNSURE = 200
"""So many of the unsure ones are listed, those that may differ most."""
_WORDS = ("slow", "suspect", "fast", "unsure", "cleared")
"""What is said of a device, the most urgent first."""
_LEAST_P = 0.001
_COLUMNS = (
    Column(key="group", name="bound by"),
    Column(key="standing", name="standing"),
    Column(key="time", name="time against the others", number=True),
    Column(key="p", name="p", number=True),
    Column(key="cases", name="cases", number=True),
    Column(key="visits", name="visits", number=True),
    Column(key="confirmed", name="confirmed"),
    Column(key="why", name="what else differs", sorts=False),
)


def listing(summary: FleetSummary) -> Listing:
    """The table: what stands out, the most urgent first, then unsure ones."""
    found = [*noteworthy(summary), *_unsure(summary)[:MOST_UNSURE]]
    found.sort(key=lambda one: _WORDS.index(_word(one)))
    several = len({one.unit.model for one in found}) > 1
    entries = tuple(_entry(place, one, several=several) for place, one in enumerate(found))
    return Listing(
        id=ID,
        name="devices that stand out",
        columns=(
            Column(key="device", name="device"),
            *([Column(key="model", name="model")] if several else []),
            *_COLUMNS,
        ),
        filters=filters_of(entries),
        entries=entries,
    )


def unsure_left_out(summary: FleetSummary) -> int:
    """Unsure devices × groups that the table has no row for."""
    return max(0, len(_unsure(summary)) - MOST_UNSURE)


def _unsure(summary: FleetSummary) -> list[Deviation]:
    found = [one for one in summary.deviations if mark_of(one) == "unsure"]
    return sorted(found, key=lambda one: -_away(one))


def _away(one: Deviation) -> float:
    return abs(math.log(one.ratio)) if one.ratio > 0 and math.isfinite(one.ratio) else 0.0


def _word(one: Deviation) -> str:
    return "cleared" if cleared(one) else mark_of(one)


def _entry(place: int, one: Deviation, *, several: bool) -> TableEntry:
    texts, keys = zip(*_cells(place, one, several=several), strict=True)
    model = one_line(one.unit.model, LONGEST_NAME)
    return TableEntry(
        id="",
        of={"model": model, "bound by": one.group, "standing": _word(one)},
        cells=texts,
        sort=keys,
    )


def _cells(place: int, one: Deviation, *, several: bool) -> list[Cell]:
    word = _word(one)
    time = ratio_text.change(one.ratio, one.ratio_lo, one.ratio_hi)
    confirmed = {True: "yes", False: "no", None: MISSING}[one.confirmed]
    model = one_line(one.unit.model, LONGEST_NAME)
    return [
        (unit_name(one.unit), place),
        *([(model, model)] if several else []),
        (one.group, GROUPS.index(one.group)),
        (word, _WORDS.index(word)),
        (time, one.ratio if math.isfinite(one.ratio) else None),
        (_p(one.p_value), one.p_value if math.isfinite(one.p_value) else None),
        (str(one.cases), one.cases),
        (str(one.visits), one.visits),
        (confirmed, confirmed),
        ("; ".join(one_line(why, 4 * LONGEST_NAME) for why in one.reasons), None),
    ]


def _p(value: float) -> str:
    if not math.isfinite(value):
        return MISSING
    return f"<{_LEAST_P}" if value < _LEAST_P else number(value, 2)
