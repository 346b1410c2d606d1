"""Runs side by side → one page: what it is called, what an index says of it, which views it has."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bench.report.html import render
from bench.report.html.compare_page import columns
from bench.report.html.compare_page.sentences import sentences
from bench.report.html.compare_page.views import views
from bench.report.text import wording

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bench.analysis.compare.runs import Lineup
    from bench.report.html.downloads import Download
    from bench.store.runs import RunInfo


def name(runs: Sequence[RunInfo]) -> str:
    """A file's name without its ending: the same for the same runs in the same order."""
    ids = "\n".join(run.run_id for run in runs)
    return f"compare-{runs[0].run_id}-{hashlib.blake2s(ids.encode(), digest_size=4).hexdigest()}"


def page(
    found: Lineup,
    *,
    linked: Collection[str] = (),
    downloads: Sequence[Download] = (),
    single_file: bool = False,
) -> str:
    """The page.

    Args:
        found: the runs and what they say.
        linked: ids of the runs whose own pages lie in the same folder.
        downloads: what can be taken away.
        single_file: whether Plotly is inside the page, so that it can be sent on alone.
    """
    called = columns.names(found.runs)
    hrefs = [f"{run.run_id}.html" if run.run_id in linked else None for run in found.runs]
    return render.render(
        "compare.html",
        facts={**facts(found.runs), "found": " ".join(sentences(found, called)[:1])},
        alone=single_file,
        title=title(called),
        ids=[run.run_id for run in found.runs],
        views=views(found, called, hrefs),
        downloads=downloads,
    )


def title(called: Sequence[str]) -> str:
    """`after against before`; of many runs, how many."""
    first, *others = called
    if len(others) == 1:
        return f"{others[0]} against {first}"
    return f"{len(others)} runs against {first}"


def facts(runs: Sequence[RunInfo]) -> dict[str, str]:
    """What an index says of the page."""
    newest = max(runs, key=lambda run: run.started_at)
    return {
        "kind": "comparison",
        "run_id": name(runs),
        "when": wording.when(newest.started_at),
        "label": title(columns.names(runs)),
        "machine": ", ".join(dict.fromkeys(map(wording.machine_name, runs))),
        "devices": wording.devices(*runs),
        "torch": ", ".join(dict.fromkeys(map(wording.torch_version, runs))),
        "cases": f"{len(runs)} runs compared",
    }
