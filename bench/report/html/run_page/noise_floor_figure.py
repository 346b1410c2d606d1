"""Figure of the noise floor: how far each case's headlines lay apart in earlier runs, cases ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis import grid
from bench.report.html import log_axis, plot_parts, style
from bench.report.html.figure import Twin
from bench.report.html.run_page.figures import hover
from bench.units import share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.record import Record
    from bench.report.html.figure import Figure

_HEIGHT = 300
_MOST_POINTS = 300
_LEAST_SHARE = 0.001
"""A lower floor is drawn here: a logarithmic axis has no zero, and less is not told from it."""
_PARTS = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)


def ranked(records: Sequence[Record]) -> list[Record]:
    """The cases of which a floor is known, the steadiest first."""
    known = [r for r in records if r.status == "ok" and r.noise_floor_share is not None]
    return sorted(known, key=_floor)


def quantile(rows: Sequence[Record], part: float) -> float:
    """The floor that this part of the ranked cases does not exceed."""
    return _floor(_at(rows, part))


def _at(rows: Sequence[Record], part: float) -> Record:
    """The case up to which this part of the ranked cases lies."""
    return rows[round(part * (len(rows) - 1))]


def floors(rows: Sequence[Record]) -> Figure | None:
    """Ranked cases from left to right, each at its floor; None for fewer than two, which make no distribution."""
    if len(rows) < 2:  # noqa: PLR2004 - as said
        return None
    step = (len(rows) - 1) / min(_MOST_POINTS, len(rows) - 1)
    places = list(
        dict.fromkeys(round(place * step) for place in range(min(_MOST_POINTS, len(rows) - 1) + 1))
    )
    heights = [max(_floor(row), _LEAST_SHARE) for row in rows]
    trace = plot_parts.points(
        [place / (len(rows) - 1) for place in places],
        [heights[place] for place in places],
        [f"{hover(rows[p])}<br>runs differ by {share(_floor(rows[p]))}" for p in places],
        0,
        lines={"width": 1.5},
        size=5,
    )
    return {
        "data": [trace],
        "layout": style.layout(
            height=_HEIGHT, xaxis=_PART_AXIS, yaxis=log_axis.value_axis(heights, "%")
        ),
    }


def twin(rows: Sequence[Record]) -> Twin:
    """Which floor a part of the cases does not exceed, and a case that has it."""
    found = []
    for part in _PARTS:
        row = _at(rows, part)
        cells = share(_floor(row)), f"{row.suite}/{grid.title(row)}"
        found.append((share(part) if part else "the steadiest", cells))
    return Twin(
        row_head="of the cases",
        head=("lie no further apart than", "such a case"),
        rows=tuple(found),
    )


def _floor(record: Record) -> float:
    return record.noise_floor_share or 0.0


_PART_AXIS = {
    "range": [-0.02, 1.02],
    "tickvals": [0, 0.25, 0.5, 0.75, 1],
    "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"],
    "title": {"text": "of the cases, the steadiest first", "standoff": 8},
    "zeroline": False,
}
