"""A run's first screen: what became of its cases, sentences, one picture, and which machine it was.

The picture is where the GPU wins, or how near each case comes to its roof.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from bench.analysis.findings.findings import findings
from bench.analysis.findings.gpu_speedup import between_devices
from bench.report.html.figure import payload
from bench.report.html.run_page import facts, strip_figure
from bench.report.html.run_page.speedup_figure import speedups
from bench.report.html.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.record import Record
    from bench.report.html.figure import Drawing
    from bench.store.runs import RunInfo

_PICTURE = "overview-picture"
_FIGURES = "overview-figures"


def overview_view(records: Sequence[Record], info: RunInfo) -> View:
    """The view of these rows, also if there are none."""
    drawn = picture(records)
    return View(
        id="overview",
        values={
            "outcomes": facts.outcomes(records),
            "findings": findings(records),
            "headline": facts.headline(info, records),
            "picture": drawn,
            "command": shlex.join(info.argv),
        },
        payloads=(payload(_FIGURES, [drawn]),) if drawn else (),
    )


def picture(records: Sequence[Record]) -> Drawing | None:
    """With curves on two devices their speedup, else shares of roofs, else times; None without any time."""
    found = [c for c in between_devices(records) if len(c.found.ratios) > 1]
    if found:
        return speedups(_PICTURE, _FIGURES, found)
    return strip_figure.shares(_PICTURE, _FIGURES, records) or strip_figure.times(
        _PICTURE, _FIGURES, records
    )
