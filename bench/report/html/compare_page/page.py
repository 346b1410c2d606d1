"""Runs side by side → one page: what it is called, what an index says of it, which views it has."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from bench.report.html import render
from bench.report.html.compare_page.sentences import sentences
from bench.report.html.compare_page.views import views
from bench.report.text import wording

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bench.analysis.compare.runs import Lineup
    from bench.report.html.downloads import Download
    from bench.store.runs import RunInfo

_YEAR = len("2026-")


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
    called = run_names(found.runs)
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
        "label": title(run_names(runs)),
        "machine": ", ".join(dict.fromkeys(map(wording.machine_name, runs))),
        "devices": wording.devices(*runs),
        "torch": ", ".join(dict.fromkeys(map(wording.torch_version, runs))),
        "cases": f"{len(runs)} runs compared",
    }


def run_names(runs: Sequence[RunInfo]) -> tuple[str, ...]:
    """One short name per run, in their order, no two alike: by machine where these differ, else by label, else by time.

    A run that occurs twice is told by its place.
    """
    several = len({str(run.machine.get("machine_id")) for run in runs}) > 1
    found = [wording.machine_name(run) if several else "" for run in runs]
    for parts in (_labels(runs), _times(runs), _ends_of_ids(runs)):
        alike = Counter(found)
        found = [
            _joined(name, part) if alike[name] > 1 or not name else name
            for name, part in zip(found, parts, strict=True)
        ]
    alike = Counter(found)
    return tuple(
        f"{name} ({place})" if alike[name] > 1 else name
        for place, name in enumerate(found, start=1)
    )


def _joined(name: str, more: str) -> str:
    return ", ".join(part for part in (name, more) if part)


def _labels(runs: Sequence[RunInfo]) -> list[str]:
    return [run.label or "" for run in runs]


def _times(runs: Sequence[RunInfo]) -> list[str]:
    """When each run began: all in UTC, so that the zone needs no name; nor does the year where they share it."""
    full = [wording.when(run.started_at).removesuffix(" UTC") for run in runs]
    years = {text[:_YEAR] for text in full}
    return [text[_YEAR:] for text in full] if len(years) == 1 else full


def _ends_of_ids(runs: Sequence[RunInfo]) -> list[str]:
    """What differs between the ids of runs that began together."""
    return [run.run_id.rpartition("-")[2] for run in runs]
