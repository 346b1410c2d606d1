"""A run → one page: which views it has, in which order. How a view looks is its template's business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.analysis import grid
from bench.analysis.claims.claim import answers
from bench.analysis.claims.known import CLAIMS
from bench.report.html import render, style
from bench.report.html.run_page import facts as run_page_facts
from bench.report.html.run_page import ops
from bench.report.html.run_page.cases import cases_view
from bench.report.html.run_page.claims import claims_view
from bench.report.html.run_page.crossover import crossover_view
from bench.report.html.run_page.kernels import kernels_view
from bench.report.html.run_page.machine import machine_view
from bench.report.html.run_page.overview import overview_view
from bench.report.html.run_page.roofline import roofline_view
from bench.report.html.view import View
from bench.report.text import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from bench.records.record import Record
    from bench.report.html.downloads import Download
    from bench.store.runs import RunInfo


def run_page(
    records: Sequence[Record],
    info: RunInfo,
    *,
    samples: pd.DataFrame | None = None,
    downloads: Sequence[Download] = (),
    single_file: bool,
) -> str:
    """The page of a run.

    Args:
        records: its rows.
        info: what it says of itself.
        downloads: what can be taken away, beside the page or inside it.
        samples: its raw samples, as `bench.load_samples` gives them; None if they are not at hand.
        single_file: whether Plotly is inside the page, so that it can be sent on alone.
    """
    found = grid.in_reading_order(records)
    made = views(found, info, samples)
    return render.render(
        "run.html",
        facts={**facts(info), "found": " ".join(made[0].values["findings"][:1])},  # noqa: PD011 - a view
        alone=single_file,
        title=info.label or wording.machine_name(info),
        info=info,
        views=made,
        downloads=downloads,
    )


def views(
    records: Sequence[Record], info: RunInfo, samples: pd.DataFrame | None
) -> tuple[View, ...]:
    """What can be looked at, in the order of the navigation; what has nothing to show is left out."""
    made = (
        overview_view(records, info),
        _ops(records),
        cases_view(records, info, samples),
        claims_view(answers(CLAIMS, [records])),
        crossover_view(records),
        roofline_view(records, info),
        kernels_view(records, info),
        machine_view(records, info, samples),
        _method(records),
    )
    return tuple(view for view in made if view)


def index_page(pages: Sequence[dict[str, Any]]) -> str:
    """The list of pages, in the order given."""
    return render.render("index.html", facts=None, alone=False, pages=pages)


def facts(info: RunInfo) -> dict[str, str]:
    """What the index says of a run; every page carries its own."""
    return {
        "run_id": info.run_id,
        "when": wording.when(info.started_at),
        "label": info.label or "",
        "machine": wording.machine_name(info),
        "devices": wording.devices(info),
        "torch": wording.torch_version(info),
        "cases": wording.counted(info.counts, info.wrong),
    }


def _ops(records: Sequence[Record]) -> View:
    look = style.look(records)
    found = ops.sections(records, look)
    return View(
        id="ops",
        values={"sections": found, "look": look},
        payloads=tuple(section.payload for section in found if section.drawings),
    )


def _method(records: Sequence[Record]) -> View:
    return View(
        id="method",
        values={"confidence": run_page_facts.confidence(records)},
    )
