"""Crossovers of models: for each op from which size on a GPU of one model beats the CPU beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.fleet.sentences import LONGEST_NAME
from bench.report.html.table import Column, Listing, TableEntry, filters_of
from bench.report.text.crossover import answer, names_of
from bench.units import one_line

if TYPE_CHECKING:
    from bench.analysis.crossover.crossovers import Crossing
    from bench.analysis.fleet.fleet_summary import FleetSummary

_HEADS = ("op", "dtype", "CPU", "other", "who wins")


def listing(summary: FleetSummary) -> Listing | None:
    """A row per op, dtype and pair of models; None where no node has two devices."""
    if not summary.crossovers:
        return None
    entries = tuple(_entry(one) for one in summary.crossovers)
    return Listing(
        id="crossovers",
        name="crossovers",
        columns=tuple(Column(key=head, name=head) for head in _HEADS),
        filters=filters_of(entries),
        entries=entries,
    )


def _entry(one: Crossing) -> TableEntry:
    models = [one_line(name, LONGEST_NAME) for name in (one.one, one.other)]
    texts = (f"{one.suite}/{one.name}", one.dtype, *models, answer(one.found, names_of(one)))
    of = {"dtype": one.dtype, "CPU": models[0], "other": models[1]}
    return TableEntry(id="", of=of, cells=texts, sort=texts)
