"""Rows held against a reference, as a table, as plain values, and in one sentence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from bench.report.text.plain_table import PlainTable, below_each_other, folded, right, whole
from bench.units import counted, seconds, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bench.analysis.fleet.against import Placed


def against_table(found: Sequence[Placed], *, width: int | None = None) -> RenderableType:
    """A line per row: its time, that of the reference, its place, and what follows; the slow ones first."""
    table = PlainTable(
        folded("case"),
        whole("device"),
        right("time"),
        right("median"),
        right(""),
        whole("place"),
        folded(""),
    )
    for one in sorted(found, key=_order):
        table.add(*_cells(one))
    return below_each_other(sentence(found), "", table, width=width)


def sentence(found: Sequence[Placed]) -> str:
    """How many are slow, fast, ordinary, unsure, or can't be compared."""
    counts = Counter(one.standing for one in found)
    parts = [
        f"{counts[name]} {name}" for name in ("slow", "unsure", "ordinary", "fast") if counts[name]
    ]
    if counts[None]:
        parts.append(f"{counts[None]} not comparable")
    return f"{counted(len(found), 'row')}: {', '.join(parts) or 'nothing was measured'}"


def against_facts(found: Sequence[Placed]) -> dict[str, Any]:
    """The same for programs; seconds, and the share of units that take less time in words."""
    return {
        "summary": dict(Counter(one.standing or "not comparable" for one in found)),
        "rows": [
            {
                "case": one.record.case,
                "device": one.record.device,
                "model": one.record.device_name,
                "time_s": one.record.time_s,
                "median_s": one.known.p50_s if one.known else None,
                "units": one.known.units if one.known else None,
                "place": one.place or None,
                "standing": one.standing,
                "reason": one.reason or None,
            }
            for one in found
        ],
    }


def _order(one: Placed) -> tuple[int, float]:
    order = ("slow", "unsure", "fast", "ordinary")
    place = order.index(one.standing) if one.standing else len(order)
    return place, -_ratio(one)


def _ratio(one: Placed) -> float:
    return (one.record.time_s or 0.0) / one.known.p50_s if one.known and one.known.p50_s else 0.0


def _cells(one: Placed) -> list[str]:
    known, record = one.known, one.record
    off = signed(_ratio(one) - 1) if known else ""
    said = " – ".join(filter(None, (one.standing or "not comparable", one.reason)))
    median = seconds(known.p50_s) if known else ""
    return [record.case, record.device, seconds(record.time_s), median, off, one.place, said]
