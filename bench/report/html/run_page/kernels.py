"""The kernels view: what cases launch on a GPU, which of them wait for the host, what a graph would save."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis import grid, rerun_command
from bench.analysis.findings import kernels as findings_kernels
from bench.report.html import figure as html_figure
from bench.report.html.figure import Drawing
from bench.report.html.run_page import launch_figure
from bench.report.html.table import Column, Listing, TableEntry, filters_of
from bench.report.html.view import View, anchor
from bench.units import MISSING, counted, seconds, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.findings.kernels import Kernel
    from bench.records.record import Record
    from bench.report.html.table import Cell
    from bench.store.runs import RunInfo

ID = "kernels"
_FIGURES = f"{ID}-figures"
_ONE = "To see what one case consists of:"
_MOST_OPS, _MOST_NAMES, _MOST_LINES = 4, 3, 100
"""A cell names so many ops or kernels; the table has so many kernels, those of the most cases first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelRow:
    """A kernel in the table; `short` is all of its name or what fits."""

    name: str
    short: str
    cases: int
    alone: int
    longest: int
    time: str
    ops: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceKernels:
    """What is shown of one device."""

    id: str
    device: str
    name: str
    sentences: tuple[str, ...]
    drawings: tuple[Drawing, ...]
    lines: tuple[KernelRow, ...]
    left_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelsValues:
    """What the template needs; `empty` says why there is nothing else, `example` is a case to profile."""

    empty: str
    example: str
    devices: tuple[DeviceKernels, ...]
    listing: Listing


def kernels_view(records: Sequence[Record], info: RunInfo) -> View | None:
    """The view of a run; None where nothing at all was measured."""
    measured = [r for r in records if r.status == "ok"]
    if not measured:
        return None
    known = [r for r in measured if r.kernels or r.bound_by]
    devices = tuple(
        _device(f"{ID}-{place}", device, [r for r in known if r.device == device])
        for place, device in enumerate(grid.ranked_devices(known))
    )
    drawings, table = [one for device in devices for one in device.drawings], listing(known)
    return View(
        id=ID,
        values=KernelsValues(
            empty="" if devices else _why_empty(measured, info),
            example=_example(measured[0], info),
            devices=devices,
            listing=table,
        ),
        payloads=(
            *([html_figure.payload(_FIGURES, drawings)] if drawings else []),
            *([table.payload] if known else []),
        ),
    )


def _why_empty(records: Sequence[Record], info: RunInfo) -> str:
    on_cuda = any(r.device.startswith("cuda") for r in records)
    if on_cuda and info.options.get("kernels") is False:
        return f"This run was made with --no-kernels. {_ONE}"
    if on_cuda:
        return f"The profiler saw no kernels in this run. {_ONE}"
    return f"Rows name kernels on CUDA only, and this run has no case there. {_ONE}"


def _example(record: Record, info: RunInfo) -> str:
    """The command that profiles a case of the run."""
    files = [str(word) for word in info.options.get("suites") or () if str(word).endswith(".py")]
    suites = [word for file in files for word in ("--suite", rerun_command.quoted(file))]
    words = ["bench profile", rerun_command.quoted(record.case), *suites, "--device", record.device]
    return " ".join(words)


def listing(records: Sequence[Record]) -> Listing:
    """Each case with what it waits for, what it launches, and what a graph would save."""
    several = len(grid.ranked_devices(records)) > 1
    columns = (
        Column(key="case", name="case"),
        *([Column(key="device", name="device")] if several else []),
        Column(key="bound", name="bound by"),
        Column(key="time", name="waits", number=True),
        Column(key="hot", name="hot", number=True),
        Column(key="cold", name="cold", number=True),
        Column(key="graph", name="graph", number=True),
        Column(key="profiled", name="profiler", number=True),
        Column(key="waits", name="idle", number=True),
        Column(key="saved", name="saved", number=True),
        Column(key="count", name="launches", number=True),
        Column(key="names", name="kernels, the longest first", sorts=False),
    )
    entries = tuple(_entry(place, r, several=several) for place, r in enumerate(records))
    return Listing(
        id="launches",
        name="cases on a GPU",
        columns=columns,
        filters=filters_of(entries),
        entries=entries,
    )


