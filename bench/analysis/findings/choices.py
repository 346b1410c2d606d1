"""Finding: which of several ways to do the same is fastest, at which size, where their intervals decide it.

A way is a value of an axis on which an op offers a choice: a backend, an implementation, a memory format.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.grid import name_without, size_axes, size_of
from bench.analysis.usable import FOR_OPS, unusable
from bench.plan.mode import is_eager
from bench.stats.ratio import Change
from bench.units import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.records.record import Record
    from bench.stats.ratio import Ratio

CHOICES = ("backend", "implementation", "memory_format", "recipe")
"""Axes whose values give the same result in different ways."""
_MOST = 2
"""Ops that are told of: those in which it matters most."""
_MATTERS = 1.05
"""A lead of less than five per cent is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An op's ways at one size: the fastest, if that is certain, and how many times as long the next one takes."""

    op: str
    axis: str
    size: str
    fastest: str
    lead: Ratio
    certain: bool


def choices(records: Sequence[Record]) -> str | None:
    """Which way is fastest at the sizes where that matters most; None where no op of the run offers one."""
    found = list(found_choices(records))
    by_op: dict[tuple[str, str], list[Choice]] = {}
    for one in found:
        by_op.setdefault((one.op, one.axis), []).append(one)
    ranked = sorted(by_op.values(), key=_gain, reverse=True)
    said = [sentence for group in ranked if (sentence := _said(group))]
    if not said:
        return None
    more = f" ({len(said) - _MOST} more in the table)" if said[_MOST:] else ""
    return f"Of several ways: {'; '.join(said[:_MOST])}{more}."


def found_choices(records: Sequence[Record]) -> Iterator[Choice]:
    """The choice of each op at each size, everything else being equal."""
    axes = size_axes(records)
    for axis in CHOICES:
        places: dict[tuple[str, ...], list[Record]] = {}
        for record in records:
            if (
                axis in record.params
                and is_eager(record.mode)
                and not unusable(record, barred=FOR_OPS)
            ):
                size = axes[record.suite, record.op] or ""
                name = f"{record.suite}/{name_without(record, [axis, size])}"
                place = (name, record.dtype, record.device, f"{size}={record.params.get(size, '')}")
                places.setdefault(place, []).append(record)
        for (name, dtype, device, size), rows in places.items():
            if len(rows) > 1:
                where = " ".join([name, dtype, *([] if device == "cpu" else [f"on {device}"])])
                yield _choice(where, axis, size, rows)


def _choice(op: str, axis: str, size: str, rows: Sequence[Record]) -> Choice:
    first, *others = sorted(rows, key=lambda row: row.time_s or math.inf)
    leads = [Change.of(first, other).ratio() for other in others]
    nearest = min(leads, key=lambda lead: lead.low)
    return Choice(
        op=op,
        axis=axis,
        size=size,
        fastest=first.params[axis],
        lead=nearest,
        certain=nearest.low > 1 and nearest.value > _MATTERS,
    )


def _gain(group: Sequence[Choice]) -> float:
    return max((one.lead.low for one in group if one.certain), default=0.0)


def _said(group: Sequence[Choice]) -> str:
    """`attention/attention float32 by backend: flash at n=512, n=1024 (the next takes 3.1 ± 0.2 times as long at n=1024)`."""
    sure = [one for one in group if one.certain]
    if not sure:
        return ""
    parts = []
    for way in dict.fromkeys(one.fastest for one in sure):
        mine = [one for one in sure if one.fastest == way]
        best = max(mine, key=lambda one: one.lead.low)
        at = ", ".join(_size(one.size) for one in mine)
        where = f" at {_size(best.size)}" if mine[1:] else ""
        parts.append(f"{way} at {at} (the next takes {best.lead} times as long{where})")
    open_ = len(group) - len(sure)
    rest = f", can't tell at {open_} more" if open_ else ""
    return f"{group[0].op} by {group[0].axis}: {', '.join(parts)}{rest}"


def _size(text: str) -> str:
    axis, _, label = text.partition("=")
    known = size_of(label)
    return f"{axis}={count(known)}" if known else "its one size"
