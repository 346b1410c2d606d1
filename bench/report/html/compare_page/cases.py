"""Every case of a comparison in a table: two runs column by column, more a column each.

Texts are made here, so that they read as everywhere; numbers go with them to sort by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis import grid
from bench.analysis.compare.left_out import LOSSES
from bench.report.html.compare_page import ratio_figure
from bench.report.html.compare_page.case_details import ID, said_of, together
from bench.report.html.table import Column, ColumnFilter, Listing, TableEntry, filters
from bench.report.html.view import anchor
from bench.report.text import compared_times, ratio_text
from bench.stats.ratio import VERDICTS
from bench.units import MISSING, seconds, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.compare.runs import Lined, Lineup, Seen
    from bench.analysis.compare.verdict import CaseVerdict
    from bench.report.html.table import Cell

_MOST_RUNS_IN_FULL = 4
"""With more runs beside the base, the table leaves times and intervals to a case's own view."""
_NOT_COMPARED = "not compared"
"""Instead of a verdict, where a run lacks the case or its time."""


def listing(found: Lineup, names: Sequence[str]) -> Listing:
    """The table of all cases, in reading order: two runs column by column, more a column each."""
    alone = len(names) == 2  # noqa: PLR2004 - the base and another
    several = len({one.device for one in found.cases}) > 1
    head = [Column(key="case", name="case")]
    head += [Column(key="device", name="device")] if several else []
    pair = [
        Column(key="base", name="base", number=True),
        Column(key="new", name="new", number=True),
        Column(key="ratio", name="new / base", number=True),
        Column(key="verdict", name="verdict"),
        Column(key="visible", name="smallest visible", number=True),
        Column(key="why", name="why", sorts=False),
    ]
    many = [
        Column(key="verdict", name="gravest"),
        Column(key="base", name=names[0], number=True),
        *(
            Column(key=f"ratio{place}", name=name, number=True)
            for place, name in enumerate(names[1:], start=1)
        ),
    ]
    size = together(len(names))
    cells = [
        [*_head(one, place, several=several), *(_pair if alone else _many)(one)]
        for place, one in enumerate(found.cases)
    ]
    return Listing(
        id=ID,
        name=ID,
        columns=(*head, *(pair if alone else many)),
        filters=_filters(found),
        entries=tuple(
            _entry(one, row, place // size)
            for place, (one, row) in enumerate(zip(found.cases, cells, strict=True))
        ),
    )


def _entry(one: Lined, cells: Sequence[Cell], block: int) -> TableEntry:
    texts, keys = zip(*cells, strict=True)
    return TableEntry(
        id=anchor(one), of=_of(one), cells=texts, sort=keys, words=one.device, block=block
    )


def _filters(found: Lineup) -> tuple[ColumnFilter, ...]:
    dtypes = sorted({one.dtype for one in found.cases}, key=lambda d: d != grid.PREFERRED_DTYPE)
    devices = sorted({one.device for one in found.cases})
    said = {word for one in found.cases for word in _verdicts(one)}
    return filters(
        {
            "suite": (one.suite for one in found.cases),
            "op": (one.op for one in found.cases),
            "dtype": dtypes,
            "device": devices,
            "verdict": (word for word in (*LOSSES, *VERDICTS, _MISSED) if word in said),
        }
    )


_MISSED = "missing"
"""The word of the filter for cases that are not compared."""


def _verdicts(one: Lined) -> tuple[str, ...]:
    """What a filter finds a case by: what any run says of it."""
    pairs = zip(one.said, one.losses, strict=True)
    return tuple(dict.fromkeys(said.verdict if said else loss or _MISSED for said, loss in pairs))


def _of(one: Lined) -> dict[str, str]:
    return {
        "suite": one.suite,
        "op": one.op,
        "dtype": one.dtype,
        "device": one.device,
        "verdict": " ".join(_verdicts(one)),
    }


def _head(one: Lined, place: int, *, several: bool) -> list[Cell]:
    device: list[Cell] = [(one.device, one.device)] if several else []
    return [(f"{one.suite}/{one.title}", place), *device]


def _pair(one: Lined) -> list[Cell]:
    """The cells of a case of two runs."""
    (said,) = one.said
    times = [_time(seen) for seen in one.seen]
    if said is None:
        return [
            *times,
            (MISSING, None),
            _unjudged(one),
            (MISSING, None),
            (_lost(one), None),
        ]
    return [
        *zip(_compared(said), (said.base_s, said.new_s), strict=True),
        (ratio_text.cell(said.ratio, said.ratio_lo, said.ratio_hi), said.ratio),
        _verdict(said),
        (share(said.smallest_visible), said.smallest_visible),
        (said.reason, None),
    ]


def _many(one: Lined) -> list[Cell]:
    """The cells of a case of more runs: the gravest verdict, the base, then a cell for each."""
    first = one.foremost
    verdict = _verdict(first) if first and not any(one.losses) else _unjudged(one)
    brief = len(one.said) > _MOST_RUNS_IN_FULL
    base = _time(one.seen[0])
    if first and not brief:  # beside times that the ratios are of
        base = _compared(first)[0], first.base_s
    cells = (
        _run_cell(seen, said, base_s=base[1], brief=brief)
        for seen, said in zip(one.seen[1:], one.said, strict=True)
    )
    return [verdict, base, *cells]


def _compared(said: CaseVerdict) -> tuple[str, str]:
    """Both times that a ratio is of; headlines are marked."""
    return compared_times.pair(said, marked=True, digits=4)


def _run_cell(seen: Seen | None, said: CaseVerdict | None, *, base_s: object, brief: bool) -> Cell:
    """A ratio, with the time where that is over the base's time which is shown."""
    if said is None:
        return _time(seen)[0], None
    sign = ratio_figure.MARKS[said.verdict][1]
    if brief:
        return f"{ratio_text.times(said.ratio)} {sign}", said.ratio
    ratio = ratio_text.cell(said.ratio, said.ratio_lo, said.ratio_hi)
    time = f"{compared_times.pair(said, marked=True)[1]} · " if said.base_s == base_s else ""
    return f"{time}{ratio} {sign}", said.ratio


def _time(seen: Seen | None) -> Cell:
    if seen is None:
        return MISSING, None
    return (seconds(seen.time[0], 4), seen.time[0]) if seen.status == "ok" else (seen.status, None)


def _unjudged(one: Lined) -> Cell:
    """How a run lost the case, the gravest first and before every verdict; else that it is not compared."""
    found = [LOSSES.index(loss) for loss in one.losses if loss]
    if not found:
        return _NOT_COMPARED, len(VERDICTS)
    return LOSSES[min(found)], min(found) - len(LOSSES)


def _verdict(one: CaseVerdict) -> Cell:
    return said_of(one), VERDICTS.index(one.verdict)


def _lost(one: Lined) -> str:
    """Why two runs have nothing to compare here."""
    found = zip(("base", "new"), one.seen, strict=True)
    whys = [(side, "not there" if seen is None else _why(seen)) for side, seen in found]
    return "; ".join(f"{side}: {why}" for side, why in whys if why)


def _why(seen: Seen) -> str:
    if seen.status != "ok":
        return f"{seen.status}, {seen.reason}" if seen.reason else seen.status
    return "" if seen.time[0] else "no time that could be told from none"