def _entry(place: int, record: Record, *, several: bool) -> TableEntry:
    r = record
    times = (r.time_s, r.device_time_s, r.device_time_cold_s, r.graph_time_s, r.profiled_time_s)
    shares = (findings_kernels.waiting_share(r), findings_kernels.saved_share(r))
    count = MISSING if r.kernels_per_call is None else f"{r.kernels_per_call:g}"
    cells: list[Cell] = [
        (f"{r.suite}/{grid.title(r)}", place),
        *([(r.device, r.device)] if several else []),
        (r.bound_by or MISSING, r.bound_by),
        *((seconds(time_s), time_s) for time_s in times),
        *((share(part), part) for part in shares),
        (count, r.kernels_per_call),
        (_names(r.kernels) or MISSING, None),
    ]
    texts, keys = zip(*cells, strict=True)
    return TableEntry(
        id=anchor(r),
        of={"suite": r.suite, "device": r.device, "bound": r.bound_by or MISSING},
        cells=texts,
        sort=keys,
        words=" ".join(r.kernels),
    )


def _names(names: Sequence[str]) -> str:
    """The first of them, each once, and how many more there are."""
    short = list(dict.fromkeys(map(launch_figure.short, names)))
    more = f" and {len(short) - _MOST_NAMES} more" if len(short) > _MOST_NAMES else ""
    return ", ".join(short[:_MOST_NAMES]) + more


def _device(id_: str, device: str, records: Sequence[Record]) -> DeviceKernels:
    found = findings_kernels.kernels(records)
    more = len(found) - _MOST_LINES
    return DeviceKernels(
        id=id_,
        device=device,
        name=records[0].device_name,
        sentences=tuple(findings_kernels.sentences(records)),
        drawings=tuple(_drawings(id_, device, findings_kernels.launch_bound(records))),
        lines=tuple(_line(one) for one in found[:_MOST_LINES]),
        left_out=f"{counted(more, 'kernel')} of fewer cases are left out." if more > 0 else "",
    )


def _line(one: Kernel) -> KernelRow:
    times = [
        r.profiled_time_s for r in one.records if r.kernels == (one.name,) and r.profiled_time_s
    ]
    ops = list(dict.fromkeys(r.op_id for r in one.records))
    more = f" and {len(ops) - _MOST_OPS} more" if len(ops) > _MOST_OPS else ""
    return KernelRow(
        name=one.name,
        short=launch_figure.short(one.name),
        cases=len(one.records),
        alone=one.alone,
        longest=one.longest,
        time=_span(times),
        ops=", ".join(ops[:_MOST_OPS]) + more,
    )


def _span(times: Sequence[float]) -> str:
    """`2.1 µs to 1.3 ms`."""
    if not times:
        return ""
    low, high = seconds(min(times)), seconds(max(times))
    return low if low == high else f"{low} to {high}"


def _drawings(id_: str, device: str, bound: Sequence[Record]) -> list[Drawing]:
    shown = bound[: launch_figure.MOST_ROWS]
    figure = launch_figure.waiting(shown)
    if figure is None:
        return []
    some = (
        f" The {len(shown)} of {len(bound)} that wait for the largest share."
        if len(bound) > len(shown)
        else ""
    )
    return [
        Drawing(
            id=f"{id_}-waiting",
            payload=_FIGURES,
            figure=figure,
            label=f"Launch-bound cases on {device}: of what a caller waits, the share in which the device "
            "works and the share in which it waits for the host.",
            caption="What a caller waits, divided into the device's work (plain) and its wait for the host "
            "(hatched); a diamond is what the device needs in a replayed graph. The device's own time is "
            f"measured beside the headline, so parts are known no better than both.{some}",
            twin=launch_figure.twin(shown),
        )
    ]
