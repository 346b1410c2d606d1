"""The machine view: what measured this, in which state it was, what it can do, and how far its numbers move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.analysis import grid
from bench.analysis.findings import sentinel_series
from bench.doctor import rules
from bench.records.machine_state import SAME_LEVEL
from bench.report.html import figure as html_figure
from bench.report.html.figure import Drawing, LegendKey
from bench.report.html.run_page import facts as run_page_facts
from bench.report.html.run_page import gpu_facts, machine_state_figure, noise_floor_figure
from bench.report.html.run_page.roofline import known_roofs
from bench.report.html.view import View, anchor
from bench.report.text import wording
from bench.report.text.machine import NO_ROOFS, roof_lines
from bench.units import MISSING, counted, number, seconds, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from bench.analysis.findings.sentinel_series import SentinelSeries
    from bench.doctor.hazard import Hazard
    from bench.records.record import Record
    from bench.records.roofs import Roofs
    from bench.report.html.run_page.facts import Definitions
    from bench.store.runs import RunInfo

ID = "machine"
_FIGURES = f"{ID}-figures"
_MOST_UNSTEADY = 5
"""So many of the cases with the highest noise floors are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRoofLines:
    """The roofs of a device as lines of text."""

    device: str
    measured: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelLevel:
    """A sentinel of a device: at its best in this run, and at the machine's reference."""

    device: str
    sentinel: str
    here: str
    reference: str
    ratio: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsteadyCase:
    """A case whose earlier runs lay far apart."""

    title: str
    anchor: str
    floor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineValues:
    """What the template needs."""

    hazards: tuple[Hazard, ...]
    levels: tuple[SentinelLevel, ...]
    keys: tuple[LegendKey, ...]
    states: tuple[Drawing, ...]
    floor_said: str
    floor: tuple[Drawing, ...]
    unsteady: tuple[UnsteadyCase, ...]
    ceilings: tuple[DeviceRoofLines, ...]
    no_roofs: str
    gpus: tuple[tuple[str, Definitions], ...]
    groups: tuple[tuple[str, Definitions], ...]


def machine_view(records: Sequence[Record], info: RunInfo, samples: pd.DataFrame | None) -> View:
    """The view of a run.

    Args:
        records: its rows.
        info: its manifest.
        samples: its raw samples, as `load_samples` gives them; without them the figure of its state is left out.
    """
    courses = sentinel_series.courses(samples, info.reference)
    states = tuple(_states(courses))
    ranked = noise_floor_figure.ranked(records)
    floors = tuple(_floor(ranked))
    known = known_roofs(info)
    figures = (*states, *floors)
    return View(
        id=ID,
        values=MachineValues(
            hazards=tuple(rules.hazards(info, records)),
            levels=tuple(_levels(info)),
            keys=tuple(_keys(courses)),
            states=states,
            floor_said=_floor_said(records, ranked),
            floor=floors,
            unsteady=tuple(_unsteady(one) for one in ranked[: -_MOST_UNSTEADY - 1 : -1]),
            ceilings=tuple(_ceiling(one) for one in known.values()),
            no_roofs="" if known else NO_ROOFS,
            gpus=tuple(gpu_facts.groups(records, info)),
            groups=tuple(run_page_facts.groups(gpu_facts.without(info))),
        ),
        payloads=(html_figure.payload(_FIGURES, figures),) if figures else (),
    )


def _levels(info: RunInfo) -> list[SentinelLevel]:
    found = []
    for device in sorted({*info.sentinels, *info.reference}):
        here, reference = _facts(info.sentinels, device), _facts(info.reference, device)
        for name in sentinel_series.SENTINELS:
            own, best = here.get(f"{name}_s"), reference.get(f"{name}_s")
            if own or best:
                ratio = f"{number(own / best)}×" if own and best else MISSING
                level = SentinelLevel(
                    device=device,
                    sentinel=name,
                    here=seconds(own),
                    reference=seconds(best),
                    ratio=ratio,
                )
                found.append(level)
    return found


def _facts(of: Mapping[str, Any], device: str) -> Mapping[str, Any]:
    """What is said of a device; nothing of what another version wrote in its place."""
    facts = of.get(device)
    return facts if isinstance(facts, dict) else {}


def _states(found: Sequence[SentinelSeries]) -> list[Drawing]:
    drawings = []
    for place, device in enumerate(dict.fromkeys(one.device for one in found)):
        own = [one for one in found if one.device == device]
        figure = machine_state_figure.state_figure(own)
        if figure is None:
            continue
        names = ", ".join(one.sentinel for one in own)
        by = f"within {share(SAME_LEVEL - 1)} of it"
        drawings.append(
            Drawing(
                id=f"{ID}-course-{place}",
                payload=_FIGURES,
                figure=figure,
                label=f"State of {device} in the course of the run: what its sentinels took ({names}), "
                "as multiples of the machine's reference.",
                caption=f"What the sentinels of {device} took, as multiples of the reference; a visit whose "
                f"sentinels are {by} (dotted) is at reference. Lines are the middle of each stretch of "
                "time, points its fastest and its slowest reading.",
                twin=machine_state_figure.twin(own),
            )
        )
    return drawings


def _keys(found: Sequence[SentinelSeries]) -> list[LegendKey]:
    names = [
        name for name in sentinel_series.SENTINELS if any(one.sentinel == name for one in found)
    ]
    return [LegendKey(number=sentinel_series.SENTINELS.index(name), name=name) for name in names]


def _floor(ranked: Sequence[Record]) -> list[Drawing]:
    figure = noise_floor_figure.floors(ranked)
    if figure is None:
        return []
    return [
        Drawing(
            id=f"{ID}-floor",
            payload=_FIGURES,
            figure=figure,
            label=f"Noise floor of {len(ranked)} cases, the steadiest first: how far the headlines of earlier "
            "runs of the same code lay apart.",
            caption="How far each case's headlines lay apart in earlier runs of the same code (standard "
            "deviation, logarithmic), the steadiest case first. Intervals allow for it.",
            twin=noise_floor_figure.twin(ranked),
        )
    ]


def _floor_said(records: Sequence[Record], ranked: Sequence[Record]) -> str:
    measured = sum(r.status == "ok" for r in records)
    if not ranked:
        return (
            "No noise floor is known: it takes three earlier runs of the same code, on this machine, "
            "in the same store. Until then intervals do not allow for how runs differ."
        )
    middle, worst = noise_floor_figure.quantile(ranked, 0.5), noise_floor_figure.quantile(ranked, 1)
    return (
        f"Known of {len(ranked)} of {counted(measured, 'case')}, from three to twenty earlier runs each: "
        f"headlines lay {share(middle)} apart in the middle, {share(worst)} at worst."
    )


def _unsteady(record: Record) -> UnsteadyCase:
    title = f"{record.suite}/{grid.title(record)} on {record.device}"
    apart = share(record.noise_floor_share)
    return UnsteadyCase(title=title, anchor=anchor(record), floor=apart)


def _ceiling(known: Roofs) -> DeviceRoofLines:
    threads = f"{counted(known.threads, 'thread')}, " if known.device == "cpu" else ""
    when = wording.when(known.measured_at)
    return DeviceRoofLines(
        device=known.device,
        measured=f"{threads}torch {known.torch}, {when}",
        lines=tuple(roof_lines(known)),
    )
