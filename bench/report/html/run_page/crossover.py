"""The view of crossovers: from which size on another device wins, or more threads, or another machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis import memory_mix
from bench.analysis.crossover.crossovers import crossovers
from bench.analysis.crossover.with_copies import moved, ways
from bench.analysis.findings.gpu_speedup import by_weight
from bench.analysis.grid import ranked_devices
from bench.report.html import figure
from bench.report.html.figure import Drawing, Twin
from bench.report.html.run_page.crossover_figure import crossing_figure
from bench.report.html.table import Column, Listing, TableEntry, filters_of
from bench.report.html.view import View, anchor
from bench.report.text import wording
from bench.report.text.crossover import answer, level, names_of
from bench.units import MISSING, number, seconds_with_interval, size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.crossover.crossovers import Crossing
    from bench.analysis.crossover.with_copies import Moved
    from bench.records.record import Record
    from bench.stats.crossing import Point

ID = "crossover"
_FIGURES = f"{ID}-figures"
_MOST_FIGURES = 12
"""Those for which it matters most are drawn; nobody looks at more one by one, and the table has all."""
_MIXED = "; where copies change who wins, and both are shown, the shades mix"
ONE_DEVICE = (
    "This run has one device, so that there is nothing to compare its times with. To measure:"
)
NO_SIZE = "No op was measured on two sides at one size. To measure:"
COMMANDS = ("bench run --device cpu,cuda", "bench crossover matmul/square")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCrossover:
    """A crossover that is drawn."""

    title: str
    said: str
    copied: str
    drawing: Drawing


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossoverValues:
    """What the template shows; where there is nothing, `why` says so and what to run."""

    why: str
    commands: tuple[str, ...] = COMMANDS
    shown: tuple[DrawnCrossover, ...] = ()
    undrawn: int = 0
    copies: bool = False
    level: str = ""
    listing: Listing | None = None


def crossover_view(records: Sequence[Record]) -> View:
    """The view of these rows; also of one device, where people look for it."""
    found = by_weight(crossovers(records))
    if not found:
        several = len(ranked_devices(records)) > 1
        values = CrossoverValues(why=NO_SIZE if several else ONE_DEVICE)
        return View(id=ID, values=values)
    known = ways(records)
    copied = [moved(one, known) for one in found]
    shown = [_shown(i, found[i], copied[i]) for i in range(min(_MOST_FIGURES, len(found)))]
    table = _listing(found, copied)
    values = CrossoverValues(
        why="",
        shown=tuple(shown),
        undrawn=len(found) - len(shown),
        copies=any(one.copied for one in shown),
        level=level({one.confidence for one in found}),
        listing=table,
    )
    figures = figure.payload(_FIGURES, [one.drawing for one in shown])
    return View(
        id=ID,
        values=values,
        payloads=(figures, table.payload),
    )


def _shown(place: int, one: Crossing, copied: Moved | None) -> DrawnCrossover:
    title = f"{_op(one)} {one.dtype}"
    said = answer(one.found, names_of(one))
    sides = f"{one.one} and {one.other}"
    mix = memory_mix.sentence(one.rows) or ""
    return DrawnCrossover(
        title=title,
        said=said,
        copied=answer(copied.found, names_of(one)) if copied else "",
        drawing=Drawing(
            id=f"x{place}",
            payload=_FIGURES,
            figure=crossing_figure(one, copied),
            label=f"Time per call of {title} against {one.axis}, {sides}: {said}",
            caption=(
                f"Time per call of {sides} on {one.where}, both axes logarithmic; bands are intervals, "
                f"shaded is where one is seen to win{_MIXED if copied else ''}."
                f"{mix and f' {mix}'}"
            ),
            twin=_twin(one, copied),
        ),
    )


def _twin(one: Crossing, copied: Moved | None) -> Twin:
    """A row per size, so that it is as narrow as a phone: times, ratio, who wins."""
    sides = [dict(curve) for curve in one.curves]
    ratios = {r.size: r for r in one.found.ratios}
    points = {p.size: p for p in copied.points} if copied else {}
    names = {"one": one.one, "other": one.other}
    rows = []
    for size in sorted({*sides[0], *sides[1]}):
        times = [wording.time_of(side[size]) if size in side else "·" for side in sides]
        with_copies = [_time(points.get(size))] if copied else []
        ratio = ratios.get(size)
        won = [f"{number(ratio.value)}×", names.get(ratio.winner or "", "unsure")] if ratio else []
        rows.append((size_text(size), (*times, *with_copies, *(won or [MISSING, MISSING]))))
    third = [f"{one.other} with copies"] if copied else []
    head = (one.one, one.other, *third, f"{one.one} / {one.other}", "faster")
    return Twin(row_head=one.axis, head=head, rows=tuple(rows))


def _time(moved_point: Point | None) -> str:
    if moved_point is None:
        return MISSING
    time = moved_point.timed
    return seconds_with_interval(time.time_s, time.low_s, time.high_s)


def _listing(found: Sequence[Crossing], copied: Sequence[Moved | None]) -> Listing:
    """Every crossover in words, the ones that matter most first."""
    with_copies = any(copied)
    columns = [
        Column(key="op", name="op"),
        Column(key="dtype", name="dtype"),
        Column(key="sides", name="sides"),
        Column(key="from", name="changes at", number=True),
        Column(key="wins", name="who wins", sorts=False),
        *([Column(key="copies", name="with copies", sorts=False)] if with_copies else []),
    ]
    entries = tuple(
        _entry(one, more, with_copies=with_copies) for one, more in zip(found, copied, strict=True)
    )
    return Listing(
        id=ID,
        name="crossovers",
        columns=tuple(columns),
        filters=filters_of(entries),
        entries=entries,
    )


def _entry(one: Crossing, copied: Moved | None, *, with_copies: bool) -> TableEntry:
    """A row; its link leads to the case of the largest size on the other side."""
    names = names_of(one)
    at = f"{one.axis} ≈ {size_text(one.found.size)}" if one.found.size else MISSING
    extra = [answer(copied.found, names) if copied else MISSING] if with_copies else []
    cells = (_op(one), one.dtype, _sides(one), at, answer(one.found, names), *extra)
    sort = (_op(one), one.dtype, _sides(one), one.found.size, None, *([None] if extra else []))
    return TableEntry(
        id=anchor(one.curves[1][-1][1]),
        of={
            "suite": one.suite,
            "dtype": one.dtype,
            "sides": _sides(one),
            "verdict": one.found.kind,
        },
        cells=cells,
        sort=sort,
    )


def _op(one: Crossing) -> str:
    return f"{one.suite}/{one.name}"


def _sides(one: Crossing) -> str:
    return f"{one.one}, {one.other}"
