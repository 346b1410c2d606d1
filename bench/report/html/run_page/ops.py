"""A suite → its section of a page: the figures worth drawing, each with caption and table twin."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from bench.analysis import grid
from bench.report.html.figure import Drawing, payload
from bench.report.html.run_page import figures, tables
from bench.report.text import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.grid import Curve
    from bench.records.record import Record
    from bench.report.html.style import Appearance
    from bench.report.html.view import Payload

_MOST_LINES = 8  # more than these at once, and a figure opens with one dtype only


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A thing that can be shown or hidden in a section's figures; it is also the legend."""

    kind: str
    number: int
    name: str
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A suite on the page."""

    id: str
    suite: str
    summary: str
    controls: tuple[Control, ...]
    drawings: tuple[Drawing, ...]

    @property
    def payload(self) -> Payload:
        """Its figures and their tables, unpacked when the section comes into view."""
        return payload(_payload_id(self.id), self.drawings)


def sections(records: Sequence[Record], look: Appearance) -> list[Section]:
    """One section per suite, in the order of the records; those without a time come last."""
    groups = [(suite, list(found)) for suite, found in groupby(records, key=lambda r: r.suite)]
    groups.sort(key=lambda group: all(r.status != "ok" for r in group[1]))
    return [
        _section(f"s{place}", suite, found, look)
        for place, (suite, found) in enumerate(groups, start=1)
    ]


def _section(id_: str, suite: str, records: Sequence[Record], look: Appearance) -> Section:
    by_axis: dict[str, list[Curve]] = {}
    rest = grid.off_curves(records)
    apart = {r.op for r in rest}
    for line in grid.lines([r for r in records if r.op not in apart]):
        by_axis.setdefault(line.axis, []).append(line)
    drawings: list[Drawing] = []
    for axis, found in by_axis.items():
        drawings += _along(f"{id_}-{len(drawings)}", suite, axis, found, look)
    if rest:
        drawings += _dots(f"{id_}-{len(drawings)}", suite, rest, look)
    ok = sum(r.status == "ok" for r in records)
    return Section(
        id=id_,
        suite=suite,
        summary=f"{ok} of {len(records)} measured",
        controls=_controls(records, look) if drawings else (),
        drawings=tuple(drawings),
    )


def _along(
    id_: str, suite: str, axis: str, found: Sequence[Curve], look: Appearance
) -> list[Drawing]:
    subject = f"{suite} against {axis}"
    kinds = (
        ("time", figures.TIME, wording.time_of, "Time per call"),
        ("flop", figures.FLOP_RATE, tables.flop_rate_of, "FLOP per second"),
        ("bytes", figures.BYTE_RATE, tables.byte_rate_of, "Bytes per second"),
    )
    drawn = [(kind, figures.by_size(found, look, kind[1])) for kind in kinds]
    lonely = sum(figure is not None for _, figure in drawn) < len(kinds)  # nothing to stand beside
    drawings = []
    for (name, _, cell, what), figure in drawn:
        if figure is not None:
            drawings.append(
                Drawing(
                    id=f"{id_}-{name}",
                    payload=_payload_id(id_),
                    figure=figure,
                    label=f"{what} of {subject}: {_described(found)}.",
                    caption=f"{what} of {subject}, both logarithmic; {_READING[name]}",
                    twin=tables.twin(found, cell),
                    wide=lonely or name == "time",
                )
            )
    return drawings + _heat(id_, suite, axis, found, look)


_READING = {
    "time": "bars are intervals; lower is faster.",
    "flop": "declared arithmetic divided by time; higher is faster.",
    "bytes": (
        "declared bytes divided by time; small tensors stay in a cache, "
        "so this can exceed what memory gives."
    ),
}


def _heat(
    id_: str, suite: str, axis: str, found: Sequence[Curve], look: Appearance
) -> list[Drawing]:
    sizes = {size for line in found for size, _ in line.points}
    figure = figures.heat(found, look) if len(sizes) > 1 and len(found) > 1 else None
    if figure is None:
        return []
    return [
        Drawing(
            id=f"{id_}-heat",
            payload=_payload_id(id_),
            figure=figure,
            label=f"Heat map of the time per call of {suite}: {_described(found)}, by {axis}.",
            caption=(
                "Time per call; the darker, the slower, on a logarithmic scale. A word stands where "
                "a case has no time (its own view has the reason), a dot where there is no case."
            ),
            twin=tables.twin(found, wording.time_of),
        )
    ]


def _dots(id_: str, suite: str, records: Sequence[Record], look: Appearance) -> list[Drawing]:
    slowest_first = sorted(records, key=lambda r: -(r.time_s or 0.0))
    figure = figures.dots(slowest_first, look)
    if figure is None:
        return []
    measured = [r for r in slowest_first if r.status == "ok"]
    shared = ", ".join(f"{axis}={text}" for axis, text in grid.shared(measured).items())
    where = f" at {shared}" if shared else ""
    ops = ", ".join(dict.fromkeys(r.op for r in measured))
    return [
        Drawing(
            id=f"{id_}-dots",
            payload=_payload_id(id_),
            figure=figure,
            label=f"Time per call of {suite}{where}, slowest first: {ops}.",
            caption=(
                f"Time per call{where}, slowest first, logarithmic; bars are intervals; "
                "further left is faster."
            ),
            twin=tables.plain_twin(slowest_first),
        )
    ]


def _payload_id(drawing: str) -> str:
    """`s1-2-time` is in `s1-figures`, as all figures of its section are."""
    return f"{drawing.partition('-')[0]}-figures"


def _described(found: Sequence[Curve]) -> str:
    """`square, spelling call=@; in float32, float64; on cpu`."""
    names = ", ".join(dict.fromkeys(line.name for line in found))
    dtypes = ", ".join(dict.fromkeys(line.dtype for line in found))
    devices = ", ".join(dict.fromkeys(line.device for line in found))
    return f"{names}; in {dtypes}; on {devices}"


def _controls(records: Sequence[Record], look: Appearance) -> tuple[Control, ...]:
    names = [line.name for line in grid.lines(records)]
    names += [r.op for r in grid.without_size(records)]
    suite = records[0].suite
    dtypes, devices = grid.ranked_dtypes(records), grid.ranked_devices(records)
    crowded = len(set(names)) * len(dtypes) * len(devices) > _MOST_LINES
    return (
        *(
            Control(kind="op", number=look.names[suite, n], name=n, shown=True)
            for n in dict.fromkeys(names)
        ),
        *(
            Control(kind="dtype", number=look.dtypes[d], name=d, shown=not crowded or not place)
            for place, d in enumerate(dtypes)
        ),
        *(Control(kind="device", number=look.devices[d], name=d, shown=True) for d in devices),
    )
