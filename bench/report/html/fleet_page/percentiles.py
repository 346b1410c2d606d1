"""Percentiles of each case over the devices of a model, and the models side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bench.analysis.fleet.fleet_summary import FEWEST_FOR_P99, FEWEST_FOR_PERCENTILES
from bench.analysis.fleet.sentences import LONGEST_NAME, models
from bench.report.html.table import Column, Listing, TableEntry, filters_of
from bench.report.text import ratio_text
from bench.units import MISSING, one_line, seconds, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.fleet.fleet_summary import FleetSummary, Percentiles
    from bench.report.html.table import Cell

LEAST_UNITS: Mapping[int, int] = {
    **dict.fromkeys((1, 99), FEWEST_FOR_P99),
    **dict.fromkeys((5, 95), FEWEST_FOR_PERCENTILES),
    50: 1,
}
"""Percentile → devices that it takes: of fewer it would lie beyond every one that was seen."""
_PERCENTILES = (1, 5, 50, 95, 99)
_LONGEST_CASE = 200
_DIGITS = 4


class CaseKey(NamedTuple):
    """What is alike when models are held against each other."""

    case: str
    dtype: str
    threads: int | None
    torch: str
    fingerprint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """The models' table, and the one that the others are held against."""

    base: str
    listing: Listing


def listing(summary: FleetSummary) -> Listing:
    """A row per model and case, in the order of the models."""
    order = models(summary)
    found = sorted(summary.percentiles, key=lambda one: order.index(one.model))
    several = _Several.of(found)
    entries = tuple(_entry(place, one, several) for place, one in enumerate(found))
    return Listing(
        id="percentiles",
        name="percentiles",
        columns=(
            Column(key="case", name="case"),
            *([Column(key="model", name="model")] if several.models else []),
            Column(key="dtype", name="dtype"),
            *([Column(key="threads", name="threads", number=True)] if several.threads else []),
            *([Column(key="torch", name="torch")] if several.torches else []),
            Column(key="units", name="devices", number=True),
            *(Column(key=f"p{at}", name=f"p{at}", number=True) for at in _PERCENTILES),
            Column(key="visits", name="visit to visit", number=True),
        ),
        filters=filters_of(entries),
        entries=entries,
    )


def side_by_side(summary: FleetSummary) -> SideBySide | None:
    """A row per case that several models have, with the median of each; None of one model."""
    order = models(summary)
    by_case: dict[CaseKey, dict[str, Percentiles]] = {}
    for one in summary.percentiles:
        by_case.setdefault(_key(one), {})[one.model] = one
    shared = {key: found for key, found in by_case.items() if len(found) > 1}
    if not shared:
        return None
    base, *others = (m for m in order if any(m in found for found in shared.values()))
    several = _Several.of([one for found in shared.values() for one in found.values()])
    entries = tuple(
        _row(place, key, found, [base, *others], several)
        for place, (key, found) in enumerate(shared.items())
    )
    columns = (
        Column(key="case", name="case"),
        Column(key="dtype", name="dtype"),
        *([Column(key="threads", name="threads", number=True)] if several.threads else []),
        *([Column(key="torch", name="torch")] if several.torches else []),
        Column(key="m0", name=one_line(base, LONGEST_NAME), number=True),
        *(
            Column(key=f"m{place}", name=one_line(model, LONGEST_NAME), number=True)
            for place, model in enumerate(others, start=1)
        ),
    )
    found = Listing(
        id="models",
        name="models side by side",
        columns=columns,
        filters=filters_of(entries),
        entries=entries,
    )
    return SideBySide(base=one_line(base, LONGEST_NAME), listing=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Several:
    """Which facts take more than one value, and so have a column."""

    models: bool
    threads: bool
    torches: bool

    @classmethod
    def of(cls, found: Sequence[Percentiles]) -> _Several:
        return cls(
            models=len({one.model for one in found}) > 1,
            threads=len({one.threads for one in found}) > 1,
            torches=len({one.torch for one in found}) > 1,
        )


def _key(one: Percentiles) -> CaseKey:
    return CaseKey(one.case, one.dtype, one.threads, one.torch, one.fingerprint)


def _entry(place: int, one: Percentiles, several: _Several) -> TableEntry:
    model, dtype = one_line(one.model, LONGEST_NAME), one_line(one.dtype, LONGEST_NAME)
    cells: list[Cell] = [(one_line(one.case, _LONGEST_CASE), place)]
    cells += [(model, model)] if several.models else []
    cells += [(dtype, dtype)]
    cells += _settings(one.threads, one.torch, several)
    times = dict(
        zip(_PERCENTILES, (one.p1_s, one.p5_s, one.p50_s, one.p95_s, one.p99_s), strict=True)
    )
    cells += [(f"{one.units:,}", one.units)]
    cells += [_time(time, of=one.units >= LEAST_UNITS[at]) for at, time in times.items()]
    cells += [(share(one.between_visits), one.between_visits)]
    return _listed(cells, {"model": model, "dtype": dtype})


def _row(
    place: int,
    key: CaseKey,
    found: Mapping[str, Percentiles],
    order: Sequence[str],
    several: _Several,
) -> TableEntry:
    dtype = one_line(key.dtype, LONGEST_NAME)
    cells: list[Cell] = [(one_line(key.case, _LONGEST_CASE), place), (dtype, dtype)]
    cells += _settings(key.threads, key.torch, several)
    base = found.get(order[0])
    cells += [_time(base.p50_s if base else None)]
    cells += [_against(found.get(model), base) for model in order[1:]]
    return _listed(cells, {"dtype": dtype})


def _settings(threads: int | None, torch: str, several: _Several) -> list[Cell]:
    text = MISSING if threads is None else str(threads)
    version = one_line(torch, LONGEST_NAME)
    return [
        *([(text, threads)] if several.threads else []),
        *([(version, version)] if several.torches else []),
    ]


def _listed(cells: Sequence[Cell], of: Mapping[str, str]) -> TableEntry:
    texts, keys = zip(*cells, strict=True)
    return TableEntry(id="", of=of, cells=texts, sort=keys)


def _time(value: float | None, *, of: bool = True) -> Cell:
    """A time; none where it takes more devices than there are."""
    return (seconds(value, _DIGITS), value) if of and value else (MISSING, None)


def _against(one: Percentiles | None, base: Percentiles | None) -> Cell:
    """A median with its ratio to the base's, sorted by that."""
    if one is None:
        return MISSING, None
    if base is None or not base.p50_s:
        return seconds(one.p50_s, _DIGITS), None
    ratio = one.p50_s / base.p50_s
    return f"{seconds(one.p50_s, _DIGITS)} · ×{ratio_text.times(ratio)}", ratio
