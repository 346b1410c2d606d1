"""A comparison's page has the views that have something to show."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from bench.report.html.compare_page.views import VerdictsValues, views
from tests.fakes.several_runs import example, held, runs, sized, stepping

if TYPE_CHECKING:
    from bench.analysis.compare.runs import Lineup
    from bench.report.html.view import View


def made(found: Lineup) -> dict[str, View]:
    """The views by their names in the address."""
    names = [run.label or "" for run in found.runs]
    return {one.id: one for one in views(found, names, [None] * len(names))}


def verdicts(found: Lineup) -> VerdictsValues:
    """What the first view shows."""
    values = made(found)["verdicts"].values
    assert isinstance(values, VerdictsValues)
    return values


def test_a_trend_takes_three_runs_of_a_machine() -> None:
    """Else there is no such view."""
    assert list(made(example())) == ["verdicts", "cases", "machines", "method"]
    assert list(made(stepping())) == ["verdicts", "cases", "trend", "machines", "method"]


def test_each_run_has_its_counts_beside_what_it_is() -> None:
    """The base has none."""
    base, new = verdicts(example()).runs
    assert (base.counts, base.mean) == ((), "")
    assert new.counts == (1, 2, 1, 2, 1, 0)
    assert base.facts == ("2026-11-23 00:02 UTC", "2.13.0", "–", "Box 0")
    changed = {"git_commit": "1a2b3c4d5e", "git_dirty": True}
    found = held(runs(2, environment=changed), sized(1e-5), sized(1e-5))
    assert verdicts(found).runs[0].facts[2] == "1a2b3c4+"


def test_what_differs_stands_with_what_would_mend_it() -> None:
    """What matters apart from what doesn't."""
    infos = runs(2)
    infos[1] = dataclasses.replace(infos[1], options={"threads": 4})
    (weighed,) = verdicts(held(infos, sized(1e-5), sized(1e-5))).weighed
    assert weighed.word == "not comparable"
    assert [d.field for d in weighed.mattering] == ["threads"]
    assert [d.field for d in weighed.others] == ["label", "started_at"]
    assert weighed.remedy == "bench run matmul --threads 2"


def test_a_long_list_of_missing_cases_is_cut_and_counted() -> None:
    """The table has them all."""
    (weighed,) = verdicts(held(runs(2), sized(*[1e-5] * 60), sized(1e-5))).weighed
    assert len(weighed.missing) == 50
    assert weighed.missing_more == 9


def test_between_machines_the_means_come_first() -> None:
    """On one machine the cases do: most of them are the same."""
    rows = [sized(1e-5), sized(2e-5)]
    here = verdicts(held(runs(2), *rows)).drawings
    there = verdicts(held(runs(2, machines=True), *rows)).drawings
    assert [one.id for one in here] == ["ratio-cases", "ratio-means"]
    assert [one.id for one in there] == ["ratio-means", "ratio-cases"]


def test_several_runs_have_a_legend_that_hides_them() -> None:
    """By the number that their traces carry; two runs need none."""
    assert verdicts(example()).legend == ()
    found = verdicts(held(runs(3), *[sized(1e-5)] * 3))
    assert [(one.number, one.name) for one in found.legend] == [(0, "r1"), (1, "r2")]
    numbers = [t["meta"].get("device") for t in found.drawings[0].figure["data"]]
    assert numbers[-2:] == [0, 1]
    assert [one.colour for one in found.runs] == [5, 0, 1]


def test_every_drawing_is_in_the_payload_of_its_view() -> None:
    """The page finds it there."""
    for view in made(stepping()).values():
        drawings = getattr(view.values, "drawings", ())
        held_in = {payload.id: payload.value for payload in view.payloads}
        assert all(one.id in held_in[one.payload] for one in drawings)
