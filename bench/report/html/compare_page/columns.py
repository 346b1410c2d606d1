"""What runs are called side by side: short, and no two of them alike.

By machine where these differ, else by label, else by moment; what is not enough alone gets more.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bench.report.text import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.store.runs import RunInfo

_YEAR = len("2026-")


def names(runs: Sequence[RunInfo]) -> tuple[str, ...]:
    """One name per run, in their order; a run that occurs twice is told by its place."""
    several = len({str(run.machine.get("machine_id")) for run in runs}) > 1
    found = [wording.machine_name(run) if several else "" for run in runs]
    for parts in (_labels(runs), _moments(runs), _ends_of_ids(runs)):
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


def _moments(runs: Sequence[RunInfo]) -> list[str]:
    """All are in one zone, so that it needs no name; nor does the year where they share it."""
    full = [wording.when(run.started_at).removesuffix(" UTC") for run in runs]
    years = {text[:_YEAR] for text in full}
    return [text[_YEAR:] for text in full] if len(years) == 1 else full


def _ends_of_ids(runs: Sequence[RunInfo]) -> list[str]:
    """What differs between the ids of runs that began together."""
    return [run.run_id.rpartition("-")[2] for run in runs]
