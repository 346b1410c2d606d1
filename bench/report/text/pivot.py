"""A table of cases by columns, for people, documents and programs: each time, and its ratio to the first column's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.table import Column
from rich.text import Text

from bench.analysis.rerun_command import all_on_store
from bench.report.text import ratio_text, wording
from bench.report.text.machine_readable import csv_text, fields_of
from bench.report.text.plain_table import PlainTable, below_each_other, folded
from bench.units import MISSING, counted, half_width, half_width_text, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rich.console import RenderableType

    from bench.analysis.pivot import Crosstab, Mixed, PivotCell
    from bench.stats.ratio import Ratio

_CASE_WIDTH, _CELL_WIDTH = 24, 19
"""A name in two lines takes so many characters, and so many `12.34 µs ± 0.45 %` with the gap beside it."""
NOTHING = "There are no rows to show. See what the store holds with: bench runs"


def crosstab_table(found: Crosstab, *, width: int, store: Path | None = None) -> RenderableType:
    """Cases down, columns across; under each time how many times as long that is as in the first column."""
    if not found.lines:
        return Text(all_on_store(NOTHING, store))
    narrow = width < _CASE_WIDTH + _CELL_WIDTH * len(found.columns)
    columns = [Column(Text(name), justify="right", overflow="fold") for name in found.columns]
    table = PlainTable(folded("case"), *columns)
    for line in found.lines:
        cells = ["\n".join(_parts(cell, narrow=narrow)) for cell in line.cells]
        table.add(line.name, *cells)
    notes = remarks(found)
    below = ["", *notes] if notes else []
    return below_each_other(f"by {found.by}", "", table, *below, width=width)


def _parts(cell: PivotCell | None, *, narrow: bool) -> list[str]:
    """The lines of a cell: the time, its interval in a line of its own where the columns are narrow, the ratio."""
    if cell is None:
        return [MISSING]
    text = wording.time_of(cell.record)
    time = list(filter(None, wording.interval(text))) if narrow else [text]
    return [*time, _ratio(cell.ratio)] if cell.ratio else time


def _ratio(ratio: Ratio) -> str:
    """`×2.01 ± 3 %`."""
    wide = half_width(ratio.value, ratio.low, ratio.high)
    return f"×{number(ratio.value)} ± {half_width_text(wide)}"


def remarks(found: Crosstab) -> list[str]:
    """What the table hides, a sentence each."""
    said = [_mixed(one, found.by) for one in found.mixed]
    if found.left_out:
        said.append(f"left out: {counted(found.left_out, 'row')} without {found.by}")
    return said


def _mixed(one: Mixed, by: str) -> str:
    values = wording.listed([value or MISSING for value in one.values])
    if one.inside:
        where = f"{one.column} varies inside {counted(one.lines, 'cell')} ({values})"
        return f"{where}: the newest run's row is shown; fix it with --where {one.column}=…"
    lines = counted(one.lines, "line")
    return f"{one.column} varies between the columns of {lines} ({values}), so that it is compared along with {by}"


def crosstab_markdown(found: Crosstab) -> str:
    """The table for a document, ratios with both ends of their intervals."""
    if not found.lines:
        return f"{NOTHING}\n"
    heads = ["case", *found.columns]
    lines = [
        f"| {' | '.join(map(wording.escaped, heads))} |",
        f"|:--|{'--:|' * len(found.columns)}",
    ]
    for line in found.lines:
        cells = [
            wording.escaped(line.case),
            *(wording.escaped(_whole(cell)) for cell in line.cells),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [part for note in remarks(found) for part in ("", wording.escaped(note))]
    return "\n".join(lines) + "\n"


def _whole(cell: PivotCell | None) -> str:
    """`12 µs ± 1 %, ×2.010 (1.950 to 2.070)`."""
    if cell is None:
        return MISSING
    ratio = cell.ratio
    if ratio is None:
        return wording.time_of(cell.record)
    return f"{wording.time_of(cell.record)}, ×{ratio_text.of(ratio)}"


def crosstab_facts(found: Crosstab) -> dict[str, Any]:
    """The same for `--format json`; a cell that no run has is null, and so is what is not known."""
    return {
        "by": found.by,
        "base": found.columns[0] if found.columns else None,
        "columns": list(found.columns),
        "lines": [
            {
                "case": line.case,
                "cells": {
                    column: _facts(cell) if cell else None
                    for column, cell in zip(found.columns, line.cells, strict=True)
                },
            }
            for line in found.lines
        ],
        "mixed": [
            {
                "column": one.column,
                "inside_cells": one.inside,
                "values": list(one.values),
                "count": one.lines,
            }
            for one in found.mixed
        ],
        "left_out": found.left_out,
    }


def _facts(cell: PivotCell) -> dict[str, Any]:
    row, ratio = cell.record, cell.ratio
    return {
        "run": row.run_id,
        **fields_of(row, "status", "time_s", "time_lo_s", "time_hi_s"),
        "ratio": ratio.value if ratio else None,
        "ratio_lo": ratio.low if ratio else None,
        "ratio_hi": ratio.high if ratio and math.isfinite(ratio.high) else None,
    }


def crosstab_csv(found: Crosstab) -> str:
    """A line per cell that there is, so that every program can arrange it as it likes."""
    names = ("run", "status", "time_s", "time_lo_s", "time_hi_s", "ratio", "ratio_lo", "ratio_hi")
    rows = (
        {"case": line.case, found.by: column, **_facts(cell)}
        for line in found.lines
        for column, cell in zip(found.columns, line.cells, strict=True)
        if cell
    )
    return csv_text(["case", found.by, *names], rows)


TEXTS: Mapping[str, Callable[[Crosstab], str]] = {
    "markdown": crosstab_markdown,
    "csv": crosstab_csv,
}
