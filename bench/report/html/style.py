"""How things look in every figure of a page: one colour per op, one dash and marker per dtype.

Colours can be told apart by colour-blind people and are never the only difference. A figure holds
the light colours; the page's script puts in the dark ones, by the number that each trace carries.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.analysis.grid import lines, ranked_devices, ranked_dtypes, without_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.record import Record

# Okabe & Ito (2008), darkened for white and lightened for black until each has 3:1 against it.
LIGHT = ("#0072b2", "#c84e00", "#00805a", "#a8397f", "#8a6d00", "#4f5b66")
DARK = ("#5cb8f2", "#ff9a57", "#39cfa0", "#e896cb", "#e0c04a", "#b8c2cc")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "triangle-down",
    "pentagon",
    "star",
    "hexagram",
)
# The same dashes and markers as SVG, for the page's own legend (28 × 12, marker in the middle).
STROKES = ("", "7 3", "2 3", "7 3 2 3", "10 3", "10 3 2 3")
PATHS = (
    "M10 6a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "M10 2h8v8h-8z",
    "M14 1l5 5-5 5-5-5z",
    "M14 1l5 9h-10z",
    "M14 11l5-9h-10z",
    "M14 1l5 4-2 6h-6l-2-6z",
    "M14 0l1.8 4h4l-3.2 2.7 1.2 4.3-3.8-2.5-3.8 2.5 1.2-4.3-3.2-2.7h4z",
    "M14 0l2 3h4l-2 3 2 3h-4l-2 3-2-3h-4l2-3-2-3h4z",
)
# Fast to slow, lighter to darker, so that it reads without colour; dark enough text fits on all.
HEAT = ("#fffbe3", "#feeeb5", "#fddc85", "#fac364", "#f2a650", "#e68a45", "#d8713f")
HEAT_INK = "#1c2128"
_HEAD, _TAIL = 8, 13  # characters of a long name, which take a third of a phone's width


@dataclass(frozen=True, slots=True)
class Appearance:
    """Which number each thing has on the page; numbers become colours, dashes and markers."""

    names: dict[tuple[str, str], int]
    dtypes: dict[str, int]
    devices: dict[str, int]

    def trace(self, suite: str, name: str, dtype: str, device: str) -> dict[str, Any]:
        """Line, marker and the numbers by which the page's controls find the trace."""
        numbers = self.numbers(suite, name, dtype, device)
        op, kind, place = numbers["op"], numbers["dtype"], numbers["device"]
        colour = op % len(LIGHT)
        marker = SYMBOLS[self.symbol(op, kind)] + ("-open" if place % 2 else "")
        return {
            "line": {
                "color": LIGHT[colour],
                "dash": DASHES[kind % len(DASHES)],
                "width": 1.25 if place else 2,
            },
            "marker": {
                "color": LIGHT[colour],
                "symbol": marker,
                "size": 8,
                "line": {"width": 2 if place else 0},
            },
            "meta": {**numbers, "colour": colour},
        }

    def numbers(self, suite: str, name: str, dtype: str, device: str) -> dict[str, int]:
        """By which the page's controls find a line."""
        return {
            "op": self.names[suite, name],
            "dtype": self.dtypes[dtype],
            "device": self.devices[device],
        }

    def symbol(self, op: int, dtype: int) -> int:
        """Ops that share a colour differ in their marker."""
        return (dtype + len(self.dtypes) * (op // len(LIGHT))) % len(SYMBOLS)


def look(records: Sequence[Record]) -> Appearance:
    """The numbers of a run: ops from 0 in each suite, dtypes and devices across the run."""
    pairs = [(line.suite, line.name) for line in lines(records)]
    pairs += [(r.suite, r.op) for r in without_size(records)]
    names: dict[tuple[str, str], int] = {}
    for suite, name in pairs:
        names.setdefault((suite, name), sum(known == suite for known, _ in names))
    return Appearance(
        names=names,
        dtypes={dtype: place for place, dtype in enumerate(ranked_dtypes(records))},
        devices={device: place for place, device in enumerate(ranked_devices(records))},
    )


def escaped(text: str) -> str:
    """Text as Plotly shows it; it reads a part of HTML in every label."""
    return html.escape(text, quote=False)


def shortened(text: str) -> str:
    """Text as it fits beside a figure on a phone: its beginning and its end."""
    return text if len(text) <= _HEAD + 1 + _TAIL else f"{text[:_HEAD]}…{text[-_TAIL:]}"


def layout(**more: Any) -> dict[str, Any]:
    """What all figures share; colours of paper and text come from the page."""
    return {
        "autosize": True,
        "dragmode": False,
        "font": {"family": "system-ui, sans-serif", "size": 12},
        "hoverlabel": {"align": "left"},
        "hovermode": "closest",
        "margin": {"l": 62, "r": 12, "t": 8, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        **more,
    }


def rows_axis(names: Sequence[str]) -> dict[str, Any]:
    """A row for each name, the first on top."""
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [escaped(name) for name in names],
        "range": [len(names) - 0.5, -0.5],
        "automargin": True,
        "zeroline": False,
    }
