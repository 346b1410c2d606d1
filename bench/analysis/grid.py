"""How cases lie in their suite's grid: which axis is the size, which cases make a line.

An op is read along its size: the axis `n` if it is numeric, else its first numeric axis. Cases
that agree in everything else make one line. An op without such an axis has no lines, only cases. A size of 0 lies on
no line, since the axis is logarithmic; it takes no other size with it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.plan.case_id import written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from bench.records.record import Record

PREFERRED_AXIS = "n"
PREFERRED_DTYPE = "float32"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Cases that differ in size alone, smallest first, whatever became of them."""

    suite: str
    name: str
    dtype: str
    device: str
    axis: str
    points: tuple[tuple[float, Record], ...]

    def at(self, size: float) -> Record | None:
        """The case of this size, or None where the op has none."""
        return next((record for place, record in self.points if place == size), None)


def size_of(label: str) -> float | None:
    """The positive number that an axis value is, else None."""
    value = _number(label)
    return value if value is not None and value > 0 else None


def _number(label: str) -> float | None:
    try:
        value = float(label)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def size_axes(records: Iterable[Record]) -> dict[tuple[str, str], str | None]:
    """(suite, op) → the axis along which the op is read."""
    values: dict[tuple[str, str], dict[str, set[str]]] = {}
    for record in records:
        axes = values.setdefault((record.suite, record.op), {})
        for axis, text in record.params.items():
            axes.setdefault(axis, set()).add(text)
    return {op: size_axis(axes) for op, axes in values.items()}


def size_axis(axes: Mapping[str, Collection[str]]) -> str | None:
    """The one of an op's axes, given with the values that occur, along which it is read."""
    numeric = [axis for axis, texts in axes.items() if _is_size(axis, texts)]
    return PREFERRED_AXIS if PREFERRED_AXIS in numeric else next(iter(numeric), None)


def _is_size(axis: str, texts: Collection[str]) -> bool:
    """Whether all values are numbers, and enough of them sizes: 0 and 1 alone are more likely a choice.

    Negative numbers are not taken for sizes, but for an axis that is called as one.
    """
    numbers = [_number(text) for text in texts]
    known = [number for number in numbers if number is not None]
    sizes = sum(number > 0 for number in known)
    if len(known) < len(numbers) or not sizes:
        return False
    return axis == PREFERRED_AXIS or sizes == len(known) or (min(known) == 0 and sizes > 1)


def title(record: Record) -> str:
    """The case in reading form, without its suite: `square n=16 float32`."""
    return " ".join([record.op, *_settings(record.params, ())])


def full_name(record: Record, among: Iterable[Record]) -> str:
    """The case with its suite, and with its device where these are of several."""
    several = len({r.device for r in among}) > 1
    return f"{record.suite}/{title(record)}" + (f" on {record.device}" if several else "")


def shared(records: Iterable[Record]) -> dict[str, str]:
    """The settings in which all of these agree, dtypes apart."""
    every = [{axis: r.params[axis] for axis in r.params if axis != "dtype"} for r in records]
    first = every[0] if every else {}
    return {k: v for k, v in first.items() if all(one.get(k) == v for one in every)}


def name_without(record: Record, axes: Iterable[str | None]) -> str:
    """The op and its settings on other axes than these: what tells it from others, dtype and device apart."""
    return " ".join([record.op, *_settings(record.params, {"dtype", *axes})])


def _settings(params: Mapping[str, str], without: Iterable[str | None]) -> list[str]:
    left_out = set(without)
    kept = [(axis, text) for axis, text in params.items() if axis not in left_out]
    return [text if axis == "dtype" else f"{axis}={written(text)}" for axis, text in kept]


def lines(records: Sequence[Record]) -> list[Curve]:
    """All lines, in the order of the records; ops without a numeric axis have none."""
    axes = size_axes(records)
    found: dict[tuple[str, ...], list[tuple[float, Record]]] = {}
    for record in records:
        axis = axes[record.suite, record.op]
        size = size_of(record.params.get(axis, "")) if axis else None
        if axis and size is not None:
            name = name_without(record, [axis])
            identity = (record.suite, name, record.dtype, record.device, axis)
            found.setdefault(identity, []).append((size, record))
    return [
        Curve(
            suite=suite,
            name=name,
            dtype=dtype,
            device=device,
            axis=axis,
            points=tuple(sorted(points, key=lambda point: point[0])),
        )
        for (suite, name, dtype, device, axis), points in found.items()
    ]


def without_size(records: Sequence[Record]) -> list[Record]:
    """The cases that lie on no line."""
    axes = size_axes(records)
    return [record for record in records if axes[record.suite, record.op] is None]


def off_curves(records: Sequence[Record]) -> list[Record]:
    """The cases of a suite that no curve can show: those of ops with one time on a line, or no line.

    An op without any time stays with the curves, whose heat map has a word for it, if there are any.
    """
    times: dict[str, int] = {}
    for line in lines(records):
        op = line.points[0][1].op
        times[op] = max(times.get(op, 0), sum(r.status == "ok" for _, r in line.points))
    if max(times.values(), default=0) <= 1:
        return list(records)
    return [record for record in records if times.get(record.op, 1) == 1]


def in_reading_order(records: Sequence[Record]) -> list[Record]:
    """Suite by suite, op by op, line by line, by size; devices of a case side by side."""
    axes = size_axes(records)
    suites, ops = _ranks(r.suite for r in records), _ranks(r.op for r in records)
    dtypes = ranked_dtypes(records)

    def key(record: Record) -> tuple[object, ...]:
        axis = axes[record.suite, record.op]
        size = (_number(record.params.get(axis, "")) or 0.0) if axis else 0.0
        name = _natural(name_without(record, [axis]))
        place = (suites[record.suite], ops[record.op], name, dtypes.index(record.dtype), size)
        return (*place, _natural(record.device))

    return sorted(records, key=key)


def ranked_dtypes(records: Iterable[Record]) -> list[str]:
    """The dtypes that occur, the usual one first."""
    return sorted(dict.fromkeys(r.dtype for r in records), key=lambda d: d != PREFERRED_DTYPE)


def ranked_devices(records: Iterable[Record]) -> list[str]:
    """The devices that occur, by kind and number: cpu, cuda:2, cuda:10."""
    return sorted({r.device for r in records}, key=_natural)


def _ranks(names: Iterable[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _natural(text: str) -> list[tuple[bool, int, str]]:
    """A key under which `cuda:2` comes before `cuda:10`."""
    parts = re.split(r"(\d+)", text)
    return [(True, int(p), "") if p.isdecimal() else (False, 0, p) for p in parts]
