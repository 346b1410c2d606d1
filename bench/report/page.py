"""A run → one page: which views it has, in which order. How a view looks is its template's business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.analysis import grid
from bench.analysis.claims.claim import answers
from bench.analysis.claims.course import COURSE
from bench.report import identity, sections, shell, theme, words
from bench.report.cases_view import cases_view
from bench.report.claims_view import claims_view
from bench.report.crossover_view import crossover_view
from bench.report.kernels_view import kernels_view
from bench.report.machine_view import machine_view
from bench.report.overview import overview_view
from bench.report.roofline_view import roofline_view
from bench.report.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from bench.records.record import Record
    from bench.report.downloads import Download
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
    return shell.render(
        "run.html",
        facts={**facts(info), "found": " ".join(made[0].values["findings"][:1])},  # noqa: PD011 - a view
        alone=single_file,
        title=info.label or words.machine_name(info),
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
        claims_view(answers(COURSE, [records])),
        crossover_view(records),
        roofline_view(records, info),
        kernels_view(records, info),
        machine_view(records, info, samples),
        _method(records),
    )
    return tuple(view for view in made if view)


def index_page(pages: Sequence[dict[str, Any]]) -> str:
    """The list of pages, in the order given."""
    return shell.render("index.html", facts=None, alone=False, pages=pages)


def facts(info: RunInfo) -> dict[str, str]:
    """What the index says of a run; every page carries its own."""
    return {
        "run_id": info.run_id,
        "when": words.when(info.started_at),
        "label": info.label or "",
        "machine": words.machine_name(info),
        "devices": words.devices(info),
        "torch": words.torch_version(info),
        "cases": words.counted(info.counts),
    }


def _ops(records: Sequence[Record]) -> View:
    look = theme.look(records)
    found = sections.sections(records, look)
    return View(
        id="ops",
        name="Ops",
        template="views/ops.html",
        values={"sections": found, "look": look},
        payloads=tuple(section.payload for section in found if section.drawings),
    )


def _method(records: Sequence[Record]) -> View:
    return View(
        id="method",
        name="Method",
        template="views/method.html",
        values={"confidence": identity.confidence(records)},
    )
