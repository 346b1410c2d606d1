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
from bench.units import MISSING, counted, half_width, half_width_text, number, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rich.console import RenderableType

    from bench.analysis.break_even import BreakEven
    from bench.analysis.pivot import Crosstab, Mixed, PivotCell
    from bench.stats.ratio import Ratio

_CASE_WIDTH, _CELL_WIDTH = 24, 19
"""A name in two lines takes so many characters, and so many `12.34 µs ± 0.45 %` with the gap beside it."""
_EARNED = (
    "earned: the calls after which compiling ({} a case, with an empty cache) has saved the time that it took; "
    "never: a call takes no less"
)
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
    ratio = [_ratio(cell.ratio)] if cell.ratio else []
    return [*time, *ratio, *([_earned(cell.break_even)] if cell.break_even else [])]


def _earned(found: BreakEven) -> str:
    """`earned: 4100 calls`, in as few characters as a column has."""
    if found.outcome != "pays":
        return "earned: never" if found.outcome == "never" else "earned: can't tell"
    return f"earned: {number(found.calls or 0.0, 2)} calls"


def _ratio(ratio: Ratio) -> str:
    """`×2.01 ± 3 %`."""
    wide = half_width(ratio.value, ratio.low, ratio.high)
    return f"×{number(ratio.value)} ± {half_width_text(wide)}"


def remarks(found: Crosstab) -> list[str]:
    """What the table hides, a sentence each."""
    said = [_mixed(one, found.by) for one in found.mixed]
    costs = [c.record.compile_s for one in found.lines for c in one.cells if c and c.break_even]
    if known := [cost for cost in costs if cost is not None]:
        least, most = (seconds(cost, 2) for cost in (min(known), max(known)))
        said.append(_EARNED.format(least if least == most else f"{least} to {most}"))
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
    earned = f", {_earned(cell.break_even)}" if cell.break_even else ""
    if ratio is None:
        return wording.time_of(cell.record) + earned
    return f"{wording.time_of(cell.record)}, ×{ratio_text.of(ratio)}{earned}"


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
        **_compiling(cell),
    }


def _compiling(cell: PivotCell) -> dict[str, Any]:
    """What compiling took, and after how many calls it is earned; nothing of what is not compared so."""
    found = cell.break_even
    if found is None:
        return {}
    return {
        **fields_of(cell.record, "compile_s", "compile_cached_s"),
        "break_even": found.outcome,
        "break_even_calls": found.calls,
        "break_even_lo": found.low,
        "break_even_hi": found.high,
        "break_even_cached_calls": found.cached_calls,
    }


def crosstab_csv(found: Crosstab) -> str:
    """A line per cell that there is, so that every program can arrange it as it likes."""
    rows = [
        {"case": line.case, found.by: column, **_facts(cell)}
        for line in found.lines
        for column, cell in zip(found.columns, line.cells, strict=True)
        if cell
    ]
    names = ("run", "status", "time_s", "time_lo_s", "time_hi_s", "ratio", "ratio_lo", "ratio_hi")
    more = (name for row in rows for name in row)
    return csv_text(dict.fromkeys(["case", found.by, *names, *more]), rows)


TEXTS: Mapping[str, Callable[[Crosstab], str]] = {
    "markdown": crosstab_markdown,
    "csv": crosstab_csv,
}
