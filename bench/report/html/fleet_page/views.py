"""Views of a campaign: summary, devices, percentiles, models, crossovers, coverage, method.

A view without anything to show is not made; what is heavy is in payloads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.fleet.sentences import sentences
from bench.report.html.figure import payload as drawn
from bench.report.html.fleet_page import crossovers, devices, percentiles
from bench.report.html.fleet_page.coverage import coverage_values
from bench.report.html.fleet_page.device_map import (
    FAST,
    MARKS,
    MOST_BANDS,
    NOT_MEASURED,
    PAYLOAD,
    SLOW,
    device_map,
    opacity_steps,
)
from bench.report.html.fleet_page.mapped_models import mapped_models
from bench.report.html.fleet_page.spread_figure import spreads
from bench.report.html.view import View
from bench.units import share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.fleet.fleet_summary import FleetSummary
    from bench.records.campaign import CampaignState
    from bench.report.html.figure import Drawing

MOST_MAPS = 8
"""So many models have a map; the table of devices has all that stands out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyColour:
    """A colour of the map and what it means; `mark` is a sign instead of a colour."""

    text: str
    fill: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryValues:
    """What the first view shows."""

    sentences: tuple[str, ...]
    key: tuple[KeyColour, ...]
    drawings: tuple[Drawing, ...]
    models_left_out: int


def views(state: CampaignState, summary: FleetSummary) -> list[View]:
    """The views, in their order."""
    made = [
        _summary(state, summary),
        _devices(summary),
        _percentiles(summary),
        _models(summary),
        _crossovers(summary),
        _coverage(state, summary),
        _method(summary),
    ]
    return [one for one in made if one]


def _summary(state: CampaignState, summary: FleetSummary) -> View:
    found = mapped_models(state, summary)
    maps = [device_map(place, one, summary.band) for place, one in enumerate(found[:MOST_MAPS])]
    wide = bool(maps) and maps[0].wide
    bars = spreads(summary, PAYLOAD, wide=wide)
    drawings = (*maps[:1], *([bars] if bars else []), *maps[1:])
    return View(
        id="summary",
        values=SummaryValues(
            sentences=sentences(state, summary),
            key=_key(summary.band) if maps else (),
            drawings=drawings,
            models_left_out=max(0, len(found) - MOST_MAPS),
        ),
        payloads=(drawn(PAYLOAD, drawings),) if drawings else (),
    )


def _key(band: float) -> tuple[KeyColour, ...]:
    """Colours from fast to slow, grey, and the marks."""
    steps = list(opacity_steps())[1:]
    fast = [_colour(FAST, -at, opacity, band) for at, opacity in reversed(steps)]
    slow = [_colour(SLOW, at, opacity, band) for at, opacity in steps]
    return (
        *fast,
        *slow,
        KeyColour(text="not measured", fill=NOT_MEASURED),
        *(KeyColour(text=word, mark=sign) for word, (_, sign) in MARKS.items()),
    )


def _colour(rgb: Sequence[int], at: float, opacity: float, band: float) -> KeyColour:
    """A colour by the per cent that it stands for; the strongest one for all beyond."""
    change = (
        (1 + band) ** (MOST_BANDS * abs(at)) - 1 if at > 0 else 1 - (1 + band) ** (MOST_BANDS * at)
    )
    beyond = " or more" if abs(at) == 1 else ""
    word = "slower" if at > 0 else "faster"
    fill = f"rgba({','.join(map(str, rgb))},{opacity})"
    return KeyColour(text=f"{share(change)}{beyond} {word}", fill=fill)


def _devices(summary: FleetSummary) -> View | None:
    if not summary.deviations:
        return None
    found = devices.listing(summary)
    values = {
        "listing": found,
        "left_out": devices.unsure_left_out(summary),
        "looked_at": summary.tests or len(summary.deviations),
    }
    return View(id="devices", values=values, payloads=(found.payload,))


def _percentiles(summary: FleetSummary) -> View | None:
    if not summary.percentiles:
        return None
    found = percentiles.listing(summary)
    values = {"listing": found, "least": percentiles.LEAST_UNITS}
    return View(id="percentiles", values=values, payloads=(found.payload,))


def _models(summary: FleetSummary) -> View | None:
    found = percentiles.side_by_side(summary)
    if found is None:
        return None
    return View(id="models", values=found, payloads=(found.listing.payload,))


def _crossovers(summary: FleetSummary) -> View | None:
    found = crossovers.listing(summary)
    if found is None:
        return None
    return View(id="crossovers", values={"listing": found}, payloads=(found.payload,))


def _coverage(state: CampaignState, summary: FleetSummary) -> View:
    values = coverage_values(state, summary)
    return View(id="coverage", values=values, payloads=(values.listing.payload,))


def _method(summary: FleetSummary) -> View:
    return View(id="method", values={"band": share(summary.band)})
