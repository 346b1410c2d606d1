"""The roofline view: per device what binds its cases, in sentences, a table, and two figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis import grid
from bench.analysis.findings import roofline
from bench.records import codec, roofs
from bench.records.cache_state import COLD
from bench.report.html import figure as html_figure
from bench.report.html.figure import Drawing, LegendKey, Twin
from bench.report.html.run_page import bandwidth_figure, roofline_figure, scatter, tables
from bench.report.html.view import View, anchor
from bench.report.text import wording
from bench.units import MISSING, counted, number, share, size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.records.record import Record
    from bench.records.roofs import Roofs
    from bench.report.html.run_page.scatter import Cloud
    from bench.store.runs import RunInfo

ID = "roofline"
_FIGURES = f"{ID}-figures"
_NO_WORK_DECLARED = (
    "The run noted roofs, but none of its cases can be compared with them: "
    "none declares arithmetic or bytes."
)
_FILLS = {False: "filled: hot caches", True: "open: caches emptied before each call"}
_MEASURE = "bench machine --measure measures them, and so does bench run without --no-roofs."


@dataclass(frozen=True, slots=True, kw_only=True)
class RoofRow:
    """A roof in the table: how many cases it binds, how near they came, and which came nearest."""

    roof: str
    counts: tuple[int, ...]
    nearest: str
    share: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRoofs:
    """What is shown of one device."""

    id: str
    device: str
    name: str
    measured: str
    sentences: tuple[str, ...]
    lines: tuple[RoofRow, ...]
    keys: tuple[LegendKey, ...]
    fills: tuple[str, ...]
    """What filled and open markers mean, as far as they occur."""
    drawings: tuple[Drawing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RooflineValues:
    """What the template needs; `empty` says why there is nothing else."""

    empty: str
    devices: tuple[DeviceRoofs, ...]


def roofline_view(records: Sequence[Record], info: RunInfo) -> View | None:
    """The view of a run; None where nothing at all was measured."""
    measured = [r for r in records if r.status == "ok"]
    if not measured:
        return None
    known = known_roofs(info)
    found = [
        _device(f"{ID}-{place}", [r for r in measured if r.device == device], known[device])
        for place, device in enumerate(grid.ranked_devices(measured))
        if device in known
    ]
    devices = tuple(one for one in found if one)
    drawings = [one for device in devices for one in device.drawings]
    return View(
        id=ID,
        values=RooflineValues(empty="" if devices else _why_empty(known, info), devices=devices),
        payloads=(html_figure.payload(_FIGURES, drawings),) if drawings else (),
    )


def known_roofs(info: RunInfo) -> dict[str, Roofs]:
    """Device → its roofs; what another version wrote in their place is passed over."""
    found = {}
    for device, fields in info.roofs.items():
        try:
            found[device] = codec.decode(roofs.Roofs, fields)
        except TypeError:
            continue
    return found


def _why_empty(known: dict[str, Roofs], info: RunInfo) -> str:
    if known:
        return _NO_WORK_DECLARED
    left_out = " It was made with --no-roofs." if info.options.get("roofs") is False else ""
    return f"No roofs are known of this run.{left_out} {_MEASURE}"


def _device(id_: str, records: Sequence[Record], known: Roofs) -> DeviceRoofs | None:
    rows = roofline.with_share(records)
    worked = scatter.cloud(roofline_figure.places(records))
    moved = scatter.cloud(bandwidth_figure.places(records))
    drawings = [*_worked(id_, worked, known), *_moved(id_, moved, known)]
    if not rows and not drawings:
        return None
    shown = [point.record for point in (*worked.points, *moved.points)]
    numbers = sorted({scatter.kind(r.dtype) for r in shown})
    return DeviceRoofs(
        id=id_,
        device=known.device,
        name=records[0].device_name,
        measured=_measured(known),
        sentences=(*roofline.sentences(records), *_without(records)),
        lines=tuple(_line(one) for one in roofline.by_roof(rows)),
        keys=tuple(LegendKey(number=n, name=scatter.KINDS[n]) for n in numbers),
        fills=tuple(_FILLS[cold] for cold in sorted({r.cache == COLD for r in shown})),
        drawings=tuple(drawings),
    )


def _measured(known: Roofs) -> str:
    threads = f"with {counted(known.threads, 'thread')}, " if known.device == "cpu" else "by "
    return f"{threads}torch {known.torch}, {wording.when(known.measured_at)}"


def _without(records: Sequence[Record]) -> list[str]:
    """The cases that have no place in either figure."""
    bare = sum(not r.flop and not r.bytes for r in records)
    if not bare:
        return []
    tail = (
        "declares no work, so that no roof binds it"
        if bare == 1
        else "declare no work, so that no roof binds them"
    )
    return [f"{counted(bare, 'case')} of {len(records)} {tail}."]


def _line(one: roofline.UnderRoof) -> RoofRow:
    found, record = one.headroom, one.nearest
    return RoofRow(
        roof=one.roof,
        counts=(found.of, found.near, found.half, found.far),
        nearest=f"{record.suite}/{grid.title(record)}",
        share=share(record.roof_share),
        anchor=anchor(record),
    )


def _worked(id_: str, drawn: Cloud, known: Roofs) -> list[Drawing]:
    figure = roofline_figure.by_intensity(drawn, known)
    if figure is None:
        return []
    peaks = ", ".join(roofline_figure.said_of(one) for one in known.of_kind(roofs.FLOP))
    return [
        Drawing(
            id=f"{id_}-flop",
            payload=_FIGURES,
            figure=figure,
            label=f"Roofline of {known.device}: FLOP per second of {drawn.of} cases against FLOP per byte, "
            f"under measured bandwidths and products. {peaks}.",
            caption="FLOP per second against FLOP per byte, both declared and logarithmic; bars are intervals. "
            "Slopes are the best bandwidth that was measured of each level, dashed lines the best product "
            "of each dtype. A case is compared with the level its bytes fit in, whatever slope is drawn "
            f"nearest to it.{drawn.caption}",
            twin=_twin(drawn, "FLOP/B", number, tables.flop_rate_of),
        )
    ]


def _moved(id_: str, drawn: Cloud, known: Roofs) -> list[Drawing]:
    figure = bandwidth_figure.by_bytes(drawn, known)
    if figure is None:
        return []
    return [
        Drawing(
            id=f"{id_}-bytes",
            payload=_FIGURES,
            figure=figure,
            label=f"Bandwidth on {known.device}: bytes per second of {drawn.of} cases without arithmetic "
            "against the bytes they move, under the measured bandwidth of each level.",
            caption="Bytes per second against bytes moved, of cases that declare no arithmetic; both "
            "logarithmic, bars are intervals. The line is the best bandwidth that was measured from each "
            "size on; small cases lie far below it because a call takes time whatever it moves."
            f"{drawn.caption}",
            twin=_twin(drawn, "bytes", size, tables.byte_rate_of),
        )
    ]


def _twin(
    drawn: Cloud, across: str, x: Callable[[float], str], rate: Callable[[Record], str]
) -> Twin:
    """The points' own numbers, a row for each."""
    head = (across, "rate", "time", "of its roof", "roof")
    rows = []
    for point in drawn.points:
        r = point.record
        own = (x(point.x), rate(r), wording.time_of(r), share(r.roof_share), r.roof or MISSING)
        rows.append((f"{r.suite}/{grid.title(r)}", own))
    return Twin(row_head="case", head=head, rows=tuple(rows))
