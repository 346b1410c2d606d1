"""A comparison's page escapes its data, links what lies beside it, and is named by its runs."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest
from plotly.offline import get_plotlyjs

from bench.report.html import render
from bench.report.html.compare_page import page as compare_page_page
from bench.report.html.compare_page.page import run_names
from bench.report.html.compare_page.sentences import sentences
from tests.fakes.rows import HOSTILE
from tests.fakes.several_runs import example, held, runs, sized, stepping
from tests.report.html.run_page.test_page import Page

if TYPE_CHECKING:
    from bench.analysis.compare.runs import Lineup

PAGES = {
    "two runs": example(),
    "many runs": stepping(),
    "machines": held(runs(3, machines=True), *[sized(1e-5, 2e-5)] * 3),
    "with itself": held([runs(1)[0]] * 2, sized(1e-5), sized(1e-5)),
    "nothing in common": held(runs(2), sized(1e-5), []),
    "nothing at all": held(runs(2), [], []),
}


@pytest.mark.parametrize("found", PAGES.values(), ids=PAGES.keys())
def test_every_comparison_has_a_page(found: Lineup) -> None:
    """Its tags match, its ids are there once, and every figure and table finds its data."""
    page = Page(compare_page_page.page(found))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = [attrs["data-payload"] for _, attrs in page.elements if "data-payload" in attrs]
    assert set(wanted) <= set(ids)
    assert len(page.all("section", id="case")) == 1
    plots = page.all("div", **{"class": "plot"})
    assert len(plots) == len(page.all("figure"))
    assert all(plot["role"] == "img" and plot["aria-label"] for plot in plots)
    names = [
        attrs.get("href", "") for attrs in page.all("a") if attrs.get("href", "").startswith("#")
    ]
    assert {name[1:] for name in names} - {"main"} <= set(ids)


def test_nothing_from_data_is_read_as_markup() -> None:
    """Labels, cases and reasons are hostile here; the only scripts are ours."""
    html = compare_page_page.page(example())
    page = Page(html)
    assert "<b onmouseover" not in html
    assert not [attrs for _, attrs in page.elements if any(k.startswith("on") for k in attrs)]
    plain = [a for a in page.all("script") if not a.get("type")]
    assert [a.get("src") for a in plain] == list(render.shared())[1:2]
    assert any(HOSTILE in text for _, text in page.texts)


def test_runs_are_linked_where_their_page_lies_beside() -> None:
    """In the list of runs, and in the data of cases."""
    found = example()
    beside = {found.runs[0].run_id}
    html = compare_page_page.page(found, linked=beside)
    hrefs = [a["href"] for a in Page(html).all("a") if a.get("href", "").endswith(".html")]
    assert hrefs == ["index.html", f"{found.runs[0].run_id}.html"]


def test_a_single_file_needs_nothing_beside() -> None:
    """Plotly is inside, and no other page is linked."""
    html = compare_page_page.page(example(), single_file=True)
    assert get_plotlyjs() in html
    assert 'src="plotly' not in html
    assert not [
        a for a in Page(html.replace(get_plotlyjs(), "")).all("a") if ".html" in a.get("href", "")
    ]


def test_a_name_is_that_of_the_runs_in_their_order() -> None:
    """The same every time; with the base's id, so that pages of one base lie together."""
    first, second, third = runs(3)
    name = compare_page_page.name([first, second])
    assert re.fullmatch(rf"compare-{first.run_id}-[0-9a-f]{{8}}", name)
    assert name == compare_page_page.name([first, second])
    others = ([second, first], [first, third], [first, second, third], [first, third, second])
    assert len({name, *map(compare_page_page.name, others)}) == 5


def test_an_index_can_list_the_page() -> None:
    """By its own facts; what the runs share is said once."""
    found = PAGES["machines"]
    facts = render.facts_in(compare_page_page.page(found))
    assert facts == {
        "kind": "comparison",
        "run_id": compare_page_page.name(found.runs),
        "when": "2026-11-23 02:02 UTC",
        "label": "2 runs against Box 0",
        "machine": "Box 0, Box 1, Box 2",
        "devices": "–",
        "torch": "2.13.0",
        "cases": "3 runs compared",
        "found": sentences(found, run_names(found.runs))[0],
    }


def test_a_title_names_two_runs_and_counts_more() -> None:
    """The new one first."""
    assert compare_page_page.title(["before", "after"]) == "after against before"
    assert compare_page_page.title(["a", "b", "c"]) == "2 runs against a"


def test_the_page_says_at_which_threshold_it_judges() -> None:
    """In its method and beneath its figure."""
    found = example()
    strict = tuple(dataclasses.replace(one, threshold=0.02) for one in found.comparisons)
    html = compare_page_page.page(
        dataclasses.replace(found, comparisons=strict),
    )
    assert "beyond ±2.0 %" in html
    assert "within the band (±2.0 %)" in html
